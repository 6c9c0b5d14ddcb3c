"""Where a preview plays, and for whom: addresses in the API, the page, the door of ``/media``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.apps.live_service import ELSEWHERE, LOOPBACK, LiveService, live_service

from matinee.core.ids import digest_of
from matinee.ports.catalog import Title
from matinee.ports.runs import Ended, Run, Wish
from matinee.wiring.library import now

MAKING, BARE = "making", "bare"


def stocked(live: LiveService) -> Run:
    """A hidden title with a preview whose run goes on, and one without."""
    for title in (MAKING, BARE):
        source = digest_of(title.encode())
        live.library.titles.add(Title(title, title, source, "f.mp4", "", now(), None))
    live.library.desk.open_to_all(MAKING, is_public=True)
    folder = live.library.settings.library / "titles" / MAKING / "preview"
    folder.mkdir(parents=True)
    for name in ("main.m3u8", "main.mpd"):
        (folder / name).write_text(f"this is {name}\n")
    live.library.runs.submit(Wish("run", "publish", "f.mp4", {}))
    run = live.library.runs.claim("a worker")
    assert run is not None
    return run


@pytest.fixture
def away(tmp_path: Path) -> Iterator[LiveService]:
    with live_service(tmp_path, ELSEWHERE) as live:
        yield live


def test_a_run_tells_where_its_preview_plays_while_it_goes_on(tmp_path: Path) -> None:
    with live_service(tmp_path, LOOPBACK) as live:
        run = stocked(live)
        place = f"/media/titles/{MAKING}/preview"
        addresses = {"hls": f"{place}/main.m3u8", "dash": f"{place}/main.mpd"}

        assert live.ask("/v1/runs/run").json["preview"] is None
        live.library.runs.tell(run, {"preview": True}, MAKING)
        shown = live.ask("/v1/runs/run")
        assert shown.json["preview"] == addresses
        assert live.ask(addresses["dash"]).body == b"this is main.mpd\n"
        assert live.ask("/v1/runs/run", "PATCH", {"priority": 3}).json["preview"] == addresses
        live.library.runs.end(run, Ended("failed"))
        assert live.ask("/v1/runs/run").json["preview"] is None
        assert live.ask(f"/v1/titles/{MAKING}").json["preview"] == addresses
        assert live.ask(f"/v1/titles/{BARE}").json["preview"] is None


def test_the_page_plays_a_preview_where_there_is_one(tmp_path: Path) -> None:
    with live_service(tmp_path, LOOPBACK) as live:
        stocked(live)
        plain = live.ask(f"/watch/{MAKING}").body.decode()
        page = live.ask(f"/watch/{MAKING}?preview").body.decode()
        none = live.ask(f"/watch/{BARE}?preview").body.decode()

    assert f'href="/watch/{MAKING}?preview"' in plain and "data-preview" not in plain
    assert f'data-title="{MAKING}" data-preview' in page and "This is a preview" in page
    assert "not on screen" in none and "preview" not in none


def test_a_preview_is_signed_for_and_never_open_to_all(away: LiveService) -> None:
    run = stocked(away)
    away.library.runs.tell(run, {"preview": True}, MAKING)
    plain = f"/media/titles/{MAKING}/preview/main.m3u8"
    signed = away.ask("/v1/runs/run").json["preview"]["hls"]

    assert signed.startswith("/media/s/") and signed.endswith(f"/titles/{MAKING}/preview/main.m3u8")
    assert away.ask(f"/v1/titles/{MAKING}").json["preview"]["hls"] == signed
    answer = away.ask(signed, secret=None)
    assert (answer.status, answer.body) == (200, b"this is main.m3u8\n")
    assert answer.headers["cache-control"] == "no-cache"
    assert away.ask(plain).status == 200
    assert away.ask(plain, secret=None).status == 404
    assert away.ask(signed.replace(MAKING, BARE), secret=None).status == 404
