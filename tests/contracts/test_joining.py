"""Only chunks that make one rendition are joined, and only true pairs are scored."""

import json
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from tests.contracts.tool_work import (
    INDEXER,
    Work,
    cut,
    encode,
    extradata,
    measured,
    opened,
    packets_of,
    rung,
)
from tests.films import NTSC, ffmpeg

from matinee.core.errors import (
    MatineeError,
    SourceRefused,
    ToolError,
)
from matinee.core.time import FrameSpan
from matinee.media.clips import plan_clip
from matinee.ports.tools import JoinRefused
from matinee.stages.checks import check_pairing

pytestmark = pytest.mark.tools


# Joining


def join(film: Work, chunks: Sequence[Path], output: Path) -> None:
    frames = [len(clip.frames) for clip in film.film.clips]
    starts = [segment.start for segment in film.plan.segments]
    INDEXER.join(chunks, frames, starts, film.timeline.rate, output)


def remuxed(chunk: Path, output: Path, *, drop: int = -1, double: int = -1) -> Path:
    """The chunk without one of its packets, or with one of them twice."""
    with opened(chunk) as source, opened(output, "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        extra = 0
        for number, packet in enumerate(p for p in source.demux(stream) if p.size):
            for again in range(0 if number == drop else 2 if number == double else 1):
                twin = av.Packet(bytes(packet))
                twin.time_base, twin.stream = packet.time_base, copy
                extra += again
                twin.pts = packet.pts + extra * packet.duration
                twin.dts = packet.dts + extra * packet.duration
                twin.duration, twin.is_keyframe = packet.duration, packet.is_keyframe
                target.mux(twin)
    return output


def test_parameter_sets_are_equal_for_every_quality_and_length(film: Work, tmp_path: Path) -> None:
    single = plan_clip(film.timeline, FrameSpan(100, 101), film.info.picture.configuration)
    (clip,) = cut(film.path, film.info, film.timeline, [single], tmp_path)
    rate = film.timeline.rate
    made = [
        encode(one, film.info, [rung(rate, crf=crf)], [0], tmp_path)[0]
        for one in (film.clips[0], clip)
        for crf in (18, 30)
    ]

    sets = {extradata(chunk) for chunk in [*made, *film.chunks[0]]}

    assert len(sets) == 1
    assert len(packets_of(made[-1])) == 1


def test_chunks_of_another_quality_join(film: Work, tmp_path: Path) -> None:
    clip = film.clips[1]
    worse = encode(
        clip, film.info, [rung(film.timeline.rate, crf=30)], film.film.starts(clip.plan), tmp_path
    )

    join(film, [film.chunks[0][0], *worse, *film.chunks[0][2:]], tmp_path / "joined.mp4")

    assert len(packets_of(tmp_path / "joined.mp4")) == film.timeline.frames


@pytest.mark.parametrize("number", [1, 50, -1])
def test_a_chunk_that_lost_a_frame_is_refused(film: Work, tmp_path: Path, number: int) -> None:
    count = len(film.clips[1].plan.frames)
    lame = remuxed(film.chunks[0][1], tmp_path / "lame.mp4", drop=number % count)

    with pytest.raises(JoinRefused, match=f"has {count - 1} frames, not {count}"):
        join(film, [film.chunks[0][0], lame, *film.chunks[0][2:]], tmp_path / "joined.mp4")


def test_a_chunk_with_a_doubled_frame_is_refused(film: Work, tmp_path: Path) -> None:
    count = len(film.clips[1].plan.frames)
    lame = remuxed(film.chunks[0][1], tmp_path / "lame.mp4", double=count - 1)

    with pytest.raises(JoinRefused, match=f"has {count + 1} frames, not {count}"):
        join(film, [film.chunks[0][0], lame, *film.chunks[0][2:]], tmp_path / "joined.mp4")


def test_chunks_of_unlike_length_exchanged_are_refused(film: Work, tmp_path: Path) -> None:
    first, *_, last = film.chunks[0]
    lengths = [len(clip.frames) for clip in film.film.clips]
    assert lengths[0] != lengths[-1]

    with pytest.raises(JoinRefused, match="the chunk of frames 0 to"):
        join(film, [last, *film.chunks[0][1:-1], first], tmp_path / "joined.mp4")


def test_a_chunk_of_other_parameter_sets_is_refused(film: Work, tmp_path: Path) -> None:
    with pytest.raises(JoinRefused, match="other parameter sets"):
        join(film, [film.chunks[0][0], *film.chunks[1][1:]], tmp_path / "joined.mp4")


def test_a_chunk_without_its_key_frame_is_refused(film: Work, tmp_path: Path) -> None:
    clip = film.clips[1]
    starts = film.film.starts(clip.plan)
    assert len(starts) > 1
    few = encode(clip, film.info, film.rungs[:1], starts[:1], tmp_path)

    with pytest.raises(JoinRefused, match="no key frame at frame"):
        join(film, [film.chunks[0][0], *few, *film.chunks[0][2:]], tmp_path / "joined.mp4")


def test_a_chunk_with_a_key_frame_too_many_is_refused(film: Work, tmp_path: Path) -> None:
    clip = film.clips[1]
    many = encode(clip, film.info, film.rungs[:1], [*film.film.starts(clip.plan), 150], tmp_path)

    with pytest.raises(JoinRefused, match="a key frame at frame"):
        join(film, [film.chunks[0][0], *many, *film.chunks[0][2:]], tmp_path / "joined.mp4")


def test_a_damaged_chunk_is_no_fault_of_the_film(film: Work, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no film at all" * 100)

    with pytest.raises(MatineeError) as met:
        join(film, [damaged, *film.chunks[0][1:]], tmp_path / "joined.mp4")

    assert not isinstance(met.value, SourceRefused)


# Counting


def test_bytes_of_frames_are_those_of_their_packets_in_order_of_showing(film: Work) -> None:
    chunk = film.chunks[0][1]
    packets = packets_of(chunk)
    shown = [len(payload) for _, _, payload in sorted(packets)]

    assert INDEXER.frame_bytes(chunk).tolist() == shown
    assert shown != [len(payload) for _, _, payload in packets]  # the film has B-frames


# Measuring


def test_scores_are_those_of_libvmaf_run_by_hand(film: Work, tmp_path: Path) -> None:
    clip, chunk = film.clips[1], film.chunks[0][1]
    span = clip.plan.frames
    (one,) = measured(film, clip, [chunk], tmp_path)
    clock = f"settb={1 / NTSC},setpts=N"
    ffmpeg(
        "-i", str(chunk), "-i", str(film.path), "-filter_complex",
        f"[1:v]trim=start_frame={span.start}:end_frame={span.end},{clock}[ref];[0:v]{clock}[own];"
        "[own][ref]libvmaf=model=version=vmaf_v0.6.1:log_fmt=json:log_path=hand.json",
        "-f", "null", "-", folder=tmp_path,
    )  # fmt: skip
    by_hand = json.loads((tmp_path / "hand.json").read_text())["frames"]

    assert one.scores is not None and len(one.scores) == len(span)
    assert (
        max(
            abs(score - frame["metrics"]["vmaf"])
            for score, frame in zip(one.scores, by_hand, strict=True)
        )
        <= 0.001
    )


def test_every_rung_is_scored_against_the_same_frames(film: Work, tmp_path: Path) -> None:
    clip = film.clips[0]
    span = clip.plan.frames
    high, low = measured(film, clip, [column[0] for column in film.chunks], tmp_path)

    assert high.scores is not None and low.scores is not None
    assert np.mean(high.scores) > np.mean(low.scores)
    for one in (high, low):
        check_pairing(film.source[span.start : span.end], one, span.start, "90p")


def test_scores_of_a_pair_shifted_by_one_frame_are_refused(film: Work, tmp_path: Path) -> None:
    span = film.clips[1].plan.frames
    late = FrameSpan(span.start + 1, span.end + 1)
    plan = plan_clip(film.timeline, late, film.info.picture.configuration)
    (clip,) = cut(film.path, film.info, film.timeline, [plan], tmp_path)
    (one,) = measured(film, clip, [film.chunks[0][1]], tmp_path)

    for true in (span, late):
        with pytest.raises(ToolError, match="pair wrong frames"):
            check_pairing(film.source[true.start : true.end], one, true.start, "90p")


@pytest.mark.parametrize("change", [-1, 1])
def test_scores_of_unequal_counts_are_refused(film: Work, tmp_path: Path, change: int) -> None:
    span = film.clips[1].plan.frames
    other = FrameSpan(span.start, span.end + change)
    plan = plan_clip(film.timeline, other, film.info.picture.configuration)
    (clip,) = cut(film.path, film.info, film.timeline, [plan], tmp_path)
    (one,) = measured(film, clip, [film.chunks[0][1]], tmp_path)

    with pytest.raises(ToolError, match="unequal counts"):
        check_pairing(film.source[span.start : span.end], one, span.start, "90p")


def test_a_chunk_that_is_none_cannot_be_measured(film: Work, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no film at all" * 100)

    with pytest.raises(ToolError, match="cannot be decoded"):
        measured(film, None, [damaged], tmp_path)
