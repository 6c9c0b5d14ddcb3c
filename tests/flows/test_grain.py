"""Film grain: where a film has it, AV1 has it made anew; where it has none, nothing is changed."""

from pathlib import Path

import pytest
from tests.contracts.test_grain import NOISE, RATE, grainy_film
from tests.docs.test_schemas import faults
from tests.every_codec import ladder_text
from tests.films import Films, moving_picture
from tests.published import Published, Run, publish_by, write_profile
from tests.shared import made_once

pytestmark = pytest.mark.tools

FRAMES = 60
AUTO = ladder_text("av1", 8, "main").replace("crf = 28", 'crf = 28\nfilm_grain = "auto"')


@pytest.fixture(scope="module")
def grainy(films: Films, matinee: Run, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A grainy film in AV1, encrypted: the packager reads headers with grain in them."""
    film = grainy_film(films, FRAMES)

    def make(folder: Path) -> Published:
        more = '[encryption]\nscheme = "cenc"\n'
        profile = write_profile(folder, "grainy", {"av1": AUTO}, more)
        return publish_by(folder, matinee, film, profile)

    return made_once(tmp_path_factory, "grainy", make)


def test_grain_is_measured_told_and_made_anew_in_av1_alone(grainy: Published, matinee: Run) -> None:
    shown = matinee("show", grainy.title, "--library", grainy.library, "--json").json
    report = shown["report"]
    strengths = {one["name"]: one["film_grain"] for one in report["renditions"]}

    assert grainy.document["state"] == "published"
    assert all(verdict["passed"] for verdict in grainy.document["verdicts"])
    assert faults("show", shown) == []
    assert strengths == report["film_grain"]["rungs"]
    assert strengths["video-av1-144p"] >= strengths["video-av1-72p"] > 0
    assert report["film_grain"]["noise"] == pytest.approx(NOISE, rel=0.06)
    assert any("film grain" in note for note in grainy.document["notes"])
    scored = [v for v in grainy.document["verdicts"] if v["judge"] == "quality"]
    assert [verdict["evidence"]["without_grain"] for verdict in scored] == [True, True]


def test_it_is_explained_and_stands_in_the_lineage(grainy: Published, matinee: Run) -> None:
    library = ("--library", grainy.library)
    told = matinee("explain", grainy.title, *library, "--json").json
    text = matinee("explain", grainy.title, *library).out
    lineage = matinee("lineage", f"{grainy.title}/video-av1-144p", *library, "--json").json
    strength = told["film_grain"]["rungs"]["video-av1-144p"]

    assert faults("explain", told) == []
    assert f"made anew, strength {strength}" in text
    made = [one for one in lineage["steps"] if one["function"] == "encode_chunk"]
    assert {one["parameters"]["film_grain"] for one in made} == {strength}


def test_it_is_proved_again_and_made_once(grainy: Published, matinee: Run) -> None:
    library = ("--library", grainy.library)
    again = matinee(*grainy.again, "--json")

    assert again.json["derivations"]["ran"] == 0
    assert matinee("verify", grainy.title, *library).exit_code == 0
    scrubbed = matinee("scrub", *library, "--sample", "100", "--json")
    assert (scrubbed.exit_code, scrubbed.json["findings"]) == (0, []), scrubbed.err


def test_a_film_without_grain_is_coded_as_if_nobody_had_asked(
    films: Films, matinee: Run, tmp_path: Path
) -> None:
    film = films.special(
        f"plain-{FRAMES}.mkv", "-f", "lavfi",
        "-i", f"{moving_picture(RATE, FRAMES)},gblur=sigma=12:steps=3",
        "-c:v", "libx264", "-preset", "superfast", "-qp", "4", "-bf", "3", "-g", "48",
    )  # fmt: skip
    (tmp_path / "auto.toml").write_text(AUTO)
    (tmp_path / "off.toml").write_text(ladder_text("av1", 8, "main"))
    publish = ("publish", film, "--library", tmp_path / "library", "--no-scores", "--json")
    asked = matinee(*publish, "--ladder", tmp_path / "auto.toml").json
    unasked = matinee(*publish, "--ladder", tmp_path / "off.toml").json

    told = matinee("explain", asked["title"], "--library", tmp_path / "library", "--json").json
    assert set(told["film_grain"]["rungs"].values()) == {0}
    assert (told["film_grain"]["noise"] or 0.0) < 0.5
    assert unasked["package"] == asked["package"]
    assert unasked["derivations"]["ran"] == 0
