"""A film of high dynamic range is published in its own range beside a tone-mapped one."""

from pathlib import Path

import av
import pytest
from tests.contracts.test_hdr import DISPLAY, bright_film
from tests.every_codec import ladder_text
from tests.films import Films
from tests.published import Published, Run, publish_by, write_profile
from tests.shared import made_once

from matinee.adapters.pyav_picture import light_of, mastering_of
from matinee.media.colour import Light
from matinee.media.dash import read_mpd
from matinee.media.hls import read_multivariant

pytestmark = pytest.mark.tools

BRIGHT = {"video-hevc-pq-144p": "hvc1.2.", "video-av1-pq-144p": "av01.0."}
PLAIN = {"video-72p", "video-144p"}


@pytest.fixture(scope="module")
def bright(films: Films, matinee: Run, tmp_path_factory: pytest.TempPathFactory) -> Published:
    film = bright_film(films, "hdr10", 100)

    def make(folder: Path) -> Published:
        families = (("hevc", 10, "main10"), ("h264", 8, "high"), ("av1", 10, "main"))
        ladders = {family[0]: ladder_text(*family) for family in families}
        return publish_by(folder, matinee, film, write_profile(folder, "bright", ladders))

    return made_once(tmp_path_factory, "bright", make)


def test_it_keeps_its_range_beside_a_tone_mapped_one(bright: Published) -> None:
    document = bright.document
    videos = {one["name"]: one for one in document["renditions"] if one["type"] == "video"}

    assert document["state"] == "published"
    assert set(videos) == PLAIN | set(BRIGHT)
    assert all(videos[name]["codec"].startswith(codec) for name, codec in BRIGHT.items())
    assert all(verdict["passed"] for verdict in document["verdicts"])
    assert any("keeps its range in HEVC HDR10 and AV1 HDR10" in n for n in document["notes"])


def test_its_colours_are_proved_by_a_verdict(bright: Published) -> None:
    found = bright.verdicts("colour")

    assert set(found) == set(BRIGHT)
    for verdict in found.values():
        evidence = verdict["evidence"]
        assert (evidence["primaries"], evidence["transfer"], evidence["matrix"]) == (9, 16, 9)
        assert (evidence["max_cll"], evidence["max_fall"]) == (1000, 400)
        assert evidence["mastering"]["brightest"] == 1000
        assert evidence["segments"] >= 1
    scored = bright.verdicts("quality")
    assert {name for name, v in scored.items() if v["evidence"].get("tone_mapped")} == set(BRIGHT)


def test_what_is_served_tells_it_to_a_decoder(bright: Published, tmp_path: Path) -> None:
    for name in BRIGHT:
        (folder,) = (bright.folder / "renditions").glob(f"{name}-????????????")
        whole = tmp_path / f"{name}.mp4"
        parts = [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]
        whole.write_bytes(b"".join(part.read_bytes() for part in parts))
        with av.open(str(whole)) as container:
            frames = list(container.decode(video=0))
            context = container.streams.video[0].codec_context
            assert len(frames) == 100
            assert (int(context.color_primaries), int(context.color_trc)) == (9, 16)
            told = mastering_of(frames[0])
            assert told is not None
            assert max(abs(a - b) for a, b in zip(told, DISPLAY, strict=True)) <= 1
            assert light_of(frames[0]) == Light(1000, 400)


def test_players_are_told_which_is_which(bright: Published) -> None:
    playlist = read_multivariant(Path(bright.document["hls"]).read_text())
    told = [(one.uri, one.attributes) for one in playlist.variants]
    told += [(one.uri or "", one.attributes) for one in playlist.i_frames]
    ranges = {
        uri.split("/")[-1].removesuffix(".m3u8").removesuffix("-iframes"): attributes.text(
            "VIDEO-RANGE"
        )
        for uri, attributes in told
    }
    (period,) = read_mpd(Path(bright.document["dash"]).read_text()).periods
    colours = {
        one.label: one.colours
        for one in period.adaptation_sets
        if one.content_type == "video" and not one.is_trick_mode
    }

    assert ranges == dict.fromkeys(PLAIN, "SDR") | dict.fromkeys(BRIGHT, "PQ")
    assert {label: told for label, told in colours.items() if all(told)} == {
        "HEVC HDR10": (9, 16, 9), "AV1 HDR10": (9, 16, 9),
    }  # fmt: skip
    assert len(colours) == 3


def test_the_codec_string_of_av1_tells_the_colours(bright: Published) -> None:
    playlist = read_multivariant(Path(bright.document["hls"]).read_text())
    codecs = {
        codec
        for variant in playlist.variants
        for codec in (variant.attributes.text("CODECS") or "").split(",")
        if codec.startswith("av01")
    }

    assert {codec.split(".", 4)[4] for codec in codecs} == {"0.110.09.16.09.0"}


def test_the_same_again_makes_nothing(bright: Published, matinee: Run) -> None:
    ended = matinee(*bright.again, "--json")

    assert ended.exit_code == 0, ended.err
    assert ended.json["derivations"]["ran"] == 0


def test_a_scrub_proves_its_frames_too(bright: Published, matinee: Run) -> None:
    ended = matinee("scrub", "--library", bright.library, "--sample", "100", "--json")

    assert ended.exit_code == 0, ended.out + ended.err
    assert ended.json["findings"] == []


def test_it_is_verified(bright: Published, matinee: Run) -> None:
    ended = matinee("verify", bright.title, "--library", bright.library, "--json")

    assert ended.exit_code == 0, ended.out + ended.err


def test_a_plan_says_what_would_keep_its_range(bright: Published, matinee: Run) -> None:
    ended = matinee("publish", "--plan", bright.film, "--profile", bright.profile)

    assert ended.exit_code == 0, ended.err
    assert "HEVC HDR10 level" in ended.out
    assert "beside that it keeps its range in HEVC HDR10 and AV1 HDR10" in ended.out


def test_where_it_is_encrypted_av1_is_tone_mapped_and_hevc_keeps_its_range(
    bright: Published, matinee: Run
) -> None:
    profile = Path(bright.profile).with_name("locked.toml")
    profile.write_text(Path(bright.profile).read_text() + '[encryption]\nscheme = "cbcs"\n')
    ended = matinee("publish", "--plan", bright.film, "--profile", profile, "--json")

    assert ended.exit_code == 0, ended.err
    names = {rung["name"] for rung in ended.json["rungs"]}
    assert {name for name in names if "-pq-" in name} == {"video-hevc-pq-144p"}
    assert "video-av1-10-144p" in names
