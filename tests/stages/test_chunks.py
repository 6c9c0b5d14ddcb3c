"""Keys of chunks: what is in users' ledgers is found again by every later Matinee."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from tests.media.test_clips import closed_film
from tests.media.test_timeline import CONFIGURATION

from matinee.core.ids import digest_of
from matinee.core.time import FrameSpan
from matinee.ladders import load_ladder
from matinee.media.clips import plan_clip
from matinee.media.ladder import fit
from matinee.media.source import Colour, Picture, picture_parameters
from matinee.stages.chunks import encode_step_of

PICTURE = Picture(
    1280, 720, Fraction(1), 0, "yuv420p", 8, "progressive",
    Colour("bt709", "bt709", "bt709", full_range=False), Fraction(25), digest_of(b""),
)  # fmt: skip
GOLDEN = {
    "clip": "532e1c29bc10f33cf4d5e7fd1ed479b3021f43de5433e50bd1fbec1788fff702",
    "recipe": "015ab334385b722ab1d982ae30a6ed5451709b1c79f0ab2a7729670e6578ea7a",
    "key": "a06700b166251d12a7bfaeeb1ec64864a2c5b26be48a9623e7200ceb7d5fc5e4",
}
"""As they were when ledgers of other machines were first written."""


def test_the_keys_of_chunks_are_what_they_were() -> None:
    clip = plan_clip(closed_film(), FrameSpan(14, 36), CONFIGURATION)
    rung = replace(fit(load_ladder("standard"), PICTURE, Fraction(25))[0], b_frames=3)
    picture: dict[str, Any] = picture_parameters(PICTURE)
    step = encode_step_of(clip.digest, rung.as_parameters(), [0, 12], picture, {"ffmpeg": "a" * 64})

    assert {"clip": clip.digest, "recipe": step.recipe, "key": step.key} == GOLDEN
