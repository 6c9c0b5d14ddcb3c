"""What is said of a film before anything is made of it."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from matinee.media.colour import told_hdr
from matinee.media.ladder import Rung
from matinee.media.purposes import purpose_of
from matinee.media.source import SourceInfo, Track, display_size

JUMPED = "the clock of the recording jumps: it is copied to one whose clock does not"
TONE_MAPPED = "the film has a high dynamic range: it is tone-mapped to BT.709"
LAID_OUT = (
    "the time stamps of the sound go back: it is laid out sample by sample, from where its first "
    "page puts it"
)
STILL_ADDED = "there is no moving picture: a still is shown"

CUT_OFF = Fraction(1, 2)
"""How much shorter than its header says a film may be, in seconds: headers round."""


def told_source(info: SourceInfo, pace: Fraction | None = None) -> tuple[str, ...]:
    """What is said of it; ``pace`` is that of damaged time stamps."""
    notes = []
    if info.clock_jumps:
        notes.append(LAID_OUT if info.goes_back else JUMPED)
    if info.needs_still:
        notes.append(STILL_ADDED)
    if info.picture.is_hdr:
        notes.append(TONE_MAPPED)
    if pace is not None:
        notes.append(told_pace(pace))
    return (*notes, *filter(None, [told_end(info)]))


def told_range(rungs: Sequence[Rung]) -> tuple[str, ...]:
    """Which renditions keep the film's high dynamic range, if any do."""
    kept = {rung.shown_codec: rung.hdr for rung in rungs if rung.hdr}
    if not kept:
        return ()
    film = told_hdr(next(iter(kept.values())))
    return (f"beside that it keeps its range in {' and '.join(kept)}: {film}",)


def told_end(info: SourceInfo) -> str:
    """Where the file ends before its header says so; "" where it does not."""
    if info.declared is None:
        return ""
    begin = min(track.start for track in info.tracks)
    end = max(track.start + track.duration for track in info.tracks) - begin
    if info.declared - end <= max(CUT_OFF, info.declared / 100):
        return ""
    return (
        f"the film is cut off at {float(end):.2f} s: by its header it lasts "
        f"{float(info.declared):.2f} s"
    )


def told_pace(pace: Fraction) -> str:
    """What is said of damaged time stamps, by which a second lasts ``pace`` seconds."""
    way = "slower" if pace > 1 else "faster"
    return (
        f"the time stamps are damaged: picture and sound run {float(abs(pace - 1) * 100):.1f} % "
        f"{way} by them than their frames and samples last"
    )


def track_json(track: Track, info: SourceInfo, frames: int, rate: str | None) -> dict[str, Any]:
    """A source track as reports and ``inspect`` show it."""
    is_main = track.index == info.video
    width, height = display_size(info.picture) if is_main else (None, None)
    return {
        "index": track.index,
        "type": track.type,
        "codec": track.codec,
        "language": track.language,
        "title": track.title,
        "default": track.is_default,
        "forced": track.is_forced,
        "purpose": purpose_of(track),
        "width": width,
        "height": height,
        "frame_rate": rate if is_main else None,
        "frames": frames if is_main else None,
        "channels": track.channels or None,
        "sample_rate": track.sample_rate or None,
        "layout": track.layout or None,
        "duration": float(track.duration),
    }
