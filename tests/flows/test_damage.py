"""Films that are damaged in part, cut off, or whose clock jumps: told exactly, and kept in step."""

import json
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import pytest
from tests.conftest import Ended, run_ffmpeg

Matinee = Callable[..., Ended]

SECONDS = 25
FRAMES = 24 * SECONDS


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Moving all the time, a key frame every two seconds, B-frames, sound; the index in front."""
    path = tmp_path_factory.mktemp("damage") / "whole.mp4"
    run_ffmpeg(
        "-f", "lavfi", "-i", f"mandelbrot=s=256x144:r=24,trim=duration={SECONDS},scroll=h=0.01",
        "-f", "lavfi", "-i", f"anoisesrc=d={SECONDS}:r=48000:a=0.2:seed=3", "-c:v", "libx264",
        "-preset", "veryfast", "-bf", "3", "-g", "48", "-pix_fmt", "yuv420p", "-c:a", "aac",
        "-movflags", "+faststart", path,
    )  # fmt: skip
    return path


def spoilt(whole: Path, path: Path, first: int, count: int) -> Path:
    """A copy with noise in the video packets ``[first, first + count)``, in decode order."""
    data = bytearray(whole.read_bytes())
    noise = random.Random(5)
    with av.open(str(whole)) as container:
        packets = [p for p in container.demux(container.streams.video[0]) if p.size]
    for packet in packets[first : first + count]:
        assert packet.pos is not None
        start = packet.pos + min(40, packet.size // 4)  # lengths and headers stay
        end = packet.pos + packet.size
        data[start:end] = noise.randbytes(end - start)
    path.write_bytes(data)
    return path


def published(
    matinee: Matinee, film: Path, ladder: Path, library: Path, *options: str
) -> tuple[Ended, dict[str, Any]]:
    ended = matinee(
        "publish", film, "--library", library, "--ladder", ladder, "--json", "--no-scores", *options
    )
    assert "Traceback" not in ended.err
    return ended, json.loads(ended.out)


def test_damaged_pictures_are_refused_with_their_times(
    matinee: Matinee, whole: Path, ladder: Path, tmp_path: Path
) -> None:
    film = spoilt(whole, tmp_path / "film.mp4", first=120, count=9)

    ended, document = published(matinee, film, ladder, tmp_path / "library")

    assert (ended.exit_code, document["state"]) == (3, "refused")
    assert document["error"]["code"] == "source.damaged"
    told = re.search(r"from ([0-9.]+) s to 6\.00 s", document["error"]["message"])
    assert told is not None  # the next key frame is at 6 s
    assert 4.9 < float(told[1]) < 5.1
    assert "--accept-damage" in document["error"]["hint"]
    assert json.loads(matinee("list", "--library", tmp_path / "library", "--json").out) in (
        [], [{"title": "film", "name": "film", "state": "unpublished"}],
    )  # fmt: skip


def test_a_refusal_is_remembered(
    matinee: Matinee, whole: Path, ladder: Path, tmp_path: Path
) -> None:
    film = spoilt(whole, tmp_path / "film.mp4", first=120, count=9)
    first, _ = published(matinee, film, ladder, tmp_path / "library")
    second, _ = published(matinee, film, ladder, tmp_path / "library")

    assert first.exit_code == second.exit_code == 3
    assert first.err.splitlines()[-2:] == second.err.splitlines()[-2:]
    with closing(sqlite3.connect(tmp_path / "library" / "matinee.db")) as database:
        ((scans,),) = database.execute("SELECT count(*) FROM attempt WHERE function = 'scan'")
    assert scans == 1


@pytest.mark.parametrize("first", [0, 120, FRAMES - 30], ids=["begin", "middle", "end"])
def test_accepted_damage_is_published_in_step(
    matinee: Matinee, whole: Path, ladder: Path, tmp_path: Path, first: int
) -> None:
    film = spoilt(whole, tmp_path / "film.mp4", first=first, count=9)

    ended, document = published(matinee, film, ladder, tmp_path / "library", "--accept-damage")

    assert (ended.exit_code, document["state"]) == (0, "published"), ended.err
    video = [r for r in document["renditions"] if r["type"] == "video"]
    assert {r["frames"] for r in video} == {FRAMES}
    frames = [v for v in document["verdicts"] if v["judge"] == "frames"]
    assert all(v["passed"] and v["evidence"]["wrong_frames"] == 0 for v in frames)
    sound = next(v for v in document["verdicts"] if v["judge"] == "sound")
    assert abs(sound["evidence"]["largest_lag_ms"]) < 5
    assert any("stand still" in note for note in document["notes"])


def test_accepting_damage_changes_nothing_for_a_whole_film(
    matinee: Matinee, whole: Path, ladder: Path, tmp_path: Path
) -> None:
    _, first = published(matinee, whole, ladder, tmp_path / "library")
    _, second = published(matinee, whole, ladder, tmp_path / "library", "--accept-damage")

    assert first["notes"] == second["notes"] == []
    assert second["derivations"]["ran"] == 0


def test_a_film_that_was_cut_off_is_refused_with_its_end(
    matinee: Matinee, whole: Path, ladder: Path, tmp_path: Path
) -> None:
    data = whole.read_bytes()
    film = tmp_path / "film.mp4"
    film.write_bytes(data[: len(data) * 2 // 3])

    ended, document = published(matinee, film, ladder, tmp_path / "library")
    plan = matinee("publish", "--plan", film, "--ladder", ladder)
    accepted, shorter = published(matinee, film, ladder, tmp_path / "library", "--accept-damage")

    assert (ended.exit_code, document["error"]["code"]) == (3, "source.damaged")
    assert "is cut off at 1" in document["error"]["message"]
    assert "25.00 s" in document["error"]["message"]
    assert plan.exit_code == 3
    assert accepted.exit_code == 0, accepted.err
    video = [r for r in shorter["renditions"] if r["type"] == "video"]
    assert FRAMES // 3 < video[0]["frames"] < FRAMES


def transport_stream(path: Path, offset: float, seconds: int, seed: int) -> Path:
    run_ffmpeg(
        "-f", "lavfi", "-i", f"mandelbrot=s=256x144:r=25,trim=duration={seconds},scroll=h=0.01",
        "-f", "lavfi", "-i", f"anoisesrc=d={seconds}:r=48000:a=0.2:seed={seed}", "-c:v", "libx264",
        "-preset", "veryfast", "-bf", "2", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "mp2",
        "-output_ts_offset", offset, "-f", "mpegts", path,
    )  # fmt: skip
    return path


@pytest.mark.parametrize("offsets", [(1000, 20), (20, 5000)], ids=["back", "ahead"])
def test_a_recording_whose_clock_jumps_is_straightened(
    matinee: Matinee, ladder: Path, tmp_path: Path, offsets: tuple[float, float]
) -> None:
    parts = [
        transport_stream(tmp_path / f"{n}.ts", offset, 13, n) for n, offset in enumerate(offsets)
    ]
    film = tmp_path / "film.ts"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))

    ended, document = published(matinee, film, ladder, tmp_path / "library")

    assert (ended.exit_code, document["state"]) == (0, "published"), ended.err
    video = [r for r in document["renditions"] if r["type"] == "video"]
    assert abs(video[0]["frames"] - 26 * 25) <= 5
    sound = next(v for v in document["verdicts"] if v["judge"] == "sound")
    assert sound["passed"]
    assert any("clock" in note for note in document["notes"])


def test_a_clock_that_wraps_is_no_jump(matinee: Matinee, ladder: Path, tmp_path: Path) -> None:
    """The 33 bits of a transport stream's clock run over after 26.5 hours."""
    wraps_at = 2**33 / 90_000
    film = transport_stream(tmp_path / "film.ts", wraps_at - 8, 20, 1)

    ended, document = published(matinee, film, ladder, tmp_path / "library")

    assert (ended.exit_code, document["state"]) == (0, "published"), ended.err
    video = [r for r in document["renditions"] if r["type"] == "video"]
    assert {r["frames"] for r in video} == {500}
    assert all(v["passed"] for v in document["verdicts"])


