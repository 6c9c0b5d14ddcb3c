"""The ladders that come with Matinee, as data files."""

from pathlib import Path

from matinee.core.errors import LadderInvalid
from matinee.media.ladder import Ladder
from matinee.media.ladder_file import parse_ladder

SHIPPED = Path(__file__).parent


def load_ladder(name: str) -> Ladder:
    """A shipped ladder by its name, or a ladder file by its path.

    Raises:
        LadderInvalid: neither, or not a ladder.
    """
    shipped = SHIPPED / f"{name}.toml"
    path = shipped if shipped.is_file() else Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(ladder.stem for ladder in SHIPPED.glob("*.toml")))
        raise LadderInvalid(
            f"no ladder {name!r}", f"shipped ladders: {known}; or give a ladder file's path"
        ) from error
    return parse_ladder(path.stem, text)


def preview_ladder() -> Ladder:
    """What previews are made of; nobody publishes with it."""
    path = Path(__file__).parent / "inner" / "preview.toml"
    return parse_ladder(path.stem, path.read_text(encoding="utf-8"))
