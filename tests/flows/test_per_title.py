"""Rungs that come from the title: few, where they serve it best, as explained, searched once."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.comparisons import compared_film
from tests.conftest import ROOT, Ended, standing_in
from tests.docs.test_schemas import faults
from tests.films import X264, Films
from tests.per_shot import Made
from tests.per_title import FITTED, publish_fitted

from matinee.media.title_ladder import TOLERANCE

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]
LIGHT = ("--proofs", "packets", "--json")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, films: Films, matinee: Run) -> Made:
    return publish_fitted(tmp_path_factory, films, matinee)


@pytest.fixture(scope="module")
def film(films: Films) -> Path:
    return compared_film(films)


def hull_of(made: Made, matinee: Run, *options: object) -> Any:
    ended = matinee("explain", made.title, "--library", made.library, "--json", *options)
    assert ended.exit_code == 0, ended.err
    assert faults("explain", ended.json) == []
    (hull,) = ended.json["hulls"]
    return hull


def test_rungs_are_what_is_explained_and_are_proved(fitted: Made, matinee: Run) -> None:
    pictures = [one for one in fitted.document["renditions"] if one["type"] == "video"]
    hull = hull_of(fitted, matinee)

    assert fitted.document["state"] == "published"
    assert all(verdict["passed"] for verdict in fitted.document["verdicts"])
    assert [one["name"] for one in pictures] == [one["rung"] for one in hull["rungs"]]
    (track,) = (one for one in fitted.document["tracks"] if one["renditions"])
    assert track["renditions"] == [one["name"] for one in pictures]
    for picture, rung in zip(pictures, hull["rungs"], strict=True):
        assert (picture["width"], picture["height"]) == (rung["width"], rung["height"])
        assert picture["vmaf"]["harmonic_mean"] == pytest.approx(rung["vmaf"], abs=0.02)
    assert all(
        a["vmaf"] < b["vmaf"] and a["bits_per_second"] < b["bits_per_second"]
        for a, b in pairwise(hull["rungs"])
    )


def test_the_best_is_as_good_as_the_ladder_and_the_smallest_fits_a_slow_line(
    fitted: Made, matinee: Run
) -> None:
    hull = hull_of(fitted, matinee)
    smallest, *_, best = hull["rungs"]

    assert len(hull["rungs"]) > 2
    assert (best["width"], best["height"], best["crf"]) == (160, 90, 30)
    assert (smallest["width"], smallest["height"]) == (96, 54)
    (own,) = (one for one in hull["sizes"] if one["width"] == 96)
    carried = [p["vmaf"] for p in own["curve"] if p["bits_per_second"] <= hull["slowest"] * 1.02]
    assert smallest["vmaf"] <= max(30.0, *carried) + TOLERANCE
    assert {one["width"] for one in hull["rungs"]} == {96, 160}
    for rung in hull["rungs"]:
        # No other size is as good for clearly fewer bits, as it was found.
        assert all(o["bits_per_second"] > 0.9 * rung["bits_per_second"] for o in rung["instead"])


def test_the_same_again_searches_nothing(fitted: Made, film: Path, matinee: Run) -> None:
    ladder = fitted.library.with_name("fitted.toml")
    before = fitted.steps()
    ended = matinee("publish", film, "--library", fitted.library, "--ladder", ladder, *LIGHT)

    assert ended.json["derivations"]["ran"] == 0
    assert ended.json["package"] == fitted.document["package"]
    assert fitted.steps() == before
    assert before["choose_rungs"] == 1


def test_a_rung_is_told_with_what_other_sizes_would_need(fitted: Made, matinee: Run) -> None:
    explain = ("explain", fitted.title, "--library", fitted.library)
    every, one = matinee(*explain), matinee(*explain, "--rung", "72p")

    assert "rungs from the title, preset veryfast" in every.out
    assert [
        row.split()[0]
        for row in every.out.splitlines()
        if row.strip().startswith("video-") and ":" not in row.split()[0]
    ] == [rung["rung"] for rung in hull_of(fitted, matinee)["rungs"]]
    assert "as good" in one.out
    assert [rung["rung"] for rung in hull_of(fitted, matinee, "--rung", "72p")["rungs"]] == [
        "video-72p"
    ]


def test_a_plan_tells_what_will_be_fitted(film: Path, fitted: Made, matinee: Run) -> None:
    plan = ("publish", film, "--plan", "--ladder", fitted.library.with_name("fitted.toml"))
    told = matinee(*plan, "--json").json
    fixed = matinee(*plan, "--fixed", "--json").json

    (line,) = (one for one in matinee(*plan).out.splitlines() if "rungs from the title" in one)
    assert "as many as it takes from CRF 30 at the largest down to 20 kbit/s" in line
    assert faults("plan", told) == []
    assert told["hulls"][0]["sizes"] == [rung["name"] for rung in told["rungs"]]
    assert told["cpu_seconds"] > fixed["cpu_seconds"]
    assert fixed["hulls"] == []


def test_a_target_is_promised_of_the_best_rung_of_any_codec(
    film: Path, matinee: Run, tmp_path: Path
) -> None:
    own, library = tmp_path / "av1.toml", tmp_path / "library"
    text = FITTED.replace("h264", "av1").replace("veryfast", "10").replace("crf = 30", "crf = 40")
    own.write_text(text)
    publish = ("publish", film, "--library", library, "--ladder", own, *LIGHT)
    ended = matinee(*publish, "--target-vmaf", "80")
    assert ended.exit_code == 0, ended.err
    made = Made(library, ended.json)
    hull = hull_of(made, matinee)
    (promise,) = (one for one in ended.json["verdicts"] if one["judge"] == "promise")
    *lower, best = hull["rungs"]

    assert promise["passed"]
    assert promise["subject"] == best["rung"]
    assert best["per_shot"]
    assert best["vmaf"] == pytest.approx(promise["evidence"]["harmonic_mean"], abs=0.02)
    assert not any(rung["per_shot"] for rung in lower)
    assert hull["target"] == 80

    # Fixed again, none of it is left.
    fixed = matinee(*publish, "--fixed", "--no-scores").json
    assert [one["name"] for one in fixed["renditions"]] == ["video-av1-72p", "video-av1-144p"]


def test_an_interrupted_search_goes_on(film: Path, matinee: Run, tmp_path: Path) -> None:
    own, library = tmp_path / "fitted.toml", tmp_path / "library"
    own.write_text(FITTED)
    publish = ("publish", film, "--library", library, "--ladder", own, "--no-scores", *LIGHT)
    faulty = standing_in(tmp_path / "ffmpeg", ROOT / "tests/flows/faulty_ffmpeg.py")
    broken = matinee(*publish, "--workers", "1", **faulty, MATINEE_FAULT="no second sample")
    assert broken.exit_code == 5
    made = Made(library, {"title": "compare"})
    known = made.steps()["measure_point"]
    assert known > 0

    ended = matinee(*publish, **faulty, MATINEE_FAULT="none")

    assert ended.json["state"] == "published"
    hull = hull_of(made, matinee)
    measured = sum(3 * len(one["proxies"]) for one in hull["sizes"])
    assert known < measured < made.steps()["measure_point"]  # and a chunk of each as it ships
    assert made.steps()["choose_rungs"] == 1
    assert hull["rounds"] == 0


def minute(films: Films, frames: int) -> Path:
    """About a minute, the last third of it full of noise."""
    shots = "testsrc2=s=160x90:r=12000/1001,noise=alls=40:allf=t:enable='gt(n,400)',format=yuv420p"
    picture = f"{shots},trim=end_frame={frames}"
    return films.special(f"auto-{frames}.mp4", "-f", "lavfi", "-i", picture, *X264)


@pytest.mark.parametrize(("frames", "is_fitted"), [(700, False), (720, True)])  # of 58 and 60 s
def test_a_film_of_a_minute_has_rungs_of_its_own_by_itself(
    frames: int, is_fitted: bool, films: Films, matinee: Run, tmp_path: Path
) -> None:
    film = minute(films, frames)
    ladder, library = tmp_path / "auto.toml", tmp_path / "library"
    ladder.write_text(FITTED.replace('"per-title"', '"auto"'))
    publish = ("publish", film, "--library", library, "--ladder", ladder)

    planned = matinee(*publish, "--plan", "--json").json
    hurried = matinee(*publish, "--plan", "--no-scores", "--json").json
    made = Made(library, matinee(*publish, *LIGHT).json)

    assert made.document["state"] == "published"
    assert made.steps().get("choose_rungs", 0) == len(planned["hulls"]) == is_fitted
    assert hurried["hulls"] == []
    explained = matinee("explain", made.title, "--library", library, "--json").json
    assert [len(explained[key]) for key in ("hulls", "fixed")] == [is_fitted, 2 * (not is_fitted)]
    if is_fitted:
        check_that_all_rungs_take_the_same_steps(made, matinee)


@pytest.mark.parametrize("settings", ["auto", "per-title"])
def test_the_ladders_own_rungs_take_the_place_of_those_that_cannot_be_proved(
    settings: str, films: Films, matinee: Run, tmp_path: Path
) -> None:
    ladder, library = tmp_path / "own.toml", tmp_path / "library"
    ladder.write_text(FITTED.replace('"per-title"', f'"{settings}"'))
    faulty = standing_in(tmp_path / "ffmpeg", ROOT / "tests/flows/faulty_ffmpeg.py")
    ended = matinee(
        "publish", minute(films, 720), "--library", library, "--ladder", ladder, "--json",
        **faulty, MATINEE_FAULT="double where CRFs are high",
    )  # fmt: skip

    document = ended.json
    if settings == "per-title":
        assert (document["state"], document["error"]["code"]) == ("failed", "encode.failed")
        return
    assert document["state"] == "published"
    assert [one["name"] for one in document["renditions"]] == ["video-72p", "video-144p"]
    (note,) = (one for one in document["notes"] if "could not be made" in one)
    assert "the ladder's own rungs" in note and "shows frame" in note
    explained = matinee("explain", document["title"], "--library", library, "--json").json
    assert (explained["hulls"], explained["choices"]) == ([], [])


def check_that_all_rungs_take_the_same_steps(made: Made, matinee: Run) -> None:
    explain = ("explain", made.title, "--library", made.library)
    hull = hull_of(made, matinee)
    (choice,) = matinee(*explain, "--json").json["choices"]
    steps = [shot["crf"] - choice["fixed_crf"] for shot in choice["shots"]]

    assert len(set(steps)) > 1
    assert [*choice["followers"], choice["rung"]] == [one["rung"] for one in hull["rungs"]]
    assert (choice["proxy"]["preset"], choice["proxy"]["height"]) == ("veryfast", 54)
    same = f"the same steps from their own CRFs: {', '.join(choice['followers'])}"
    assert same in matinee(*explain).out
    lineage = matinee("lineage", made.title, "--library", made.library, "--json").json
    coded = [s["parameters"] for s in lineage["steps"] if s["function"] == "encode_chunk"]
    assert {(one["width"], one["crf"]) for one in coded} == {
        (rung["width"], min(51, max(1, rung["crf"] + step)))
        for rung in hull["rungs"]
        for step in steps
    }


def test_wishes_that_exclude_each_other_are_refused(
    film: Path, matinee: Run, tmp_path: Path
) -> None:
    both = matinee("publish", film, "--library", tmp_path / "none", "--per-title", "--fixed")

    assert both.exit_code == 2
    assert "--fixed and --per-title exclude each other" in both.err
