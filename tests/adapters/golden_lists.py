"""Whole argument lists against text files, one argument a line.

Set ``UPDATE_GOLDEN=1`` to write the files anew, then read the difference.
"""

import os
from collections.abc import Sequence
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(name: str, arguments: Sequence[str]) -> None:
    """The arguments are those of ``golden/<name>.txt``."""
    path = GOLDEN / f"{name}.txt"
    assert not [argument for argument in arguments if "\n" in argument]
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{argument}\n" for argument in arguments), encoding="utf-8")
    assert list(arguments) == path.read_text(encoding="utf-8").splitlines()
