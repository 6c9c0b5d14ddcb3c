"""Reads bits, most significant first, and NAL units that carry their lengths."""

from collections.abc import Iterator

from matinee.media.boxes import BoxError


class Bits:
    """The bits of ``data``, one field after the other."""

    __slots__ = ("_at", "_bits", "_length")

    def __init__(self, data: bytes) -> None:
        self._bits, self._length, self._at = int.from_bytes(data, "big"), 8 * len(data), 0

    def take(self, count: int) -> int:
        """An unsigned integer of ``count`` bits.

        Raises:
            BoxError: fewer are left.
        """
        if count > self._length - self._at:
            raise BoxError(f"a header of {self._length // 8} bytes is cut short")
        self._at += count
        return self._bits >> (self._length - self._at) & ((1 << count) - 1)

    def flag(self) -> bool:
        """One bit."""
        return bool(self.take(1))

    def golomb(self) -> int:
        """An unsigned Exp-Golomb number (ITU-T H.265 clause 9.2).

        Raises:
            BoxError: too few bits are left, or it has more than 32.
        """
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise BoxError("a number in a header is longer than 32 bits")
        return (1 << zeros) - 1 + self.take(zeros)

    def pass_over(self, numbers: int) -> None:
        """Read so many Exp-Golomb numbers that nobody asks for."""
        for _ in range(numbers):
            self.golomb()


def nal_units(sample: bytes, length_size: int) -> Iterator[bytes]:
    """The NAL units of an AVC or HEVC sample (ISO/IEC 14496-15 clause 5.3.3).

    Raises:
        BoxError: the lengths do not fill the sample exactly.
    """
    at = 0
    while at < len(sample):
        length = int.from_bytes(sample[at : at + length_size], "big")
        at += length_size
        if length == 0 or at + length > len(sample):
            raise BoxError(f"NAL unit of {length} bytes at {at} does not fit its sample")
        yield sample[at : at + length]
        at += length
