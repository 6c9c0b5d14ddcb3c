"""Chunks of every codec join, whatever their quality and length, and show the source's frames."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest
from tests.contracts.tool_work import INDEXER, Work, cut, encode, measured, opened, packets_of, rung

from matinee.core.time import FrameSpan
from matinee.media.clips import plan_clip
from matinee.media.codecs import CODECS
from matinee.media.codecs.codec import Codec, Demand
from matinee.media.ladder import Rung
from matinee.ports.tools import Clip, Joined, JoinRefused
from matinee.stages.checks import check_frames

pytestmark = pytest.mark.tools

FAST = {"h264": "superfast", "hevc": "ultrafast", "vp9": "5", "av1": "11"}
EVERY = [
    (name, depth, profile)
    for name, codec in CODECS.items()
    for depth, profiles in codec.profiles.items()
    for profile in profiles
]


def coded(rate: Fraction, name: str, depth: int, profile: str) -> Rung:
    size = rung(rate)
    demand = Demand(size.width, size.height, rate, size.bufsize, 2, profile)
    level = CODECS[name].level(demand)
    return rung(rate, codec=name, preset=FAST[name], depth=depth, profile=profile, level=level)


@dataclass
class Parts:
    """Three chunks of unlike quality and length, and what was made of them."""

    codec: Codec
    rung: Rung
    spans: list[FrameSpan]
    starts: list[int]
    """Of segments, from the first chunk's first frame."""
    chunks: list[Path]
    path: Path
    joined: Joined

    @property
    def frames(self) -> list[int]:
        return [len(span) for span in self.spans]


def clips_of(film: Work, spans: Sequence[FrameSpan], folder: Path) -> list[Clip]:
    configuration = film.info.picture.configuration
    plans = [plan_clip(film.timeline, span, configuration) for span in spans]
    clips = cut(film.path, film.info, film.timeline, plans, folder)
    return sorted(clips, key=lambda clip: clip.plan.frames.start)


@pytest.fixture(scope="module", params=EVERY, ids=lambda one: "-".join(map(str, one)))
def parts(film: Work, request: pytest.FixtureRequest, tmp_path_factory) -> Parts:
    folder = tmp_path_factory.mktemp("codec")
    rate = film.timeline.rate
    spans = [FrameSpan(0, 30), FrameSpan(30, 31), FrameSpan(31, 61)]
    inner = [[0, 12], [0], [0, 17]]
    chunks = []
    one = coded(rate, *request.param)
    for clip, starts, crf in zip(clips_of(film, spans, folder), inner, (18, 24, 30), strict=True):
        chunks += encode(clip, film.info, [replace(one, crf=crf)], starts, folder)
    path = folder / "joined.mp4"
    all_starts = [s.start + n for s, starts in zip(spans, inner, strict=True) for n in starts]
    joined = INDEXER.join(chunks, [len(span) for span in spans], all_starts, rate, path, one.level)
    return Parts(one.coding, one, spans, all_starts, chunks, path, joined)


def decoded(path: Path) -> list[bytes]:
    with opened(path) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


def test_chunks_of_unlike_quality_and_length_join(parts: Parts) -> None:
    packets = packets_of(parts.path)

    assert len(packets) == sum(parts.frames)
    assert sum(segment.frames for segment in parts.joined.segments) == sum(parts.frames)
    assert [n for n, (_, is_key, _) in enumerate(sorted(packets)) if is_key] == parts.starts


def test_what_is_joined_decodes_as_its_chunks_do(parts: Parts) -> None:
    assert decoded(parts.path) == [frame for chunk in parts.chunks for frame in decoded(chunk)]


def test_every_chunk_shows_the_frames_of_the_source(
    parts: Parts, film: Work, tmp_path: Path
) -> None:
    for span, one in zip(parts.spans, measured(film, None, parts.chunks, tmp_path), strict=True):
        check_frames(film.source[span.start : span.end], one.signature, span.start, "90p")


def test_only_planned_frames_are_keys_by_the_bitstream_too(parts: Parts) -> None:
    packets = packets_of(parts.path)
    keys = [bool(parts.codec.is_key(payload, 4)) for _, _, payload in packets]

    assert keys == [is_key for _, is_key, _ in packets]


def test_chunks_of_another_size_are_refused(parts: Parts, film: Work, tmp_path: Path) -> None:
    (clip,) = clips_of(film, parts.spans[1:2], tmp_path)
    other = encode(clip, film.info, [replace(parts.rung, width=128, height=72)], [0], tmp_path)

    with pytest.raises(JoinRefused, match="other parameter sets"):
        INDEXER.join(
            [parts.chunks[0], *other, parts.chunks[2]], parts.frames, parts.starts,
            parts.rung.rate, tmp_path / "joined.mp4", parts.rung.level,
        )  # fmt: skip
