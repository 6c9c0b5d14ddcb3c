"""Pages and JSON over HTTP."""

import itertools
import shutil
from pathlib import Path

import pytest
from tests.apps.cinema import HEIGHTS, NAME, SECONDS, TITLE, Cinema, Run
from tests.apps.live_server import LiveServer, ask
from tests.apps.shelf import Shelf, report_file

from matinee.apps.web.app import SECURITY_HEADERS

pytestmark = pytest.mark.tools

WATCH, REPORT, JSON = f"/watch/{TITLE}", f"/titles/{TITLE}", f"/v1/titles/{TITLE}"
BOLD = "A &lt;b&gt;bold&lt;/b&gt; &amp; long film"


def test_pages_carry_a_strict_policy(server: LiveServer) -> None:
    for path in ("/", WATCH, REPORT, "/v1/titles", "/healthz", "/nope"):
        headers = ask(server, path).headers
        for name, value in SECURITY_HEADERS.items():
            assert headers[name] == value, (path, name)
    policy = SECURITY_HEADERS["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy


def test_pages_name_no_other_host_and_no_inline_code(server: LiveServer) -> None:
    for path in ("/", WATCH, REPORT, "/watch/waiting", "/titles/bare", "/nope"):
        page = ask(server, path).body.decode()
        assert "http://" not in page and "https://" not in page
        assert "style=" not in page and "onclick" not in page
        assert "<script>" not in page and "<style" not in page


def test_names_are_escaped(server: LiveServer) -> None:
    for path in ("/", WATCH, REPORT):
        page = ask(server, path).body.decode()
        assert "<b>bold" not in page
        assert BOLD in page


def test_the_list_shows_titles_with_posters(server: LiveServer, shelf: Shelf) -> None:
    page = ask(server, "/").body.decode()

    sheet = shelf.file("renditions/thumb*/00001.jpg").relative_to(shelf.title)
    assert f'href="/media/titles/{TITLE}/{sheet}"' in page
    assert f'href="{WATCH}"' in page
    assert 'href="/watch/waiting"' not in page
    assert 'href="/watch/bare"' not in page
    assert page.index(BOLD) < page.index("Not on screen") < page.index("Waiting")


def test_an_empty_library_says_how_to_begin(tmp_path: Path) -> None:
    with LiveServer.over(tmp_path) as server:
        answer = ask(server, "/")

    assert answer.status == 200
    assert b"matinee publish" in answer.body


def test_titles_are_listed_as_json(server: LiveServer) -> None:
    titles = ask(server, "/v1/titles").json

    assert [title["id"] for title in titles] == [TITLE, "waiting"]
    assert set(titles[0]) == {"id", "name", "state", "credit", "poster", "duration"}
    assert [title["state"] for title in titles] == ["published", "hidden"]
    assert [title["duration"] for title in titles] == [SECONDS, pytest.approx(3, abs=0.1)]
    assert titles[0]["poster"].startswith(f"/media/titles/{TITLE}/renditions/")
    assert titles[1]["poster"] is None


def test_the_poster_lies_inside_the_sheet(server: LiveServer) -> None:
    summary, title = ask(server, "/v1/titles").json[0], ask(server, JSON).json
    sheet = title["report"]["thumbnails"]

    path, fragment = summary["poster"].split("#xywh=")
    x, y, width, height = map(int, fragment.split(","))
    assert (width, height) == (sheet["width"], sheet["height"])
    assert x + width <= sheet["columns"] * width and y + height <= sheet["rows"] * height
    assert ask(server, path).body.startswith(b"\xff\xd8")
    assert title.items() >= summary.items()


def test_a_title_comes_with_its_report(server: LiveServer, shelf: Shelf, cinema: Cinema) -> None:
    title = ask(server, JSON).json
    first, second = cinema.packages

    assert title["report"] == cinema.report
    assert (title["package"], title["current"]) == (second, second)
    assert title["media"] == {
        "hls": f"/media/titles/{TITLE}/main.m3u8",
        "dash": f"/media/titles/{TITLE}/main.mpd",
        "licence": None,
    }
    assert [
        (package["id"], package["state"], package["current"]) for package in title["packages"]
    ] == [(second, "ready", True), (first, "ready", False)]
    older = ask(server, f"{JSON}?package={first}").json["report"]
    assert len(title["report"]["renditions"]) == len(older["renditions"]) + 1
    assert older["package"]["id"] == first != shelf.package


def test_bits_and_scores_grow_with_the_rungs(cinema: Cinema) -> None:
    rungs = [r for r in cinema.report["renditions"] if r["type"] == "video"]
    rungs.sort(key=lambda rung: rung["height"])
    assert [rung["height"] for rung in rungs] == list(HEIGHTS)
    for smaller, larger in itertools.pairwise(rungs):
        assert 2 * smaller["bits_per_second"] < larger["bits_per_second"]
        assert smaller["vmaf"]["mean"] < larger["vmaf"]["mean"]


def test_a_hidden_title_keeps_its_report_and_plays_nothing(server: LiveServer) -> None:
    waiting, bare = ask(server, "/v1/titles/waiting").json, ask(server, "/v1/titles/bare").json

    assert (waiting["media"], waiting["current"]) == (None, None)
    assert waiting["report"]["title"]["id"] == "waiting"
    assert (bare["media"], bare["report"], bare["packages"]) == (None, None, [])
    assert b"not on screen" in ask(server, "/watch/waiting").body


def test_a_title_that_is_unpublished_while_served_is_gone(
    cinema: Cinema, matinee: Run, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    shutil.copytree(cinema.library, library)
    with LiveServer.over(library) as server:
        assert ask(server, f"/media/titles/{TITLE}/main.m3u8").status == 200
        assert matinee("unpublish", TITLE, "--library", library).exit_code == 0
        assert ask(server, f"/media/titles/{TITLE}/main.m3u8").status == 404
        assert ask(server, JSON).json["media"] is None
        assert NAME in ask(server, "/").body.decode().partition("Not on screen")[2]


@pytest.mark.parametrize("path", ["/v1/titles/none", f"{JSON}?package=none", "/v1/none"])
def test_errors_of_the_api_are_problem_documents(server: LiveServer, path: str) -> None:
    answer = ask(server, path)

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] == "not_found"
    assert answer.json["status"] == 404
    assert ask(server, "/v1/titles", "POST").status == 405
    assert ask(server, "/v1/titles", "POST").json["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/watch/none", "/titles/none", "/nope", f"{REPORT}?package=x"])
def test_people_get_a_page_for_what_is_missing(server: LiveServer, path: str) -> None:
    answer = ask(server, path)

    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert b"All titles" in answer.body


def test_a_damaged_library_gives_no_detail_away(cinema: Cinema, tmp_path: Path) -> None:
    library = tmp_path / "library"
    shutil.copytree(cinema.library, library)
    report = report_file(library, cinema.packages[-1])
    report.write_text("{")
    with LiveServer.over(library) as server:
        answer, page = ask(server, JSON), ask(server, REPORT)
        report.unlink()
        lost = ask(server, JSON)

    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert page.status == 500
    assert b"Traceback" not in answer.body + page.body
    assert "content-security-policy" in page.headers
    assert (lost.status, lost.json["code"]) == (500, "object.missing")
    assert str(library) not in lost.body.decode()


def test_health_answers(server: LiveServer) -> None:
    assert ask(server, "/healthz").json == {"status": "ok"}
