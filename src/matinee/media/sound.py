"""Sound: which renditions a track gets, and whether sound and picture meet.

- Every sound track becomes stereo, and its own layout too when it has more channels; mono stays
  mono. A profile says in which codecs, AAC-LC first.
- AAC-LC has 3.0, 4.0, 5.0 and 5.1 alike on every player. Others take the smallest of these that has
  a place for each of their channels (2.1 becomes 5.1 with silent speakers); what is wider is folded
  into 5.1. Channel configuration 7 is left alone: the standard says 7.1 with wide front, encoders
  write 7.1 with side speakers, and players disagree.
- All tracks of a package, sound and picture, begin at the same place of their media timeline
  (equal edit-list media times), so that they meet in players that honour edit lists and in those
  that do not.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.core.time import as_text
from matinee.media.codecs.codec import REORDERED_FRAMES
from matinee.media.codecs.sound import AAC, SOUND_CODECS, SoundCodec
from matinee.media.loudness import Target
from matinee.media.profile import SoundForm
from matinee.media.source import Track

SAMPLE_RATE = 48_000
AAC_FRAME = AAC.frame
"""Samples of an AAC-LC frame; ffmpeg's encoder holds back exactly one (ISO/IEC 14496-3)."""

LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}

PLACES = {
    3: frozenset({"FL", "FR", "FC"}),
    4: frozenset({"FL", "FR", "FC", "BC"}),
    5: frozenset({"FL", "FR", "FC", "BL", "BR"}),
    6: frozenset({"FL", "FR", "FC", "BL", "BR", "LFE"}),
}
"""Speakers of the layouts with more than two channels (ISO/IEC 14496-3, table 1.19)."""

