"""Films of high dynamic range: chunks of HEVC and AV1 keep it, join, and show the film's frames.

What they tell is read twice: by our own reading of their bytes, and by libavcodec as it decodes.
"""

import asyncio
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.test_codecs import coded
from tests.contracts.tool_work import (
    INDEXER,
    METER,
    cut,
    encode,
    extradata,
    opened,
    packets_of,
    scanned,
)
from tests.films import Films, moving_picture

from matinee.adapters.pyav_picture import light_of, mastering_of
from matinee.core.errors import EncoderFailed
from matinee.media.codecs import CODECS
from matinee.media.colour import HLG, PQ, Hdr, Light, Mastering, differences
from matinee.media.ladder import Rung
from matinee.media.plan import plan_film
from matinee.media.signature import Signature, read_signature
from matinee.media.source import Picture
from matinee.media.source_timeline import timeline_of
from matinee.ports.tools import Clip, Measured
from matinee.stages.checks import check_frames, check_pairing
from matinee.stages.chunks import Film, film_of

pytestmark = pytest.mark.tools

RATE, FRAMES = Fraction(12_000, 1001), 330
"""Three chunks."""

DISPLAY = Mastering(
    (34_000, 16_000), (13_250, 34_500), (7_500, 3_000), (15_635, 16_450), 10_000_000, 50
)
STATIC = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):"
    "max-cll=1000,400"
)
RANGES = {
    "hdr10": Hdr("bt2020", PQ, "bt2020nc", DISPLAY, Light(1000, 400)),
    "hlg": Hdr("bt2020", HLG, "bt2020nc"),
}


def bright_film(films: Films, name: str, frames: int = FRAMES) -> Path:
    """A film with B-frames, at a fraction of frames a second, mastered for 1000 cd/m2 or in HLG."""
    transfer = RANGES[name].transfer
    to_hdr = (
        "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,"
        f"zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020:t={transfer}:m=bt2020nc:r=tv:npl=203,"
        "format=yuv420p10le"
    )
    static = f":{STATIC}" if name == "hdr10" else ""
    return films.special(
        f"bright-{name}-{frames}.mkv", "-f", "lavfi",
        "-i", f"{moving_picture(RATE, frames)},{to_hdr}",
        "-c:v", "libx265", "-preset", "ultrafast", "-crf", "18",
        "-x265-params", f"bframes=3:b-adapt=0:keyint=48:log-level=error{static}",
        "-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc",
    )  # fmt: skip


@dataclass
class Bright:
    """A film of high dynamic range on its way, and each rung's chunks."""

    hdr: Hdr
    film: Film
    source: Signature
    clips: list[Clip]
    rungs: list[Rung]
    chunks: list[list[Path]]

    @property
    def picture(self) -> Picture:
        return self.film.picture


def kept(codec: str, width: int, hdr: Hdr | None) -> Rung:
    (profile, *_) = CODECS[codec].profiles[10 if hdr else 8]
    one = coded(RATE, codec, 10 if hdr else 8, profile)
    return replace(one, name=f"{codec}-{width}", width=width, hdr=hdr)


@pytest.fixture(scope="module", params=sorted(RANGES))
def bright(request: pytest.FixtureRequest, films: Films, tmp_path_factory) -> Bright:
    folder, hdr = tmp_path_factory.mktemp("bright"), RANGES[request.param]
    path = bright_film(films, request.param)
    info, packets, time_base = INDEXER.inspect(path)
    timeline = timeline_of(info, packets, time_base)
    scan = scanned(path, info, timeline, folder / "scan")
    # Of one codec at a time, as the program does; in one, beside a rung that is tone-mapped.
    groups = [[kept("hevc", 160, hdr)], [kept("av1", 96, hdr)]]
    if hdr.mastering:
        groups = [[kept("hevc", 96, hdr), *groups[0], kept("hevc", 160, None)], groups[1]]
    rungs = [rung for group in groups for rung in group]
    plan = plan_film(scan.cuts, timeline.frames, timeline.rate)
    film = film_of(info, timeline, plan, rungs)
    clips = cut(path, info, timeline, film.clips, folder / "clips")
    chunks: list[list[Path]] = [[] for _ in rungs]
    for clip in clips:
        made = [
            chunk
            for n, group in enumerate(groups)
            for chunk in encode(clip, info, group, film.starts(clip.plan), folder / f"{n}")
        ]
        for column, chunk in zip(chunks, made, strict=True):
            column.append(chunk)
    source = read_signature(scan.signature.read_bytes())
    return Bright(hdr, film, source, clips, rungs, chunks)


