"""What is settled of a film's begin is made of the very packets that the whole film has there."""

from fractions import Fraction
from pathlib import Path

import pytest
from tests.films import Films, films

from matinee.core.errors import MatineeError
from matinee.media.clips import ClipPlan
from matinee.media.plan import SegmentPlan, plan_film, settled
from matinee.media.source import SourceInfo
from matinee.media.source_timeline import timeline_of
from matinee.media.timeline import Packets, whole_groups
from matinee.stages.chunks import film_of
from matinee.wiring.reading import indexer

__all__ = ["films"]

pytestmark = pytest.mark.tools

ALLOWED = {
    "fast.mp4": ("-movflags", "+faststart"),
    "fragmented.mp4": ("-movflags", "+frag_keyframe+empty_moov+default_base_moof"),
    "film.mkv": (),
    "film.ts": (),
}
"""Containers whose index needs nothing from their end, and how ffmpeg writes them so."""

SHARES = list(zip(ALLOWED, (0.7, 0.9, 0.75, 0.8), strict=True))


def film_in(films: Films, name: str, *options: str) -> Path:
    source = films.get("mp4-h264-b-frames")
    copy = ("-i", source.name, "-map", "0:v", "-map", "0:a", "-c", "copy", *options)
    return films.special(f"early-{name}", *copy)


def clips(plan: SegmentPlan, found: tuple[SourceInfo, Packets, Fraction]) -> tuple[ClipPlan, ...]:
    info, packets, time_base = found
    return film_of(info, timeline_of(info, packets, time_base), plan, []).clips


@pytest.mark.parametrize(("name", "share"), SHARES)
def test_the_clips_of_a_films_begin_are_clips_of_the_whole_film(
    name: str, share: float, films: Films, tmp_path: Path
) -> None:
    film, begin = film_in(films, name, *ALLOWED[name]), tmp_path / "begin"
    content = film.read_bytes()
    begin.write_bytes(content[: int(share * len(content))])
    whole, part = indexer().inspect(film), indexer().inspect(begin)
    count = whole_groups(part[1])
    timeline = timeline_of(part[0], part[1][:count], part[2])
    frames = timeline_of(*whole).frames
    cuts = [90 * n for n in range(1, 8)]
    seen = [cut for cut in cuts if cut < timeline.frames]
    plan = settled(plan_film(seen, timeline.frames, timeline.rate))

    assert plan is not None
    early = clips(plan, (part[0], part[1][:count], part[2]))
    late = clips(plan_film(cuts, frames, timeline.rate), whole)
    assert [clip.digest for clip in early] == [clip.digest for clip in late[: len(early)]]
    assert part[0].picture == whole[0].picture


def test_nothing_is_found_in_a_film_whose_index_is_yet_to_come(
    films: Films, tmp_path: Path
) -> None:
    begin = tmp_path / "begin.mp4"
    content = film_in(films, "late.mp4").read_bytes()
    begin.write_bytes(content[: int(0.8 * len(content))])

    with pytest.raises(MatineeError):
        indexer().inspect(begin)
