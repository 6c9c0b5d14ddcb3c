"""Encrypted CMAF segments (ISO/IEC 23001-7): what is encrypted in them, and how they look in clear.

A file in the clear has the size of the encrypted one, with every sample where it was: what only
speaks of encryption becomes ``free`` boxes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matinee.media.boxes import Box, BoxError, Fields, boxes, children, find, require
from matinee.media.cmaf import MediaSegment, Sample
from matinee.media.encryption import KEY_BYTES

_FIELDS = {"encv": 78, "enca": 28}
"""Encrypted sample entries, and the bytes of their own fields before the boxes inside."""

_OF_FRAGMENTS = ("senc", "saiz", "saio", "sgpd", "sbgp", "pssh")


@dataclass(frozen=True, slots=True)
class Protection:
    """What an init segment says: scheme, key id, the constant vector ("": each sample has one).

    ``pattern`` counts the blocks of 16 bytes that are encrypted and those that are left, in turn.
    """

    scheme: str
    key_id: str
    iv_bytes: int
    constant_iv: str
    pattern: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shielded:
    """How much of a sample is encrypted, in bytes, and with which vector ("": the constant one)."""

    protected: int
    iv: str


def read_protection(data: bytes) -> Protection | None:
    """How the samples of an init segment's track are encrypted; None: they are not.

    Raises:
        BoxError: it is damaged.
    """
    entry, sinf = _sinf(data)
    if entry is None or sinf is None:
        return None
    scheme = Fields(data, require(data, sinf, "schm"), 4).take(4).decode("latin-1")
    fields = Fields(data, require(data, sinf, "schi", "tenc"))
    version, _ = fields.full_box()
    fields.take(1)
    pattern = fields.unsigned(1) if version else 0 * fields.unsigned(1)
    is_protected, iv_bytes = fields.unsigned(1), fields.unsigned(1)
    if is_protected != 1:
        raise BoxError(f"{entry.kind!r} says that it is not encrypted")
    key_id = fields.take(KEY_BYTES).hex()
    constant = "" if iv_bytes else fields.take(fields.unsigned(1)).hex()
    return Protection(scheme, key_id, iv_bytes, constant, (pattern >> 4, pattern & 15))


def _sinf(data: bytes) -> tuple[Box | None, Box | None]:
    """The encrypted sample entry and the box that says how; None where there is none."""
    moov = require(data, None, "moov")
    stsd = require(data, moov, "trak", "mdia", "minf", "stbl", "stsd")
    for entry in children(data, stsd, 8):
        if entry.kind in _FIELDS:
            inside = children(data, entry, _FIELDS[entry.kind])
            sinf = next((box for box in inside if box.kind == "sinf"), None)
            if sinf is None:
                raise BoxError(f"{entry.kind!r} does not say how it is encrypted")
            return entry, sinf
    return None, None


def clear_init(data: bytes) -> bytes:
    """The init segment of the same track in the clear, of the same size.

    Raises:
        BoxError: it is damaged.
    """
    entry, sinf = _sinf(data)
    if entry is None or sinf is None:
        return data
    changed = bytearray(data)
    frma = require(data, sinf, "frma")
    changed[entry.start + 4 : entry.start + 8] = data[frma.body : frma.body + 4]
    _free(changed, sinf)
    for box in children(data, require(data, None, "moov")):
        if box.kind == "pssh":
            _free(changed, box)
    return bytes(changed)


def clear_segment(data: bytes, segment: MediaSegment, samples: Sequence[bytes]) -> bytes:
    """The segment with its samples in the clear, of the same size.

    Args:
        data: The encrypted segment.
        segment: The same as read.
        samples: Its samples, decrypted.

    Raises:
        BoxError: the samples are not as many or as long.
    """
    if [len(one) for one in samples] != [sample.size for sample in segment.samples]:
        raise BoxError(f"{len(samples)} samples in the clear do not fit {len(segment.samples)}")
    changed = bytearray(data)
    for sample, clear in zip(segment.samples, samples, strict=True):
        changed[sample.start : sample.end] = clear
    for fragment in segment.fragments:
        for holder in (fragment.moof, require(data, fragment.moof, "traf")):
            for box in children(data, holder):
                if box.kind in _OF_FRAGMENTS:
                    _free(changed, box)
    return bytes(changed)


def _free(data: bytearray, box: Box) -> None:
    data[box.start + 4 : box.start + 8] = b"free"


def shielded(data: bytes, segment: MediaSegment, protection: Protection) -> list[Shielded]:
    """How much of each sample is encrypted, in order (ISO/IEC 23001-7 clause 7.2).

    Raises:
        BoxError: what the segment says of its samples is damaged or contradicts itself.
    """
    found: list[Shielded] = []
    at = 0
    for fragment in segment.fragments:
        samples = segment.samples[at : at + fragment.samples]
        at += fragment.samples
        senc = find(data, fragment.moof, "traf", "senc")
        if senc is not None:
            found += _auxiliary(data, senc, samples, protection)
        elif protection.iv_bytes:
            raise BoxError(f"moof at {fragment.moof.start} has encrypted samples without vectors")
        else:  # whole samples with the constant vector need nothing said of them
            found += [Shielded(_whole(sample.size, protection), "") for sample in samples]
    return found


def _whole(size: int, protection: Protection) -> int:
    """The encrypted bytes of a sample without parts: CBC leaves what fills no block."""
    return size if protection.scheme == "cenc" else size - size % 16


def _auxiliary(
    data: bytes, senc: Box, samples: Sequence[Sample], protection: Protection
) -> Iterator[Shielded]:
    fields = Fields(data, senc)
    _, flags = fields.full_box()
    count = fields.unsigned(4)
    if count != len(samples):
        raise BoxError(f"senc at {senc.start} speaks of {count} samples, there are {len(samples)}")
    for sample in samples:
        iv = fields.take(protection.iv_bytes).hex()
        if not flags & 2:
            yield Shielded(_whole(sample.size, protection), iv)
            continue
        clear = protected = 0
        for _ in range(fields.unsigned(2)):
            clear, protected = clear + fields.unsigned(2), protected + fields.unsigned(4)
        if clear + protected != sample.size:
            raise BoxError(f"senc at {senc.start}: parts of {clear + protected} of {sample.size}")
        yield Shielded(protected, iv)


def pssh_of(data: bytes) -> list[bytes]:
    """The PSSH boxes of an init segment."""
    moov = next((box for box in boxes(data) if box.kind == "moov"), None)
    inside = children(data, moov) if moov else iter(())
    return [data[box.start : box.end] for box in inside if box.kind == "pssh"]
