"""Every ffmpeg command line, whole."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.adapters.golden_lists import assert_golden
from tests.conftest import run_ffmpeg

from matinee.adapters.ffmpeg import (
    commands,
    copy_commands,
    picture_filters,
    preview_commands,
    sample_commands,
    sound_commands,
)
from matinee.adapters.ffmpeg.program import read_cuts, read_scores
from matinee.core.errors import ToolError
from matinee.core.ids import digest_of
from matinee.core.time import FrameSpan
from matinee.media.clips import ClipPlan
from matinee.media.colour import PQ, Light, Mastering
from matinee.media.ladder import Rung
from matinee.media.sound import SoundRendition
from matinee.media.source import Colour, Picture, SourceInfo, Track
from matinee.media.timeline import PACKET, build_timeline
from matinee.ports.tools import Clip, ThumbnailPlan

FILM = Path("/library/films/film.mkv")
NTSC = Fraction(24_000, 1001)
PICTURE = Picture(
    width=1920,
    height=1080,
    sample_aspect=Fraction(1),
    rotation=0,
    pixel_format="yuv420p",
    bit_depth=8,
    fields="progressive",
    colour=Colour("bt709", "bt709", "bt709", full_range=False),
    nominal_rate=NTSC,
    configuration=digest_of(b""),
)
TURNED = replace(
    PICTURE,
    width=720,
    height=576,
    sample_aspect=Fraction(16, 15),
    rotation=90,
    colour=Colour(None, None, None, full_range=True),
)
SMALL = Rung(
    name="240p",
    width=426,
    height=240,
    rate=NTSC,
    codec="h264",
    preset="medium",
    crf=23,
    maxrate=400_000,
    bufsize=800_000,
    level="2.1",
    reference_frames=3,
    threads=1,
)
LARGE = replace(
    SMALL, name="480p", width=854, height=480, crf=21.5, maxrate=1_400_000, bufsize=2_800_000,
    level="3", reference_frames=1, threads=2, preset="veryfast",
)  # fmt: skip
CLIP = Clip(
    path=Path("/scratch/chunks/clip-0000192.mkv"),
    plan=ClipPlan(FrameSpan(192, 400), 180, 405, 8000, digest_of(b"clip")),
    skip_s=Fraction(521, 1000),
)
INFO = SourceInfo("matroska,webm", 10**9, (), 1, PICTURE)
TIMELINE = build_timeline(
    np.array([(40 * n, 40 * n, 100, int(n == 0), bytes(32)) for n in range(500)], dtype=PACKET),
    Fraction(1, 1000),
    Fraction(25),
)
SOUND = SoundRendition(
    name="audio-en-51",
    track=2,
    layout="5.1",
    channels=6,
    bit_rate=384_000,
    film_start=Fraction(7, 90),
    delay=Fraction(1, 2),
    duration=Fraction(1001, 40),
    lead=4004,
)


def text(index: int, codec: str) -> Track:
    return Track(
        index, "subtitles", codec, "en", "", False, False, False, Fraction(0), Fraction(9),
        digest_of(b""),
    )  # fmt: skip


def test_encode_command_of_one_rung() -> None:
    outputs = [Path("/scratch/240p.mp4")]

    assert_golden(
        "encode-one-rung",
        commands.encode_command("ffmpeg", CLIP, PICTURE, [SMALL], [0], outputs),
    )


def test_encode_command_of_two_rungs_and_three_segments() -> None:
    outputs = [Path("/scratch/240p.mp4"), Path("/scratch/480p.mp4")]

    assert_golden(
        "encode-two-rungs",
        commands.encode_command("ffmpeg", CLIP, TURNED, [SMALL, LARGE], [0, 72, 144], outputs),
    )


BRIGHT = replace(
    PICTURE,
    pixel_format="yuv420p10le",
    bit_depth=10,
    colour=Colour("bt2020", PQ, "bt2020nc", full_range=False),
    mastering=Mastering(
        (34_000, 16_000), (13_250, 34_500), (7_500, 3_000), (15_635, 16_450), 10_000_000, 50
    ),
    light=Light(1000, 400),
)
KEPT = [
    replace(SMALL, codec=codec, preset=preset, depth=10, profile=profile, hdr=BRIGHT.hdr)
    for codec, preset, profile in (("hevc", "fast", "main10"), ("av1", "8", "main"))
]


def test_encode_command_of_a_range_that_is_kept_beside_a_tone_mapped_one() -> None:
    outputs = [Path(f"/scratch/{n}.mp4") for n in range(3)]

    assert_golden(
        "encode-hdr",
        commands.encode_command("ffmpeg", CLIP, BRIGHT, [SMALL, *KEPT], [0], outputs),
    )


def test_measure_command_of_a_range_that_is_kept() -> None:
    chunks = [Path("/objects/a"), Path("/objects/b")]

    assert_golden(
        "measure-hdr",
        commands.measure_command("ffmpeg", CLIP, BRIGHT, [SMALL, KEPT[0]], chunks, ["m0", "m1"]),
    )


GRAINY = replace(SMALL, codec="av1", preset="8", crf=35, profile="main", film_grain=24)


def test_encode_command_of_grain_that_is_made_anew() -> None:
    outputs = [Path("/scratch/240p.mp4")]

    assert_golden(
        "encode-grain", commands.encode_command("ffmpeg", CLIP, PICTURE, [GRAINY], [0], outputs)
    )


def test_what_is_measured_of_it_is_what_was_coded() -> None:
    chunks, names = [Path("/objects/a"), Path("/objects/b")], ["m0", "m1"]
    rungs = [SMALL, GRAINY]
    for command in (
        commands.measure_command("ffmpeg", CLIP, PICTURE, rungs, chunks, names),
        commands.measure_command("ffmpeg", None, PICTURE, rungs, chunks, names),
        sample_commands.sample_command("ffmpeg", CLIP, PICTURE, rungs, chunks, names, 7),
    ):
        place = command.index("-export_side_data")
        assert command.count("-export_side_data") == 1
        assert command.index("/objects/a") < place < command.index("/objects/b")
        assert command[place + 1] == "film_grain"


def test_luma_command() -> None:
    large = replace(PICTURE, width=3840, height=2160)
    assert_golden(
        "luma",
        preview_commands.luma_command("ffmpeg", CLIP, large, NTSC, range(24, 27), "0000072.luma"),
    )


def test_scan_command() -> None:
    thumbnails = ThumbnailPlan(every=24, width=240, height=136, columns=5, rows=5)
    folder = Path("/scratch/scan")

    assert_golden(
        "scan",
        commands.scan_command(
            "ffmpeg", FILM, INFO, TIMELINE, thumbnails, folder / "cuts.txt", folder / "source.sig",
            folder / "%05d.jpg",
        ),
    )  # fmt: skip


def test_measure_command_of_signatures_only() -> None:
    chunks = [Path("/objects/a"), Path("/objects/b")]

    assert_golden(
        "measure-signatures",
        commands.measure_command("ffmpeg", None, PICTURE, [SMALL, LARGE], chunks, ["m0", "m1"]),
    )


def test_measure_command_with_scores() -> None:
    chunks = [Path("/objects/a"), Path("/objects/b")]

    assert_golden(
        "measure-scores",
        commands.measure_command("ffmpeg", CLIP, TURNED, [SMALL, LARGE], chunks, ["m0", "m1"]),
    )


def test_sample_command() -> None:
    chunks = [Path("/objects/a"), Path("/objects/b")]

    assert_golden(
        "sample",
        sample_commands.sample_command(
            "ffmpeg", CLIP, TURNED, [SMALL, LARGE], chunks, ["s0", "s1"], 7
        ),
    )


COPY = Clip(
    path=Path("/scratch/copy/clip-0000192"),
    plan=ClipPlan(FrameSpan(192, 400), 150, 402, 6000, digest_of(b"copy")),
    skip_s=Fraction(11, 10),
)


def test_measure_command_of_a_copy() -> None:
    copied = replace(TURNED, rotation=0, width=640, height=360)
    assert_golden(
        "measure-copy",
        copy_commands.measure_copy_command("ffmpeg", CLIP, PICTURE, COPY, copied, NTSC),
    )


def test_draw_command() -> None:
    size, output = (1920, 1080), Path("/scratch/draw/frame.webp")
    assert_golden("draw", copy_commands.draw_command("ffmpeg", CLIP, PICTURE, NTSC, size, output))


def test_draw_command_of_a_chunk() -> None:
    chunk, output = Path("/objects/a"), Path("/scratch/draw/frame.webp")
    assert_golden(
        "draw-coded",
        copy_commands.draw_coded_command("ffmpeg", chunk, 17, (1920, 1080), output),
    )


def test_sound_command() -> None:
    assert_golden(
        "sound", sound_commands.sound_command("ffmpeg", FILM, SOUND, Path("/scratch/encoded.mp4"))
    )


def test_subtitles_command() -> None:
    assert_golden(
        "subtitles",
        commands.subtitles_command("ffmpeg", FILM, [text(3, "mov_text")], [Path("/scratch/3")]),
    )


@pytest.mark.parametrize(
    ("codec", "form"),
    [
        ("subrip", ["copy", "-f", "srt"]),
        ("ass", ["copy", "-f", "ass"]),
        ("webvtt", ["copy", "-f", "webvtt"]),
        ("ttml", ["copy", "-f", "data"]),
        ("eia_608", ["srt", "-f", "srt"]),
    ],
)
def test_subtitles_that_are_text_are_copied(codec: str, form: list[str]) -> None:
    tracks = [text(3, codec), text(5, "subrip")]
    command = commands.subtitles_command(
        "ffmpeg", FILM, tracks, [Path("/scratch/3"), Path("/scratch/5")]
    )

    assert command[-14:-8] == ["-map", "0:3", "-c:s", *form]
    assert command[-8:-7] == ["/scratch/3"]
    assert command[-7:-5] == ["-map", "0:5"]


def test_channels_without_places_are_mixed_before_all_else() -> None:
    sound = replace(SOUND, mix="pan=stereo|c0=c0|c1=c0")
    command = sound_commands.sound_command("ffmpeg", FILM, sound, Path("/scratch/encoded.mp4"))

    assert command[command.index("-af") + 1].startswith("pan=stereo|c0=c0|c1=c0,asetpts=")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_picture_is_turned_once(rotation: int) -> None:
    command = commands.encode_command(
        "ffmpeg", CLIP, replace(PICTURE, rotation=rotation), [SMALL], [0], [Path("/o.mp4")]
    )
    graph = command[command.index("-filter_complex") + 1]

    turns = [
        name for name in ("transpose=cclock", "transpose=clock", "hflip,vflip") if name in graph
    ]
    assert "-noautorotate" in command
    assert turns == {
        0: [], 90: ["transpose=cclock"], 180: ["hflip,vflip"], 270: ["transpose=clock"],
    }[rotation]  # fmt: skip
    assert ("delete:type=DISPLAYMATRIX" in graph) == (rotation != 0)


@pytest.mark.parametrize(
    ("height", "colour", "tags"),
    [
        (1080, (None, None, None), ("bt709", "bt709", "bt709")),
        (720, (None, None, None), ("bt709", "bt709", "bt709")),
        (576, (None, None, None), ("bt470bg", "smpte170m", "bt470bg")),
        (480, (None, None, None), ("smpte170m", "smpte170m", "smpte170m")),
        (480, ("bt709", "bt709", "bt709"), ("bt709", "bt709", "bt709")),
        (1080, ("smpte170m", None, "smpte170m"), ("smpte170m", "bt709", "smpte170m")),
    ],
)
def test_an_untagged_film_keeps_its_colours_from_rung_to_rung(
    height: int, colour: tuple[str | None, str | None, str | None], tags: tuple[str, str, str]
) -> None:
    picture = replace(PICTURE, height=height, colour=Colour(*colour, full_range=False))

    assert picture_filters.colour_tags(picture) == tags


@pytest.mark.parametrize(
    ("rate", "ticks"),
    [
        (Fraction(25), 25_000), (NTSC, 24_000), (Fraction(60_000, 1001), 60_000),
        (Fraction(15, 2), 15),
    ],
    ids=str,
)  # fmt: skip
def test_a_frame_lasts_whole_ticks(rate: Fraction, ticks: int) -> None:
    assert commands.timescale(rate) == ticks
    assert (ticks / rate).denominator == 1


@pytest.mark.parametrize(
    ("height", "model"),
    [(90, "vmaf_v0.6.1"), (1440, "vmaf_v0.6.1"), (2160, "vmaf_4k_v0.6.1")],
)
def test_the_model_follows_the_screen(height: int, model: str) -> None:
    assert commands.vmaf_model(height) == model


def test_cuts_are_the_frames_that_the_filter_prints() -> None:
    text = (
        "frame:48   pts:2002   pts_time:2.002\nlavfi.scd.time=2.002\n"
        "frame:120  pts:5005   pts_time:5.005\nlavfi.scd.time=5.005\n"
    )

    assert read_cuts(text) == [48, 120]
    assert read_cuts("") == []


def test_scores_are_read_in_order() -> None:
    log = (
        '{"frames":[{"frameNum":0,"metrics":{"vmaf":97.5}},{"frameNum":1,"metrics":{"vmaf":90.0}}]}'
    )

    assert read_scores(log) == (97.5, 90.0)
    with pytest.raises(ToolError, match="not in order"):
        read_scores(log.replace('"frameNum":1', '"frameNum":2'))


@pytest.mark.tools
@pytest.mark.parametrize("count", [1, 50, 51, 300, 600])
def test_many_frames_can_be_chosen_one_by_one(count: int, tmp_path: Path) -> None:
    chosen = list(range(5, 5 + 3 * count, 3))
    run_ffmpeg(
        "-f", "lavfi", "-i", f"color=s=16x16,trim=end_frame={chosen[-1] + 9}",
        "-vf", f"select={commands.is_among(chosen)}", "-fps_mode", "passthrough",
        "-f", "framecrc", tmp_path / "frames.txt",
    )  # fmt: skip
    rows = [row for row in (tmp_path / "frames.txt").read_text().splitlines() if row[0] != "#"]

    assert [int(row.split(",")[2]) for row in rows] == chosen
