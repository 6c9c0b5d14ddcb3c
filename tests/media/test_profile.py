"""Profiles say what they mean, or on which line they do not."""

from dataclasses import replace
from pathlib import Path

import pytest

from matinee.core.errors import LadderInvalid, ProfileInvalid
from matinee.ladders import load_ladder
from matinee.media.encryption import Encryption
from matinee.media.loudness import Target
from matinee.media.profile import Parts, Profile, SoundForm, parse_profile, profile_of
from matinee.profiles import SHIPPED, load_profile, load_wished

WEB = """description = "Mine"
ladders = ["standard", "av1"]

[[sound]]
codec = "aac"
mono_kbps = 64
stereo_kbps = 128
per_channel_kbps = 64

[[sound]]
codec = "opus"
layouts = ["stereo"]
pictures = ["av1"]
mono_kbps = 48
stereo_kbps = 96
"""
PARTS = Parts(load_ladder, load_profile)


def test_a_profile_is_its_ladders_and_sounds() -> None:
    profile = parse_profile("mine", WEB, PARTS)

    assert [ladder.name for ladder in profile.ladders] == ["standard", "av1"]
    assert [form.codec for form in profile.sounds] == ["aac", "opus"]
    assert profile.sounds[1].layouts == ("stereo",)
    assert profile.sounds[1].pictures == ("av1",)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_profiles_are_profiles(path: Path) -> None:
    assert load_profile(path.stem).name == path.stem


def test_the_default_is_the_standard_ladder_and_nothing_more() -> None:
    standard = load_ladder("standard")

    assert load_wished(None, None) == profile_of(standard.with_settings("auto"))
    assert load_wished(None, None).with_settings("fixed") == profile_of(standard)
    assert load_wished(None, "standard") == profile_of(standard)
    assert load_wished(None, "fast") == profile_of(load_ladder("fast"))


def test_a_ladder_takes_the_place_of_the_profiles_pictures() -> None:
    wished = load_wished("web", "hevc")

    assert [ladder.name for ladder in wished.ladders] == ["hevc"]
    assert [form.codec for form in wished.sounds] == ["aac", "opus"]
    assert wished.sounds[1].pictures == ()  # the pictures that it was for are gone


def test_what_is_included_comes_first_and_once(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('include = ["web", "quick-one.toml"]\nladders = ["vp9"]\n')
    (tmp_path / "quick-one.toml").write_text('include = ["web"]\nladders = ["hevc"]\n')

    profile = load_profile("mine.toml", tmp_path)

    assert [ladder.name for ladder in profile.ladders] == ["standard", "av1", "hevc", "vp9"]
    assert [form.codec for form in profile.sounds] == ["aac", "opus"]


def test_a_profile_that_includes_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('include = ["b.toml"]\nladders = ["vp9"]\n')
    (tmp_path / "b.toml").write_text('include = ["a.toml"]\n')

    with pytest.raises(ProfileInvalid, match="includes itself"):
        load_profile("a.toml", tmp_path)


def test_without_sounds_it_is_that_of_the_first_ladder() -> None:
    profile = parse_profile("mine", 'ladders = ["fast"]', PARTS)

    assert profile.sounds == (SoundForm("aac", load_ladder("fast").sound),)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("ladders =", "ladders", "line 2: Expected"),
        ("ladders =", "subtitles = ['srt']\nladders =", "line 2: subtitles are webvtt and imsc1"),
        ('pictures = ["av1"]', 'pictures = ["vp9"]', "line 4: Opus is for pictures in vp9, of"),
        ("ladders = [", "rungs = [", r"line 2: a profile has no field 'rungs'"),
        ('["standard", "av1"]', '"standard"', "line 2: ladders is not a list"),
        ('["standard", "av1"]', "[]", "it has no ladders"),
        ('"av1"]', '"fast"]', "line 2: ladders standard and fast make the same streams"),
        ('codec = "opus"', 'codec = "mp3"', "line 11: sound codec 'mp3' is not known"),
        ('codec = "opus"\n', "", "line 10: sound codec None is not known"),
        ('["stereo"]', '["quad"]', "line 12: layouts are some of mono, stereo, surround"),
        ('["stereo"]', "[]", "line 12: layouts are some of"),
        ('["av1"]', '["theora"]', "line 13: video codec 'theora' is not known"),
        ("stereo_kbps = 96", "stereo_kbps = 9000", "line 15: stereo_kbps of Opus is not a whole"),
        ("stereo_kbps = 96", "stereo_kbps = true", "line 15: stereo_kbps of Opus is not a whole"),
        ("stereo_kbps = 96", "bitrate = 96", r"line 15: \[\[sound\]\] has no field 'bitrate'"),
        ("stereo_kbps = 96\n", "", "line 10: stereo_kbps of Opus is not a whole"),
        ('codec = "opus"', 'codec = "flac"', "line 14: FLAC is lossless: it has no rate"),
        ('codec = "opus"', 'codec = "aac"', "line 4: aac stereo is asked for twice"),
        (
            'codec = "aac"',
            'codec = "aac"\nlayouts = ["surround"]',
            "line 4: the first sound has",
        ),
    ],
)
def test_a_fault_is_told_with_its_line(old: str, new: str, fault: str) -> None:
    assert old in WEB

    with pytest.raises(ProfileInvalid, match=fault) as met:
        parse_profile("mine", WEB.replace(old, new, 1), PARTS)
    assert "profile mine" in str(met.value)
    assert met.value.hint


