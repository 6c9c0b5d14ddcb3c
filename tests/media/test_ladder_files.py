"""Ladder files: what is read, and what a wrong one is told."""

from fractions import Fraction
from pathlib import Path

import pytest

import matinee.ladders
from matinee.core.errors import LadderInvalid
from matinee.media.ladder import Box, Ladder
from matinee.media.ladder_file import parse_ladder

LADDERS = Path(matinee.ladders.__file__).parent
SHIPPED = sorted(LADDERS.glob("*.toml"))
STANDARD = (LADDERS / "standard.toml").read_text(encoding="utf-8")
LADDER = parse_ladder("standard", STANDARD)
RATE = Fraction(24)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_ladders_are_ladders(path: Path) -> None:
    ladder = parse_ladder(path.stem, path.read_text(encoding="utf-8"))

    assert ladder.name == path.stem
    assert len(ladder.boxes) >= {"baseline": 4, "download": 1, "archive": 1}.get(path.stem, 5)
    assert all(box.width % 2 == box.height % 2 == 0 for box in ladder.boxes)


def test_there_is_a_standard_and_a_fast_ladder() -> None:
    assert {path.stem for path in SHIPPED} >= {"standard", "fast"}


def test_a_ladder_is_read_whole() -> None:
    assert (
        Ladder(
            name="standard",
            codec="h264",
            preset="medium",
            crf=23,
            reference_frames=3,
            threads=1,
            boxes=LADDER.boxes,
            sound=LADDER.sound,
            b_frames=5,
        )
        == LADDER
    )
    assert LADDER.boxes[0] == Box("240p", 426, 240, 400)
    assert (LADDER.sound.mono_kbps, LADDER.sound.per_channel_kbps) == (64, 64)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[video]", "[video", "ladder mine"),
        ('codec = "h264"\n', "", r"\[video\] lacks 'codec'"),
        ('codec = "h264"', 'codec = "vp8"', "codec 'vp8' is not known"),
        ('codec = "h264"', "codec = 264", r"\[video\] codec = 264 is of a wrong type"),
        ('"medium"', '"quick"', "preset 'quick' is not one of x264's"),
        ("crf = 23", "crf = 23\ncpu_budget = 20", "cpu_budget is not from 0.5 to 10"),
        ("crf = 23", "crf = 23\ncpu_budget = true", "is of a wrong type"),
        (
            'preset = "medium"', 'preset = "ultrafast"\ncpu_budget = 2',
            "cpu_budget is for preset veryfast, .*, not ultrafast",
        ),
        ("crf = 23", "crf = 0", "crf 0 is not from 1 to 51"),
        ("crf = 23", "crf = 51.5", "crf 51.5 is not from 1 to 51"),
        ("crf = 23", "crf = nan", "crf nan is not from 1 to 51"),
        ("crf = 23", "crf = true", "crf = True is of a wrong type"),
        ("crf = 23", 'crf = "23"', "crf = '23' is of a wrong type"),
        ("crf = 23", "crf = 23\nqp = 20", r"\[video\] has an unknown field 'qp'"),
        ("reference_frames = 3", "reference_frames = 17", "reference_frames is not from 1 to 16"),
        ("reference_frames = 3", "reference_frames = 3.0", "reference_frames = 3.0 is of a wrong"),
        ("crf = 23", "crf = 23\nown_size = 1", "own_size = 1 is of a wrong type"),
        ("crf = 23", "crf = 23\ndepth = 10", "H.264 has a depth of 8 bits, not 10"),
        ("crf = 23", 'crf = 23\nprofile = "main10"', "profile 'main10' is not one of H.264's"),
        ('"h264"', '"av1"', "preset 'medium' is not one of svtav1's"),
        ('"h264"', '"hevc"\ndepth = 12', "HEVC has a depth of 8 or 10 bits, not 12"),
        ("threads = 1 ", "threads = 0 ", "threads is not from 1 to 16"),
        ("[audio]", "[sound]", r"\[audio\] is missing"),
        ("mono_kbps = 64", "mono_kbps = 64.5", r"\[audio\] mono_kbps = 64.5 is of a wrong type"),
        ("width = 426\n", "", r"\[rung 1\] lacks 'width'"),
        ("width = 426", 'width = "426"', r"\[rung 1\] width = '426' is of a wrong type"),
        ("width = 426", "width = 15", "rung 240p is smaller than 16x16"),
        ("width = 3840", "width = 8193", "rung 2160p is over 8192"),
        ("height = 2160", "height = 8193", "rung 2160p is over 8192"),
        ("maxrate_kbps = 400\n", "maxrate_kbps = 9\n", "rung 240p has a maxrate under 10 kbit/s"),
        ("width = 426", "width = 2000", "rungs are not in growing order"),
        ('name = "360p"', 'name = "240p"', "two rungs have one name"),
        ('name = "360p"', 'name = "../x"', "rung name '../x' is not letters, digits and hyphens"),
        ('name = "360p"', 'name = ""', "rung name '' is not letters, digits and hyphens"),
        ('name = "360p"', 'name = "\uff13\uff16\uff10"', "is not letters, digits and hyphens"),
        ('description = "', 'rungs = "', "unknown table 'rungs'"),
    ],
)  # fmt: skip
def test_a_wrong_ladder_is_told_what_is_wrong(old: str, new: str, fault: str) -> None:
    assert old in STANDARD

    with pytest.raises(LadderInvalid, match=fault) as met:
        parse_ladder("mine", STANDARD.replace(old, new, 1))
    assert "ladder mine" in str(met.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rung = []",
        "video = 1",
        "[[video]]",
        "rung = [1]",
        'rung = "x"',
        "[rung]\n",
        "\0",
        "= 1",
    ],
)
def test_what_is_no_ladder_at_all_is_refused(text: str) -> None:
    with pytest.raises(LadderInvalid, match="ladder mine"):
        parse_ladder("mine", text)


@pytest.mark.parametrize("rung", ["rung = []", "rung = 1", "rung = [1]", 'rung = {name = "a"}'])
def test_a_ladder_without_rungs_is_refused(rung: str) -> None:
    above, _, below = STANDARD.partition("[[rung]]")
    audio = below[below.index("[audio]") :]

    with pytest.raises(LadderInvalid, match=r"no \[\[rung\]\]|\[rung 1\] is missing"):
        parse_ladder("mine", f"{rung}\n{above}{audio}")


def test_a_wrong_sound_rate_is_refused() -> None:
    for rate in ("0", "-64"):
        with pytest.raises(LadderInvalid):
            parse_ladder("mine", STANDARD.replace("stereo_kbps = 128", f"stereo_kbps = {rate}"))
