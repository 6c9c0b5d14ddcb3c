"""Reads and joins films packet by packet with PyAV (FFmpeg's libraries in this process)."""

import errno
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from matinee.adapters.pyav_decode import find_damage
from matinee.adapters.pyav_headers import codec_of, joined_stream, shared_header
from matinee.adapters.pyav_inspect import inspect_film, look_at
from matinee.adapters.pyav_listen import heard, sound_damage, sound_pace
from matinee.adapters.pyav_picture import open_safely, pictures_of
from matinee.adapters.pyav_times import packets_of_rows
from matinee.core.disk_failures import NO_ROOM, of_disk
from matinee.core.errors import (
    SourceChanged,
    SourceDamaged,
    SourceRefused,
    SourceUnreadable,
    SourceUnsupported,
)
from matinee.core.ids import digest_of
from matinee.media.clips import ClipPlan
from matinee.media.codecs.codec import REORDERED_FRAMES
from matinee.media.codecs.sound import SoundCodec
from matinee.media.damage import Damage
from matinee.media.frame_index import KEY
from matinee.media.sound import SAMPLE_RATE, Samples
from matinee.media.source import SourceInfo
from matinee.media.timeline import Packets, Timeline
from matinee.ports.tools import Clip, Indexer, Joined, JoinRefused, SegmentProof

SEEKABLE = ("mov", "matroska")
"""Containers whose index can be trusted to find a key packet."""

OF_SCRATCH = frozenset({*NO_ROOM, errno.EACCES, errno.EROFS, errno.EIO, errno.ENOENT, errno.EISDIR})
"""Errors of writing a clip. EPERM is none: demultiplexers give it for what is in a film."""

CLIP_FORMATS = ("matroska", "nut")
"""What a clip may be written as: the second for codecs that the first has no name for."""


FRAGMENTS = {
    "movflags": "+empty_moov+default_base_moof+frag_keyframe+negative_cts_offsets+cmaf",
    "use_editlist": "0",
}
"""A fragment for each key frame; the first frame is shown at media time 0, without an edit list."""


class PyavIndexer(Indexer):
    """Plain functions behind the port: they hold no state, so threads may share one."""

    def look(self, film: Path) -> str:
        return look_at(film)

    def inspect(self, film: Path) -> tuple[SourceInfo, Packets, Fraction]:
        info, index, time_base = inspect_film(film)
        return info, packets_of_rows(index), time_base

    def cut(
        self,
        film: Path,
        info: SourceInfo,
        timeline: Timeline,
        clips: Sequence[ClipPlan],
        folder: Path,
        take: Callable[[Clip], bool],
    ) -> None:
        if not clips:
            return
        with opened(film) as container:
            packets = _indexed(container, info, timeline, clips[0].first)
            waiting, open_clips = list(clips), list[_ClipWriter]()
            for number, packet in packets:
                while waiting and waiting[0].first == number:
                    plan = waiting.pop(0)
                    open_clips.append(_ClipWriter(plan, timeline, folder, packet.stream))
                for writer in list(open_clips):
                    writer.add(packet)
                    if writer.plan.last == number:
                        open_clips.remove(writer)
                        if not take(writer.finish()):
                            return
                if not waiting and not open_clips:
                    return
        raise SourceChanged(f"the film ends before frame {clips[-1].frames.end}")

    def find_damage(self, film: Path, info: SourceInfo, timeline: Timeline) -> Damage | None:
        return find_damage(film, info, timeline)

    def find_sound_damage(self, film: Path, track: int) -> list[tuple[Fraction, Fraction]]:
        with opened(film) as container:
            return sound_damage(container, container.streams[track])

    def sound_pace(self, film: Path, track: int) -> Fraction | None:
        with opened(film) as container:
            return sound_pace(container, container.streams[track])

    def join(
        self,
        chunks: Sequence[Path],
        frames: Sequence[int],
        starts: Sequence[int],
        rate: Fraction,
        output: Path,
        level: str = "",
    ) -> Joined:
        return _join(chunks, frames, starts, rate, output, {}, level)

    def fragment(
        self, chunk: Path, frames: int, starts: Sequence[int], rate: Fraction, output: Path
    ) -> Joined:
        return _join([chunk], [frames], starts, rate, output, FRAGMENTS, "")

    def frame_bytes(self, chunk: Path) -> NDArray[np.int64]:
        with opened(chunk) as container:
            packets = container.demux(container.streams.video[0])
            shown = sorted((packet.pts, packet.size) for packet in packets if packet.size)
        return np.array([size for _, size in shown], dtype=np.int64)

    def place_sound(self, encoded: Path, codec: SoundCodec, lead: int, output: Path) -> int:
        count = 0
        with opened(encoded) as source, av.open(str(output), "w", format="mp4") as target:
            stream = source.streams.audio[0]
            placed = target.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.size:
                    packet.stream = placed
                    packet.time_base = Fraction(1, SAMPLE_RATE)
                    packet.pts = packet.dts = count * codec.frame - lead
                    packet.duration = codec.frame
                    target.mux(packet)
                    count += 1
        return count

    def listen(
        self, film: Path, track: int, times: Sequence[Fraction], duration: Fraction
    ) -> list[Samples]:
        with opened(film) as container:
            return [heard(container, track, time, duration) for time in times]


