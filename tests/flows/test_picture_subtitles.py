"""Subtitles that are pictures, in real films: named and left out, in plan and package alike."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Ended, run_ffmpeg
from tests.flows.packages import Package

pytestmark = pytest.mark.tools

WIDTH, HEIGHT, BOX = 720, 480, 16


def graphics() -> bytes:
    """Presentation graphics of a disc: a square, shown from 1 s to 2 s."""

    def segment(kind: int, body: bytes, at: int) -> bytes:
        return b"PG" + struct.pack(">IIBH", at, 0, kind, len(body)) + body

    def composition(number: int, objects: bytes) -> bytes:
        count = len(objects) // 8
        return struct.pack(">HHBHBBBB", WIDTH, HEIGHT, 16, number, 0x80, 0, 0, count) + objects

    window = struct.pack(">BBHHHH", 1, 0, 100, 100, BOX, BOX)
    palette = bytes([0, 0, 1, 235, 128, 128, 255])
    lines = (bytes([1]) * BOX + bytes(2)) * BOX
    picture = struct.pack(">HBBBHHH", 0, 0, 0xC0, 0, len(lines) + 4, BOX, BOX) + lines
    shown = composition(1, struct.pack(">HBBHH", 0, 0, 0, 100, 100))
    first = ((0x16, shown), (0x17, window), (0x14, palette), (0x15, picture), (0x80, b""))
    last = ((0x16, composition(2, b"")), (0x17, window), (0x80, b""))
    return b"".join(
        segment(kind, body, seconds * 90_000)
        for seconds, bodies in ((1, first), (2, last))
        for kind, body in bodies
    )


@pytest.mark.parametrize(
    ("file", "coders", "codecs"),
    [
        ("disc.mkv", ("copy", "dvdsub"), ("hdmv_pgs_subtitle", "dvd_subtitle")),
        ("broadcast.ts", ("dvbsub",), ("dvb_subtitle",)),
    ],
    ids=["PGS and VobSub", "DVB"],
)
def test_subtitles_that_are_pictures_are_named_and_left_out(
    file: str, coders: tuple[str, ...], codecs: tuple[str, ...],
    matinee: Callable[..., Ended], ladder: Path, tmp_path: Path,
) -> None:  # fmt: skip
    film, sup = tmp_path / file, tmp_path / "pictures.sup"
    sup.write_bytes(graphics())
    maps = [option for _ in coders for option in ("-map", "1:s")]
    coded = [option for n, coder in enumerate(coders) for option in (f"-c:s:{n}", coder)]
    run_ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=3", "-i", sup, "-map", "0:v", *maps,
        "-c:v", "libx264", "-preset", "ultrafast", *coded, "-metadata:s:s:0", "language=deu", film,
    )  # fmt: skip
    options = ("--ladder", ladder, "--library", tmp_path / "library", "--json")

    plan = matinee("publish", "--plan", film, *options)
    ended = matinee("publish", film, "--no-scores", "--proofs", "packets", *options)

    assert (plan.exit_code, ended.exit_code) == (0, 0), ended.err
    package = Package(ended.json)
    assert ended.json["tracks"] == plan.json["tracks"]
    reason = "its subtitles are pictures, which have no text to publish"
    found = [one for one in package.outcomes if one[0].startswith("subtitles")]
    assert [(one[0].rpartition(": ")[2], one[1], one[2]) for one in found] == [
        (codec, [], reason) for codec in codecs
    ]
    assert "(deu)" in found[0][0]
    assert package.media("SUBTITLES") == []
