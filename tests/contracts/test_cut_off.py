"""A film that was cut off is known by its head, before any of it is read."""

import re
from fractions import Fraction
from pathlib import Path

import av
import pytest
from tests.contracts.tool_work import INDEXER
from tests.films import X264, Films, moving_picture, rustle

from matinee.adapters.pyav_cut_off import declared_bytes
from matinee.adapters.pyav_inspect import GLANCED_AT
from matinee.core.errors import SourceUnreadable

pytestmark = pytest.mark.tools

MADE = (
    "-f", "lavfi", "-i", moving_picture(Fraction(25), 150), "-f", "lavfi", "-t", "6", "-i",
    rustle(2), "-map", "0:v", "-map", "1:a", *X264, "-c:a", "aac",
)  # fmt: skip


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("cut.mp4", r"cut off at 3\.\d\d s: by its header it lasts 6\.0\d s"),
        ("cut.mkv", r"cut off: [0-9,]+ of [0-9,]+ bytes are there"),
        ("cut.avi", r"cut off: [0-9,]+ of [0-9,]+ bytes are there"),
        ("cut.ts", ""),
    ],
)
def test_a_glance_tells_where_a_film_is_cut_off(
    films: Films, tmp_path: Path, file: str, told: str
) -> None:
    film = films.special(file, *MADE, "-movflags", "+faststart")
    data = film.read_bytes()
    cut = tmp_path / file
    cut.write_bytes(data[: len(data) * 6 // 10])

    found = INDEXER.look(cut)

    assert INDEXER.look(film) == ""
    assert found == "" if not told else re.search(told, found)


def test_a_glance_is_soon_over_though_nothing_decodes(films: Films, tmp_path: Path) -> None:
    """What is known when all was read is for those who read all."""
    whole = films.special(
        "many.mkv", "-f", "lavfi", "-i", moving_picture(Fraction(25), GLANCED_AT + 20), *X264
    )
    data, film = whole.read_bytes(), tmp_path / "film.mkv"
    with av.open(str(whole)) as container:
        for packet in container.demux():
            payload = bytes(packet)
            data = data.replace(payload, b"\xff" * len(payload)) if payload else data
    film.write_bytes(data)

    assert INDEXER.look(film) == ""
    with pytest.raises(SourceUnreadable, match="no frame"):
        INDEXER.inspect(film)


@pytest.mark.parametrize(
    "head",
    [
        b"", b"RIFF", b"\x1a\x45\xdf\xa3", bytes.fromhex("1a45dfa3 80"),
        bytes.fromhex("1a45dfa3 80 18538067"),
        bytes.fromhex("1a45dfa3 80 18538067 01ffffffffffffff"), b"RIFF" + b"\xff" * 4,
        bytes.fromhex("1a45dfa3 00"), bytes(64), b"\xff" * 64,
    ],
)  # fmt: skip
def test_a_head_that_tells_nothing_is_believed_nothing(head: bytes) -> None:
    assert declared_bytes(head) in (0, 8)
