"""Ladders: which renditions a film gets.

- No rung is larger than the source; the source's own size is always the top rung, unless a ladder
  says that its largest box bounds it.
- Coded sizes are even, pixels are square, the source's display aspect is kept.
- A rung's box bounds the picture; for a vertical film the box is turned.
- The level follows from size, rate, reference frames and caps, by the codec's own table.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

from matinee.core.time import as_text
from matinee.media.codecs import CODECS
from matinee.media.codecs.codec import USUAL_B_FRAMES, Codec, Demand
from matinee.media.colour import Hdr
from matinee.media.ladder_checks import USUAL_DEPTH
from matinee.media.source import Picture, display_size

SHOT_MARGIN = 1.5
"""Where a ladder does not say how far below its target a shot may be."""

SLOWEST_KBPS = 145
"""What pictures of the smallest rung have at most where a ladder does not say, nor caps it lower,
and rungs come from the title: Apple's authoring specification for HLS has it for slow lines."""

LONG_ENOUGH = 60
"""Seconds from which on a film has rungs of its own by itself (``auto``): to find those of a
shorter one costs more processor time than to encode it."""

STARVED = Fraction(1, 100)
"""Bits a pixel below which pictures may stand still; ladders for telephones have 0.06 and more."""

NEARLY_THE_SOURCE = 0.9
"""A rung whose width is this share of the source's, or more, gives way to the source's own size."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rung as a ladder file gives it: what the picture must fit in, and its cap."""

    name: str
    width: int
    height: int
    maxrate_kbps: int


@dataclass(frozen=True, slots=True)
class SoundRates:
    """Bit rates of AAC-LC in kbit/s."""

    mono_kbps: int
    stereo_kbps: int
    per_channel_kbps: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """A ladder before it meets a film. ``boxes`` grow.

    ``own_size``: a film larger than the largest box gets a rung of its own size. ``hdr``: a film of
    high dynamic range keeps it. ``settings`` says whether all shots have ``crf``, or each its own
    (``per-shot``): for ``target_vmaf`` on the largest rung, where there is one, with no shot more
    than ``shot_margin`` below it; else for what ``crf`` would give. ``per-title``: the film's own
    hull says which of the rungs there are, and at which CRFs, from that target or ``crf`` down to
    ``slowest``; ``auto``: that, of a film that is worth it (``for_film``). ``film_grain`` is
    the strength at which grain is taken out and told apart, 0 not at all, or ``AUTO``: as the film
    has it. ``b_frames`` are the most in a row; no file says it, but orders keep it. ``cpu_budget``
    is what its rungs may take, beside what they would by ``preset`` (``media.budget``); ``presets``
    what came of that, by rung: no file says it, but orders keep it.
    """

    name: str
    codec: str
    preset: str
    crf: float
    reference_frames: int
    threads: int
    boxes: tuple[Box, ...]
    sound: SoundRates
    depth: int = 8
    profile: str = "high"
    own_size: bool = True
    hdr: bool = False
    settings: str = "fixed"
    target_vmaf: float | None = None
    shot_margin: float = SHOT_MARGIN
    slowest_kbps: int | None = None
    film_grain: int | str = 0
    b_frames: int = USUAL_B_FRAMES
    cpu_budget: float | None = None
    presets: tuple[tuple[str, str], ...] = ()

    @property
    def family(self) -> str:
        """What its rungs' names begin with."""
        return family_of(self.codec, self.depth, self.profile)

    @property
    def is_searched(self) -> bool:
        """Whether its settings, or its rungs, are chosen for a film."""
        return self.settings in ("per-shot", "per-title")

    @property
    def is_per_title(self) -> bool:
        """Whether its rungs are chosen for a film."""
        return self.settings == "per-title"

    @property
    def slowest(self) -> int:
        """Bits per second that the smallest rung has at most, where rungs come from the title."""
        return 1000 * (self.slowest_kbps or min(SLOWEST_KBPS, self.boxes[0].maxrate_kbps))

    def for_film(self, duration: Fraction, *, has_time: bool) -> "Ladder":
        """The same with settings that are for a film of so many seconds.

        What is ``auto`` becomes ``per-title`` where the film is long enough, and ``has_time``.
        """
        if self.settings != "auto":
            return self
        is_worth_it = has_time and duration >= LONG_ENOUGH
        return self.with_settings("per-title" if is_worth_it else "fixed")

    def with_target(self, target: float) -> "Ladder":
        """The same for a target of VMAF, which grain that is made anew would miss."""
        settings = self.settings if self.is_searched else "per-shot"
        return replace(self, settings=settings, target_vmaf=target, film_grain=0)

    def with_budget(self, budget: float | None) -> "Ladder":
        """The same with a processor budget, where it can have one."""
        can_have = self.preset in CODECS[self.codec].preset_bits
        return replace(self, cpu_budget=budget if can_have else None)

    def with_settings(self, settings: str) -> "Ladder":
        """The same, chosen in that way; a target is no more where nothing is searched."""
        target = None if settings == "fixed" else self.target_vmaf
        return replace(self, settings=settings, target_vmaf=target)


def family_of(codec: str, depth: int, profile: str, hdr: Hdr | None = None) -> str:
    """What renditions between which a player switches are called, "" for H.264 High.

    A high dynamic range has 10 bits, which goes without saying.
    """
    kind = [hdr.video_range.lower()] if hdr else ["10"] if depth == 10 else []
    parts = [codec, *kind]
    parts += [profile] if profile != CODECS[codec].profiles[depth][0] else []
    return "" if parts == ["h264"] else "-".join(parts)


