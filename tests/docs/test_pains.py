"""The page of pains names tests that exist and that carry their threads."""

import ast
import re

import pytest
from tests.conftest import ROOT

PAGE = ROOT / "docs/reference/pains.md"
ROWS = re.findall(
    r"^\| [^|]+ \| ([^|]*#\d+[^|]*) \| `([^`]+)::([^`]+)`", PAGE.read_text(), re.MULTILINE
)


@pytest.mark.parametrize(("threads", "file", "name"), ROWS, ids=[row[2] for row in ROWS])
def test_the_test_of_a_pain_carries_its_threads(threads: str, file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    (found,) = [f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == name]
    said = ast.get_docstring(found) or ""

    assert [thread for thread in threads.split(", ") if thread not in said] == []


def test_every_row_is_read() -> None:
    assert len(ROWS) == sum("::" in line for line in PAGE.read_text().splitlines())
    assert len(ROWS) > 10
