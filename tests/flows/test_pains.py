"""What users of other tools suffered from on the path of a film; each test is named after a thread.

Those that have a test elsewhere are listed, with these, in docs/reference/pains.md.
"""

import hashlib
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.conftest import ROOT, Ended, make_film, run_ffmpeg, standing_in
from tests.flows.packages import Package

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]
Published = tuple[Path, dict[str, Any]]
FRAMES = 612


@pytest.fixture(scope="module")
def broken(
    tmp_path_factory: pytest.TempPathFactory, ladder: Path, matinee: Run
) -> tuple[Path, str, Ended, list[Any]]:
    """A film, its digest before, how a publish ended whose encoder crashed, the titles then."""
    folder = tmp_path_factory.mktemp("broken")
    film = make_film(folder / "film.mkv", 3)
    before = hashlib.sha256(film.read_bytes()).hexdigest()
    faulty = standing_in(folder / "ffmpeg", ROOT / "tests/flows/faulty_ffmpeg.py")
    library = folder / "library"
    ended = matinee(
        "publish", film, "--library", library, "--ladder", ladder, "--no-scores", "--json",
        **faulty, MATINEE_FAULT="crash",
    )  # fmt: skip
    return film, before, ended, matinee("list", "--library", library, "--json").json


def test_unmanic_639_a_failed_publish_leaves_the_film_as_it_was(
    broken: tuple[Path, str, Ended, list[Any]],
) -> None:
    """Unmanic#639, Unmanic#635: a good source was replaced by a truncated result."""
    film, before, ended, _ = broken

    assert ended.exit_code != 0
    assert hashlib.sha256(film.read_bytes()).hexdigest() == before
    assert [path.name for path in film.parent.glob("film*")] == [film.name]


def test_peertube_3596_what_failed_is_not_called_done(
    broken: tuple[Path, str, Ended, list[Any]],
) -> None:
    """PeerTube#3596, PeerTube#7444: a job was completed although its encode had failed."""
    _, _, ended, titles = broken

    assert (ended.exit_code, ended.json["state"]) == (5, "failed")
    assert ended.json["error"]["code"] == "encode.failed"
    assert [title["state"] for title in titles] in ([], ["unpublished"])


def streams(published: Published) -> list[list[Path]]:
    """The files of each video rendition, the first with the headers."""
    library, document = published
    folders = sorted((library / "titles" / document["title"] / "renditions").glob("video-*p-*"))
    shown = [folder for folder in folders if not folder.name.endswith("-trick")]
    return [[folder / "init.mp4", *sorted(folder.glob("*.m4s"))] for folder in shown]


def packets(files: list[Path]) -> list[Any]:
    with av.open(BytesIO(b"".join(file.read_bytes() for file in files)), "r") as container:
        return [p for p in container.demux(container.streams.video[0]) if p.size]


def test_av1an_770_no_frame_is_lost_or_doubled_where_chunks_join(published: Published) -> None:
    """Av1an#770, Av1an#734, Av1an#699, NotEnoughAV1Encodes#47: frames went missing at joints."""
    rungs = streams(published)

    assert len(rungs) == 2
    for files in rungs:
        times = np.sort([packet.pts for packet in packets(files)])
        assert len(times) == FRAMES
        assert len(set(np.diff(times).tolist())) == 1


def test_nginx_vod_488_segments_begin_alike_in_every_rung(published: Published) -> None:
    """nginx-vod#488, nginx-vod#904: rungs whose key frames lay elsewhere jumped on a switch."""
    init_and_segments = streams(published)
    starts = [
        [packets([files[0], segment])[0] for segment in files[1:]] for files in init_and_segments
    ]

    assert len(starts[0]) > 5
    assert all(packet.is_keyframe for rung in starts for packet in rung)
    assert [p.pts for p in starts[0]] == [p.pts for p in starts[1]]


def test_peertube_4659_whatever_a_manifest_names_is_there(published: Published) -> None:
    """PeerTube#4659, PeerTube#6149: playlists were published whose files were not."""
    _, document = published
    waiting, seen = [Path(document["hls"])], set[Path]()
    while waiting:
        playlist = waiting.pop()
        text = playlist.read_text()
        named = re.findall(r'URI="([^"]+)"|^([^#\s].*)$', text, re.MULTILINE)
        for path in (playlist.parent / (one or two) for one, two in named):
            assert path.is_file(), path
            if path.suffix == ".m3u8" and path not in seen:
                waiting.append(path)
            seen.add(path)
    assert len(seen) > 20


def test_aws_vod_138_mono_vertical_and_forced_tracks_are_all_there(
    matinee: Run, ladder: Path, tmp_path: Path
) -> None:
    """AWS VOD#138, Jellyfin#17198, Livepeer#2649: mono, forced and vertical tracks vanished."""
    film, text = tmp_path / "phone.mkv", tmp_path / "text.srt"
    text.write_text("1\n00:00:00,500 --> 00:00:02,000\nSigns\n")
    run_ffmpeg(
        "-noautorotate", "-display_rotation", "90", "-f", "lavfi", "-i",
        "testsrc2=s=128x72:r=25:d=3", "-f", "lavfi", "-i",
        "anoisesrc=a=0.2:r=48000:d=3:seed=7,pan=mono|c0=c0", "-i", text, "-map", "0", "-map", "1",
        "-map", "2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "libopus", "-c:s", "srt",
        "-disposition:s:0", "forced", "-metadata:s:s:0", "language=eng", film,
    )  # fmt: skip

    ended = matinee(
        "publish", film, "--library", tmp_path / "library", "--ladder", ladder, "--no-scores",
        "--proofs", "packets", "--json",
    )  # fmt: skip

    assert ended.exit_code == 0, ended.err
    made = {r["type"]: r for r in ended.json["renditions"]}
    assert made["video"]["height"] > made["video"]["width"]
    assert made["audio"]["channels"] == 1
    assert Package(ended.json).media("SUBTITLES")[0]["FORCED"] == "YES"
    assert all(not reason for _, _, reason, _ in Package(ended.json).outcomes)
