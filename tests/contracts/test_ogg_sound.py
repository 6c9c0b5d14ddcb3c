"""Ogg sound among packets without a byte, as ffmpeg 4.3 wrote it: its time stamps go back."""

import asyncio
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from tests.contracts.tool_work import ENCODER, INDEXER
from tests.films import Films, moving_picture, rustle

from matinee.media.sound import PROBE, measure_lag

pytestmark = pytest.mark.tools

EMPTY = 15
"""Packets without a byte after each packet of sound."""

CODECS = ("-c:v", "libtheora", "-q:v", "4", "-c:a", "libvorbis")


@pytest.fixture(scope="module")
def whole(films: Films) -> Path:
    """Each packet of sound has a page of its own, which tells its time."""
    return films.special(
        "whole.ogg", "-f", "lavfi", "-i", moving_picture(Fraction(25), 150),
        "-f", "lavfi", "-t", "6", "-i", rustle(2), "-map", "0:v", "-map", "1:a", *CODECS,
        "-page_duration", "1",
    )  # fmt: skip


def pages(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Header without its lacing, lacing, and body of each page (RFC 3533, section 6)."""
    while data:
        lacing = data[27 : 27 + data[26]]
        end = 27 + len(lacing) + sum(lacing)
        yield data[:26], lacing, data[27 + len(lacing) : end]
        data = data[end:]


def page(head: bytes, lacing: bytes, body: bytes) -> bytes:
    """A page with its checksum."""
    plain = head[:22] + bytes(4) + bytes([len(lacing)]) + lacing + body
    check = 0
    for byte in plain:
        check ^= byte << 24
        for _ in range(8):
            check = (check << 1 ^ (0x04C11DB7 if check & 1 << 31 else 0)) & 0xFFFFFFFF
    return plain[:22] + struct.pack("<I", check) + plain[26:]


def with_empty_packets(data: bytes) -> bytes:
    """The same film; pages of sound hold up to 255 packets, most of them empty."""
    made, waiting, number, serial = [], list[tuple[bytes, bytes, bytes]](), 2, b""
    for head, lacing, body in pages(data):
        is_sound = head[14:18] == serial
        serial = head[14:18] if body.startswith(b"\x01vorbis") else serial
        if not is_sound or b"vorbis" in body[:7]:
            made.append(page(head, lacing, body))
            continue
        waiting.append((head, lacing + bytes(EMPTY), body))
        is_last = bool(head[5] & 4)
        if is_last or sum(len(one[1]) for one in waiting) > 250 - 2 * EMPTY:
            packed = head[:18] + struct.pack("<I", number) + head[22:]
            made.append(page(packed, *(b"".join(one[n] for one in waiting) for n in (1, 2))))
            waiting, number = [], number + 1
    return b"".join(made)


def test_sound_whose_times_go_back_is_laid_out_where_it_was(whole: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.ogg"
    film.write_bytes(with_empty_packets(whole.read_bytes()))
    before, _, _ = INDEXER.inspect(whole)
    info, _, _ = INDEXER.inspect(film)
    (meant,), (found,) = before.of_type("audio"), info.of_type("audio")

    assert not before.clock_jumps and not meant.goes_back
    assert info.clock_jumps and found.goes_back
    assert abs(found.start - max(Fraction(0), meant.start)) < Fraction(1, 100)
    assert abs(found.duration - 6) < Fraction(1, 20)

    copy = tmp_path / "film.mkv"
    asyncio.run(ENCODER.copy(film, info, copy))

    times = [Fraction(time) for time in (0, 1, 3, 5)]
    heard = zip(
        times, INDEXER.listen(whole, meant.index, times, PROBE),
        INDEXER.listen(copy, 1, times, PROBE), strict=True,
    )  # fmt: skip
    for time, one, two in heard:
        lag = measure_lag(one, two, time)
        assert lag is not None and lag.likeness > 0.9
        assert abs(lag.lag_s) < 0.005
    again, _, _ = INDEXER.inspect(copy)
    assert not again.clock_jumps
    assert [track.type for track in again.tracks] == ["video", "audio"]
