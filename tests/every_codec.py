"""A profile with every codec of pictures and sound, at tiny sizes and the fastest presets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Ended, make_film

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
    names = []
    for family in FAMILIES:
        names.append("-".join(map(str, family)) + ".toml")
        (folder / names[-1]).write_text(ladder_text(*family))
    sounds = ""
    for codec in SOUND_CODECS.values():
        rates = "" if codec.is_lossless else "mono_kbps = 64\nstereo_kbps = 96\n"
        sounds += f'[[sound]]\ncodec = "{codec.name}"\nlayouts = ["stereo"]\n{rates}'
    path = folder / "every.toml"
    path.write_text(f'ladders = {names!r}\nsubtitles = ["imsc1"]\n{sounds}{LOUDNESS}')
    return path


@dataclass(frozen=True)
class EveryCodec:
    """A library with the film in every codec, and what was printed when it was published."""

    library: Path
    document: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.library / "titles" / TITLE

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.document["renditions"] if one["type"] == kind]


def publish_every_codec(folder: Path, matinee: Callable[..., Ended]) -> EveryCodec:
    film = make_film(folder / "film.mp4", SECONDS, text=True)
    library = folder / "library"
    ended = matinee(
        "publish", film, "--title", "Every codec", "--profile", profile_file(folder),
        "--library", library, "--no-scores", "--json",
    )  # fmt: skip
    assert ended.exit_code == 0, ended.err
    return EveryCodec(library, ended.json)