@contextmanager
def opened(film: Path) -> Iterator[Any]:
    """The film's container; foreign errors become ours, each with who can mend it."""
    try:
        container = open_safely(film)
    except (av.error.FFmpegError, OSError) as error:
        raise SourceUnreadable(f"the film cannot be read: {error.strerror}") from error
    with container:
        try:
            yield container
        except (av.error.FFmpegError, OSError) as error:
            if error.errno in OF_SCRATCH:
                said = f"scratch files cannot be written: {error.strerror}"
                met = OSError(error.errno, error.strerror)
                raise of_disk(said, met, "see that the library's disk can be written") from error
            raise SourceDamaged(f"the film is damaged: {error.strerror}") from error


@contextmanager
def opened_chunk(path: Path, place: str) -> Iterator[Any]:
    """A chunk's container: one that cannot be read is no part of a rendition."""
    try:
        with opened(path) as container:
            yield container
    except SourceRefused as error:
        raise JoinRefused(f"{place} cannot be read: {error}") from error


def _indexed(
    container: Any, info: SourceInfo, timeline: Timeline, first: int
) -> Iterator[tuple[int, Any]]:
    """The video packets from number ``first`` on, each proved to be the one of the index."""
    stream = container.streams[info.video]
    index = timeline.packets
    number = 0
    if first > 0 and info.container.startswith(SEEKABLE) and _have_times_of_their_own(index):
        container.seek(int(index["pts"][first]), stream=stream, backward=True)
    for packet in pictures_of(container, stream):
        if not packet.size:
            continue
        if number == 0:
            number = _number_of(packet, timeline)
        if number >= len(index):
            break
        if number >= first and not _is_packet(packet, index[number]):
            when = float(int(index["pts"][number]) * timeline.time_base - timeline.start)
            raise SourceChanged(
                f"the film at {when:.3f} s is not what it was when it was inspected",
                "publish again when nothing writes to the file any more",
            )
        if number >= first:
            yield number, packet
        number += 1


def _have_times_of_their_own(index: Packets) -> bool:
    """Whether a key frame's time tells which one it is: else, who seeks does not know where to."""
    keys = index["pts"][(index["flags"] & KEY) != 0]
    return len(np.unique(keys)) == len(keys)


def _number_of(packet: Any, timeline: Timeline) -> int:
    """Which packet of the index this is: the first that demuxing gives after a seek."""
    index = timeline.packets
    alike = np.flatnonzero((index["pts"] == packet.pts) & (index["size"] == packet.size))
    return next((n for n in alike.tolist() if _is_packet(packet, index[n])), 0)


def _is_packet(packet: Any, row: Any) -> bool:
    return digest_raw(bytes(packet)) == bytes(row["digest"]).ljust(32, b"\0")


def digest_raw(data: bytes) -> bytes:
    """SHA-256 as 32 bytes."""
    return hashlib.sha256(data).digest()


