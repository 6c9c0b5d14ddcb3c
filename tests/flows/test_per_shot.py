"""Settings per shot: what is promised ships, and is told why; nothing is measured twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.comparisons import compared_film
from tests.conftest import ROOT, Ended, standing_in
from tests.docs.test_schemas import faults
from tests.films import Films
from tests.per_shot import CHUNKS, MARGIN, SHOTS, TARGET, WIDE, Made, publish_targeted

from matinee.media.choice import CLOSE

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def targeted(tmp_path_factory: pytest.TempPathFactory, films: Films, matinee: Run) -> Made:
    return publish_targeted(tmp_path_factory, films, matinee)


@pytest.fixture(scope="module")
def film(films: Films) -> Path:
    return compared_film(films)


@pytest.fixture(scope="module")
def wide_ladder(targeted: Made) -> Path:
    return targeted.library.with_name("wide.toml")


def explained(made: Made, matinee: Run, *options: object) -> Any:
    ended = matinee("explain", made.title, "--library", made.library, "--json", *options)
    assert ended.exit_code == 0, ended.err
    assert faults("explain", ended.json) == []
    return ended.json


def test_the_target_is_reached_and_every_shot_is_near_it(targeted: Made) -> None:
    document = targeted.document
    (promise,) = (v for v in document["verdicts"] if v["judge"] == "promise")
    top = document["renditions"][1]

    assert document["state"] == "published"
    assert all(verdict["passed"] for verdict in document["verdicts"])
    assert promise["subject"] == top["name"] == "video-144p"
    assert TARGET - 0.01 <= top["vmaf"]["harmonic_mean"] <= TARGET + 2 * CLOSE
    assert top["vmaf"]["worst_shot"]["mean"] >= TARGET - MARGIN - 0.01
    assert promise["evidence"]["shots"] == SHOTS


def test_chunks_have_the_crfs_that_are_explained(targeted: Made, matinee: Run) -> None:
    (choice,) = explained(targeted, matinee)["choices"]
    crfs = [shot["crf"] for shot in choice["shots"]]

    assert len(set(crfs)) > 1
    assert (choice["rung"], choice["followers"]) == ("video-144p", ["video-72p"])
    for rung in (choice["rung"], *choice["followers"]):
        lineage = matinee(
            "lineage", f"{targeted.title}/{rung}", "--library", targeted.library, "--json"
        ).json
        made = [s for s in lineage["steps"] if s["function"] == "encode_chunk"]
        assert sorted(one["parameters"]["crf"] for one in made) == sorted(crfs)
    for shot in choice["shots"]:
        assert shot["likely"] in shot["finals"]
        assert shot["likely"]["worst"] >= shot["floor"] - 0.01
        assert shot["proxies"] == []
    assert choice["proxy"] is None


def test_the_same_again_searches_nothing(
    targeted: Made, film: Path, wide_ladder: Path, matinee: Run
) -> None:
    ended = matinee(
        "publish", film, "--library", targeted.library, "--ladder", wide_ladder,
        "--target-vmaf", TARGET, "--json",
    )  # fmt: skip

    assert ended.json["derivations"]["ran"] == 0
    assert ended.json["package"] == targeted.document["package"]


def test_a_plan_tells_what_will_be_searched(film: Path, wide_ladder: Path, matinee: Run) -> None:
    plan = ("publish", film, "--plan", "--ladder", wide_ladder, "--target-vmaf", "85")

    (line,) = (one for one in matinee(*plan).out.splitlines() if "settings per shot" in one)
    assert line == (
        "  settings per shot: video-144p as it ships, a few chunks first; "
        "VMAF 85, no shot below 83.5"
    )
    told = matinee(*plan, "--json").json
    assert faults("plan", told) == []
    assert told["cpu_seconds"] > matinee(*plan[:-2], "--json").json["cpu_seconds"]


def test_a_cap_that_forbids_the_target_keeps_the_title_off_the_screen(
    film: Path, matinee: Run, tmp_path: Path
) -> None:
    own = tmp_path / "capped.toml"
    own.write_text(WIDE.replace("maxrate_kbps = 3000", "maxrate_kbps = 70"))
    publish = ("publish", film, "--library", tmp_path / "library", "--ladder", own, "--json")
    ended = matinee(*publish, "--target-vmaf", "98", "--proofs", "packets")

    assert (ended.exit_code, ended.json["state"]) == (4, "held")
    (failed,) = (v for v in ended.json["verdicts"] if not v["passed"])
    assert (failed["judge"], failed["subject"]) == ("promise", "video-144p")
    assert "not 98" in failed["reasons"][0]
    assert "raise the caps" in ended.json["error"]["hint"]
    assert not list((tmp_path / "library/titles").glob("*/main.*"))

    # What was chosen for a target is no more when nothing is asked for.
    fixed = matinee(*publish, "--proofs", "packets", "--fixed")
    assert fixed.json["state"] == "published"
    again = Made(tmp_path / "library", fixed.json)
    document = explained(again, matinee)
    assert document["choices"] == []
    assert {(one["rung"], one["crf"]) for one in document["fixed"]} == {
        ("video-72p", 30), ("video-144p", 30),
    }  # fmt: skip


def test_an_interrupted_search_goes_on(film: Path, matinee: Run, tmp_path: Path) -> None:
    own = tmp_path / "per-shot.toml"
    own.write_text(WIDE.replace("crf = 30", 'crf = 30\nsettings = "per-shot"'))
    library = tmp_path / "library"
    publish = ("publish", film, "--library", library, "--ladder", own, "--no-scores", "--json")
    faulty = standing_in(tmp_path / "ffmpeg", ROOT / "tests/flows/faulty_ffmpeg.py")
    broken = matinee(*publish, "--workers", "1", **faulty, MATINEE_FAULT="no second sample")
    assert broken.exit_code == 5
    made = Made(library, {"title": "compare"})
    assert made.steps()["measure_point"] == 2

    ended = matinee(*publish, **faulty, MATINEE_FAULT="none")

    assert ended.json["state"] == "published"
    assert made.steps()["measure_point"] == 6
    assert made.steps()["choose_settings"] == 1
    (choice,) = explained(made, matinee)["choices"]
    assert (choice["target"], choice["fixed_crf"], choice["rounds"]) == (None, 30, 0)
    assert choice["vmaf"] >= choice["goal"]


def test_wishes_that_exclude_each_other_are_refused(
    film: Path, matinee: Run, tmp_path: Path
) -> None:
    publish = ("publish", film, "--library", tmp_path, "--ladder", "fast")
    both = matinee(*publish, "--target-vmaf", "90", "--fixed")
    blind = matinee(*publish, "--target-vmaf", "90", "--no-scores")

    assert both.exit_code == blind.exit_code == 2
    assert "exclude each other" in both.err
    assert "a target of VMAF needs scores" in blind.err
    assert not (tmp_path / "objects").exists()


def test_explain_tells_of_one_rung_and_one_shot(targeted: Made, matinee: Run) -> None:
    explain = ("explain", targeted.title, "--library", targeted.library)
    every = matinee(*explain, "--rung", "72p")
    one = matinee(*explain, "--rung", "144p", "--shot", "2")

    assert every.exit_code == one.exit_code == 0
    assert len([row for row in every.out.splitlines() if "VMAF +" in row]) == CHUNKS
    assert "an encode as it ships" in one.out
    assert "encodes as they ship: " in every.out
    assert "proxy" not in every.out + one.out
    assert [
        shot["shot"] for shot in explained(targeted, matinee, "--shot", 2)["choices"][0]["shots"]
    ] == [2]
    assert matinee(*explain, "--rung", "1080p").exit_code == 7
    assert "shots are numbered from 1 to 3" in matinee(*explain, "--shot", "4").err
