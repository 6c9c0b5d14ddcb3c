"""What a film is: its tracks, as the container tells them and as the index proves them."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Literal

from matinee.core.ids import Digest, digest_of
from matinee.core.time import as_text
from matinee.media.colour import (
    HLG,
    PQ,
    Hdr,
    Light,
    Mastering,
    light_from_json,
    mastering_from_json,
)

TrackType = Literal["video", "audio", "subtitles", "other"]

Fields = Literal["progressive", "interlaced", "telecine"]
"""How pictures are coded: whole, as two fields of different times, or as film by 3:2 pulldown."""

HIGH_DYNAMIC_RANGE = frozenset({PQ, HLG})
"""Transfer functions of HDR10 and HLG (ITU-R BT.2100)."""

STILL = -1
"""The index of the picture that a film without one gets."""

STILL_SIZE = (1280, 720)
STILL_RATE = Fraction(10)

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

    ``places`` are the speakers of the channels in order (``FL``, ``LFE`` ...), none where the
    source does not tell. ``fault`` says in words why the track cannot be decoded, "" where it can.
    ``goes_back``: its packets' times make no sense; ``start`` is where its first sample lies.
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
    layout: str = ""
    places: tuple[str, ...] = ()
    is_comment: bool = False
    is_visual_impaired: bool = False
    is_hearing_impaired: bool = False
    fault: str = ""
    goes_back: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of the film: ``[start, end)`` in seconds on the container's clock."""

    start: Fraction
    end: Fraction
    title: str


@dataclass(frozen=True, slots=True)
class Crop:
    """The part of the coded picture that is not black bars, in pixels, even throughout."""

    left: int
    top: int
    width: int
    height: int


RGB_FORMATS = ("gbr", "rgb", "bgr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8")
"""How the names of RGB pixel formats begin in ffmpeg."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The main video track's picture. Sizes in pixels as coded, ``sample_aspect`` their shape.

    ``rotation`` is in degrees counter-clockwise, ``is_mirrored`` as well (the display matrix turns
    it over). ``configuration`` names the decoder configuration (extradata). ``mastering`` and
    ``light`` are static metadata of a high dynamic range, None where the source has none.
    """

    width: int
    height: int
    sample_aspect: Fraction
    rotation: int
    pixel_format: str
    bit_depth: int
    fields: Fields
    colour: Colour
    nominal_rate: Fraction | None
    configuration: Digest
    is_mirrored: bool = False
    crop: Crop | None = None
    mastering: Mastering | None = None
    light: Light | None = None

    @property
    def is_hdr(self) -> bool:
        """Whether it must be tone-mapped for screens of standard dynamic range."""
        return self.colour.transfer in HIGH_DYNAMIC_RANGE

    @property
    def hdr(self) -> Hdr | None:
        """How renditions keep its high dynamic range; None where there is none to keep."""
        colour = self.colour
        if colour.transfer not in HIGH_DYNAMIC_RANGE or self.is_rgb:
            return None
        return Hdr(
            colour.primaries or "bt2020", colour.transfer, colour.matrix or "bt2020nc",
            self.mastering, self.light,
        )  # fmt: skip

    @property
    def is_rgb(self) -> bool:
        """Whether its samples are red, green and blue, not luma and chroma."""
        return self.pixel_format.startswith(RGB_FORMATS)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Everything ``inspect`` says of a film. ``video`` is the index of the main video track.

    ``has_captions``: CEA-608 or CEA-708 captions lie inside its pictures. ``declared`` is how many
    seconds the container's header promises, None where it has none. ``clock_jumps``: times go back
    or leap ahead, as in recordings that were put together, or in sound that ``goes_back``.
    ``needs_still``: there is sound and no moving picture; ``video`` is then STILL, a track that is
    yet to be made.
    """

    container: str
    size_bytes: int
    tracks: tuple[Track, ...]
    video: int
    picture: Picture
    chapters: tuple[Chapter, ...] = ()
    has_captions: bool = False
    declared: Fraction | None = None
    clock_jumps: bool = False
    needs_still: bool = False

    @property
    def goes_back(self) -> bool:
        """Whether there is sound whose times make no sense."""
        return any(track.goes_back for track in self.tracks)

    def track(self, index: int) -> Track:
        """The track with the container's ``index``."""
        return next(track for track in self.tracks if track.index == index)

    def of_type(self, kind: TrackType) -> list[Track]:
        """The tracks of one type, in the container's order."""
        return [track for track in self.tracks if track.type == kind]


def display_size(picture: Picture) -> tuple[int, int]:
    """The picture as shown: cropped, square pixels, turned upright, even."""
    coded = picture.crop or picture
    width = coded.width * max(picture.sample_aspect, Fraction(1))
    height = coded.height / min(picture.sample_aspect, Fraction(1))
    if picture.rotation in (90, 270):
        width, height = height, width
    return max(2, 2 * int(width / 2)), max(2, 2 * int(height / 2))  # never above the source


def still_picture() -> Picture:
    """What the still will be like."""
    return Picture(
        width=STILL_SIZE[0],
        height=STILL_SIZE[1],
        sample_aspect=Fraction(1),
        rotation=0,
        pixel_format="yuv420p",
        bit_depth=8,
        fields="progressive",
        colour=Colour("bt709", "bt709", "bt709", full_range=False),
        nominal_rate=STILL_RATE,
        configuration=digest_of(b""),
    )


def picture_parameters(picture: Picture) -> dict[str, Any]:
    """What the container says of how pictures are shown and their packets do not, for keys."""
    colour = picture.colour
    # What was made of turned films said once more that they are to be turned: it is made anew.
    is_turned = picture.rotation != 0 or picture.is_mirrored
    return {
        **({"upright": 2} if is_turned else {}),
        "rotation": [picture.rotation, picture.is_mirrored],
        "sample_aspect": as_text(picture.sample_aspect),
        "colour": [colour.primaries, colour.transfer, colour.matrix, colour.full_range],
        "crop": asdict(picture.crop) if picture.crop else None,
    }


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
    """Read what ``source_as_json`` wrote, before it knew of static metadata too."""
    tracks = tuple(
        Track(
            **{
                **track,
                "start": Fraction(track["start"]),
                "duration": Fraction(track["duration"]),
                "places": tuple(track["places"]),
            }
        )
        for track in document["tracks"]
    )
    picture = document["picture"]
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
                "crop": Crop(**picture["crop"]) if picture["crop"] else None,
                "nominal_rate": _fraction(picture["nominal_rate"]),
                "mastering": mastering_from_json(picture.get("mastering")),
                "light": light_from_json(picture.get("light")),
            }
        ),
        chapters=tuple(
            Chapter(Fraction(chapter["start"]), Fraction(chapter["end"]), chapter["title"])
            for chapter in document["chapters"]
        ),
        has_captions=document["has_captions"],
        declared=_fraction(document["declared"]),
        clock_jumps=document["clock_jumps"],
        needs_still=document["needs_still"],
    )


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
