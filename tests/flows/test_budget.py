"""A processor budget: presets by rung, kept in orders, chosen where rungs are chosen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.comparisons import LADDER, compared_film
from tests.conftest import ROOT, Ended, standing_in
from tests.docs.test_schemas import faults
from tests.films import Films
from tests.flows.test_per_title import minute
from tests.per_shot import Made
from tests.per_title import FITTED

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]
LIGHT = ("--no-scores", "--proofs", "packets", "--json")
SPENT = ("--cpu-budget", "1.6")


@pytest.fixture(scope="module")
def film(films: Films) -> Path:
    return compared_film(films)


def test_a_ladder_spends_it_where_bits_gain_the_most(
    film: Path, matinee: Run, tmp_path: Path
) -> None:
    ladder, library = tmp_path / "own.toml", tmp_path / "library"
    ladder.write_text(LADDER.replace("veryfast", "medium"))
    command = ("publish", film, "--ladder", ladder, "--library", library)
    plan = matinee(*command, *SPENT, "--plan", "--json").json
    plain = matinee(*command, *LIGHT)
    spent = matinee(*command, *SPENT, *LIGHT)
    again = matinee(*command, *SPENT, *LIGHT)

    assert faults("plan", plan) == []
    presets = [rung["preset"] for rung in plan["rungs"]]
    assert presets == ["veryslow", "slow"]
    assert spent.json["state"] == "published"
    told = matinee("explain", spent.json["title"], "--library", library, "--json").json
    assert faults("explain", told) == []
    assert [one["preset"] for one in told["fixed"]] == presets
    assert spent.json["package"] != plain.json["package"]
    assert all(verdict["passed"] for verdict in spent.json["verdicts"])
    assert again.json["derivations"]["ran"] == 0
    assert again.json["package"] == spent.json["package"]


def test_what_is_lost_of_it_is_made_again_the_same(
    film: Path, matinee: Run, tmp_path: Path
) -> None:
    ladder, library = tmp_path / "own.toml", tmp_path / "library"
    ladder.write_text(LADDER.replace("veryfast", 'medium"\ncpu_budget = 1.6\nprofile = "high'))
    ended = matinee("publish", film, "--ladder", ladder, "--library", library, *LIGHT)
    assert ended.exit_code == 0, ended.err
    lost = sorted((library / "titles").rglob("video-*/*.m4s"))
    before = {path: path.read_bytes() for path in lost}
    for path in lost:
        path.unlink()
    (chunk,) = (
        path
        for path in (library / "objects").rglob(Made(library, {}).newest("encode_chunk", "chunk"))
    )
    chunk.unlink()

    matinee("scrub", "--library", library)
    mended = matinee("repair", "--library", library)

    assert mended.exit_code == 0, mended.err
    assert {path: path.read_bytes() for path in lost} == before


def test_rungs_of_the_title_are_made_by_it(film: Path, matinee: Run, tmp_path: Path) -> None:
    ladder, library = tmp_path / "fitted.toml", tmp_path / "library"
    ladder.write_text(FITTED.replace("veryfast", "medium"))
    command = ("publish", film, "--ladder", ladder, "--library", library)
    spent = matinee(*command, *SPENT, *LIGHT)
    told = matinee("explain", spent.json["title"], "--library", library, "--json")
    (hull,) = told.json["hulls"]

    assert spent.json["state"] == "published"
    assert faults("explain", told.json) == []
    assert hull["preset"] == "medium"
    assert hull["rungs"][0]["preset"] == "veryslow"
    assert {rung["preset"] for rung in hull["rungs"]} > {"veryslow"}
    assert matinee(*command, *SPENT, *LIGHT).json["derivations"]["ran"] == 0


def test_no_figure_is_no_budget(film: Path, matinee: Run) -> None:
    for option in ("--cpu-budget", "--target-vmaf"):
        ended = matinee("publish", film, option, "nan", "--plan")
        assert ended.exit_code == 2
        assert "not nan" in ended.err


def test_a_film_whose_own_rungs_fail_has_the_ladders_by_its_budget(
    films: Films, matinee: Run, tmp_path: Path
) -> None:
    ladder, library = tmp_path / "own.toml", tmp_path / "library"
    ladder.write_text(FITTED.replace('"per-title"', '"auto"'))
    faulty = standing_in(tmp_path / "ffmpeg", ROOT / "tests/flows/faulty_ffmpeg.py")
    command = ("publish", minute(films, 720), "--library", library, "--ladder", ladder)
    spent = ("--cpu-budget", "2")
    ended = matinee(
        *command, *spent, "--json", **faulty, MATINEE_FAULT="double where CRFs are high"
    )
    plan = matinee(*command, *spent, "--fixed", "--plan", "--json").json
    told = matinee("explain", ended.json["title"], "--library", library, "--json").json

    assert ended.json["state"] == "published"
    assert any("could not be made" in one for one in ended.json["notes"])
    presets = {rung["name"]: rung["preset"] for rung in plan["rungs"]}
    assert {one["rung"]: one["preset"] for one in told["fixed"]} == presets
    coded = [
        step["parameters"]
        for step in matinee("lineage", ended.json["title"], "--library", library, "--json").json[
            "steps"
        ]
        if step["function"] == "encode_chunk"
    ]
    assert {one["preset"] for one in coded} == set(presets.values()) == {"faster", "slow"}


def test_a_profile_of_codecs_that_cannot_have_one_is_refused(film: Path, matinee: Run) -> None:
    ended = matinee("publish", film, "--ladder", "vp9", "--cpu-budget", "2", "--plan")

    assert ended.exit_code == 2
    assert "[profile.invalid]" in ended.err
    assert matinee("publish", film, "--profile", "web", *SPENT, "--plan").exit_code == 0
