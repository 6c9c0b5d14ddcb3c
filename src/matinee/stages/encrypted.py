"""Looks at what is encrypted in a package, rendition by rendition, for its judge."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from matinee.core.ids import Digest
from matinee.core.verdicts import Verdict
from matinee.media.cenc import Shielded, read_protection, shielded
from matinee.media.cmaf import read_init, read_segment
from matinee.media.encryption import Lock
from matinee.media.judges import Locked, judge_encryption
from matinee.stages.unlock import Read


@dataclass(frozen=True, slots=True)
class LockedRendition:
    """A rendition's folder, how it is to be encrypted, and the paths of its segments in order.

    ``iv`` is its first vector.

    ``is_whole``: see ``judge_encryption``. ``content`` is the digest of its samples in the clear;
    None where ``proved_by`` is not ``samples``.
    """

    name: str
    folder: str
    lock: Lock
    iv: str
    segments: Sequence[str]
    is_whole: bool
    content: Digest | None = None
    proved_by: str = "samples"


def judge_locked(rendition: LockedRendition, read: Read, clear: Read) -> Verdict:
    """The verdict of one rendition; one segment is held at a time.

    Args:
        rendition: What to look at.
        read: Gives files as they are stored.
        clear: Gives the same in the clear.
    """
    data = read(f"renditions/{rendition.folder}/init.mp4")
    init, protection = read_init(data), read_protection(data)
    sizes: list[int] = []
    found: list[Shielded] = []
    content = hashlib.sha256()
    for path in rendition.segments:
        stored = read(path)
        segment = read_segment(stored, init)
        sizes += [sample.size for sample in segment.samples]
        if protection is not None:
            found += shielded(stored, segment, protection)
        if rendition.content is not None:
            opened = clear(path)
            for sample in segment.samples:
                content.update(opened[sample.start : sample.end])
    is_same = None if rendition.content is None else content.hexdigest() == rendition.content
    locked = Locked(protection, sizes, found, is_same, rendition.proved_by)
    return judge_encryption(
        rendition.name, rendition.lock, rendition.iv, locked, is_whole=rendition.is_whole
    )


def segments_in(folder: str, paths: Iterable[str]) -> list[str]:
    """The media segments of a rendition, in order."""
    begin = f"renditions/{folder}/"
    return sorted(path for path in paths if path.startswith(begin) and path.endswith(".m4s"))


def first_samples(folder: str, segments: Sequence[str], clear: Read) -> Iterator[bytes]:
    """The first sample of every segment in the clear: what a trick mode is made of."""
    init = read_init(clear(f"renditions/{folder}/init.mp4"))
    for path in segments:
        data = clear(path)
        first = read_segment(data, init).samples[0]
        yield data[first.start : first.end]


def digest_of_samples(samples: Iterable[bytes]) -> Digest:
    """One digest of samples in a row."""
    content = hashlib.sha256()
    for sample in samples:
        content.update(sample)
    return Digest(content.hexdigest())
