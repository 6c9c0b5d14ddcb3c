"""What the ports of the media tools promise, over real films of every kind that is read."""

import asyncio
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.contracts.tool_work import (
    ENCODER,
    INDEXER,
    METER,
    Work,
    cut,
    encode,
    measured,
    nal_types,
    opened,
    packets_of,
    rung,
    worked,
)
from tests.films import HEIGHT, RECIPES, SCENE, WIDTH, Films

from matinee.core.errors import (
    MatineeError,
    SourceChanged,
    SourceRefused,
)
from matinee.core.time import FrameSpan
from matinee.media.clips import plan_clip
from matinee.media.signature import compare
from matinee.media.subtitle_formats import CARRIED, parse_subtitles
from matinee.ports.tools import Clip

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module", params=sorted(RECIPES))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def work(name: str, films: Films, tmp_path_factory: pytest.TempPathFactory) -> Work:
    return worked(films.get(name), tmp_path_factory.mktemp(name))


# Every kind of film


def test_inspect_finds_every_track(name: str, work: Work) -> None:
    recipe = RECIPES[name]

    assert work.info.container.startswith(recipe.container)
    assert len(work.info.of_type("video")) == 1
    assert [track.channels for track in work.info.of_type("audio")] == (
        [recipe.channels] if recipe.audio else []
    )
    assert len(work.info.of_type("subtitles")) == bool(recipe.subtitles)
    assert {track.language for track in work.info.of_type("audio")} <= {"deu", "ger"}
    assert work.info.size_bytes == work.path.stat().st_size


def test_inspect_counts_every_frame_at_its_rate(name: str, work: Work) -> None:
    recipe = RECIPES[name]

    assert (work.timeline.frames, work.timeline.rate) == (recipe.frames, recipe.rate)
    assert (work.info.picture.width, work.info.picture.height) == (WIDTH, HEIGHT)
    assert work.info.picture.fields == "progressive"


def test_inspecting_again_finds_the_same(work: Work) -> None:
    info, packets, _ = INDEXER.inspect(work.path)

    assert info == work.info
    assert np.array_equal(packets, work.timeline.packets)