def decode_times(pts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ascending decode times for packets in decode order, none after its presentation time.

    Demuxers do not always tell them after a seek.
    """
    ascending = np.sort(pts)
    return np.asarray(ascending - max(0, int(np.max(ascending - pts))))


class _ClipWriter:
    """Copies packets to a file on a clock that starts near zero.

    Matroska, or NUT for the codecs that Matroska has no name for.
    """

    def __init__(self, plan: ClipPlan, timeline: Timeline, folder: Path, template: Any) -> None:
        self.plan = plan
        self._path = folder / f"clip-{plan.frames.start:07d}"
        self._container = _clip_container(self._path, template.codec_context.name)
        # Opaque: the packets are copied, so no coder of theirs is looked for.
        self._stream: Any = self._container.add_stream_from_template(template, opaque=True)
        self._clock = _clip_clock(plan, timeline)
        self._added = 0

    def add(self, packet: Any) -> None:
        copy = av.Packet(bytes(packet))
        copy.stream = self._stream
        copy.time_base = self._clock.time_base
        copy.pts = int(self._clock.shown[self._added])
        copy.dts = int(self._clock.decoded[self._added])
        copy.duration = self._clock.lasts
        copy.is_keyframe = packet.is_keyframe
        self._added += 1
        self._container.mux(copy)

    def finish(self) -> Clip:
        self._container.close()
        return Clip(self._path, self.plan, self._clock.skip_s)


def _clip_container(path: Path, codec: str) -> Any:
    for name in CLIP_FORMATS:
        container = av.open(str(path), "w", format=name)
        if codec in container.supported_codecs and (name, codec) != ("matroska", "rawvideo"):
            return container
        container.close()
    raise SourceUnsupported(
        f"pictures coded as {codec} cannot be cut", "convert the film to another codec first"
    )


@dataclass(frozen=True, slots=True)
class _ClipClock:
    """When each packet of a clip is shown and decoded, in ticks of ``time_base``.

    ``lasts`` is how long a picture lasts: without it filters lose the last one, and by what the
    source says of it they could repeat it for days.
    """

    time_base: Fraction
    shown: NDArray[np.int64]
    decoded: NDArray[np.int64]
    skip_s: Fraction
    lasts: int


def _clip_clock(plan: ClipPlan, timeline: Timeline) -> _ClipClock:
    """The source's own times from near zero on, or the places of the clip's grid."""
    if plan.slots is None:
        pts = timeline.packets["pts"][plan.first : plan.last + 1]
        decoded = decode_times(pts)
        zero, time_base = int(decoded[0]), timeline.time_base
        skip_s = (plan.skip_before - zero) * time_base
        lasts = max(1, round(1 / (timeline.rate * time_base)))
        return _ClipClock(time_base, pts - zero, decoded - zero, skip_s, lasts)
    early = -int(decode_times(_in_ms(plan.slots, 0, timeline.rate))[0])
    lead = max(0, ceil(early * timeline.rate / 1000))  # whole places: the grid stays the grid
    shown = _in_ms(plan.slots, lead, timeline.rate)
    skip_s = (plan.skip_slots + lead) / timeline.rate
    lasts = round((2000 if plan.fields == "interlaced" else 1000) / timeline.rate)
    return _ClipClock(Fraction(1, 1000), shown, decode_times(shown), skip_s, lasts)


def _in_ms(slots: Sequence[Fraction], lead: int, rate: Fraction) -> NDArray[np.int64]:
    return np.array([round(1000 * (slot + lead) / rate) for slot in slots], dtype=np.int64)


def _join(
    chunks: Sequence[Path], frames: Sequence[int], starts: Sequence[int], rate: Fraction,
    output: Path, layout: Mapping[str, str], level: str,
) -> Joined:  # fmt: skip
    tick = 1000 if rate.denominator == 1 else rate.denominator
    time_base = 1 / (rate * tick)
    first_frames = set(starts)
    segments: list[_Segment] = []
    configuration: bytes | None = None
    done = 0
    with ExitStack() as stack:
        options = {
            "video_track_timescale": str(time_base.denominator), "fflags": "+bitexact", **layout,
        }  # fmt: skip
        target = stack.enter_context(av.open(str(output), "w", format="mp4", options=options))
        joined: Any = None
        for path, planned in zip(chunks, frames, strict=True):
            place = f"the chunk of frames {done} to {done + planned}"
            with opened_chunk(path, place) as source:
                stream = source.streams.video[0]
                packets = [packet for packet in source.demux(stream) if packet.size]
                _check_chunk(packets, planned, place)
                codec = codec_of(stream, place)
                shared = shared_header(codec, stream, packets[0], place)
                if configuration is None:
                    configuration = shared
                    joined = joined_stream(target, stream, codec, level)
                elif shared != configuration:
                    raise JoinRefused(f"{place} has other parameter sets than the chunks before")
                shown = {pts: n for n, pts in enumerate(sorted(p.pts for p in packets))}
                for number, packet in enumerate(packets):
                    frame = done + shown[packet.pts]
                    if packet.is_keyframe != (frame in first_frames):
                        kind = "a" if packet.is_keyframe else "no"
                        raise JoinRefused(f"{place} has {kind} key frame at frame {frame}")
                    if packet.is_keyframe:
                        segments.append(_Segment())
                    segments[-1].add(bytes(packet))
                    packet.stream = joined
                    packet.time_base = time_base
                    packet.pts = frame * tick
                    packet.dts = (done + number - REORDERED_FRAMES) * tick
                    packet.duration = tick
                    if packet.dts > packet.pts:
                        raise JoinRefused(f"{place} holds frame {frame} back for too long")
                    target.mux(packet)
            done += planned
    assert configuration is not None
    return Joined(output, tuple(s.proof() for s in segments), digest_of(configuration))


def _check_chunk(packets: Sequence[Any], planned: int, place: str) -> None:
    if len(packets) != planned:
        raise JoinRefused(f"{place} has {len(packets)} frames, not {planned}")
    if len({packet.pts for packet in packets}) != planned:
        raise JoinRefused(f"{place} shows two frames at one time")


class _Segment:
    """Sums up the packets of a segment as they go by."""

    def __init__(self) -> None:
        self._frames, self._size, self._hash = 0, 0, hashlib.sha256()

    def add(self, payload: bytes) -> None:
        self._frames += 1
        self._size += len(payload)
        self._hash.update(payload)

    def proof(self) -> SegmentProof:
        return SegmentProof(self._frames, self._size, self._hash.hexdigest())  # type: ignore[arg-type]
