"""A film plays while it is being made: what is shown of its preview is whole and in order."""

import asyncio
import itertools
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import imageio_ffmpeg
import pytest
from tests.shared import made_once

from matinee.config import Settings
from matinee.flows.board import Board
from matinee.flows.work import Outcome, Worker
from matinee.media.cmaf import read_init, read_segment
from matinee.media.hls import read_media
from matinee.ports.runs import Run, Wish
from matinee.wiring.library import open_library
from matinee.wiring.worker import open_worker

pytestmark = pytest.mark.tools

FRAMES = 612
MPD = "{urn:mpeg:dash:schema:mpd:2011}"


@dataclass
class Watcher(Board):
    """Sees what a viewer would have seen when the preview was first there."""

    library: Path = Path()
    seen: dict[str, Any] = field(default_factory=dict)

    def previewed(self) -> None:
        super().previewed()
        folder = self.library / "titles" / str(self.title)
        self.seen = {
            "video": (folder / "preview/video.m3u8").read_text(),
            "mpd": (folder / "preview/main.mpd").read_text(),
            "is_published": (folder / "main.m3u8").exists(),
        }


async def carried_out(worker: Worker, run: Run, board: Board) -> Outcome:
    return await worker.execute(run, board)


@pytest.fixture(scope="session")
def previewed(
    tmp_path_factory: pytest.TempPathFactory, film: Path, ladder: Path
) -> tuple[Path, dict[str, Any], Outcome]:
    """A run that made a preview and published: the title's folder, what a viewer saw, its end."""

    def make(library: Path) -> tuple[Path, dict[str, Any], Outcome]:
        settings = Settings(library, 2)
        worker, _ = open_worker(settings)
        request = {"place": str(film), "ladder": str(ladder), "scores": False}
        runs = open_library(settings).runs
        runs.submit(Wish("run-1", "publish", film.name, request))
        run = runs.claim(worker.owner)
        assert isinstance(run, Run)
        board = Watcher(film.name, library=library)
        outcome = asyncio.run(carried_out(worker, run, board))
        return library / "titles" / str(board.title), board.seen, outcome

    return made_once(tmp_path_factory, "previewed", make)


def played(manifest: Path, kind: str) -> list[str]:
    """What a decoder gives of a track: a line for each frame."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-xerror"]
    done = subprocess.run(
        [*command, "-allowed_extensions", "ALL", "-i", manifest, "-map", f"0:{kind}:0",
         "-f", "framecrc", "-"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


def test_it_can_be_watched_before_the_title_is_there(
    previewed: tuple[Path, dict[str, Any], Outcome],
) -> None:
    _, seen, outcome = previewed
    playlist = read_media(seen["video"])

    assert outcome.state == "done"
    assert not seen["is_published"]
    assert (playlist.kind, playlist.has_end) == ("EVENT", False)
    assert 'type="dynamic"' in seen["mpd"]


def test_what_was_there_stays_and_the_rest_comes_after_it(
    previewed: tuple[Path, dict[str, Any], Outcome],
) -> None:
    """An EVENT playlist only grows (RFC 8216bis section 4.4.3.5)."""
    folder, seen, _ = previewed
    before = read_media(seen["video"])
    after = read_media((folder / "preview/video.m3u8").read_text())

    assert after.segments[: len(before.segments)] == before.segments
    assert after.target_duration == before.target_duration
    assert after.has_end
    assert len(after.segments) == 6


def test_every_frame_is_shown_once_at_its_time(
    previewed: tuple[Path, dict[str, Any], Outcome],
) -> None:
    folder, _, _ = previewed
    lines = played(folder / "preview/main.m3u8", "v")

    assert len(lines) == FRAMES
    times = [int(line.split(",")[2]) for line in lines]
    assert {b - a for a, b in itertools.pairwise(times)} == {times[1] - times[0]}


def test_segments_follow_each_other_without_a_gap(
    previewed: tuple[Path, dict[str, Any], Outcome],
) -> None:
    folder, _, _ = previewed
    for kind in ("video", "audio"):
        init = read_init((folder / f"preview/{kind}-init.mp4").read_bytes())
        playlist = read_media((folder / f"preview/{kind}.m3u8").read_text())
        at = 0
        for segment in playlist.segments:
            media = read_segment((folder / "preview" / segment.uri).read_bytes(), init)
            assert media.samples[0].decode_time == at
            at += media.duration
        assert init.media_time == 0


def test_both_manifests_tell_of_the_same_segments(
    previewed: tuple[Path, dict[str, Any], Outcome],
) -> None:
    folder, _, _ = previewed
    mpd = ET.fromstring((folder / "preview/main.mpd").read_text())  # noqa: S314  # our own
    assert mpd.get("type") == "static"
    for adaptation in mpd.iter(f"{MPD}AdaptationSet"):
        template = next(adaptation.iter(f"{MPD}SegmentTemplate"))
        playlist = read_media(
            (folder / f"preview/{adaptation.get('contentType')}.m3u8").read_text()
        )
        ticks = [int(s.get("d", "0")) for s in template.iter(f"{MPD}S")]
        assert [tick / int(template.get("timescale", "1")) for tick in ticks] == pytest.approx(
            [float(segment.duration) for segment in playlist.segments], abs=1e-5
        )


def test_the_titles_own_manifests_never_name_it(
    previewed: tuple[Path, dict[str, Any], Outcome],
) -> None:
    folder, _, _ = previewed
    for name in ("main.m3u8", "main.mpd"):
        assert "preview" not in (folder / name).read_text()


def test_the_frames_are_those_of_the_film(
    previewed: tuple[Path, dict[str, Any], Outcome], film: Path
) -> None:
    """Compared with the published rendition of about that size, second by second."""
    folder, _, _ = previewed
    graph = (
        "[0:v]settb=1/1000,setpts=N,scale=256:144[a];"
        "[1:v]settb=1/1000,setpts=N,scale=256:144[b];[a][b]psnr=stats_file=-"
    )
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", film,
        "-i", folder / "preview/main.m3u8", "-lavfi", graph, "-f", "null", "-",
    ]  # fmt: skip
    stats = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    values = [float(line.split("psnr_avg:")[1].split()[0]) for line in stats.splitlines()]
    assert len(values) == FRAMES
    assert min(values) > 22
