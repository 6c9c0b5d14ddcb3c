"""``matinee compare`` over real films, ladders and files."""

import asyncio
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.comparisons import (
    FRAMES,
    LADDER,
    Made,
    compare_files,
    compare_ladders,
)
from tests.conftest import Ended
from tests.docs.test_schemas import faults
from tests.films import Films, ffmpeg
from tests.shared import made_once

from matinee.config import Settings
from matinee.core.progress import Silent
from matinee.flows.compare import LadderSide, measure_sides
from matinee.ladders import load_ladder
from matinee.wiring.comparing import open_stand

pytestmark = [pytest.mark.tools, pytest.mark.slow]

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def ladders(tmp_path_factory: pytest.TempPathFactory, films: Films, matinee: Run) -> Made:
    return made_once(
        tmp_path_factory, "compare", lambda folder: compare_ladders(folder, films, matinee)
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, films: Films, matinee: Run) -> Made:
    folder = tmp_path_factory.mktemp("files")
    return compare_files(folder, films, matinee)


# Ladders


def test_what_compare_prints_is_what_its_schema_says(ladders: Made, files: Made) -> None:
    assert faults("compare", ladders.document) == []
    assert faults("compare", files.document) == []


def test_the_quicker_preset_needs_more_bits_in_every_rung(ladders: Made) -> None:
    found = ladders.document

    assert [(r["width"], r["height"]) for r in found["rungs"]] == [(96, 54), (160, 90)]
    for rung in (found["overall"], *found["rungs"]):
        rate = rung["bd_rate"]
        assert rate["value"] > 5
        assert rate["low"] <= rate["value"] <= rate["high"]
        assert rung["bd_vmaf"] < 0
    assert found["compared"]["frames"] == FRAMES
    assert len(found["shots"]) == found["compared"]["shots"] >= 5


def test_every_rung_is_encoded_at_its_own_crf_and_at_the_others(ladders: Made) -> None:
    for side in (ladders.document["a"], ladders.document["b"]):
        made = [(e["height"], e["crf"], e["own"]) for e in side["encodes"]]
        assert sorted(made) == [(h, c, c == 30) for h in (54, 90) for c in (24, 30, 40)]
        assert all(e["cpu_s"] > 0 for e in side["encodes"])
        head = side["headroom"]
        assert head["size_per_shot"] - 0.1 <= head["crf_per_shot"] < 1
        assert [r["vmaf"] for r in head["rungs"]] == sorted(r["vmaf"] for r in head["rungs"])
    bits = {e["name"]: e["bits_per_second"] for e in ladders.document["a"]["encodes"]}
    assert bits["144p CRF 30"] > bits["144p CRF 40"]


def test_the_same_again_measures_nothing(ladders: Made, matinee: Run) -> None:
    again = matinee(*ladders.command)

    assert again.exit_code == 0, again.err
    assert again.json["derivations"]["ran"] == 0
    keys = set(again.json) - {"derivations"}
    assert all(again.json[key] == ladders.document[key] for key in keys)


def test_any_number_of_sides_are_measured_on_the_same_frames(ladders: Made) -> None:
    sides = [
        LadderSide(f"{path}", load_ladder(path), (24.0, 40.0)) for path in ladders.command[1:3]
    ]
    with open_stand(Settings(ladders.library, workers=1), Silent()) as (stand, bench):
        asked = (ladders.film, [*sides, sides[0]], Fraction(0), 1)
        found = asyncio.run(measure_sides(stand, bench, *asked))

    assert sum(len(part.frames) for part in found.parts) == FRAMES
    told = [side["encodes"] for side in (ladders.document["a"], ladders.document["b"])]
    for side, encodes in zip(found.sides, [*told, told[0]], strict=True):
        assert sorted(e.name for e in side.encodes) == sorted(e["name"] for e in encodes)
        assert all(len(e.sizes) == len(e.scores) == FRAMES for e in side.encodes)
    assert all(tally.ran == 0 for tally in bench.tallies.values()), "compare has measured them"


def test_publish_finds_what_was_compared(ladders: Made, matinee: Run) -> None:
    """The ladder's own encodes are the chunks of a publish."""
    ladder = ladders.command[1]
    shown = matinee(
        "publish", ladders.film, "--ladder", ladder, "--library", ladders.library, "--json",
        "--proofs", "packets",
    )  # fmt: skip
    assert shown.exit_code == 0, shown.err
    title = matinee("show", shown.json["title"], "--library", ladders.library, "--json").json
    stages = {stage["name"]: stage for stage in title["report"]["stages"]}

    assert (stages["encode"]["ran"], stages["score"]["ran"]) == (0, 0)
    vmaf = {r["name"]: r["vmaf"] for r in shown.json["renditions"] if r["type"] == "video"}
    compared = {e["name"]: e["vmaf"] for e in ladders.document["a"]["encodes"]}
    assert vmaf["video-144p"]["harmonic_mean"] == pytest.approx(
        compared["144p CRF 30"]["harmonic_mean"], abs=0.006
    )


def test_a_sample_is_whole_chunks_of_the_film(ladders: Made, matinee: Run) -> None:
    command = [word if word != "0" else "5" for word in ladders.command]
    found = matinee(*command).json

    (span,) = found["compared"]["spans"]
    assert found["compared"]["frames"] == span["end"] - span["start"] < FRAMES
    assert found["overall"]["bd_rate"]["low"] is None  # too few shots
    assert found["derivations"]["ran"] <= 9  # frames of other shots may be drawn


def test_without_json_it_prints_tables_and_writes_the_page_here(
    ladders: Made, matinee: Run, tmp_path: Path
) -> None:
    command = [word for word in ladders.command if word != "--json"]
    page = tmp_path / "here.html"
    ended = matinee(*command, "--page", page)

    assert ended.exit_code == 0, ended.err
    assert "BD-rate" in ended.out and "overall" in ended.out and "quicker" in ended.out
    assert page.read_text().startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["here.html"]


