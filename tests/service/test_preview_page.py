"""A film is watched in the browser while it is still being made."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.apps.viewer import Viewer
from tests.conftest import TINY_LADDER
from tests.service.running import LONG_S, Up, new_library, put

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),  # first of all: without one there is nothing to wait for
]


def test_a_preview_is_offered_live_and_plays_while_the_film_is_made(
    open_viewer: Callable[..., Viewer], long_film: Path, tmp_path: Path
) -> None:
    slow, watched = tmp_path / "slow.toml", tmp_path / "watched"
    slow.write_text(TINY_LADDER.replace('"veryfast"', '"veryslow"'))
    watched.mkdir()
    library = new_library(tmp_path, slow)
    with Up(library, ["--watch", watched, "--workers", 1]).running() as up:
        viewer = open_viewer(up.address)
        page = viewer.open("/studio/runs")
        page.get_by_text("Nothing is being made").wait_for()
        put(long_film, watched, "Soon here")
        page.get_by_role("link", name="Soon here.mp4").first.click(timeout=LONG_S * 1000)
        link = page.get_by_role("link", name="Watch the preview")
        link.wait_for(timeout=LONG_S * 1000)
        page.get_by_role("link", name="Title", exact=True).click()
        link.click(timeout=LONG_S * 1000)

        page.get_by_text("This is a preview").wait_for()
        for format_ in ("hls", "dash"):
            page.goto(f"{up.address}/watch/soon-here?preview&autoplay&format={format_}")
            viewer.until("window.matinee && matinee.state().time > 1", LONG_S)
            state = viewer.state()
            assert state["error"] is None
            assert state["time"] < 60, "it begins at the film's begin"
            grown = f"matinee.state().reach_s > {state['reach_s']}"
            viewer.until(f"{grown} || !matinee.state().is_growing", LONG_S)
        (run,) = up.get("/v1/runs")
        assert (run["state"], run["title"]) == ("running", "soon-here")
        assert up.get("/v1/titles/soon-here")["media"] is None
        page.close()  # it still asks for more: the service's end would be an error there
