"""Closed captions that lie inside coded pictures (CEA-608 and CEA-708), found without decoding."""

NEAR = 1024
"""User data stand before the slices of a picture: as far as this, in bytes, they are looked for."""

ATSC = b"GA94\x03"
"""ATSC A/53 part 4, section 6.2.3: user_identifier and user_data_type_code of cc_data."""

DVD = b"CC\x01\xf8"
"""Line 21 data as DVD-Video has them, in user data of MPEG-2."""

START_CODE = b"\x00\x00\x01"
"""How every picture of MPEG-2 begins."""

_BLANK = 0x80
"""A byte of CEA-608 that says nothing (odd parity, no bit set)."""


def has_captions(packet: bytes) -> bool:
    """Whether a coded picture carries captions that say something; padding says nothing."""
    if packet.startswith(START_CODE) and packet.find(DVD, 0, NEAR) >= 0:
        return True
    place = packet.find(ATSC, 0, NEAR)
    if place < 0:
        return False
    data = packet[place + len(ATSC) :]
    if len(data) < 2:
        return False
    triples = data[2 : 2 + 3 * (data[0] & 0x1F)]
    return any(
        triples[n] & 0x04 and any(byte not in (0, _BLANK) for byte in triples[n + 1 : n + 3])
        for n in range(0, len(triples) - 2, 3)
    )