# Files


def test_scores_of_files_are_those_of_libvmaf_over_the_whole_file(
    files: Made, tmp_path: Path
) -> None:
    for side, file in (("a", files.command[1]), ("b", files.command[2])):
        (encode,) = files.document[side]["encodes"]
        alike = "settb=1001/12000,setpts=N,scale=160:90:flags=bicubic,format=yuv420p"
        ffmpeg(
            "-i", file, "-i", str(files.film), "-lavfi",
            f"[0:v]{alike}[own];[1:v]{alike}[ref];[own][ref]libvmaf=model=version=vmaf_v0.6.1:"
            f"log_fmt=json:log_path={side}.json", "-f", "null", "-",
            folder=tmp_path,
        )  # fmt: skip
        by_hand = json.loads((tmp_path / f"{side}.json").read_text())
        scores = np.array([frame["metrics"]["vmaf"] for frame in by_hand["frames"]])
        assert len(scores) == FRAMES
        pooled = by_hand["pooled_metrics"]["vmaf"]
        assert encode["vmaf"]["mean"] == pytest.approx(pooled["mean"], abs=0.001)
        assert encode["vmaf"]["harmonic_mean"] == pytest.approx(pooled["harmonic_mean"], abs=0.001)
        assert encode["vmaf"]["min"] == pytest.approx(pooled["min"], abs=0.001)
        assert encode["vmaf"]["p5"] == pytest.approx(np.percentile(scores, 5), abs=0.001)


def test_bits_of_a_file_are_those_of_its_pictures(files: Made) -> None:
    (encode,) = files.document["a"]["encodes"]
    bits = encode["bits_per_second"] * files.document["compared"]["duration"]
    size = 8 * Path(files.command[1]).stat().st_size

    assert 0.8 * size < bits < size


def test_two_files_of_other_sizes_are_compared_as_they_are(files: Made) -> None:
    found = files.document

    assert found["overall"]["bd_rate"] is None
    assert "one point" in found["overall"]["why"]
    assert found["differences"][0]["vmaf"]["low"] is not None
    assert found["cpu"] == {"a": None, "b": None, "ratio": None}


Wrong = tuple[str, tuple[str, ...], str, str]

UNLIKE: dict[str, Wrong] = {
    "one frame late": ("trim=start_frame=1,tpad=stop=1:stop_mode=clone", (), "compare.shifted",
                       "shifted by +1"),
    "a frame lost in the middle": (
        "select=not(eq(n\\,150)),tpad=stop=1:stop_mode=clone", (), "compare.shifted", "+1",
    ),
    "frames lost at the end": ("trim=end_frame=310", (), "compare.unlike",
                               "has 310 frames, the film 320"),
    "another rate": ("null", ("-r", "25"), "compare.unlike", "frames a second"),
    "another shape": ("scale=160:120,setsar=1", (), "compare.unlike", "another shape"),
    "another film": ("hflip,vflip,negate", (), "compare.unlike", "nothing of the film"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNLIKE)
def test_a_file_that_cannot_be_paired_is_refused_and_says_why(
    name: str, files: Made, matinee: Run, tmp_path: Path
) -> None:
    graph, options, code, words = UNLIKE[name]
    ffmpeg(
        "-i", str(files.film), "-map", "0:v",
        "-vf", f"{graph},settb=1001/12000,setpts=N" if not options else graph,
        "-fps_mode", "cfr" if options else "passthrough", *options,
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-video_track_timescale", "12000",
        "wrong.mp4", folder=tmp_path,
    )  # fmt: skip

    ended = matinee(
        "compare", tmp_path / "wrong.mp4", files.command[2], "--film", files.film, "--library",
        files.library, "--json",
    )  # fmt: skip

    assert ended.exit_code == 2
    assert f"[{code}]" in ended.err
    assert words in ended.err
    assert ended.out == ""


# A stranger's words


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nothing-there", "fast"), 2, "no ladder, file or folder 'nothing-there'"),
        (("standard", "fast", "--crfs", "high"), 2, "give numbers"),
        (("standard", "fast", "--crfs", "99"), 2, "CRF 99 is not from 1 to 51, as h264 has it"),
        (("av1", "standard", "--crfs", "60"), 2, "CRF 60 is not from 1 to 51"),
        (("standard", "fast", "--page", "/nowhere/page.html"), 2, "cannot be written"),
        (("standard", "{folder}"), 2, "no encoded file in the folder"),
        (("standard", "{ladder}"), 2, "lacks"),
        (("standard", "{text}"), 3, "[source.unreadable]"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(
    arguments: tuple[str, ...], code: int, words: str, files: Made, matinee: Run, tmp_path: Path
) -> None:
    empty, ladder, text = tmp_path / "empty", tmp_path / "mine.toml", tmp_path / "text.mp4"
    empty.mkdir()
    ladder.write_text(LADDER.replace("crf = 30\n", ""))
    text.write_text("no film\n")
    given = [a.format(folder=empty, ladder=ladder, text=text) for a in arguments]

    ended = matinee(
        "compare", *given, "--film", files.film, "--library", files.library, "--json",
    )  # fmt: skip

    assert ended.exit_code == code, ended.err
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_a_film_that_is_not_there_is_told(matinee: Run, tmp_path: Path) -> None:
    ended = matinee(
        "compare", "standard", "fast", "--film", tmp_path / "none.mp4", "--library", tmp_path,
        "--page", tmp_path / "page.html",
    )  # fmt: skip

    assert ended.exit_code == 3
    assert "[source.unreadable]" in ended.err
    assert not (tmp_path / "page.html").exists()
