"""A row of the frame index as bytes: known without numpy, which takes long to load."""

from struct import Struct

ROW = Struct("<qqIB32s")
"""One packet: presentation and decode time in ticks, bytes, flags, SHA-256 of its payload."""

KEY = 1
DISCARD = 2

UNKNOWN = -(1 << 63)
"""A time that the container does not tell."""
