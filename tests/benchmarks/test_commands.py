"""The peers' command lines and files."""

from fractions import Fraction
from pathlib import Path

from benchmarks.chunking import freed, rungs_at
from benchmarks.ours import Plan
from benchmarks.plain import plain_command
from benchmarks.shaka_streamer import configurations

from matinee.media.ladder import Rung
from matinee.media.ladder_file import parse_ladder

RUNG = Rung(
    name="240p", width=426, height=240, rate=Fraction(24), codec="h264", preset="medium", crf=23,
    maxrate=400_000, bufsize=800_000, level="2.1", reference_frames=3, threads=1,
)  # fmt: skip
LADDER = parse_ladder(
    "small",
    """
    [video]
    codec = "h264"
    preset = "medium"
    crf = 23
    reference_frames = 3
    threads = 1
    [[rung]]
    name = "240p"
    width = 426
    height = 240
    maxrate_kbps = 400
    [audio]
    mono_kbps = 64
    stereo_kbps = 128
    per_channel_kbps = 64
    """,
)
GRAPH = "[0:v:0]split=1[in0];[in0]scale=426:240:flags=bicubic,setsar=1,format=yuv420p[out0]"
PLAN = Plan(LADDER, (RUNG,), 128_000, Fraction(10))


def test_the_plain_command_makes_every_rendition_with_the_plans_settings() -> None:
    assert plain_command("ffmpeg", Path("film.mp4"), PLAN, same_threads=True) == [
        "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", "film.mp4",
        "-filter_complex",
        GRAPH,
        "-map", "[out0]", "-c:v", "libx264", "-preset", "medium",
        "-crf", "23", "-maxrate", "400000", "-bufsize", "800000",
        "-profile:v", "high", "-level", "2.1", "-threads:v", "1",
        "-force_key_frames", "expr:gte(t,n_forced*6)", "-forced-idr", "1",
        "-x264-params",
        "scenecut=0:keyint=infinite:ref=3:bframes=3:b-pyramid=normal:open-gop=0", "240p.mp4",
        "-map", "0:a:0", "-c:a", "aac", "-ac", "2", "-ar", "48000", "-b:a", "128000", "audio.mp4",
    ]  # fmt: skip


def test_the_plain_command_may_take_its_own_threads() -> None:
    assert "-threads:v" not in plain_command("ffmpeg", Path("f"), PLAN, same_threads=False)


def test_shaka_streamer_gets_our_sizes_and_our_caps_as_rates() -> None:
    files = configurations(Path("film.mp4"), PLAN)

    assert files["bitrate"]["video_resolutions"] == {
        "240p": {"max_width": 426, "max_height": 240, "bitrates": {"h264": "400k"}}
    }
    assert files["pipeline"]["resolutions"] == ["240p"]
    assert files["pipeline"]["segment_size"] == 6.0


def test_a_freed_command_forces_no_key_frame() -> None:
    command = [
        "ffmpeg", "-force_key_frames", "0,6", "-forced-idr", "1",
        "-x264-params", "stitchable=1:scenecut=0:keyint=infinite:ref=3", "out.mp4",
    ]  # fmt: skip

    assert freed(command, 144) == [
        "ffmpeg", "-x264-params", "scenecut=40:keyint=144:ref=3", "out.mp4"
    ]  # fmt: skip


def test_the_caps_of_a_curve_never_bind() -> None:
    rungs = rungs_at(RUNG, [18, 33])

    assert [rung.crf for rung in rungs] == [18, 33]
    assert len({rung.name for rung in rungs}) == 2
    assert all(rung.maxrate == 60_000_000 for rung in rungs)
