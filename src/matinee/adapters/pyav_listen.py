"""Listens to pieces of a sound track, each sample where its own time stamp puts it."""

from fractions import Fraction
from itertools import islice
from typing import Any

import av
import av.error
import numpy as np
from av.audio.resampler import AudioResampler

from matinee.adapters.pyav_picture import frames_of, packets_of
from matinee.media.damage import JOINED
from matinee.media.sound import PROBE_RATE, Samples

LATEST = (1 << 63) - 1
"""Ticks of a clock that a container can tell: nothing sounds later."""

ROUNDING = PROBE_RATE // 500
"""Two milliseconds of samples: a smaller step between two frames of sound is rounding."""

PACED = 500
"""Frames of sound that tell its pace."""

FEWEST = 8
"""With fewer, rounded times tell nothing."""

FINEST = 10**9
"""A film of many sample rates, which is hostile, would have a fraction of any length."""

EVENLY = Fraction(1, 250)
"""How far from an even pace a frame may lie, in seconds: times are rounded to milliseconds."""


def heard(container: Any, track: int, time: Fraction, duration: Fraction) -> Samples:
    """Mono sound of ``[time, time + duration)``, each frame where its time stamp puts it."""
    stream = container.streams[track]
    samples_heard = np.zeros(round(duration * PROBE_RATE), dtype=np.float32)
    mono = _Mono()
    before = max(Fraction(0), time - 1)  # a decoder needs a moment to settle
    place = int(before / stream.time_base)
    if place > LATEST:
        return samples_heard
    container.seek(place, stream=stream, backward=True)
    expected: int | None = None
    for frame in frames_of(container, stream):
        if frame.pts is None:
            continue
        if frame.pts * frame.time_base > time + duration + 1:
            break
        for part in mono.parts(frame):
            samples = part.to_ndarray().reshape(-1)
            place = round((part.pts * part.time_base - time) * PROBE_RATE)
            # Matroska rounds times to a millisecond: within that, sound goes on without a step.
            if expected is not None and abs(place - expected) <= ROUNDING:
                place = expected
            expected = place + len(samples)
            low, high = max(0, place), min(len(samples_heard), expected)
            if low < high:
                samples_heard[low:high] = samples[low - place : high - place]
    return samples_heard


def sound_damage(container: Any, stream: Any) -> list[tuple[Fraction, Fraction]]:
    """From when to when packets do not decode, in seconds of the container's clock.

    A first or last packet that the file has and that is not whole is no damage: there a splitter
    cut the stream.
    """
    bad: dict[int, tuple[Fraction, Fraction]] = {}
    cut, number = set[int](), -1
    for number, packet in enumerate(p for p in packets_of(container, stream) if p.size):
        if packet.pts is not None and (packet.is_corrupt or not _decodes(packet)):
            begin = packet.pts * packet.time_base
            bad[number] = begin, begin + (packet.duration or 0) * packet.time_base
            cut |= set() if packet.is_corrupt else {number}
    damage: list[tuple[Fraction, Fraction]] = []
    for place, (begin, end) in bad.items():
        if place in cut & {0, number}:
            continue
        joins = bool(damage) and begin - damage[-1][1] < JOINED
        damage.append((damage.pop()[0] if joins else begin, end))
    return damage


def sound_pace(container: Any, stream: Any) -> Fraction | None:
    """See ``Indexer.sound_pace``."""
    places: list[tuple[Fraction, Fraction]] = []
    held = Fraction(0)
    for frame in islice(frames_of(container, stream), PACED):
        if frame.pts is None or not frame.samples or not frame.sample_rate:
            return None
        places.append((frame.pts * frame.time_base, held))
        held += Fraction(frame.samples, frame.sample_rate)
    places = places[1:]  # of the first one an encoder's delay may be cut off
    if len(places) < FEWEST:
        return None
    (begin, before), (end, until) = places[0], places[-1]
    pace = (end - begin) / (until - before)
    off = EVENLY * max(Fraction(1), pace)  # rounding is stretched with the times
    is_even = all(abs(at - begin - pace * (held_at - before)) <= off for at, held_at in places)
    return pace.limit_denominator(FINEST) if is_even else None


def _decodes(packet: Any) -> bool:
    try:
        return not any(frame.is_corrupt for frame in packet.decode())
    except av.error.FFmpegError:
        return False


class _Mono:
    """Makes mono of frames; where channels have no known places each counts alike."""

    def __init__(self) -> None:
        self._resampler = _mono_resampler()
        self._is_averaged: bool | None = None

    def parts(self, frame: Any) -> list[Any]:
        """Mono frames at ``PROBE_RATE``, as many as are ready."""
        if self._is_averaged is None:
            try:
                found: list[Any] = self._resampler.resample(frame)
            except (av.error.FFmpegError, ValueError):
                self._is_averaged, self._resampler = True, _mono_resampler()
            else:
                self._is_averaged = False
                return found
        try:
            mixed: list[Any] = self._resampler.resample(
                _average(frame) if self._is_averaged else frame
            )
        except (av.error.FFmpegError, ValueError):  # the sound changes its form here
            self._is_averaged, self._resampler = None, _mono_resampler()
            return []
        return mixed


def _mono_resampler() -> Any:
    return AudioResampler(format="flt", layout="mono", rate=PROBE_RATE)


def _average(frame: Any) -> Any:
    """A mono frame of the mean of all channels, from -1 to 1."""
    plain = frame.to_ndarray()
    channels = plain if frame.format.is_planar else plain.reshape(-1, frame.layout.nb_channels).T
    kind = channels.dtype
    middle = 128.0 if kind == np.uint8 else 0.0
    full = 1.0 if kind.kind == "f" else float(np.iinfo(kind).max) - middle + 1
    mean = ((channels.mean(axis=0) - middle) / full).astype(np.float32)
    mono = av.AudioFrame.from_ndarray(np.ascontiguousarray(mean[np.newaxis]), "flt", "mono")
    mono.sample_rate, mono.pts, mono.time_base = frame.sample_rate, frame.pts, frame.time_base
    return mono
