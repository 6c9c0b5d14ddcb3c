"""A profile with every codec of pictures and sound, at tiny sizes and the fastest presets."""

from pathlib import Path

from tests.conftest import make_film
from tests.published import Published, Run, publish_by, write_profile

from matinee.media.codecs import CODECS
from matinee.media.codecs.sound import SOUND_CODECS

SECONDS = 8.0
FRAMES = 192
TITLE = "every-codec"
FAST = {"h264": "superfast", "hevc": "ultrafast", "vp9": "5", "av1": "11"}
BOXES = {"72p": (128, 72, 200), "144p": (256, 144, 500)}

FAMILIES = [
    (name, depth, profile)
    for name, codec in CODECS.items()
    for depth, profiles in codec.profiles.items()
    for profile in profiles
]
TARGET = -20.0
LOUDNESS = f"[loudness]\ntarget_lufs = {TARGET}\n"
SWITCHING = {("h264", 8, "high"), ("av1", 8, "main"), ("vp9", 8, "0")}
"""Families with two rungs; the others have one."""


def ladder_text(name: str, depth: int, profile: str) -> str:
    boxes = BOXES if (name, depth, profile) in SWITCHING else {"144p": BOXES["144p"]}
    rungs = "".join(
        f'[[rung]]\nname = "{box}"\nwidth = {width}\nheight = {height}\nmaxrate_kbps = {kbps}\n'
        for box, (width, height, kbps) in boxes.items()
    )
    return (
        f'[video]\ncodec = "{name}"\ndepth = {depth}\nprofile = "{profile}"\n'
        f'preset = "{FAST[name]}"\ncrf = 28\nreference_frames = 2\nthreads = 1\n{rungs}'
        "[audio]\nmono_kbps = 48\nstereo_kbps = 64\nper_channel_kbps = 48\n"
    )


def profile_file(folder: Path) -> Path:
    """The profile, with its ladders beside it."""
    ladders = {"-".join(map(str, family)): ladder_text(*family) for family in FAMILIES}
    sounds = ""
    for codec in SOUND_CODECS.values():
        rates = "" if codec.is_lossless else "mono_kbps = 64\nstereo_kbps = 96\n"
        sounds += f'[[sound]]\ncodec = "{codec.name}"\nlayouts = ["stereo"]\n{rates}'
    return write_profile(folder, "every", ladders, f'subtitles = ["imsc1"]\n{sounds}{LOUDNESS}')


def publish_every_codec(folder: Path, matinee: Run) -> Published:
    film = make_film(folder / "film.mp4", SECONDS, text=True)
    profile = profile_file(folder)
    return publish_by(folder, matinee, film, profile, "--title", "Every codec", "--no-scores")
