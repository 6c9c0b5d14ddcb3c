"""The streams of a package: what each is called, and where it lies."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Literal

from matinee.media.colour import Hdr
from matinee.media.encryption import Lock
from matinee.media.sound import LAYOUTS
from matinee.media.source import Chapter
from matinee.media.tracks import Labels

TO_RENDITIONS = "../../renditions"
FIRST = "audio"
"""The sounds as every device plays them."""

IMSC1 = "imsc1"
"""The family of subtitles in that form."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One rendition of a package. ``folder`` is named by what the rendition is made from.

    ``family`` is what pictures can be switched with, or a sound's codec where it is not AAC-LC;
    ``coding`` names it for people. Sound goes with the ``pictures`` of these codecs, () being all.
    ``hdr``: pictures of high dynamic range.
    ``lock`` is how it is encrypted, None in the clear.
    """

    kind: Literal["video", "audio", "text"]
    name: str
    folder: str
    labels: Labels | None = None
    group: str = ""
    channels: int = 0
    family: str = ""
    coding: str = ""
    pictures: tuple[str, ...] = ()
    hdr: Hdr | None = None
    lock: Lock | None = None

    @property
    def playlist(self) -> str:
        """Its HLS media playlist."""
        return f"{self.name}.m3u8"

    @property
    def label(self) -> str:
        """What a DASH player's menu shows. Other layouts are other sets, never switched between."""
        words = [self.labels.name if self.labels else self.name]
        words += [LAYOUTS[self.channels]] if self.group not in (FIRST, self.family) else []
        return " ".join([*words, self.coding] if self.family else words)

    def as_parameters(self) -> dict[str, Any]:
        """The JSON that goes into keys: of later fields only those that say something."""
        parameters = asdict(self)
        return {
            field: value
            for field, value in parameters.items()
            if value or field not in ("family", "coding", "pictures", "hdr", "lock")
        }

    @property
    def address(self) -> str:
        """Its folder, from a manifest."""
        return f"{TO_RENDITIONS}/{self.folder}"

    @property
    def init(self) -> str:
        """Its init segment, from a manifest."""
        return f"{self.address}/init.mp4"

    @property
    def dash_folder(self) -> str:
        """The folder that DASH names: of WebVTT, the same text in MP4 boxes."""
        is_webvtt = self.kind == "text" and self.family != IMSC1
        return f"{self.folder}-wvtt" if is_webvtt else self.folder

    @property
    def dash_init(self) -> str:
        """Its init segment as DASH names it."""
        return f"{TO_RENDITIONS}/{self.dash_folder}/init.mp4"


@dataclass(frozen=True, slots=True)
class Sheets:
    """The thumbnail sheets of a package: ``count`` files in ``folder``, sizes in bytes."""

    folder: str
    sizes: tuple[int, ...]
    width: int
    height: int
    columns: int
    rows: int
    interval: Fraction

    def uris(self) -> tuple[str, ...]:
        """Their addresses, from a manifest."""
        return tuple(
            f"{TO_RENDITIONS}/{self.folder}/{number:05d}.jpg"
            for number in range(1, len(self.sizes) + 1)
        )


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """Everything that a package holds; videos grow."""

    streams: tuple[Stream, ...]
    sheets: Sheets
    duration: Fraction
    segments: int
    chapters: tuple[Chapter, ...] = ()

    @property
    def is_encrypted(self) -> bool:
        """Whether some of it is."""
        return any(stream.lock for stream in self.streams)

    def of_kind(self, kind: str) -> list[Stream]:
        """The streams of one kind, in order."""
        return [stream for stream in self.streams if stream.kind == kind]
