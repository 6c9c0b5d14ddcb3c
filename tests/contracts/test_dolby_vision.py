"""Dolby Vision: pictures that only its own decoders can show are refused, others are read."""

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from tests.contracts.tool_work import INDEXER
from tests.films import Films, moving_picture
from tests.hostile.boxes import box, replaced, span

from matinee.core.errors import SourceUnsupported

pytestmark = pytest.mark.tools

ENTRIES_AT = 16
"""Where the first sample entry lies in ``stsd``."""


@pytest.fixture(scope="module")
def hevc(films: Films) -> Path:
    return films.special(
        "plain.mp4", "-f", "lavfi", "-i", f"{moving_picture(Fraction(25), 10)},format=yuv420p10le",
        "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error",
        "-tag:v", "hvc1",
    )  # fmt: skip


def with_record(data: bytes, profile: int, like: int) -> bytes:
    """The film with a configuration record (Dolby Vision within ISO media, version 2.1.2, 3.2)."""
    flags = profile << 9 | 6 << 3 | 0b101  # level 6, with a base layer and data beside it
    record = box(b"dvcC", bytes([1, 0]) + struct.pack(">HI", flags, like << 28) + bytes(16))
    begin, end = span(data, b"stsd")
    entry = data[begin + ENTRIES_AT : end]
    grown = struct.pack(">I", len(entry) + len(record)) + entry[4:] + record
    return replaced(data, b"stsd", box(b"stsd", data[begin + 8 : begin + ENTRIES_AT] + grown))


def test_colours_that_only_a_decoder_of_dolbys_shows_are_refused(
    hevc: Path, tmp_path: Path
) -> None:
    film = tmp_path / "profile5.mp4"
    film.write_bytes(with_record(hevc.read_bytes(), profile=5, like=0))

    with pytest.raises(SourceUnsupported, match="Dolby Vision profile 5") as refusal:
        INDEXER.inspect(film)

    assert "HDR10" in refusal.value.hint


@pytest.mark.parametrize("like", [1, 4], ids=["HDR10", "HLG"])
def test_pictures_that_others_can_show_are_read(hevc: Path, tmp_path: Path, like: int) -> None:
    film = tmp_path / "profile8.mp4"
    film.write_bytes(with_record(hevc.read_bytes(), profile=8, like=like))

    _, packets, _ = INDEXER.inspect(film)

    assert len(packets) == 10
