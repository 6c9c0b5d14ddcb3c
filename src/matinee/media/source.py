"""What a film is: its tracks, as the container tells them and as the index proves them."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Literal

from matinee.core.ids import Digest
from matinee.core.time import as_text

TrackType = Literal["video", "audio", "subtitles", "other"]

IMAGE_SUBTITLES = frozenset({"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"})
"""Codecs whose cues are pictures: they have no text to publish."""


@dataclass(frozen=True, slots=True)
class Colour:
    """Colour description by the code names of ITU-T H.273, None where the source does not say."""

    primaries: str | None
    transfer: str | None
    matrix: str | None
    full_range: bool


@dataclass(frozen=True, slots=True)
class Track:
    """One stream of the source. ``index`` is the container's, ``language`` as it came.

    ``packets`` names the track's packets (payloads in order), so that a remuxed film's track is
    known again. ``start`` is the first time in seconds on the container's clock.
    """

    index: int
    type: TrackType
    codec: str
    language: str | None
    title: str
    is_default: bool
    is_forced: bool
    is_cover: bool
    start: Fraction
    duration: Fraction
    packets: Digest
    channels: int = 0
    sample_rate: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """The main video track's picture. Sizes in pixels as coded, ``sample_aspect`` their shape.

    ``configuration`` names the decoder configuration (extradata).
    """

    width: int
    height: int
    sample_aspect: Fraction
    rotation: int
    pixel_format: str
    bit_depth: int
    interlaced: bool
    colour: Colour
    nominal_rate: Fraction | None
    configuration: Digest


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Everything ``inspect`` says of a film. ``video`` is the index of the main video track."""

    container: str
    size_bytes: int
    tracks: tuple[Track, ...]
    video: int
    picture: Picture

    def track(self, index: int) -> Track:
        """The track with the container's ``index``."""
        return next(track for track in self.tracks if track.index == index)

    def of_type(self, kind: TrackType) -> list[Track]:
        """The tracks of one type, in the container's order."""
        return [track for track in self.tracks if track.type == kind]


def source_as_json(info: SourceInfo) -> dict[str, Any]:
    """The stored form; ``source_from_json`` reads it back to an equal value."""

    def plain(value: Any) -> Any:
        if isinstance(value, Fraction):
            return as_text(value)
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        return value

    document: dict[str, Any] = plain(asdict(info))
    return document


def source_from_json(document: dict[str, Any]) -> SourceInfo:
    """Read what ``source_as_json`` wrote."""
    tracks = tuple(
        Track(
            **{**track, "start": Fraction(track["start"]), "duration": Fraction(track["duration"])}
        )
        for track in document["tracks"]
    )
    picture = document["picture"]
    rate = picture["nominal_rate"]
    return SourceInfo(
        container=document["container"],
        size_bytes=document["size_bytes"],
        tracks=tracks,
        video=document["video"],
        picture=Picture(
            **{
                **picture,
                "sample_aspect": Fraction(picture["sample_aspect"]),
                "colour": Colour(**picture["colour"]),
                "nominal_rate": Fraction(rate) if rate is not None else None,
            }
        ),
    )
