"""Captions inside pictures are found when they say something, and only then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.captions import ATSC, DVD, NEAR, has_captions

PADDING = bytes((0xFC, 0x80, 0x80))
WORDS = bytes((0xFC, 0x94, 0x20))
UNUSED = bytes((0xF8, 0x94, 0x20))
"""The third triple is not valid (cc_valid is 0), whatever its bytes are."""


def picture(*triples: bytes, before: int = 20) -> bytes:
    user_data = ATSC + bytes((0x40 | len(triples), 0xFF)) + b"".join(triples) + b"\xff"
    return b"\x01" * before + b"\xb5\x00\x31" + user_data + b"\x02" * 500


@pytest.mark.parametrize(
    ("packet", "found"),
    [
        (picture(WORDS), True),
        (picture(PADDING, PADDING, WORDS), True),
        (picture(PADDING), False),
        (picture(UNUSED), False),
        (picture(), False),
        (picture(WORDS, before=NEAR), False),
        (b"\x00\x00\x01\xb2" + DVD + b"\x00" * 40, True),
        (b"\x01" * 500, False),
        (ATSC, False),
    ],
)
def test_captions_are_found_when_they_say_something(packet: bytes, found: bool) -> None:
    assert has_captions(packet) is found


@given(data=st.binary())
def test_any_bytes_have_captions_or_none(data: bytes) -> None:
    assert has_captions(ATSC + data) in (True, False)