def test_a_recording_that_begins_in_the_middle_of_a_group_begins_at_its_first_key_frame(
    matinee: Matinee, ladder: Path, tmp_path: Path
) -> None:
    data = transport_stream(tmp_path / "whole.ts", 10, 20, 1).read_bytes()
    film = tmp_path / "film.ts"
    start = len(data) // 20 // 188 * 188
    film.write_bytes(data[: 188 * 2] + data[start:])

    ended, document = published(matinee, film, ladder, tmp_path / "library")

    assert (ended.exit_code, document["state"]) == (0, "published"), ended.err
    video = [r for r in document["renditions"] if r["type"] == "video"]
    assert 500 - 51 <= video[0]["frames"] < 500


def test_sound_that_begins_and_ends_in_the_middle_of_a_packet_was_cut_and_is_no_damage(
    matinee: Matinee, ladder: Path, tmp_path: Path
) -> None:
    """As splitters leave it: players are silent for these moments."""
    film = tmp_path / "film.mkv"
    run_ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=4",
        "-f", "lavfi", "-i", "anoisesrc=d=4:r=48000:a=0.2:seed=3",
        "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "ac3", film,
    )  # fmt: skip
    with av.open(str(film)) as source:
        packets = [bytes(p) for p in source.demux(source.streams.audio[0]) if p.size]
    data = film.read_bytes()
    first, last = packets[0], packets[-1]
    assert data.count(first) == data.count(last) == 1
    data = data.replace(first, first[40:] + bytes(40))
    film.write_bytes(data.replace(last, last[:40] + bytes(len(last) - 40)))

    ended, document = published(matinee, film, ladder, tmp_path / "library")

    assert (ended.exit_code, document["state"]) == (0, "published"), ended.err
    assert document["notes"] == []
    assert all(verdict["passed"] for verdict in document["verdicts"])
