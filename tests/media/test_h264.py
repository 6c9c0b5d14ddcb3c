"""What parameter sets of H.264 promise, beside what the encoder was told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import run_ffmpeg

from matinee.media.h264 import frames_are_whole

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2", "-c:v", "libx264")
WHOLE = {
    "main": ("-profile:v", "main", "-pix_fmt", "yuv420p"),
    "baseline": ("-profile:v", "baseline", "-pix_fmt", "yuv420p"),
    "high": ("-pix_fmt", "yuv420p"),
    "scaling-lists": ("-pix_fmt", "yuv420p", "-x264-params", "cqm=jvt"),
    "ten-bit": ("-pix_fmt", "yuv420p10le"),
    "422": ("-pix_fmt", "yuv422p"),
    "444-lists": ("-pix_fmt", "yuv444p", "-x264-params", "cqm=jvt"),
    "lossless": ("-pix_fmt", "yuv444p", "-qp", "0"),
    "intra": ("-pix_fmt", "yuv420p", "-g", "1"),
}
FIELDS = {
    "tff": ("-pix_fmt", "yuv420p", "-flags", "+ilme+ildct", "-x264-params", "tff=1"),
    "fake": ("-pix_fmt", "yuv420p", "-x264-params", "fake-interlaced=1"),
    "422-lists": ("-pix_fmt", "yuv422p", "-x264-params", "cqm=jvt:bff=1:interlaced=1"),
}


def configuration(film: Path) -> bytes:
    with av.open(str(film)) as container:
        stream: Any = container.streams.video[0]
        return bytes(stream.codec_context.extradata)


@pytest.mark.tools
@pytest.mark.parametrize("name", WHOLE)
def test_whole_frames_are_promised(tmp_path: Path, name: str) -> None:
    run_ffmpeg(*PICTURE, *WHOLE[name], tmp_path / "film.mp4")

    assert frames_are_whole(configuration(tmp_path / "film.mp4"))


@pytest.mark.tools
@pytest.mark.parametrize("name", FIELDS)
def test_nothing_is_promised_where_there_may_be_fields(tmp_path: Path, name: str) -> None:
    run_ffmpeg(*PICTURE, *FIELDS[name], tmp_path / "film.mp4")

    assert not frames_are_whole(configuration(tmp_path / "film.mp4"))


@pytest.mark.tools
def test_parameter_sets_inside_the_stream_promise_nothing(tmp_path: Path) -> None:
    """They may be others later on."""
    film = tmp_path / "film.ts"
    run_ffmpeg(*PICTURE, *WHOLE["high"], film)

    assert configuration(film).startswith(b"\0\0")
    assert not frames_are_whole(configuration(film))


def code(number: int) -> str:
    """Exp-Golomb (ITU-T H.264, 9.1)."""
    plain = f"{number + 1:b}"
    return "0" * (len(plain) - 1) + plain


def signed(number: int) -> str:
    return code(2 * number - 1 if number > 0 else -2 * number)


def scaling_list(deltas: Sequence[int]) -> str:
    bits, last = "", 8
    for delta in deltas:
        bits += signed(delta)
        following = (last + delta) % 256
        if following == 0:
            break
        last = following
    return bits


def record(bits: str) -> bytes:
    """A decoder configuration with one parameter set of these bits, from its id on."""
    profile, rest = int(bits[:8], 2), bits[8:] + "1"
    data = int(rest.ljust(-(-len(rest) // 8) * 8, "0"), 2).to_bytes(-(-len(rest) // 8), "big")
    guarded = b""
    for byte in data:  # 7.4.1: no three bytes look like a start code
        guarded += b"\3" if guarded.endswith(b"\0\0") and byte <= 3 else b""
        guarded += bytes([byte])
    unit = bytes([0x67, profile, 0, 40]) + guarded
    return bytes([1, profile, 0, 40, 255, 225]) + len(unit).to_bytes(2, "big") + unit


@st.composite
def parameter_sets(draw: st.DrawFn) -> tuple[str, bool]:
    """The bits of a parameter set, and whether it promises whole frames."""
    few = st.integers(0, 40)
    profile, flag = draw(st.sampled_from([66, 77, 100, 244])), draw(st.booleans())
    bits = f"{profile:08b}{code(0)}"
    if profile >= 100:
        chroma = draw(st.integers(0, 3))
        bits += code(chroma) + ("0" if chroma == 3 else "") + code(0) * 2 + "0"
        lists = 12 if chroma == 3 else 8
        if draw(st.booleans()):
            bits += "1"
            for n in range(lists):
                size = 16 if n < 6 else 64
                deltas = st.lists(st.integers(-9, 9), min_size=size, max_size=size)
                given_list = draw(st.none() | deltas)
                bits += "0" if given_list is None else "1" + scaling_list(given_list)
        else:
            bits += "0"
    bits += code(draw(few))
    order = draw(st.integers(0, 2))
    bits += code(order)
    if order == 0:
        bits += code(draw(few))
    elif order == 1:
        cycle = draw(st.lists(st.integers(-99, 99), max_size=5))
        bits += "1" + signed(draw(few)) + signed(-draw(few)) + code(len(cycle))
        bits += "".join(map(signed, cycle))
    bits += code(draw(few)) + "0" + code(119) + code(67) + ("1" if flag else "0")
    return bits, flag


@given(parameter_sets())
def test_the_promise_is_found_behind_whatever_stands_before_it(drawn: tuple[str, bool]) -> None:
    bits, flag = drawn

    assert frames_are_whole(record(bits)) is flag


@given(st.binary(max_size=200))
def test_anything_may_come(data: bytes) -> None:
    assert frames_are_whole(b"\1" + data) in (True, False)
    assert not frames_are_whole(b"\1" + data[:4])
