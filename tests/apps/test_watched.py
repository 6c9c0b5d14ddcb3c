"""A viewer does not notice that segments are damaged and mended; the long form: watched.py."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.apps.cinema import Cinema
from tests.apps.live_server import LiveServer
from tests.apps.viewer import Viewer
from tests.apps.watched import begin, watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),  # first of all: without one there is nothing to wait for
]


def test_a_viewer_never_waits_while_segments_are_damaged_and_mended(
    open_viewer: Callable[..., Viewer], cinema: Cinema, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    shutil.copytree(cinema.library, library)
    with LiveServer.over(library) as server:
        viewer = open_viewer(server.address)
        begin(viewer)
        seen = watch(viewer, library, random.Random(20261128))
        viewer.page.close()  # before its server is

    assert seen.stalls == []
    assert (seen.ended, seen.same) == (True, True)
    assert seen.damaged and seen.fetched