UNSAID = {
    "depth": USUAL_DEPTH, "profile": "high", "hdr": None, "film_grain": 0,
    "b_frames": USUAL_B_FRAMES,
}  # fmt: skip
"""What keys and ladder files leave out."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One video rendition as planned: everything that its encoder is told.

    ``maxrate`` and ``bufsize`` are bits per second and bits.
    """

    name: str
    width: int
    height: int
    rate: Fraction
    codec: str
    preset: str
    crf: float
    maxrate: int
    bufsize: int
    level: str
    reference_frames: int
    threads: int
    depth: int = 8
    profile: str = "high"
    hdr: Hdr | None = None
    film_grain: int = 0
    b_frames: int = USUAL_B_FRAMES

    @property
    def coding(self) -> Codec:
        """Its codec."""
        return CODECS[self.codec]

    @property
    def is_starved(self) -> bool:
        """Whether its cap is so low that it may not be enough to show what is to be seen."""
        return self.maxrate < STARVED * self.width * self.height * self.rate

    @property
    def family(self) -> str:
        """Among which renditions a player switches."""
        return family_of(self.codec, self.depth, self.profile, self.hdr)

    @property
    def shown_codec(self) -> str:
        """Its codec for people."""
        words = [self.coding.label]
        if self.profile != self.coding.profiles[self.depth][0]:
            words.append(self.profile.capitalize())
        kind = [self.hdr.label] if self.hdr else ["10 bit"] if self.depth == 10 else []
        return " ".join([*words, *kind])

    def as_parameters(self) -> dict[str, Any]:
        """The JSON that goes into keys; the name decides nothing and stays out.

        So do depth and profile where they are those that keys were first made with.
        """
        return dict(_parameters(self))


@cache
def _parameters(rung: Rung) -> dict[str, Any]:
    """Every chunk of a rendition asks for them."""
    parameters = asdict(rung)
    del parameters["name"]
    for field, unsaid in UNSAID.items():
        if parameters[field] == unsaid:
            del parameters[field]
    return {**parameters, "rate": as_text(rung.rate)}


def _even(length: Fraction | int) -> int:
    return max(2, 2 * round(Fraction(length) / 2))


def fit_all(
    ladders: Iterable[Ladder], picture: Picture, rate: Fraction, *, is_encrypted: bool = False
) -> tuple[Rung, ...]:
    """The rungs of several ladders for one film.

    A film of high dynamic range keeps it in the ladders that say so, and is tone-mapped in all
    others; where there are no others, in these beside. What every screen shows comes first.
    """
    every = list(ladders)
    bright = [one for one in every if one.hdr and _can_keep(one, picture.hdr, is_encrypted)]
    plain = [ladder for ladder in every if ladder not in bright] or every
    return (
        *(rung for ladder in plain for rung in fit(ladder, picture, rate)),
        *(rung for ladder in bright for rung in fit(ladder, picture, rate, picture.hdr)),
    )


def _can_keep(ladder: Ladder, hdr: Hdr | None, is_encrypted: bool) -> bool:
    """Whether there is a range to keep, and the packager can encrypt what is coded of it."""
    if hdr is None:
        return False
    is_beside = CODECS[ladder.codec].has_metadata_units and bool(hdr.mastering or hdr.light)
    return not (is_encrypted and is_beside)


def fit(ladder: Ladder, picture: Picture, rate: Fraction, hdr: Hdr | None = None) -> list[Rung]:
    """The rungs for one film, smallest first; tone-mapped, or of the high dynamic range ``hdr``."""
    width, height = display_size(picture)
    sizes: dict[tuple[int, int], Box] = {}
    own_box = ladder.boxes[-1]
    for box in reversed(ladder.boxes):
        within = _turned(box, width < height)
        scale = min(Fraction(within[0], width), Fraction(within[1], height))
        if scale >= 1:
            own_box = box
        elif scale < NEARLY_THE_SOURCE:
            sizes[_even(width * scale), _even(height * scale)] = box
    if own_box in sizes.values():  # the film is larger than the largest box
        if not ladder.own_size:
            return [_rung(ladder, box, size, rate, hdr) for size, box in sorted(sizes.items())]
        own_box = replace(own_box, name=_free_name(f"{min(width, height)}p", sizes.values()))
    sizes[width, height] = own_box
    return [_rung(ladder, box, size, rate, hdr) for size, box in sorted(sizes.items())]


def _free_name(name: str, boxes: Iterable[Box]) -> str:
    """``name``, or with ``-source`` where a rung has it."""
    return f"{name}-source" if name in {box.name for box in boxes} else name


def _turned(box: Box, vertical: bool) -> tuple[int, int]:
    return (box.height, box.width) if vertical else (box.width, box.height)


def _rung(ladder: Ladder, box: Box, size: tuple[int, int], rate: Fraction, hdr: Hdr | None) -> Rung:
    width, height = size
    family = family_of(ladder.codec, ladder.depth, ladder.profile, hdr)
    codec = CODECS[ladder.codec]
    finer = codec.finer.get(hdr.video_range, 0) if hdr else 0
    maxrate = box.maxrate_kbps * 1000
    demand = Demand(width, height, rate, 2 * maxrate, ladder.reference_frames, ladder.profile)
    return Rung(
        name=f"{family}-{box.name}" if family else box.name,
        width=width,
        height=height,
        rate=rate,
        codec=ladder.codec,
        preset=ladder.preset,
        crf=max(float(codec.crf[0]), ladder.crf - finer),
        maxrate=maxrate,
        bufsize=2 * maxrate,
        level=codec.level(demand),
        reference_frames=ladder.reference_frames,
        threads=ladder.threads,
        depth=ladder.depth,
        profile=ladder.profile,
        hdr=hdr,
        film_grain=ladder.film_grain if isinstance(ladder.film_grain, int) else 0,
        b_frames=ladder.b_frames,
    )