def looked_at(
    bright: Bright, clip: Clip | None, place: int, folder: Path, rungs: slice = slice(None)
) -> list[Measured]:
    chunks = [column[place] for column in bright.chunks[rungs]]
    measuring = METER.measure(
        clip, bright.picture, bright.rungs[rungs], chunks, folder, lambda _: None
    )
    return asyncio.run(measuring)[0]


def test_the_film_tells_its_range(bright: Bright) -> None:
    assert bright.picture.hdr == bright.hdr
    assert len(bright.clips) >= 3


def joined(bright: Bright, number: int, folder: Path) -> Path:
    film, output = bright.film, folder / f"{number}.mp4"
    frames = [len(clip.frames) for clip in film.clips]
    starts = [segment.start for segment in film.plan.segments]
    INDEXER.join(bright.chunks[number], frames, starts, RATE, output, bright.rungs[number].level)
    return output


def told_by_decoder(path: Path) -> list[Any]:
    """Primaries, transfer, matrix, and static metadata of the first frame."""
    with opened(path) as container:
        frame = next(container.decode(video=0))
        context = container.streams.video[0].codec_context
        codes = [int(context.color_primaries), int(context.color_trc), int(context.colorspace)]
        return [*codes, mastering_of(frame), light_of(frame)]


def test_every_chunk_joins_and_tells_the_film_s_colours(bright: Bright, tmp_path: Path) -> None:
    for number, rung in enumerate(bright.rungs):
        path = joined(bright, number, tmp_path)
        keys = [payload for _, is_key, payload in packets_of(path) if is_key]
        read = rung.coding.colours
        assert read is not None
        told = [read(extradata(path), payload) for payload in keys]
        *codes, mastering, light = told_by_decoder(path)
        if rung.hdr is None:
            assert {(one.transfer, one.mastering, one.light) for one in told} == {(1, None, None)}
            assert (codes, mastering, light) == ([1, 1, 1], None, None)
            continue
        wanted = bright.hdr.colours
        assert [fault for one in told for fault in differences(one, wanted)] == []
        assert codes == [wanted.primaries, wanted.transfer, wanted.matrix]
        found = replace(wanted, mastering=mastering, light=light)
        assert differences(found, wanted) == []


def test_every_chunk_shows_exactly_its_frames(bright: Bright, tmp_path: Path) -> None:
    for place, clip in enumerate(bright.clips):
        span = clip.plan.frames
        for one in looked_at(bright, None, place, tmp_path):
            check_frames(bright.source[span.start : span.end], one.signature, span.start, "bright")


def test_scores_pair_like_with_like(bright: Bright, tmp_path: Path) -> None:
    clip = bright.clips[1]
    span = clip.plan.frames
    for one, rung in zip(looked_at(bright, clip, 1, tmp_path), bright.rungs, strict=True):
        check_pairing(bright.source[span.start : span.end], one, span.start, rung.name)
        assert one.scores is not None
        assert sum(one.scores) / len(one.scores) > (60 if rung.width == 160 else 20)


def test_a_wrong_frame_of_high_range_is_found(bright: Bright, tmp_path: Path) -> None:
    (one,), span = looked_at(bright, None, 1, tmp_path, slice(1)), bright.clips[1].plan.frames
    late = bright.source[span.start - 1 : span.end - 1]

    with pytest.raises(EncoderFailed, match="shows frame"):
        check_frames(late, one.signature, span.start, "bright")