TAKEN_FOR = {3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""What ffmpeg takes channels without places for, by their count."""

GUESSES = {
    3: ("FL", "FR", "LFE"),
    4: ("FL", "FR", "FC", "BC"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
PAIRS = (("FL", "FR"), ("SL", "SR"), ("BL", "BR"), ("FLC", "FRC"))
BACK = {"SL": "BL", "SR": "BR"}
MOST_CHANNELS = 64
"""More cannot be mixed by ffmpeg."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SoundRendition:
    """One sound rendition as planned.

    ``film_start`` is the first frame's time on the container's clock, ``delay`` how much later the
    track begins, in seconds; what sounds before the first frame is cut, what is missing is silence.
    ``lead`` is the media time of the sample that sounds with the first frame, in samples. ``mix``
    is ffmpeg's filter for channels that have no known place, "" where the layouts decide;
    ``places`` are the track's own. ``kind`` and ``pictures`` are as profiles name them.
    ``target`` is how loud it is to be, None: as loud as it is.
    """

    name: str
    track: int
    layout: str
    channels: int
    bit_rate: int
    film_start: Fraction
    delay: Fraction
    duration: Fraction
    lead: int
    mix: str = ""
    places: tuple[str, ...] = ()
    codec: str = "aac"
    kind: str = "stereo"
    pictures: tuple[str, ...] = ()
    target: Target | None = None

    @property
    def coding(self) -> SoundCodec:
        """Its codec."""
        return SOUND_CODECS[self.codec]

    @property
    def family(self) -> str:
        """Its codec, "" for AAC-LC."""
        return "" if self.codec == "aac" else self.codec

    @property
    def packets(self) -> int:
        """How many packets last from the begin of its media to the film's end."""
        samples = self.lead + round(self.duration * SAMPLE_RATE)
        return -(-samples // self.coding.frame)

    @property
    def group(self) -> str:
        """The sounds among which a player chooses by language."""
        return group_of(self.codec, self.kind)

    def as_parameters(self) -> dict[str, Any]:
        """The JSON that goes into keys; names and container indices decide nothing.

        AAC-LC, of which keys were first made, is not named.
        """
        return {
            **({"codec": self.codec} if self.family else {}),
            **({"target": asdict(self.target)} if self.target else {}),
            "layout": self.layout,
            "bit_rate": self.bit_rate,
            "delay_ms": round(self.delay * 1000),
            "duration": as_text(self.duration),
            "lead": self.lead,
            "mix": self.mix,
            "places": list(self.places),
        }


def group_of(codec: str, kind: str) -> str:
    """What the sounds of one codec and layout are called in manifests."""
    if codec == "aac":
        return {"stereo": "audio"}.get(kind, kind)
    return codec if kind == "stereo" else f"{codec}-{kind}"


def lead_samples(rate: Fraction) -> int:
    """The media time of a film's first frame, in samples: as late as B-frames make the picture.

    At least one AAC frame, so that the encoder's priming lies before it.
    """
    return max(AAC_FRAME, round(REORDERED_FRAMES / rate * SAMPLE_RATE))


def plan_sound(
    track: Track, name: str, forms: Sequence[SoundForm], film_start: Fraction, duration: Fraction,
    lead: int, target: Target | None = None,
) -> list[SoundRendition]:  # fmt: skip
    """The renditions of one sound track, the one that every device plays first."""
    return [
        SoundRendition(
            name=_rendition_name(name, form.codec, channels),
            track=track.index,
            layout=LAYOUTS[channels],
            channels=channels,
            bit_rate=form.coding.bit_rate(kbps * 1000),
            film_start=film_start,
            delay=track.start - film_start,
            duration=duration,
            lead=lead,
            mix=_mix(track),
            places=track.places,
            codec=form.codec,
            kind=kind,
            pictures=form.pictures,
            target=target,
        )
        for form in forms
        for kind, channels, kbps in _layouts(track, form)
    ]


def _rendition_name(name: str, codec: str, channels: int) -> str:
    words = [name, *([] if codec == "aac" else [codec]), LAYOUTS[channels].replace(".", "")]
    return "-".join(words)


def _layouts(track: Track, form: SoundForm) -> list[tuple[str, int, int]]:
    """Kind, channels and kbit/s of each layout that a track gets; a track has one of each width."""
    rates, widest = form.rates, widest_layout(track)
    wanted = {
        "stereo": ("stereo", 1, rates.mono_kbps)
        if track.channels == 1
        else ("stereo", 2, rates.stereo_kbps),
        "surround": ("surround", widest, rates.per_channel_kbps * widest),
        "mono": ("mono", 1, rates.mono_kbps),
    }
    lacking = {"surround"} if widest <= 2 else set()
    lacking |= {"mono"} if track.channels == 1 else set()
    return [wanted[kind] for kind in form.layouts if kind not in lacking]


def widest_layout(track: Track) -> int:
    """Channels of the layout that keeps the most of a track's own."""
    if track.channels <= 2 or _mix(track):
        return min(track.channels, 2)
    places = _behind(_places(track))
    fitting = [count for count, known in PLACES.items() if places <= known]
    return fitting[0] if fitting else 6 if "LFE" in places else 5


def layout_note(track: Track) -> str:
    """What a listener should know of how a track's channels were laid out; "" for nothing."""
    widest = widest_layout(track)
    if track.channels <= 2:
        return ""
    if _mix(track):
        return f"its {track.channels} channels have no known places: both sides get them alike"
    if not track.places:
        taken = TAKEN_FOR[track.channels]
        return f"the film does not tell the places of its channels: taken for {taken}"
    if not _behind(track.places) <= PLACES[widest]:
        return (
            f"{track.layout} is folded into {LAYOUTS[widest]}, "
            "the widest that every player of AAC-LC understands alike"
        )
    if widest != track.channels:
        return f"{track.layout} is carried in {LAYOUTS[widest]}; other speakers are silent"
    return ""


def _places(track: Track) -> tuple[str, ...]:
    return track.places or GUESSES.get(track.channels, ())


def _behind(places: tuple[str, ...]) -> frozenset[str]:
    """With side speakers counted as back ones, where these are free."""
    free = not {"BL", "BR"} & set(places)
    return frozenset(BACK.get(place, place) if free else place for place in places)


def _mix(track: Track) -> str:
    """The filter for channels whose places are not known, or say nothing of left and right."""
    count, places = track.channels, _places(track)
    if count == 1:
        return "" if places in ((), ("FC",)) else "pan=mono|c0=c0"
    if count == 2:
        return "" if places in ((), ("FL", "FR")) else "pan=stereo|c0=c0|c1=c1"
    in_pairs = all((left in places) == (right in places) for left, right in PAIRS)
    if in_pairs and {"FL", "FC"} & set(places):
        return ""
    if places[:1] == ("AMBI0",):
        return "pan=stereo|c0=c0|c1=c0"  # the sound field's pressure: what one microphone hears
    both = "+".join(f"{1 / count:.6f}*c{channel}" for channel in range(count))
    return f"pan=stereo|c0={both}|c1={both}"


# Whether two recordings of one sound are in step.

PROBE_RATE = 8_000
"""Sounds are compared in mono at this rate: one step is 0.125 ms."""

PROBE = Fraction(4)
"""Length of a compared piece, in seconds."""

PROBES = 12
REACH = PROBE_RATE // 2
"""The largest lag that is looked for, in samples: half a second."""

IN_STEP = PROBE_RATE // 200
"""Five milliseconds, in samples."""

AS_GOOD = 0.98
"""A peak this near to the highest is taken for it, when it says that nothing is late."""

QUIET = 1e-3
"""Root mean square below which a window is too quiet to tell (-60 dBFS)."""


@dataclass(frozen=True, slots=True)
class Lag:
    """At ``time_s`` the copy sounds ``lag_s`` late; ``likeness`` from 0 to 1."""

    time_s: float
    lag_s: float
    likeness: float


def probe_times(duration: Fraction) -> list[Fraction]:
    """Where to compare: up to ``PROBES`` places spread over the film."""
    last = max(Fraction(0), duration - PROBE)
    count = PROBES if last else 1
    return sorted({last * n / max(1, count - 1) for n in range(count)})


def measure_lag(source: Samples, copy: Samples, time: Fraction) -> Lag | None:
    """How late ``copy`` sounds beside ``source``; None where either is too quiet to tell.

    By the peak of their cross-correlation, up to ``REACH`` to either side.
    """
    if min(_loudness(source), _loudness(copy)) < QUIET:
        return None
    size = 1 << (len(source) * 2 - 1).bit_length()
    spectrum = np.fft.rfft(copy, size) * np.conj(np.fft.rfft(source, size))
    products = np.fft.irfft(spectrum, size)
    reach = min(REACH, len(source) - 1)
    around = np.concatenate([products[-reach:], products[: reach + 1]])
    best = int(np.argmax(around))
    near = slice(max(0, reach - IN_STEP), reach + IN_STEP + 1)
    in_step = near.start + int(np.argmax(around[near]))
    if around[in_step] >= AS_GOOD * around[best]:  # a steady tone is like itself at every period
        best = in_step
    scale = float(np.linalg.norm(source)) * float(np.linalg.norm(copy))
    return Lag(float(time), (best - reach) / PROBE_RATE, float(around[best]) / scale)


def _loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
