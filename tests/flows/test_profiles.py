"""A film in every codec: each stream is what it says, and shows and sounds what it should."""

import re
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from tests.conftest import TINY_LADDER, run_ffmpeg, standing_in
from tests.every_codec import FAMILIES, FRAMES, SECONDS, TARGET
from tests.published import Published, Run

from matinee.media.cmaf import read_init, read_segment
from matinee.media.codecs import BY_ENTRY
from matinee.media.codecs.sound import SOUND_CODECS
from matinee.media.conformance import check_package
from matinee.media.conformance_report import Expected, ExpectedAudio, ExpectedVideo
from matinee.media.ladder import family_of

pytestmark = pytest.mark.tools

RATE = Fraction(24_000, 1001)


def test_all_verdicts_over_every_codec_pass(every_codec: Published) -> None:
    verdicts = every_codec.document["verdicts"]

    assert every_codec.document["state"] == "published"
    assert all(verdict["passed"] for verdict in verdicts)
    proved = {v["subject"] for v in verdicts if v["judge"] == "frames" and v["evidence"]["decoded"]}
    assert proved == {one["name"] for one in every_codec.of_type("video")}


def test_there_is_a_rendition_of_every_codec_depth_and_profile(every_codec: Published) -> None:
    names = {one["name"] for one in every_codec.of_type("video")}
    families = {re.sub(r"-?\d+p$", "", name.removeprefix("video-")) for name in names}
    sounds = {one["codec"] for one in every_codec.of_type("audio")}

    assert families == {family_of(*family) for family in FAMILIES}
    assert len(sounds) == len(SOUND_CODECS)
    for video in every_codec.of_type("video"):
        told = BY_ENTRY[video["codec"].split(".")[0]].told(video["codec"])
        assert told.depth == (10 if "-10-" in video["name"] else 8)
        assert video["frames"] == FRAMES


def test_every_sound_is_as_loud_as_the_profile_wishes(every_codec: Published) -> None:
    found = {
        verdict["subject"]: verdict["evidence"]["loudness"]["integrated_lufs"]
        for verdict in every_codec.document["verdicts"]
        if verdict["judge"] == "sound"
    }
    assert set(found) == {one["name"] for one in every_codec.of_type("audio")}
    assert all(level == pytest.approx(TARGET, abs=1) for level in found.values())


def test_every_codec_is_encrypted_and_comes_back_byte_for_byte(
    every_codec: Published, matinee: Run, tmp_path: Path
) -> None:
    """Nothing is encoded again: chunks and sounds are those of the ledger."""
    library = shutil.copytree(every_codec.library, tmp_path / "library")
    made = every_codec.library.parent
    profile = tmp_path / "locked.toml"
    profile.write_text(f'include = ["{made / "every.toml"}"]\n[encryption]\nscheme = "cbcs"\n')
    options = ("--profile", profile, "--library", library, "--no-scores", "--json")

    ended = matinee("publish", made / "film.mp4", *options)

    assert ended.exit_code == 0, ended.err
    encrypted = {v["subject"] for v in ended.json["verdicts"] if v["judge"] == "encryption"}
    names = {one["name"] for kind in ("video", "audio") for one in every_codec.of_type(kind)}
    assert encrypted == {*names, "video-72p-trick"}


# What is served decodes whole, in codecs that no browser here plays too.


@pytest.mark.parametrize("entry", ["hvc1", "av01", "vp09", "Opus", "ac-3", "ec-3", "fLaC"])
def test_what_is_served_decodes_whole(every_codec: Published, entry: str, tmp_path: Path) -> None:
    served = [
        one
        for kind in ("video", "audio")
        for one in every_codec.of_type(kind)
        if one["codec"].lower().startswith(entry.lower())
    ]
    assert served
    for one in served:
        (folder,) = (every_codec.folder / "renditions").glob(f"{one['name']}-*[!k]")
        whole = tmp_path / f"{one['name']}.mp4"
        parts = [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]
        whole.write_bytes(b"".join(part.read_bytes() for part in parts))
        with av.open(str(whole)) as container:
            lasts = [_length(frame) for frame in container.decode(container.streams[0])]
        if one["type"] == "video":
            assert len(lasts) == FRAMES
        else:
            assert sum(lasts) >= SECONDS - 0.01


def _length(frame: Any) -> float:
    return float(frame.samples / frame.sample_rate) if hasattr(frame, "samples") else 0.0


# Faults of other codecs are found, too.


