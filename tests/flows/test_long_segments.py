"""A profile with longer segments: groups of pictures are whole shots, and all verdicts pass."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Ended
from tests.every_codec import ladder_text

from matinee.media.hls import read_media

pytestmark = pytest.mark.tools


def test_groups_of_pictures_are_whole_shots(
    film: Path, matinee: Callable[..., Ended], tmp_path: Path
) -> None:
    (tmp_path / "av1.toml").write_text(ladder_text("av1", 10, "main"))
    profile = tmp_path / "long.toml"
    profile.write_text('ladders = ["av1.toml"]\n[segments]\nlongest_s = 20\n')
    ended = matinee(
        "publish", film, "--profile", profile, "--library", tmp_path / "library", "--no-scores",
        "--json",
    )  # fmt: skip

    assert ended.exit_code == 0, ended.err
    assert ended.json["state"] == "published"
    assert all(verdict["passed"] for verdict in ended.json["verdicts"])
    folder = Path(ended.json["hls"]).parent / "packages" / Path(ended.json["package"]).name
    playlist = read_media((folder / "video-av1-10-144p.m3u8").read_text())
    lasting = [float(segment.duration) for segment in playlist.segments]
    assert lasting == pytest.approx([17.017, 8.508], abs=0.1)
    assert playlist.target_duration == 18
