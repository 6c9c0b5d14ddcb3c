"""Writes the tables of docs/reference/refusals.md anew: ``python -m tests.hostile.page``."""

import re

from tests.conftest import ROOT
from tests.hostile.rows import SECTIONS, table

PAGE = ROOT / "docs/reference/refusals.md"


def with_tables(page: str) -> str:
    """The page with the table of each section as the rows give it."""
    for section, rows in SECTIONS.items():
        head, mark, rest = page.partition(f"\n## {section}\n")
        assert mark, f"the page has no section {section}"
        body, _, after = rest.partition("\n## ")
        text = re.sub(r"(?m)^\|.*\n?", "", body).strip()
        told = f"\n{text}\n" if text else ""
        page = f"{head}{mark}{told}\n{table(rows)}\n" + (f"\n## {after}" if after else "")
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
