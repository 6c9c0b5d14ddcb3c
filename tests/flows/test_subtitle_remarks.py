"""What is wrong with subtitles is told before anything is made, and again of what was made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Ended, run_ffmpeg

from matinee.media.subtitles import parse_webvtt

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]
CUES = """1
00:00:03,000 --> 00:00:05,000
Second

2
00:00:01,000 --> 00:00:03,020
First

3
00:00:05,500 --> 00:00:05,700
Much too long for a fifth of a second

4
00:00:06,000 --> 00:00:06,000
Never

5
00:00:07,000 --> 00:00:20,000
Last
"""
SAID = {
    ("order", True), ("empty", True), ("beyond_end", True), ("overlap", True),
    ("reading_speed", False), ("too_short", False),
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    film: Path
    sidecar: Path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("remarks")
    sidecar, film = folder / "film.de.srt", folder / "film.mkv"
    sidecar.write_text(CUES)
    run_ffmpeg(
        "-f", "lavfi", "-t", 8, "-i", "testsrc2=s=128x72:r=24000/1001", "-i", sidecar, "-i",
        sidecar, "-map", "0:v", "-map", "1:s", "-map", "2:s", "-c:v", "libx264", "-preset",
        "ultrafast", "-c:s", "srt", "-metadata:s:s:0", "language=eng", film,
    )  # fmt: skip
    return Told(film, sidecar)


def kinds(document: Any, name: str) -> set[tuple[str, bool]]:
    return {
        (one["kind"], one["mended"]) for one in document["subtitle_remarks"] if one["name"] == name
    }


def test_inspect_tells_of_the_tracks_in_a_film(told: Told, matinee: Run) -> None:
    document = matinee("inspect", told.film, "--json").json
    said = SAID - {("order", True), ("empty", True)}  # the muxer has put them right

    assert kinds(document, "text-en") >= said - {("overlap", True)}
    assert kinds(document, "text-und") == kinds(document, "text-en")
    assert len([note for note in document["notes"] if note.startswith("text-")]) == 2
    assert "text-en: " in matinee("inspect", told.film).out


def test_a_plan_tells_of_files_beside_it_too(told: Told, matinee: Run) -> None:
    ended = matinee("publish", "--plan", told.film, "--subtitles", told.sidecar, "--json")

    assert kinds(ended.json, "text-de") == SAID


def test_what_is_published_is_mended_and_said(
    told: Told, matinee: Run, ladder: Path, tmp_path: Path
) -> None:
    ended = matinee(
        "publish", told.film, "--subtitles", told.sidecar, "--ladder", ladder,
        "--library", tmp_path, "--no-scores", "--json",
    )  # fmt: skip
    assert ended.exit_code == 0, ended.err
    report = matinee("show", ended.json["title"], "--library", tmp_path, "--json").json
    report = report.get("report", report)

    assert kinds(report, "text-de") == SAID
    assert any(note.startswith("text-de: out of order") for note in ended.json["notes"])
    (playlist,) = tmp_path.glob("titles/*/renditions/text-de-????????????")
    cues = {
        (float(cue.start), float(cue.end), cue.text)
        for path in playlist.glob("*.vtt")
        for cue in parse_webvtt(path.read_text(), path.name).cues
        if cue.text != "\u200b"
    }
    assert {text for _, _, text in cues} == {
        "First", "Second", "Much too long for a fifth of a second", "Last",
    }  # fmt: skip
    assert (1.0, 3.0, "First") in cues


def test_a_track_that_cannot_be_read_does_not_keep_inspect_from_the_others(
    told: Told, matinee: Run, tmp_path: Path
) -> None:
    data = told.film.read_bytes()
    film = tmp_path / "film.mkv"
    at = data.index(b"Second")
    film.write_bytes(data[:at] + b"\xff\x00\xff\x00\xff\x00" + data[at + 6 :])
    ended = matinee("inspect", film, "--json")

    assert ended.exit_code == 0, ended.err
    told_of = {note.partition(":")[0]: note for note in ended.json["notes"]}
    assert "cannot be read" in told_of["text-en"] and "last frame" in told_of["text-und"]
    refused = matinee("publish", "--plan", film, "--json")
    assert refused.json["error"]["code"] == "source.damaged"