def test_the_scan_decodes_every_frame_and_finds_the_hard_cuts(work: Work) -> None:
    frames = work.timeline.frames

    assert work.scan.frames == frames
    assert set(work.scan.cuts) >= set(range(SCENE, frames, SCENE))
    assert len(work.scan.thumbnails) == -(-frames // (25 * 4))


def test_the_films_move_so_that_a_wrong_frame_shows(work: Work) -> None:
    source = work.source

    assert len(compare(source[1:], source[:-1])) > 0.9 * len(source)


def test_every_chunk_shows_exactly_its_frames(work: Work, tmp_path: Path) -> None:
    for column in work.chunks:
        for clip, one in zip(work.clips, measured(work, None, column, tmp_path), strict=True):
            span = clip.plan.frames
            assert len(one.signature) == len(span)
            assert compare(work.source[span.start : span.end], one.signature) == []


def test_idr_frames_are_exactly_the_starts_of_segments(work: Work) -> None:
    for column in work.chunks:
        for clip, chunk in zip(work.clips, column, strict=True):
            packets = packets_of(chunk)
            order = sorted(pts for pts, _, _ in packets)
            keys = [order.index(pts) for pts, is_key, _ in packets if is_key]
            assert keys == list(work.film.starts(clip.plan))
            idr = [nal_types(payload) for _, is_key, payload in packets if is_key]
            assert all(5 in types for types in idr)
            assert not any(5 in nal_types(payload) for _, is_key, payload in packets if not is_key)


def test_all_chunks_of_a_rung_join_packet_by_packet(work: Work, tmp_path: Path) -> None:
    frames = [len(clip.frames) for clip in work.film.clips]
    starts = [segment.start for segment in work.plan.segments]
    for number, column in enumerate(work.chunks):
        output = tmp_path / f"{number}.mp4"

        joined = INDEXER.join(column, frames, starts, work.timeline.rate, output)

        after = packets_of(output)
        assert [payload for _, _, payload in after] == [
            payload for chunk in column for _, _, payload in packets_of(chunk)
        ]
        with opened(output) as container:
            time_base = container.streams.video[0].time_base
        assert sorted(pts * time_base for pts, _, _ in after) == [
            frame / work.timeline.rate for frame in range(work.timeline.frames)
        ]
        assert [proof.frames for proof in joined.segments] == [len(s) for s in work.plan.segments]
        assert sum(proof.size_bytes for proof in joined.segments) == sum(
            len(payload) for _, _, payload in after
        )
        (one,) = measured(work, None, [output], tmp_path)
        assert compare(work.source, one.signature) == []


def test_sampled_scores_are_those_of_all_frames_but_for_their_motion(
    film: Work, tmp_path: Path
) -> None:
    for clip, *chunks in zip(film.clips, *film.chunks, strict=True):
        whole = measured(film, clip, chunks, tmp_path)
        sampled, spent = asyncio.run(
            METER.sample(clip, film.info.picture, film.rungs, chunks, 7, tmp_path, lambda _: None)
        )
        assert spent.cpu_s > 0
        for every, some in zip(whole, sampled, strict=True):
            assert every.scores is not None
            wanted = np.array(every.scores[::7])
            assert len(some) == len(wanted)
            apart = np.abs(wanted - some)
            assert np.median(apart) < 0.5
            assert apart.mean() < 2


def test_embedded_subtitles_are_read_with_their_times(
    name: str, work: Work, tmp_path: Path
) -> None:
    for track in work.info.of_type("subtitles"):
        (data,) = asyncio.run(ENCODER.read_subtitles(work.path, [track], tmp_path))
        cues = parse_subtitles(data, CARRIED.get(track.codec, "srt"), name).cues

        assert [(cue.start, cue.end) for cue in cues] == [
            (Fraction(1), Fraction(2)), (Fraction(9, 2), Fraction(21, 4)),
        ]  # fmt: skip
        assert [cue.text for cue in cues] == ["First", "Second <i>one</i>"]


# Cutting


def test_a_clip_from_the_middle_alone_shows_its_frames(work: Work, tmp_path: Path) -> None:
    """As after a crash: only some clips are cut, and the pass begins in the middle."""
    middle = work.timeline.frames // 2 + 3
    plan = plan_clip(work.timeline, FrameSpan(middle, middle + 20), work.info.picture.configuration)

    (clip,) = cut(work.path, work.info, work.timeline, [plan], tmp_path)
    (chunk,) = encode(clip, work.info, [rung(work.timeline.rate)], [0], tmp_path)
    (one,) = measured(work, None, [chunk], tmp_path)

    assert compare(work.source[middle : middle + 20], one.signature) == []


def test_a_film_that_changed_is_not_cut(film: Work, tmp_path: Path) -> None:
    packets = film.timeline.packets.copy()
    packets["digest"][film.film.clips[1].first + 2] = b"other"

    with pytest.raises(SourceChanged):
        cut(
            film.path, film.info, replace(film.timeline, packets=packets), film.film.clips, tmp_path
        )


def test_a_pass_stops_when_a_clip_is_not_taken(film: Work, tmp_path: Path) -> None:
    taken: list[Clip] = []

    def take(clip: Clip) -> bool:
        taken.append(clip)
        return False

    INDEXER.cut(film.path, film.info, film.timeline, film.film.clips, tmp_path, take)

    assert [clip.plan for clip in taken] == [film.film.clips[0]]


def test_a_full_or_missing_scratch_folder_is_no_fault_of_the_film(
    film: Work, tmp_path: Path
) -> None:
    with pytest.raises((MatineeError, OSError)) as met:
        INDEXER.cut(
            film.path, film.info, film.timeline, film.film.clips, tmp_path / "none", lambda _: True
        )

    assert not isinstance(met.value, SourceRefused)
