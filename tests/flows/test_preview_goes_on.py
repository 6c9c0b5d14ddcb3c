"""A preview whose maker is killed goes on from the chunks that are done."""

import asyncio
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import ROOT, environment
from tests.flows.crash import digest_tree
from tests.flows.preview_alone import TITLE, make
from tests.shared import made_once

from matinee.adapters.objects import folder_objects
from matinee.assets.derivation import Step
from matinee.config import Settings
from matinee.core.progress import Silent
from matinee.media.hls import read_media
from matinee.stages.showing import Showing
from matinee.wiring.publishing import open_house

pytestmark = pytest.mark.tools

MOMENTS = ("video-00003.m4s", "main.mpd", "video-00006.m4s")
"""Places in the preview's folder; at each of them one maker after the other is killed."""


@dataclass(frozen=True)
class Made:
    """A preview that was made in peace, and one whose makers were killed."""

    calm: Path
    wild: Path
    ends: tuple[int, ...]
    shown: tuple[str, ...]
    """The playlist of pictures after each death, then as it was first seen by the last maker."""

    def folder(self, library: Path) -> Path:
        return library / "titles" / TITLE / "preview"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, film: Path) -> Made:
    def both(folder: Path) -> Made:
        calm, wild = folder / "calm", folder / "wild"
        make(calm, film)
        ends, shown = [], []
        for moment in MOMENTS:
            ends.append(killed(wild, film, moment))
            shown.append((wild / "titles" / TITLE / "preview" / "video.m3u8").read_text())
        return Made(calm, wild, tuple(ends), (*shown, make(wild, film)))

    return made_once(tmp_path_factory, "preview-goes-on", both)


def killed(library: Path, film: Path, moment: str) -> int:
    variables = {**environment(), "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    command = [sys.executable, "-m", "tests.flows.preview_alone", str(library), str(film), moment]
    return subprocess.run(command, env=variables, check=False, timeout=120).returncode


def attempts(library: Path, function: str) -> list[tuple[str, str | None]]:
    """The keys of a function's attempts, and how each ended."""
    with closing(sqlite3.connect(library / "matinee.db")) as database:
        return database.execute(
            "SELECT key, outcome FROM attempt WHERE function = ?", (function,)
        ).fetchall()


def test_its_maker_died_each_time(made: Made) -> None:
    assert made.ends == (-signal.SIGKILL,) * len(MOMENTS)


def test_it_is_as_if_nobody_had_died(made: Made) -> None:
    assert digest_tree(made.folder(made.wild)) == digest_tree(made.folder(made.calm))


def test_what_was_shown_is_never_taken_back(made: Made) -> None:
    """RFC 8216bis section 4.4.3.5, over all makers."""
    playlists = [read_media(text).segments for text in made.shown]

    counts = [len(segments) for segments in playlists]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    for fewer, more in itertools.pairwise(playlists):
        assert more[: len(fewer)] == fewer


def test_no_chunk_that_was_done_is_made_again(made: Made) -> None:
    tries = attempts(made.wild, "show_chunk")
    done = Counter(key for key, outcome in tries if outcome == "done")
    cut_off = Counter(key for key, outcome in tries if outcome is None)
    assert set(done.values()) == {1}
    assert sum(cut_off.values()) <= len(MOMENTS)


def test_a_segment_that_was_lost_is_made_again(made: Made, film: Path) -> None:
    folder = made.folder(made.wild)
    before = digest_tree(folder)
    (folder / "video-00004.m4s").unlink()
    (folder / "audio-00002.m4s").write_bytes(b"damaged")

    make(made.wild, film)

    assert digest_tree(folder) == before


def test_sound_that_is_whole_is_not_made_again_for_want_of_a_picture(
    made: Made, film: Path
) -> None:
    folder = made.folder(made.wild)
    before, tries = digest_tree(folder), attempts(made.wild, "show_sound")
    (folder / "video-00001.m4s").unlink()

    make(made.wild, film)

    assert digest_tree(folder) == before
    assert attempts(made.wild, "show_sound") == tries


def test_what_another_film_left_is_removed_first(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "titles" / TITLE / "preview"
    folder.mkdir(parents=True)
    for name in ("video.m3u8", "video-00001.m4s", "video-00002.m4s"):
        (folder / name).write_bytes(b"of another film")
    store, steps = folder_objects(tmp_path), [Step("show_chunk", 1, {}, {"of": "this film"})]
    with open_house(Settings(made.wild, 1), Silent(), refresh=False) as (house, bench):
        showing = Showing(store, TITLE, house.now, lambda: None, {})
        done = asyncio.run(showing.take_up(bench, {"video": steps}))

    assert done == {"video": 0}
    assert list(folder.iterdir()) == []
