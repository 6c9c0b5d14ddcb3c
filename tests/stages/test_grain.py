"""Where a film is looked into for its grain."""

from hypothesis import given
from hypothesis import strategies as st

from matinee.core.ids import digest_of
from matinee.core.time import FrameSpan
from matinee.media.clips import ClipPlan
from matinee.media.grain import FRAMES
from matinee.stages.grain import MOST_IN_A_CLIP, PLACES, looked_at, places_in


@given(lengths=st.lists(st.integers(1, 400), max_size=60))
def test_a_few_places_are_spread_over_clips_that_are_long_enough(lengths: list[int]) -> None:
    clips, start = [], 0
    for length in lengths:
        span = FrameSpan(start, start + length)
        clips.append(ClipPlan(span, 0, 0, 0, digest_of(str(start).encode())))
        start = span.end
    chosen = places_in(clips)
    parts = [looked_at(clip, len(chosen)) for clip in chosen]

    fitting = [clip for clip in clips if len(clip.frames) >= FRAMES]
    assert len(chosen) == min(PLACES, len(fitting))
    assert [clip for clip in fitting if clip in chosen] == chosen
    assert sum(map(len, parts)) <= PLACES
    for clip, own in zip(chosen, parts, strict=True):
        assert 1 <= len(own) <= MOST_IN_A_CLIP
        assert all(0 <= p.start < p.stop <= len(clip.frames) for p in own)
        assert all(len(part) == FRAMES for part in own)
        assert len({part.start for part in own}) == len(own)