@dataclass(frozen=True)
class Shown:
    """The package on screen as files by path, and what it must hold."""

    files: dict[str, bytes]
    hls: str
    dash: str
    expected: Expected

    def folder(self, name: str) -> str:
        return next(
            path.rpartition("/")[0]
            for path in self.files
            if re.match(rf"renditions/{name}-[0-9a-f]{{12}}/init.mp4", path)
        )

    def findings(self, **changes: bytes) -> set[str]:
        files = {**self.files, **changes}
        found = check_package(files.__getitem__, self.hls, self.dash, self.expected)
        return {finding.code for finding in found}


@pytest.fixture(scope="module")
def shown(every_codec: Published) -> Shown:
    folder = every_codec.folder
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    package = Path(every_codec.document["package"]).name
    names = {one["name"]: one for one in every_codec.document["renditions"]}
    ids = {
        name: path.split("/")[1]
        for name in names
        for path in files
        if re.match(rf"renditions/{name}-[0-9a-f]{{12}}/00001\.", path)
    }
    inits = {
        name: read_init(files[f"renditions/{folder}/init.mp4"])
        for name, folder in ids.items()
        if not name.startswith("text")
    }
    main = f"renditions/{ids['video-144p']}/"
    starts = tuple(
        round(read_segment(files[path], inits["video-144p"]).presentation_times[0] * RATE)
        for path in sorted(files)
        if path.startswith(main) and path.endswith(".m4s")
    )
    videos, sounds = {}, {}
    for name, init in inits.items():
        entry, one = init.entry, names[name]
        if name.startswith("video"):
            codec = BY_ENTRY[entry.kind]
            told = codec.told(entry.codec)
            videos[ids[name]] = ExpectedVideo(
                one["width"], one["height"], FRAMES, RATE, starts,
                codec=codec.name, level=told.level, depth=told.depth,
            )  # fmt: skip
        else:
            sounds[ids[name]] = ExpectedAudio(
                one["language"], one["channels"], FRAMES / RATE, entry.kind
            )
    texts = {ids[name]: "en" for name in names if name.startswith("text")}
    texts |= {f"{folder}-wvtt": "en" for folder in texts if "imsc1" not in folder}
    expected = Expected(videos, sounds, texts)
    hls, dash = f"packages/{package}/main.m3u8", f"packages/{package}/manifest.mpd"
    return Shown(files, hls, dash, expected)


def test_a_package_of_every_codec_has_no_findings(shown: Shown) -> None:
    assert shown.findings() == set()


CONFIGURATIONS = {"hevc-144p": "hvcC", "av1-144p": "av1C", "h264-main-144p": "avcC"}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_level_that_the_bitstream_does_not_have_is_found(shown: Shown, name: str) -> None:
    path = f"{shown.folder(f'video-{name}')}/init.mp4"
    data = bytearray(shown.files[path])
    at = data.index(CONFIGURATIONS[name].encode()) + 4
    at += {"hvcC": 12, "av1C": 1, "avcC": 3}[CONFIGURATIONS[name]]
    data[at] += 1

    assert {"video.codec", "hls.codecs", "dash.codecs"} <= shown.findings(**{path: bytes(data)})


def test_a_level_that_is_not_the_planned_one_is_found(shown: Shown) -> None:
    """Of VP9 the frames tell no level."""
    path = f"{shown.folder('video-vp9-144p')}/init.mp4"
    data = bytearray(shown.files[path])
    data[data.index(b"vpcC") + 9] = 40

    assert {"video.level", "hls.codecs", "dash.codecs"} <= shown.findings(**{path: bytes(data)})


@pytest.mark.parametrize(("name", "at", "new"), [("av1-144p", 2, 0x50), ("vp9-144p", 0, 0x86)])
def test_a_segment_that_begins_with_no_key_frame_is_found(
    shown: Shown, name: str, at: int, new: int
) -> None:
    folder = shown.folder(f"video-{name}")
    path = f"{folder}/00002.m4s"
    data = bytearray(shown.files[path])
    init = read_init(shown.files[f"{folder}/init.mp4"])
    sample = read_segment(bytes(data), init).samples[0]
    if name.startswith("av1"):
        size = data[sample.start + 1]  # the sequence header's; the frame's header follows
        at = 2 + size + 2
        while data[sample.start + at - 1] & 0x80:
            at += 1
        new = data[sample.start + at] | 0x20
    data[sample.start + at] = new

    assert "video.idr" in shown.findings(**{path: bytes(data)})


@pytest.mark.parametrize(
    ("manifest", "old", "new", "code"),
    [
        ("hls", "hvc1.1.6", "hev1.1.6", "hls.codecs"),
        ("hls", "av01.0.00M.10", "av01.0.00M.08", "hls.codecs"),
        ("dash", "vp09.02.", "vp09.00.", "dash.codecs"),
        ("dash", 'codecs="ec-3"', 'codecs="ac-3"', "dash.codecs"),
    ],
)
def test_a_wrong_codec_in_a_manifest_is_found(
    shown: Shown, manifest: str, old: str, new: str, code: str
) -> None:
    path = shown.hls if manifest == "hls" else shown.dash
    text = shown.files[path].decode()
    assert old in text

    assert code in shown.findings(**{path: text.replace(old, new, 1).encode()})


