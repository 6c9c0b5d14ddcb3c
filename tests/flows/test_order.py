"""What a package was ordered with is kept whole."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from matinee.flows.order import ordered_profile, profile_json
from matinee.media.loudness import Target
from matinee.profiles import SHIPPED, load_profile


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("loudness", [None, Target(-23.0, -1.0)], ids=str)
def test_a_profile_comes_back_as_it_was(path: Path, loudness: Target | None) -> None:
    profile = replace(load_profile(path.stem), loudness=loudness)

    kept = json.loads(json.dumps(profile_json(profile, {})))

    assert ordered_profile({"profile": kept}) == profile


def test_what_was_kept_before_subtitles_had_forms_is_read() -> None:
    kept = profile_json(load_profile("web"), {"": "fast"})
    del kept["subtitles"], kept["loudness"], kept["longest_segment_s"]

    profile = ordered_profile({"profile": json.loads(json.dumps(kept))})

    assert (profile.subtitles, profile.longest_segment_s) == (("webvtt",), 6)
    assert profile.ladders[0].preset == "fast"