def test_a_loudness_may_be_wished_and_is_taken_from_what_is_included(tmp_path: Path) -> None:
    (tmp_path / "loud.toml").write_text('ladders = ["fast"]\n[loudness]\ntarget_lufs = -16\n')
    (tmp_path / "mine.toml").write_text('include = ["loud.toml"]\n')

    assert load_profile("mine.toml", tmp_path).loudness == Target(-16.0, -1.0)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("target_lufs = 3", "line 3: target_lufs is not from -40 to -5"),
        ("true_peak_dbtp = -1", "line 2: target_lufs is not from"),
        ("target_lufs = -23\ntrue_peak_dbtp = 1", "line 4: true_peak_dbtp is not from -9 to 0"),
        ("target_lufs = nan", "line 3: target_lufs is not"),
        ("lufs = -23", "line 3: .* has no field 'lufs'"),
    ],
)
def test_a_wrong_loudness_is_told_with_its_line(table: str, fault: str) -> None:
    with pytest.raises(ProfileInvalid, match=fault):
        parse_profile("mine", f'ladders = ["fast"]\n[loudness]\n{table}\n', PARTS)


@pytest.mark.parametrize("text", ["sound = 1", "sound = [1]", "[sound]\ncodec = 'aac'", "\0", ""])
def test_what_is_no_profile_at_all_is_refused(text: str) -> None:
    with pytest.raises(ProfileInvalid, match="profile mine"):
        parse_profile("mine", f'ladders = ["fast"]\n{text}' if text else text, PARTS)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match="no profile 'nothing'"):
        load_profile("nothing", tmp_path)
    (tmp_path / "mine.toml").write_text('ladders = ["nothing"]\n')
    with pytest.raises(LadderInvalid, match="no ladder 'nothing'"):
        load_profile("mine.toml", tmp_path)


def test_a_target_is_that_of_all_its_ladders() -> None:
    profile = parse_profile("mine", 'ladders = ["fast", "av1"]\ntarget_vmaf = 93', PARTS)

    assert [ladder.target_vmaf for ladder in profile.ladders] == [93, 93]
    assert not any(ladder.is_searched for ladder in profile.with_settings("fixed").ladders)
    with pytest.raises(ProfileInvalid, match="line 2: target_vmaf is not from 20 to 99"):
        parse_profile("mine", 'ladders = ["fast"]\ntarget_vmaf = 199', PARTS)


def test_a_budget_is_for_those_ladders_that_can_have_one() -> None:
    profile = parse_profile("mine", 'ladders = ["standard", "vp9"]\ncpu_budget = 1.5', PARTS)
    assert [ladder.cpu_budget for ladder in profile.ladders] == [1.5, None]
    assert parse_profile("wide", 'include = ["web"]\ncpu_budget = 2', PARTS).ladders[1].cpu_budget

    spent = parse_profile("spent", 'ladders = ["standard"]\ncpu_budget = 1.5', PARTS)
    parts = Parts(PARTS.ladder, lambda name: spent if name == "spent" else PARTS.profile(name))
    for included in ('"spent", "standard"', '"standard", "spent"'):
        (both,) = parse_profile("both", f"include = [{included}]", parts).ladders
        assert (both.cpu_budget, both.settings) == (1.5, "auto")

    with pytest.raises(ProfileInvalid, match="line 2: cpu_budget is for none of its ladders"):
        parse_profile("mine", 'ladders = ["vp9"]\ncpu_budget = 2', PARTS)
    with pytest.raises(ProfileInvalid, match=r"line 2: cpu_budget is not from 0\.5 to 10"):
        parse_profile("mine", 'ladders = ["fast"]\ncpu_budget = 20', PARTS)


