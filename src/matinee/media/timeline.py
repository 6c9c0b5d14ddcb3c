"""The frame index of a source and the reference timeline: the frames a viewer should see.

- The index holds every packet of the main video track in decode order.
- The timeline numbers the shown frames from 0 in presentation order at one constant rate.
- Everything made later (chunks, renditions, scores) is compared with this timeline by frame number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from matinee.core.errors import SourceDamaged, SourceUnsupported
from matinee.core.ids import Digest, digest_of_value
from matinee.core.time import FrameSpan

PACKET = np.dtype(
    [("pts", "<i8"), ("dts", "<i8"), ("size", "<u4"), ("flags", "u1"), ("digest", "S32")]
)
"""One packet: times in ticks of the track's time base, ``flags`` of KEY and DISCARD, SHA-256."""

KEY = 1
DISCARD = 2

STANDARD_RATES = tuple(
    Fraction(*pair)
    for pair in [
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001),
        (60, 1), (15, 1), (12, 1), (10, 1), (20, 1), (15000, 1001), (12000, 1001),
    ]
)  # fmt: skip

Packets = NDArray[np.void]


@dataclass(frozen=True)
class Timeline:
    """Frames ``[0, frames)`` at ``rate``, frame 0 at ``start`` seconds of the container's clock.

    ``decode_order[i]`` is the place in the index of the packet that shows frame i.
    """

    rate: Fraction
    start: Fraction
    time_base: Fraction
    packets: Packets
    decode_order: NDArray[np.int64]

    @property
    def frames(self) -> int:
        """How many frames the film has."""
        return len(self.decode_order)

    @property
    def duration(self) -> Fraction:
        """From the first frame's begin to the last frame's end, in seconds."""
        return self.frames / self.rate


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """The packets that decoding ``frames`` needs: ``[first, last]`` of the index.

    ``first`` is a key packet shown no later than the first wanted frame. ``skip_before`` and
    ``stop`` are ticks: frames shown before the one or from the other on are not wanted. ``digest``
    names the clip by its packets and their order of showing, not by the file they lie in.
    """

    frames: FrameSpan
    first: int
    last: int
    skip_before: int
    digest: Digest


def build_timeline(packets: Packets, time_base: Fraction, nominal: Fraction | None) -> Timeline:
    """Number the shown frames and prove that they come at one constant rate.

    Raises:
        SourceDamaged: no frame is shown, or two are shown at one time.
        SourceUnsupported: the rate varies, or is above 60 frames per second.
    """
    shown = np.flatnonzero((packets["flags"] & DISCARD) == 0)
    if len(shown) == 0:
        raise SourceDamaged("the video track has no frame that is shown")
    order = shown[np.argsort(packets["pts"][shown], kind="stable")]
    pts = packets["pts"][order]
    doubled = np.flatnonzero(np.diff(pts) <= 0)
    if len(doubled):
        when = float(pts[doubled[0]] * time_base)
        raise SourceDamaged(f"two frames are to be shown at one time, {when:.3f} s")
    rate = constant_rate(pts, time_base, nominal)
    return Timeline(rate, int(pts[0]) * time_base, time_base, packets, order)


def constant_rate(
    pts: NDArray[np.int64], time_base: Fraction, nominal: Fraction | None
) -> Fraction:
    """The one rate on whose grid every frame lies, within a quarter of a frame.

    A standard rate is preferred to the container's claim, and the claim to the measured mean.

    Raises:
        SourceUnsupported: no rate fits, or it is above 60 frames per second.
    """
    claimed = [nominal] if nominal else []
    if len(pts) > 1:
        mean = (len(pts) - 1) / (int(pts[-1] - pts[0]) * time_base)
        nearest = sorted(STANDARD_RATES, key=lambda rate: abs(rate - mean))
        candidates = [*nearest, *claimed, mean.limit_denominator(1001)]
    else:
        candidates = claimed or [STANDARD_RATES[0]]
    for rate in candidates:
        if _lies_on_grid(pts, time_base, rate):
            if rate > 60:
                raise SourceUnsupported(
                    f"the film has {float(rate):g} frames per second; the most is 60",
                    "convert it to 60 frames per second or fewer first",
                )
            return rate
    raise SourceUnsupported(
        f"the frame rate varies: {_worst_gap(pts, time_base)}",
        "convert the film to a constant frame rate first, "
        "for example with: ffmpeg -i FILM -fps_mode cfr -crf 12 OUT.mkv",
    )


def _lies_on_grid(pts: NDArray[np.int64], time_base: Fraction, rate: Fraction) -> bool:
    elapsed = (pts - pts[0]).astype(np.float64) * float(time_base * rate)
    return bool(np.max(np.abs(elapsed - np.arange(len(pts)))) < 0.25)


def _worst_gap(pts: NDArray[np.int64], time_base: Fraction) -> str:
    gaps = np.diff(pts)
    place = int(np.argmax(gaps))
    shortest, longest = (float(int(gap) * time_base) * 1000 for gap in (gaps.min(), gaps.max()))
    when = float(int(pts[place] - pts[0]) * time_base)
    return f"frames last from {shortest:.1f} to {longest:.1f} ms, the longest at {when:.3f} s"


def plan_clip(timeline: Timeline, span: FrameSpan, configuration: Digest) -> ClipPlan:
    """The packets to copy so that exactly the frames of ``span`` can be decoded.

    Raises:
        SourceDamaged: no key frame before the span's first frame.
    """
    packets = timeline.packets
    wanted = timeline.decode_order[span.start : span.end]
    first_pts = int(packets["pts"][wanted[0]])
    earliest = int(wanted.min())
    is_entry = ((packets["flags"][: earliest + 1] & KEY) != 0) & (
        packets["pts"][: earliest + 1] <= first_pts
    )
    entries = np.flatnonzero(is_entry)
    if len(entries) == 0:
        when = float(span.start / timeline.rate)
        raise SourceDamaged(f"no key frame before {when:.3f} s: the film cannot be decoded there")
    first, last = int(entries[-1]), int(wanted.max())
    earlier = packets["pts"][first : last + 1]
    before = earlier[earlier < first_pts]
    skip_before = first_pts - (first_pts - int(before.max())) // 2 if len(before) else first_pts
    return ClipPlan(
        frames=span,
        first=first,
        last=last,
        skip_before=skip_before,
        digest=_clip_digest(packets[first : last + 1], first_pts, len(span), configuration),
    )


def _clip_digest(clip: Packets, first_pts: int, frames: int, configuration: Digest) -> Digest:
    ranks = np.empty(len(clip), dtype=np.int64)
    ranks[np.argsort(clip["pts"], kind="stable")] = np.arange(len(clip))
    ranks -= int(np.sum(clip["pts"] < first_pts))
    return digest_of_value(
        {
            "configuration": configuration,
            "frames": frames,
            "packets": [
                [int(rank), bytes(digest).ljust(32, b"\0").hex(), int(flags) & DISCARD]
                for rank, digest, flags in zip(ranks, clip["digest"], clip["flags"], strict=True)
            ],
        }
    )


def clip_plans(
    timeline: Timeline, spans: Sequence[FrameSpan], configuration: Digest
) -> list[ClipPlan]:
    """One clip for each span."""
    return [plan_clip(timeline, span, configuration) for span in spans]
