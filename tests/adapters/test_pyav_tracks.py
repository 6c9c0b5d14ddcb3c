"""What is told of tracks that are odd: captions in pictures, sounds that cannot be decoded."""

from pathlib import Path
from typing import Any

import av
import pytest
from tests.conftest import run_ffmpeg

from matinee.adapters.pyav_inspect import inspect_film
from matinee.media.source import SourceInfo, Track, source_as_json, source_from_json

pytestmark = pytest.mark.tools

PICTURE = ("-f", "lavfi", "-t", 1, "-i", "testsrc2=s=64x36:r=25")
SOUND = ("-f", "lavfi", "-t", 1, "-i", "sine=440:r=48000")
VIDEO = ("-c:v", "libx264", "-preset", "ultrafast")


def inspected(film: Path) -> SourceInfo:
    info, _, _ = inspect_film(film)
    assert source_from_json(source_as_json(info)) == info
    return info


def sound_of(film: Path) -> Track:
    (track,) = inspected(film).of_type("audio")
    return track


def captioned(source: Path, target: Path, word: bytes) -> None:
    """A copy with two bytes of CEA-608 before each picture, as SEI of ATSC A/53."""
    data = b"\xb5\x00\x31GA94\x03\x41\xff\xfc" + word + b"\xff"
    unit = b"\x06\x04" + bytes((len(data),)) + data + b"\x80"
    with av.open(str(source)) as plain, av.open(str(target), "w") as copied:
        stream: Any = copied.add_stream_from_template(plain.streams.video[0], opaque=True)
        for packet in plain.demux(video=0):
            if packet.size:
                with_unit = av.Packet(len(unit).to_bytes(4, "big") + unit + bytes(packet))
                with_unit.stream, with_unit.time_base = stream, packet.time_base
                with_unit.pts, with_unit.dts = packet.pts, packet.dts
                with_unit.is_keyframe = packet.is_keyframe
                copied.mux(with_unit)


@pytest.mark.parametrize(("word", "found"), [(b"\x94\x20", True), (b"\x80\x80", False)])
def test_captions_inside_pictures_are_found(tmp_path: Path, word: bytes, found: bool) -> None:
    plain, film = tmp_path / "plain.mp4", tmp_path / "film.mp4"
    run_ffmpeg(*PICTURE, *VIDEO, plain)
    captioned(plain, film, word)
    with av.open(str(film)) as container:
        frame: Any = next(container.decode(video=0))
        assert any(data.type.name == "A53_CC" for data in frame.side_data)

    assert inspected(film).has_captions is found


def test_a_sound_that_never_decodes_says_so(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    run_ffmpeg(*PICTURE, *SOUND, *VIDEO, "-c:a", "aac", film)
    whole = film.read_bytes()
    with av.open(str(film)) as container:
        payloads = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    for payload in payloads:
        whole = whole.replace(payload, b"\xff" * len(payload))
    film.write_bytes(whole)

    assert "cannot be decoded: its first" in sound_of(film).fault


def test_a_sound_whose_first_packets_are_damaged_is_no_lost_track(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    run_ffmpeg(*PICTURE, *SOUND, *VIDEO, "-c:a", "aac", film)
    whole = film.read_bytes()
    with av.open(str(film)) as container:
        payloads = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    for payload in payloads[:9]:
        whole = whole.replace(payload, b"\xff" * len(payload))
    film.write_bytes(whole)

    assert sound_of(film).fault == ""


def test_a_track_without_a_packet_says_so(tmp_path: Path) -> None:
    plain, film = tmp_path / "plain.mp4", tmp_path / "film.mkv"
    run_ffmpeg(*PICTURE, *VIDEO, plain)
    with av.open(str(plain)) as source, av.open(str(film), "w") as target:
        stream: Any = target.add_stream_from_template(source.streams.video[0], opaque=True)
        target.add_stream("flac", rate=48_000, layout="stereo")
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)

    assert sound_of(film).fault == "it is empty: not one packet belongs to it"


def test_the_places_of_channels_are_told(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    run_ffmpeg(
        *PICTURE, *SOUND, *VIDEO, "-af", "pan=5.1(side)|FL=c0|FC=c0|SR=c0", "-c:a", "flac", film
    )
    track = sound_of(film)

    assert (track.channels, track.layout) == (6, "5.1(side)")
    assert track.places == ("FL", "FR", "FC", "LFE", "SL", "SR")


def test_dispositions_and_chapters_are_told(tmp_path: Path) -> None:
    film, told = tmp_path / "film.mkv", tmp_path / "chapters.txt"
    told.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/2\nSTART=0\nEND=1\ntitle=One\n")
    run_ffmpeg(
        *PICTURE, *SOUND, "-i", told, "-map_chapters", 2, "-map", 0, "-map", 1, "-map", 1,
        *VIDEO, "-c:a", "flac", "-disposition:a:0", "comment+hearing_impaired",
        "-disposition:a:1", "visual_impaired", film,
    )  # fmt: skip
    info = inspected(film)

    first, second = info.of_type("audio")
    assert (first.is_comment, first.is_hearing_impaired, first.is_visual_impaired) == (
        True, True, False,
    )  # fmt: skip
    assert second.is_visual_impaired
    assert [(float(one.start), float(one.end), one.title) for one in info.chapters] == [
        (0.0, 0.5, "One")
    ]
