"""Odd films, published whole: each with all its proofs, and what is said of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Ended, run_ffmpeg

Matinee = Callable[..., Ended]
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "50", "-pix_fmt", "yuv420p")


def publish(
    matinee: Matinee, film: Path, ladder: Path, *options: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The printed document and its video renditions; every verdict has passed."""
    library = film.parent / "library"
    ended = matinee("publish", film, "--library", library, "--ladder", ladder, "--json", *options)
    document = json.loads(ended.out)
    assert (ended.exit_code, document["state"]) == (0, "published"), ended.err
    assert all(verdict["passed"] for verdict in document["verdicts"])
    return document, [r for r in document["renditions"] if r["type"] == "video"]


def test_sound_alone_is_published_with_a_still(
    matinee: Matinee, ladder: Path, tmp_path: Path
) -> None:
    film = tmp_path / "song.flac"
    run_ffmpeg("-f", "lavfi", "-i", "anoisesrc=d=20:a=0.3:seed=3", film)

    document, video = publish(matinee, film, ladder, "--no-scores")

    assert {r["frames"] for r in video} == {200}
    assert document["notes"] == ["there is no moving picture: a still is shown"]


def test_sound_with_a_cover_is_published_under_it(
    matinee: Matinee, ladder: Path, tmp_path: Path
) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=500x400", "-frames:v", "1", tmp_path / "cover.png")
    film = tmp_path / "song.m4a"
    run_ffmpeg(
        "-f", "lavfi", "-i", "anoisesrc=d=20:a=0.3:seed=3", "-i", tmp_path / "cover.png",
        "-map", "0:a", "-map", "1:v", "-c:a", "aac", "-c:v", "copy",
        "-disposition:v", "attached_pic", film,
    )  # fmt: skip

    document, video = publish(matinee, film, ladder)

    assert {r["frames"] for r in video} == {200}
    assert video[-1]["vmaf"]["mean"] > 80  # a picture is there
    assert any("cover" in track["reason"] for track in document["tracks"])


@pytest.mark.parametrize(
    ("bars", "size"), [("256:96:0:24", (256, 96)), ("192:144:32:0", (192, 144))]
)
def test_black_bars_are_cut_off_when_it_is_asked_for(
    matinee: Matinee, ladder: Path, tmp_path: Path, bars: str, size: tuple[int, int]
) -> None:
    width, height, left, top = bars.split(":")
    film = tmp_path / "film.mp4"
    run_ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=s={width}x{height}:r=25:d=26,negate,"
        f"pad=256:144:{left}:{top}", *X264, film,
    )  # fmt: skip

    plan = matinee("publish", "--plan", "--crop", film, "--ladder", ladder, "--json").json
    document, video = publish(matinee, film, ladder, "--crop", "--no-scores")
    _, uncropped = publish(matinee, film, ladder, "--no-scores")

    assert (video[-1]["width"], video[-1]["height"]) == size
    assert (plan["rungs"][-1]["width"], plan["rungs"][-1]["height"]) == size
    assert plan["notes"] == document["notes"]
    assert "black bars are cut off" in document["notes"][0]
    assert (uncropped[-1]["width"], uncropped[-1]["height"]) == (256, 144)


def test_a_film_that_is_black_throughout_is_published_and_not_cropped(
    matinee: Matinee, ladder: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "color=black:s=256x144:r=25:d=20", *X264, film)

    document, video = publish(matinee, film, ladder, "--crop")

    assert (video[-1]["width"], video[-1]["height"], video[-1]["frames"]) == (256, 144, 500)
    assert document["notes"] == []


@pytest.mark.parametrize("rate", ["25", "60000/1001"])
def test_a_film_of_one_frame_is_published(
    matinee: Matinee, ladder: Path, tmp_path: Path, rate: str
) -> None:
    film = tmp_path / "film.mp4"
    run_ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=256x144:r={rate}", "-frames:v", "1", *X264, film)

    _, video = publish(matinee, film, ladder)

    assert {r["frames"] for r in video} == {1}


def test_shots_of_one_frame_are_published(matinee: Matinee, ladder: Path, tmp_path: Path) -> None:
    """Livepeer#2322: shots of a single frame broke the encode."""
    film = tmp_path / "film.mp4"
    run_ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=256x144:r=25:d=26,negate=enable='mod(floor(n/7),2)',"
        "negate=enable='eq(mod(n,60),30)'", *X264, film,
    )  # fmt: skip

    _, video = publish(matinee, film, ladder, "--no-scores")

    assert {r["frames"] for r in video} == {650}


def test_a_shot_of_ten_minutes_is_cut_into_segments(
    matinee: Matinee, ladder: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    picture = "gradients=s=64x36:r=10:d=600:speed=0.01:n=2:c0=0x405060:c1=0x90a0b0"
    run_ffmpeg("-f", "lavfi", "-i", f"{picture}:x0=0:y0=0:x1=63:y1=35", *X264, film)

    _, video = publish(matinee, film, ladder, "--no-scores")

    assert {r["frames"] for r in video} == {6000}


def test_what_a_plan_says_of_an_odd_film_is_what_is_done(
    matinee: Matinee, ladder: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.ts"
    run_ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=256x144:r=50:d=26,scroll=h=0.01",
        "-vf", "tinterlace=interleave_top,setfield=tff", "-c:v", "mpeg2video",
        "-flags", "+ilme+ildct", "-b:v", "2M", "-bf", "2", film,
    )  # fmt: skip

    plan = matinee("publish", "--plan", film, "--ladder", ladder, "--json").json
    document, video = publish(matinee, film, ladder)

    assert plan["notes"] == document["notes"] != []
    assert plan["frames"] == video[0]["frames"] == 1300
    assert plan["frame_rate"] == "50"