def test_a_sound_of_another_codec_is_found(shown: Shown) -> None:
    one, two = (f"{shown.folder(f'audio-en-{name}-mono')}/init.mp4" for name in ("ac3", "eac3"))

    assert "audio.codec" in shown.findings(**{one: shown.files[two]})


def test_variants_of_depths_and_profiles_are_sets_of_their_own(shown: Shown) -> None:
    text = shown.files[shown.dash].decode()
    sets = re.findall(r"<AdaptationSet .*?</AdaptationSet>", text, re.DOTALL)
    codecs = [set(re.findall(r'codecs="(\w+\.\w+)', one)) for one in sets]
    videos = [one for one in codecs if any(name.split(".")[0] in BY_ENTRY for name in one)]

    assert len(videos) == len(FAMILIES) + 1  # and the trick mode


# What cannot be made is told before the long work.


def test_a_profile_that_is_made_already_is_not_rehearsed_again(
    every_codec: Published, matinee: Run
) -> None:
    again = matinee(*every_codec.again, "--no-scores", "--json").json

    assert again["derivations"]["ran"] == 0
    assert again["package"] == every_codec.document["package"]


def test_what_cannot_be_made_is_told_before_the_long_work(
    every_codec: Published, matinee: Run, tmp_path: Path
) -> None:
    """An encoder that fails for one codec alone: nothing of the others was made before."""
    stand_in = standing_in(tmp_path / "ffmpeg", Path(__file__).parent / "faulty_ffmpeg.py")
    ended = matinee(
        "publish", every_codec.film, "--profile", every_codec.profile, "--library",
        tmp_path / "library", "--no-scores", "--json", MATINEE_FAULT="no vp9", **stand_in,
    )  # fmt: skip

    assert ended.exit_code == 5
    assert ended.json["error"]["code"] == "encode.failed"
    assert "encode 144p" not in ended.err and "scan" not in ended.err


def test_a_cap_that_leaves_hardly_a_bit_is_refused_before_the_long_work(
    matinee: Run, tmp_path: Path
) -> None:
    film, ladder = tmp_path / "film.mp4", tmp_path / "low.toml"
    run_ffmpeg("-f", "lavfi", "-i", "mandelbrot=s=1280x720:r=24", "-frames:v", 24,
               "-c:v", "libx264", "-preset", "ultrafast", film)  # fmt: skip
    low = TINY_LADDER.replace("width = 256", "width = 1280").replace("height = 144", "height = 720")
    ladder.write_text(low.replace("maxrate_kbps = 500", "maxrate_kbps = 10"))

    ended = matinee(
        "publish", film, "--ladder", ladder, "--library", tmp_path / "library", "--no-scores",
        "--json",
    )  # fmt: skip

    assert ended.exit_code == 2
    error = ended.json["error"]
    assert error["code"] == "ladder.starved"
    assert "rung 144p has a cap of 10 kbit/s" in error["message"]
    assert "need 222 or more" in error["message"]
    assert "scan" not in ended.err


def test_devices_makes_sixty_streams_of_an_ordinary_film(matinee: Run, tmp_path: Path) -> None:
    """Of 1280x720, two languages of sound in stereo, two of subtitles; planned in seconds."""
    film, text = tmp_path / "film.mkv", tmp_path / "text.srt"
    text.write_text("1\n00:00:00,100 --> 00:00:00,900\nHello\n")
    sound = ("-f", "lavfi", "-t", "0.5", "-i", "anoisesrc=seed=1,aformat=channel_layouts=stereo")
    run_ffmpeg(
        "-f", "lavfi", "-t", "0.5", "-i", "color=s=1280x720:r=24", *sound, *sound,
        "-i", text, "-i", text, "-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map", "4",
        "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac", "-c:s", "srt",
        "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu",
        "-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=deu", film,
    )  # fmt: skip

    plan = matinee("publish", film, "--profile", "devices", "--plan", "--json").json

    streams = [*plan["rungs"], *plan["sounds"], *plan["subtitles"]]
    assert len({one["name"] for one in streams}) == len(streams) >= 60
    assert {rung["coding"] for rung in plan["rungs"]} == {
        "H.264", "H.264 Baseline", "H.264 Main", "HEVC", "HEVC 10 bit", "VP9", "AV1", "AV1 10 bit",
    }  # fmt: skip
    assert {sound["codec"] for sound in plan["sounds"]} == set(SOUND_CODECS)
