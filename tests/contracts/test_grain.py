"""Film grain: its noise is found in a real film; chunks of AV1 that tell it join, and are proved.

A film of three chunks with B-frames at a fractional frame rate, with noise of a known strength.
"""

import asyncio
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.contracts.test_codecs import coded
from tests.contracts.tool_work import INDEXER, METER, cut, encode, opened, scanned
from tests.films import Films, moving_picture

from matinee.core.errors import EncoderFailed
from matinee.media.codecs.av1 import has_film_grain
from matinee.media.grain import FRAMES, noise_of
from matinee.media.ladder import Rung
from matinee.media.plan import plan_film
from matinee.media.signature import Signature, read_signature
from matinee.media.source_timeline import timeline_of
from matinee.ports.tools import Clip, JoinRefused, Measured
from matinee.stages.checks import check_frames, check_pairing
from matinee.stages.chunks import Film, film_of

pytestmark = pytest.mark.tools

NOISE = 4.25
"""What ffmpeg's filter at 8 adds, in steps of luma."""

RATE, COUNT = Fraction(12_000, 1001), 330
STRENGTHS = (4, 30, 12)
"""Of the chunks of one rung: grain is told frame by frame, so they need not be alike."""


@dataclass
class Grainy:
    """A grainy film on its way; each rung's chunks."""

    film: Film
    source: Signature
    clips: list[Clip]
    rungs: list[Rung]
    chunks: list[list[Path]]


def grainy_film(films: Films, frames: int = COUNT) -> Path:
    """White noise over soft pictures that move."""
    return films.special(
        f"grainy-{frames}.mkv", "-f", "lavfi",
        "-i", f"{moving_picture(RATE, frames)},gblur=sigma=12:steps=3,noise=alls=8:allf=t",
        "-c:v", "libx264", "-preset", "superfast", "-qp", "0", "-bf", "3", "-g", "48",
    )  # fmt: skip


@pytest.fixture(scope="module")
def grainy(films: Films, tmp_path_factory: pytest.TempPathFactory) -> Grainy:
    folder, path = tmp_path_factory.mktemp("grainy"), grainy_film(films)
    info, packets, time_base = INDEXER.inspect(path)
    timeline = timeline_of(info, packets, time_base)
    scan = scanned(path, info, timeline, folder / "scan")
    plan = plan_film(scan.cuts, timeline.frames, timeline.rate)
    one = replace(coded(RATE, "av1", 8, "main"), crf=40)
    rungs = [replace(one, name="54p", width=96, height=54), replace(one, name="90p")]
    film = film_of(info, timeline, plan, rungs)
    clips = cut(path, info, timeline, film.clips, folder / "clips")
    chunks: list[list[Path]] = [[], []]
    for place, clip in enumerate(clips):
        told = [replace(r, film_grain=STRENGTHS[place % 3]) for r in rungs]
        made = encode(clip, info, told, film.starts(clip.plan), folder / "chunks")
        for column, chunk in zip(chunks, made, strict=True):
            column.append(chunk)
    grained = [replace(rung, film_grain=STRENGTHS[0]) for rung in rungs]
    source = read_signature(scan.signature.read_bytes())
    return Grainy(film, source, clips, grained, chunks)


def looked_at(
    grainy: Grainy, clip: Clip | None, place: int, folder: Path, strength: int
) -> list[Measured]:
    chunks = [column[place] for column in grainy.chunks]
    rungs = [replace(rung, film_grain=strength) for rung in grainy.rungs]
    picture = grainy.film.picture
    return asyncio.run(METER.measure(clip, picture, rungs, chunks, folder, lambda _: None))[0]


def joined(grainy: Grainy, chunks: list[Path], output: Path) -> Path:
    film = grainy.film
    frames = [len(clip.frames) for clip in film.clips]
    starts = [segment.start for segment in film.plan.segments]
    INDEXER.join(chunks, frames, starts, RATE, output, grainy.rungs[0].level)
    return output


def test_the_film_has_three_chunks(grainy: Grainy) -> None:
    assert len(grainy.clips) >= 3


def test_a_film_s_noise_is_seen_through_its_decoder(grainy: Grainy, tmp_path: Path) -> None:
    film = grainy.film
    for clip in grainy.clips:
        luma, spent = asyncio.run(
            METER.luma(clip, film.picture, RATE, range(5, 5 + FRAMES), tmp_path)
        )
        assert luma.shape == (FRAMES, film.picture.height, film.picture.width)
        assert noise_of(luma) == pytest.approx(NOISE, rel=0.06)
        assert spent.cpu_s > 0
    assert not list(tmp_path.iterdir())


def test_chunks_of_unlike_strength_join_and_decode_with_grain_and_without(
    grainy: Grainy, tmp_path: Path
) -> None:
    path = joined(grainy, grainy.chunks[1], tmp_path / "joined.mp4")

    pictures = []
    for options in ({}, {"export_side_data": "film_grain"}):
        with opened(path) as container:
            container.streams.video[0].codec_context.options = options
            frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        assert len(frames) == COUNT
        pictures.append(np.stack(frames).astype(np.float32))
    first = grainy.clips[1].plan.frames.start + 20
    made, coded_alone = (noise_of(one[first : first + FRAMES]) or 0 for one in pictures)
    assert made > coded_alone + 1


def test_a_chunk_without_grain_is_refused_among_those_with_it(
    grainy: Grainy, tmp_path: Path
) -> None:
    """Whether there is grain stands in the sequence header: so it is one for a whole title."""
    film, (clip, *_) = grainy.film, grainy.clips
    plain = replace(grainy.rungs[1], film_grain=0)
    (other,) = encode(clip, film.info, [plain], film.starts(clip.plan), tmp_path)

    assert [has_film_grain(first_sample(one)) for one in (other, grainy.chunks[1][0])] == [
        False, True,
    ]  # fmt: skip
    with pytest.raises(JoinRefused, match="other parameter sets"):
        joined(grainy, [other, *grainy.chunks[1][1:]], tmp_path / "joined.mp4")


def first_sample(path: Path) -> bytes:
    with opened(path) as container:
        return bytes(next(container.demux(container.streams.video[0])))


@pytest.mark.parametrize("strength", [0, STRENGTHS[0]], ids=["with grain", "without"])
def test_every_chunk_shows_exactly_its_frames(
    grainy: Grainy, tmp_path: Path, strength: int
) -> None:
    """A signature is of areas that are so large that grain vanishes in them."""
    for place, clip in enumerate(grainy.clips):
        span = clip.plan.frames
        for one in looked_at(grainy, None, place, tmp_path, strength):
            check_frames(grainy.source[span.start : span.end], one.signature, span.start, "grainy")
            late = grainy.source[span.start - 1 : span.end - 1]
            if place:
                with pytest.raises(EncoderFailed, match="shows frame"):
                    check_frames(late, one.signature, span.start, "grainy")


def test_scores_are_of_what_was_coded(grainy: Grainy, tmp_path: Path) -> None:
    clip = grainy.clips[1]
    span = clip.plan.frames
    told = looked_at(grainy, clip, 1, tmp_path, STRENGTHS[0])
    untold = looked_at(grainy, clip, 1, tmp_path, 0)

    for one, other in zip(told, untold, strict=True):
        check_pairing(grainy.source[span.start : span.end], one, span.start, "grainy")
        assert one.scores and other.scores
        assert np.mean(one.scores) != pytest.approx(np.mean(other.scores), abs=0.1)
