"""A film in every codec: each stream is what it says, and shows and sounds what it should."""

import re
from collections.abc import Callable

import pytest
from tests.conftest import Ended
from tests.every_codec import FAMILIES, FRAMES, EveryCodec

from matinee.media.codecs import BY_ENTRY
from matinee.media.codecs.sound import SOUND_CODECS
from matinee.media.ladder import family_of

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]


def test_all_verdicts_over_every_codec_pass(every_codec: EveryCodec) -> None:
    verdicts = every_codec.document["verdicts"]

    assert every_codec.document["state"] == "published"
    assert all(verdict["passed"] for verdict in verdicts)
    proved = {v["subject"] for v in verdicts if v["judge"] == "frames" and v["evidence"]["decoded"]}
    assert proved == {one["name"] for one in every_codec.of_type("video")}


def test_there_is_a_rendition_of_every_codec_depth_and_profile(every_codec: EveryCodec) -> None:
    names = {one["name"] for one in every_codec.of_type("video")}
    families = {re.sub(r"-?\d+p$", "", name.removeprefix("video-")) for name in names}
    sounds = {one["codec"] for one in every_codec.of_type("audio")}

    assert families == {family_of(*family) for family in FAMILIES}
    assert len(sounds) == len(SOUND_CODECS)
    for video in every_codec.of_type("video"):
        told = BY_ENTRY[video["codec"].split(".")[0]].told(video["codec"])
        assert told.depth == (10 if "-10-" in video["name"] else 8)
        assert video["frames"] == FRAMES
