"""What a package was ordered with is kept whole."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.media.test_budget import rung

from matinee.flows.order import ordered_profile, profile_json
from matinee.media.budget import budgeted, within_budget
from matinee.media.loudness import Target
from matinee.profiles import SHIPPED, load_profile

TAKEN = {(640, 360): "slower", (1280, 720): "fast"}


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("loudness", [None, Target(-23.0, -1.0)], ids=str)
def test_a_profile_comes_back_as_it_was(path: Path, loudness: Target | None) -> None:
    profile = replace(load_profile(path.stem), loudness=loudness)

    kept = json.loads(json.dumps(profile_json(profile, ())))

    assert ordered_profile({"profile": kept}) == profile


def test_what_was_kept_before_subtitles_had_forms_is_read() -> None:
    kept = profile_json(load_profile("web"), [replace(rung((640, 360)), preset="fast")])
    del kept["subtitles"], kept["loudness"], kept["longest_segment_s"]

    profile = ordered_profile({"profile": json.loads(json.dumps(kept))})

    assert (profile.subtitles, profile.longest_segment_s) == (("webvtt",), 6)
    assert profile.ladders[0].preset == "fast"


def test_what_came_of_a_budget_is_kept() -> None:
    """Another version may know more of presets: what was made is made again as it was."""
    profile = load_profile("web").with_budget(1.5)
    rungs = [replace(rung(size), preset=preset) for size, preset in TAKEN.items()]
    kept = json.loads(json.dumps(profile_json(profile, rungs)))
    main = ordered_profile({"profile": kept}).ladders[0].with_settings("fixed")

    assert (main.cpu_budget, main.preset) == (1.5, "medium")
    plain = [rung(size) for size in TAKEN]
    assert [one.preset for one in budgeted([main], plain)] == list(TAKEN.values())
    assert budgeted([main], [rung((426, 240))]) == tuple(within_budget([rung((426, 240))], 1.5))
