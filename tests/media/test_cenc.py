"""Encrypted segments: read, and made clear in their place. Whole ones: tests/flows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.errors import MatineeError
from matinee.media.boxes import Box, BoxError, boxes, find
from matinee.media.cenc import (
    Protection,
    Shielded,
    clear_init,
    clear_segment,
    read_protection,
    shielded,
)
from matinee.media.cmaf import Fragment, MediaSegment, Sample

KEY_ID = bytes(range(16))


def box(kind: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4, "big") + kind.encode() + body


def init(*, iv_bytes: int = 0, pattern: int = 0x19, is_protected: int = 1) -> bytes:
    constant = b"" if iv_bytes else bytes([16]) + b"v" * 16
    tenc = box("tenc", b"\1\0\0\0\0", bytes([pattern, is_protected, iv_bytes]), KEY_ID, constant)
    schm = box("schm", bytes(4), b"cbcs" if not iv_bytes else b"cenc", b"\0\1\0\0")
    sinf = box("sinf", box("frma", b"avc1"), schm, box("schi", tenc))
    entry = box("encv", bytes(78), box("avcC", b"abc"), sinf)
    stsd = box("stsd", bytes(4), (1).to_bytes(4, "big"), entry)
    trak = box("trak", box("mdia", box("minf", box("stbl", stsd))))
    return box("moov", trak, box("pssh", bytes(24)))


def segment(senc: bytes, sizes: list[int]) -> tuple[bytes, MediaSegment]:
    moof = box("moof", box("traf", senc, box("saiz", b"x"), box("saio", b"y")))
    mdat = box("mdat", bytes(sum(sizes)))
    at = len(moof) + 8
    samples = []
    for size in sizes:
        samples.append(Sample(0, 1, 0, True, at, size))
        at += size
    fragment = Fragment(Box("moof", 0, 8, len(moof)), Box("mdat", len(moof), len(moof) + 8, at), 1)
    fragment = Fragment(fragment.moof, fragment.mdat, len(sizes))
    return moof + mdat, MediaSegment((), 1, 0, 0, tuple(samples), (fragment,))


def test_an_init_segment_says_how_it_is_encrypted() -> None:
    assert read_protection(init()) == Protection("cbcs", KEY_ID.hex(), 0, (b"v" * 16).hex(), (1, 9))
    assert read_protection(init(iv_bytes=8, pattern=0)) == Protection(
        "cenc", KEY_ID.hex(), 8, "", (0, 0)
    )


def test_in_the_clear_nothing_of_encryption_is_left_and_nothing_moves() -> None:
    data = init()
    clear = clear_init(data)

    assert len(clear) == len(data)
    assert read_protection(clear) is None
    assert clear_init(clear) == clear
    moov = find(clear, None, "moov")
    assert moov is not None
    assert not any(word in clear for word in (b"encv", b"sinf", b"pssh"))
    assert clear.count(b"free") == 2 and clear.index(b"avcC") == data.index(b"avcC")


def test_an_init_segment_that_takes_itself_back_is_refused() -> None:
    with pytest.raises(BoxError, match="not encrypted"):
        read_protection(init(is_protected=0))


@given(st.binary(max_size=300), st.integers(0, 400))
def test_hostile_bytes_end_in_our_error(noise: bytes, at: int) -> None:
    data = bytearray(init())
    data[at : at + len(noise)] = noise
    for read in (read_protection, clear_init):
        try:
            read(bytes(data))
        except MatineeError:
            continue


PARTED = box(
    "senc", b"\0\0\0\2", (2).to_bytes(4, "big"),
    (1).to_bytes(2, "big"), (5).to_bytes(2, "big"), (32).to_bytes(4, "big"),
    (2).to_bytes(2, "big"),
    (3).to_bytes(2, "big"), (16).to_bytes(4, "big"), (1).to_bytes(2, "big"), bytes(4),
)  # fmt: skip
CONSTANT = Protection("cbcs", KEY_ID.hex(), 0, "00" * 16, (1, 9))
COUNTED = Protection("cenc", KEY_ID.hex(), 8, "", (0, 0))


def test_parts_of_samples_are_counted() -> None:
    data, read = segment(PARTED, [37, 20])

    assert shielded(data, read, CONSTANT) == [Shielded(32, ""), Shielded(16, "")]


def test_parts_that_do_not_fill_their_sample_are_refused() -> None:
    with pytest.raises(BoxError, match="parts of 37 of 38"):
        shielded(*segment(PARTED, [38, 20]), CONSTANT)
    with pytest.raises(BoxError, match="speaks of 2 samples, there are 1"):
        shielded(*segment(PARTED, [37]), CONSTANT)


def test_whole_samples_are_encrypted_but_for_what_fills_no_block() -> None:
    data, read = segment(b"", [37, 15])
    assert shielded(data, read, CONSTANT) == [Shielded(32, ""), Shielded(0, "")]

    senc = box("senc", bytes(4), (2).to_bytes(4, "big"), b"12345678", b"12345679")
    data, read = segment(senc, [37, 15])
    vectors = [b"12345678".hex(), b"12345679".hex()]
    assert shielded(data, read, COUNTED) == [Shielded(37, vectors[0]), Shielded(15, vectors[1])]
    with pytest.raises(BoxError, match="without vectors"):
        shielded(*segment(b"", [37, 15]), COUNTED)


def test_samples_come_back_in_their_places() -> None:
    data, read = segment(PARTED, [37, 20])
    clear = clear_segment(data, read, [b"a" * 37, b"b" * 20])

    assert len(clear) == len(data) and clear.endswith(b"a" * 37 + b"b" * 20)
    assert not any(word in clear for word in (b"senc", b"saiz", b"saio"))
    assert [one.kind for one in boxes(clear)] == ["moof", "mdat"]
    for wrong in ([b"a" * 37], [b"a" * 36, b"b" * 21]):
        with pytest.raises(BoxError, match="do not fit"):
            clear_segment(data, read, wrong)
