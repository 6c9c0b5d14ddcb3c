"""What a package is checked against, and what a check says."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from urllib.parse import unquote, urlsplit

from matinee.core.errors import MatineeError
from matinee.media.colour import Colours
from matinee.media.encryption import Lock

Read = Callable[[str], bytes]
"""The bytes at a path below the title's folder; OSError, LookupError or MatineeError if none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: a stable ``code``, the file (and place in it) and one sentence."""

    code: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class ExpectedVideo:
    """A video rendition as planned. ``starts`` is the first frame of each segment.

    Of codec, level and depth nothing is asked where ``codec`` is "". ``video_range`` is that of
    HLS; of ``colours`` in DASH, and of ``film_grain`` in the bitstream, nothing is asked where they
    are None.
    """

    width: int
    height: int
    frames: int
    frame_rate: Fraction
    starts: tuple[int, ...]
    pixel_aspect: Fraction = Fraction(1)
    codec: str = ""
    level: str = ""
    depth: int = 8
    video_range: str = "SDR"
    colours: Colours | None = None
    film_grain: bool | None = None


@dataclass(frozen=True, slots=True)
class ExpectedAudio:
    """An audio rendition as planned; ``duration`` in seconds, priming left out.

    ``language`` None: unknown, and so not named in the manifests. ``entry`` is the codec's sample
    entry; "": of the codec nothing is asked.
    """

    language: str | None
    channels: int
    duration: Fraction
    entry: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedFlags:
    """What players are told of a sound or subtitle rendition.

    ``roles`` and ``accessibility`` are DASH's, all others HLS'.
    """

    is_default: bool
    is_autoselect: bool
    is_forced: bool
    characteristics: str | None
    roles: tuple[str, ...]
    accessibility: str | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What the package must hold, by rendition: the name of the folder that holds its segments.

    ``text`` gives the languages of WebVTT (HLS) and wvtt (DASH) renditions; trick-play renditions
    and thumbnails are not listed.
    ``flags`` and ``locks`` are by folder too. ``duration_tolerance`` is in seconds.
    """

    video: Mapping[str, ExpectedVideo]
    audio: Mapping[str, ExpectedAudio] = field(default_factory=dict)
    text: Mapping[str, str | None] = field(default_factory=dict)
    flags: Mapping[str, ExpectedFlags] = field(default_factory=dict)
    locks: Mapping[str, Lock] = field(default_factory=dict)
    duration_tolerance: Fraction = Fraction(1, 20)


class Library:
    """Reads the files of one title and notes what is missing or addressed wrongly."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.findings: list[Finding] = []

    def note(self, code: str, where: str, message: str) -> None:
        """Add one finding."""
        self.findings.append(Finding(code, where, message))

    def bytes_of(self, path: str) -> bytes | None:
        """A file's bytes, or None and a finding."""
        try:
            return self._read(path)
        except (OSError, LookupError, MatineeError) as error:
            self.note("file.missing", path, f"cannot be read: {error}")
            return None

    def text_of(self, path: str) -> str | None:
        """A file's text (UTF-8), or None and a finding."""
        data = self.bytes_of(path)
        if data is None:
            return None
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            self.note("file.encoding", path, f"not UTF-8 at byte {error.start}")
            return None

    def resolve(self, base: str, uri: str) -> str | None:
        """The path that ``uri`` in the file ``base`` names, or None and a finding."""
        try:
            parts = urlsplit(uri)
        except ValueError:
            self.note("uri.invalid", base, f"{uri[:80]!r} is not a URI")
            return None
        if parts.scheme or parts.netloc or uri.startswith(("/", "\\")):
            self.note("uri.absolute", base, f"{uri[:80]!r} is absolute")
            return None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(parts.path)))
        if path == ".." or path.startswith(("../", "/")):
            self.note("uri.escapes", base, f"{uri[:80]!r} leaves the title's folder")
            return None
        return path


def rendition_name(path: str) -> str:
    """The folder that holds a rendition's files."""
    return posixpath.basename(posixpath.dirname(path))