def test_settings_are_those_of_all_its_ladders() -> None:
    text = 'ladders = ["fast", "av1"]\nsettings = "per-title"'
    profile = parse_profile("mine", text, PARTS)
    aimed = parse_profile("mine", f"{text}\ntarget_vmaf = 93", PARTS)

    assert all(one.is_per_title and one.target_vmaf is None for one in profile.ladders)
    assert all(one.is_per_title and one.target_vmaf == 93 for one in aimed.ladders)
    assert profile.with_settings("fixed") == parse_profile("mine", text.partition("\n")[0], PARTS)
    with pytest.raises(
        ProfileInvalid, match="line 2: settings 'best' are not fixed, per-shot, per"
    ):
        parse_profile("mine", text.replace("per-title", "best"), PARTS)
    for unaimed in ("fixed", "auto"):
        with pytest.raises(ProfileInvalid, match="line 3: target_vmaf is for settings per-shot or"):
            parse_profile("mine", f"{text.replace('per-title', unaimed)}\ntarget_vmaf = 93", PARTS)


def test_a_ladder_that_is_said_twice_is_there_once_and_keeps_its_settings() -> None:
    for more in ("", '\nladders = ["standard"]', '\nladders = ["av1", "standard"]'):
        mine = parse_profile("mine", f'include = ["web"]{more}', PARTS)
        assert {one.name: one.settings for one in mine.ladders} == dict.fromkeys(
            ("standard", "av1"), "auto"
        )
    aimed = load_ladder("fast").with_target(93)
    parts = replace(PARTS, ladder=lambda _: aimed)
    with pytest.raises(ProfileInvalid, match="line 2: settings auto have no target, which fast"):
        parse_profile("mine", 'ladders = ["fast"]\nsettings = "auto"', parts)
    assert {one.settings for one in load_profile("web").ladders} == {"auto"}
    assert {one.settings for one in load_profile("devices").ladders} == {"fixed"}


def test_a_ladder_is_a_profile() -> None:
    profile: Profile = profile_of(load_ladder("vp9"))

    assert (profile.name, profile.ladder_names) == ("vp9", "vp9")


def test_a_profile_says_how_long_segments_last() -> None:
    assert parse_profile("mine", WEB, PARTS).longest_segment_s == 6
    assert load_profile("download").longest_segment_s == 20
    mine = f"{WEB}[segments]\nlongest_s = 12\n"
    assert parse_profile("mine", mine, PARTS).longest_segment_s == 12
    inside = parse_profile("mine", 'include = ["download"]', PARTS)
    assert inside.longest_segment_s == 20


@pytest.mark.parametrize("value", ["3", "61", "6.5", "true", '"12"'])
def test_a_length_of_segments_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ProfileInvalid, match=r"line \d+: longest_s is not a whole number"):
        parse_profile("mine", f"{WEB}[segments]\nlongest_s = {value}\n", PARTS)


def test_a_download_has_one_size() -> None:
    (ladder,) = load_profile("download").ladders
    assert len(ladder.boxes) == 1 and not ladder.own_size


LOCKED = '[encryption]\nscheme = "cbcs"\n'


def test_encryption_is_the_last_one_told_and_its_keys_the_librarys(tmp_path: Path) -> None:
    (tmp_path / "locked.toml").write_text(f'include = ["quick"]\n{LOCKED}')
    (tmp_path / "other.toml").write_text(
        'include = ["locked.toml"]\n[encryption]\nscheme = "cenc"\n'
    )

    assert load_profile("quick").encryption is None
    assert load_profile("locked.toml", tmp_path).encryption == Encryption("cbcs", "library")
    assert load_profile("other.toml", tmp_path).encryption == Encryption("cenc", "library")
    (tmp_path / "mine.toml").write_text('include = ["locked.toml"]\nladders = ["av1"]\n')
    mine = load_profile("mine.toml", tmp_path)
    assert mine.encryption == Encryption("cbcs") == mine.with_ladder(load_ladder("vp9")).encryption


def test_a_key_file_lies_beside_the_profile_that_names_it(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    (below / "locked.toml").write_text(f'include = ["quick"]\n{LOCKED}keys = "file:keys.toml"\n')
    (tmp_path / "mine.toml").write_text('include = ["below/locked.toml"]\n')

    for profile in (load_profile("locked.toml", below), load_profile("mine.toml", tmp_path)):
        assert profile.encryption == Encryption("cbcs", f"file:{below / 'keys.toml'}")


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ('scheme = "cbc1"', "line 3: encryption scheme 'cbc1' is not known; cbcs, cenc are"),
        ('keys = "library"', "line 2: encryption scheme None is not known"),
        ('scheme = "cbcs"\nkeys = "mine"', 'line 4: encryption keys are "library", "file:PATH"'),
        ('scheme = "cbcs"\nrotate = 60', "line 4: [[encryption]] has no field 'rotate'"),
    ],
)
def test_encryption_that_is_none_is_refused_with_its_line(table: str, fault: str) -> None:
    with pytest.raises(ProfileInvalid) as raised:
        parse_profile("mine", f'ladders = ["fast"]\n[encryption]\n{table}\n', PARTS)
    assert fault in str(raised.value)
