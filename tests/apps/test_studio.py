"""The studio in a real browser, over a service in the middle of its work."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.apps.cinema import NAME, TITLE, Cinema
from tests.apps.live_service import LiveService, live_service
from tests.apps.studio_scene import CHUNKS, RUNGS, OneUpload, Scene, TwoRules, progress, set_scene
from tests.apps.viewer import PHONE, Viewer
from tests.conftest import ROOT, Ended

from matinee.core.events import Fact
from matinee.core.ids import digest_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),  # first of all: without one there is nothing to wait for
]

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def scene(cinema: Cinema, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    library = tmp_path_factory.mktemp("studio") / "library"
    shutil.copytree(cinema.library, library)
    with live_service(library, rules=TwoRules(), uploads=OneUpload()) as live:
        yield set_scene(live)


@pytest.fixture
def studio(
    open_viewer: Callable[..., Viewer], scene: Scene
) -> Callable[..., tuple[Viewer, LiveService]]:
    """Opens viewers that are signed in as the administrator, by a link."""

    def opened(**options: Any) -> tuple[Viewer, LiveService]:
        live = scene.live
        viewer = open_viewer(live.address, **options)
        viewer.open(live.service.links.make(live.service.tokens.all()[0]))
        viewer.page.get_by_role("heading", name="Titles", exact=True).wait_for()
        return viewer, live

    return opened


def pages(live: LiveService) -> list[str]:
    ended = live.ask("/v1/events?type=run.ended").json[0]["id"]
    return [
        "/studio", f"/studio/titles/{TITLE}", "/studio/runs", "/studio/runs/r-failed",
        "/studio/deliveries", "/studio/events", f"/studio/events/{ended}", "/studio/rules",
        "/studio/numbers", "/studio/upload", "/studio/sign-in", "/studio/nowhere",
        "/studio/health", f"/studio/lineage?thing={TITLE}", "/studio/backups",
    ]  # fmt: skip


def settled(viewer: Viewer, path: str) -> Any:
    page = viewer.open(path)
    viewer.until("!document.querySelector('#studio').hasAttribute('aria-busy')")
    return page


@pytest.mark.parametrize(("scheme", "viewport"), [("light", None), ("dark", PHONE)])
def test_every_page_is_accessible_and_fits(
    studio: Callable[..., Any], scheme: str, viewport: dict[str, int] | None
) -> None:
    viewer, live = studio(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    axe = AXE.read_text()
    for path in pages(live):
        page = settled(viewer, path)
        page.evaluate(axe)
        found = page.evaluate(f"axe.run({{runOnly: {json.dumps(RULES)}}})")
        faults = [
            (fault["id"], [node["html"][:160] for node in fault["nodes"]])
            for fault in found["violations"]
        ]
        assert faults == [], path
        assert len(found["passes"]) > 10
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, f"{path} is wider than the screen"


def test_a_link_signs_in_and_its_code_is_gone(studio: Callable[..., Any]) -> None:
    viewer, _ = studio()
    page = viewer.page

    assert "code=" not in page.url
    assert page.get_by_role("button", name="Sign out").is_visible()
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").wait_for()


def test_a_token_signs_in_and_leads_back(open_viewer: Callable[..., Viewer], scene: Scene) -> None:
    viewer = open_viewer(scene.live.address)
    page = viewer.open("/studio/sign-in?to=/studio/runs/r-queued-1")
    page.get_by_label("Token").fill(scene.live.token("operate"))
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Waiting 1.mkv").wait_for()
    assert page.get_by_role("button", name="Cancel").is_visible()
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        page.goto(f"{scene.live.address}/studio/sign-in?to={elsewhere}")
        page.get_by_label("Token").fill(scene.live.token("read"))
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Titles", exact=True).wait_for()


def test_who_is_not_signed_in_sees_and_cannot_act(
    open_viewer: Callable[..., Viewer], scene: Scene
) -> None:
    viewer = open_viewer(scene.live.address)
    page = settled(viewer, "/studio/runs/r-queued-1")

    assert page.get_by_role("heading", name="Waiting 1.mkv").is_visible()
    assert page.get_by_role("button", name="Cancel").count() == 0
    settled(viewer, f"/studio/titles/{TITLE}")
    assert page.get_by_role("button", name="Take off the screen").count() == 0


def test_the_grid_fills_in_as_cells_finish(studio: Callable[..., Any], scene: Scene) -> None:
    scene.move(2)
    viewer, _ = studio()
    page = settled(viewer, f"/studio/titles/{TITLE}")
    cells = page.locator(".cells .cell")
    assert cells.count() == len(RUNGS) * CHUNKS
    done = page.locator(".cells .cell.d")
    assert done.count() == len(RUNGS) * 2

    scene.move(9)
    viewer.until(f"document.querySelectorAll('.cells .cell.d').length === {len(RUNGS) * 9}")
    first = page.locator(".cells .cell").nth(3)
    label = f"{RUNGS[-1]}, chunk 4, frames 720 to 959: proved and scored"
    assert first.get_attribute("aria-label") == label


def test_a_cell_is_chosen_with_the_keyboard(studio: Callable[..., Any], scene: Scene) -> None:
    scene.move(4)
    viewer, _ = studio()
    page = settled(viewer, f"/studio/titles/{TITLE}")
    page.locator(".cells [tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused).startswith(f"{RUNGS[1]}, chunk 3,")
    assert page.locator(".cells [tabindex='0']").count() == 1

    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Reused").wait_for()
    page.keyboard.press("Escape")
    viewer.until("!document.querySelector('dialog')")
    assert page.evaluate(focused).startswith(f"{RUNGS[1]}, chunk 3,")


def test_a_long_film_is_looked_at_part_by_part(studio: Callable[..., Any], scene: Scene) -> None:
    long = 10_000
    grid = {
        "rungs": ["240p"], "chunks": [[n, n + 1] for n in range(long)],
        "cells": {"240p": "d" * 4000 + "f" + "q" * (long - 4001)}, "sheet": None,
    }  # fmt: skip
    told = progress(dict.fromkeys(RUNGS, "d" * CHUNKS)) | {"grid": grid}
    scene.live.library.runs.tell(scene.running, told, TITLE)
    viewer, _ = studio()
    page = settled(viewer, "/studio/runs/r-running")
    assert page.locator(".cells .cell").count() <= 120

    page.locator(".cells .cell.f").click()
    page.locator(".cells .cell.f").click()
    page.get_by_role("gridcell").locator(
        "[aria-label*='chunk 4001,'], [aria-label*='4001']"
    ).first.wait_for()
    page.get_by_role("button", name="All chunks").click()
    assert page.locator(".cells .cell.f").count() == 1
    scene.move(4)


def test_a_failure_says_what_to_do_and_is_retried(studio: Callable[..., Any], scene: Scene) -> None:
    viewer, live = studio()
    page = settled(viewer, "/studio/runs/r-failed")
    for words in ("encoding chunk 7: ffmpeg exited with 137", "What to do:", "What was finished"):
        assert page.get_by_text(words).first.is_visible(), words

    page.get_by_label("Restart from").select_option("score")
    page.get_by_role("button", name="Restart", exact=True).click()
    page.get_by_text("Queued again.").wait_for()
    assert live.ask("/v1/runs/r-failed").json["request"]["redo"] == "score"
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    page.locator(".run-facts").get_by_text("Cancelled").wait_for()


def test_the_queue_keeps_its_order_as_priorities_change(studio: Callable[..., Any]) -> None:
    viewer, live = studio()
    page = settled(viewer, "/studio/runs")
    page.get_by_role("button", name="Sooner: Waiting 2.mkv").focus()
    page.keyboard.press("Enter")

    viewer.until(
        "[...document.querySelectorAll('.run-row a')].map((a) => a.textContent)"
        ".filter((name) => name.startsWith('Waiting')).join() === 'Waiting 2.mkv,Waiting 1.mkv'"
    )
    assert live.ask("/v1/runs/r-queued-2").json["priority"] == 10
    label = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(label) == "Sooner: Waiting 2.mkv"
    page.get_by_role("button", name="Later: Waiting 2.mkv").click()
    viewer.until("!document.body.innerText.includes('priority 10')")


def test_a_dead_delivery_is_replayed(studio: Callable[..., Any], scene: Scene) -> None:
    viewer, live = studio()
    page = viewer.page
    page.get_by_role("link", name="1 delivery needs a decision").click()
    page.get_by_text("https://hooks.example answered 410").wait_for()
    page.get_by_role("button", name=f"Replay delivery {scene.delivery}").click()

    page.get_by_text("It is tried again.").wait_for()
    assert live.ask("/v1/deliveries?state=dead").json == []
    page.get_by_text("None.").wait_for()


def test_events_are_found_and_lead_to_their_causes(studio: Callable[..., Any]) -> None:
    viewer, live = studio()
    page = settled(viewer, "/studio/events")
    page.get_by_label("Type").fill("run.e*")
    viewer.until(
        "[...document.querySelectorAll('.event-type')].every((e) => e.textContent === 'run.ended')"
    )
    page.get_by_role("link", name="Torn.mkv: film refused").click()
    page.locator(".tree .asked").wait_for()
    tree = page.locator(".tree").inner_text()
    assert tree.startswith("film.mkv arrived")
    assert "Torn.mkv is being made" in tree
    page.go_back()
    viewer.until("document.querySelectorAll('.events li').length > 0")
    assert page.get_by_label("Type").input_value() == "run.e*"
    assert live.ask("/v1/events?type=run.e*").json


def test_a_new_event_appears_by_itself(studio: Callable[..., Any]) -> None:
    viewer, live = studio()
    page = settled(viewer, "/studio/events")
    page.locator(".live.on").wait_for()
    live.service.log.append([Fact("title.hidden", "title/live", {"title": "live", "name": "Live"})])
    page.get_by_role("link", name="Live is off the screen").wait_for()


def test_an_event_is_tried_against_the_rules(studio: Callable[..., Any]) -> None:
    viewer, _ = studio()
    page = settled(viewer, "/studio/rules")
    assert page.locator(".source li").count() == 10

    page.get_by_label("Type").select_option("verdict.failed")
    page.get_by_role("button", name="Try it").click()
    results = page.locator("form + div li")
    viewer.until("document.querySelectorAll('form + div li').length === 2")
    assert [text.split("\n")[1] for text in results.all_inner_texts()] == ["would not", "would act"]
    page.get_by_label("Data").fill("{")
    page.get_by_role("button", name="Try it").click()
    page.get_by_text("The data are no JSON").wait_for()


def test_the_page_of_backups_tells_age_verdict_and_what_is_late(
    studio: Callable[..., Any], matinee: Callable[..., Ended], tmp_path: Path
) -> None:
    viewer, live = studio()
    page = settled(viewer, "/studio/backups")
    page.get_by_text("Nothing is backed up").wait_for()
    library, place = live.library.settings.library, str(tmp_path / "vault")
    policy = library / "backup.toml"
    policy.write_text(f'[[backup]]\nto = "{place}"\n')
    try:
        assert matinee("backup", "--library", library).exit_code == 0
        page = settled(viewer, "/studio/backups")
        page.get_by_role("heading", name=place).wait_for()
        page.get_by_text("The last drill is too old.").wait_for()
        assert matinee("drill", "--library", library).exit_code == 0
        page = settled(viewer, "/studio/backups")
        page.get_by_text("As it should be.").wait_for()
        page.get_by_text("all came back whole").wait_for()
    finally:
        policy.unlink()


def test_a_title_is_renamed_and_hidden(studio: Callable[..., Any]) -> None:
    viewer, live = studio()
    page = settled(viewer, f"/studio/titles/{TITLE}")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name").fill("Renamed")
    page.get_by_label("Anybody may fetch").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Renamed").wait_for()
    assert live.ask(f"/v1/titles/{TITLE}").json["public"] is True

    page.get_by_role("button", name="Take off the screen").click()
    page.get_by_role("button", name="Put on screen").click()
    page.get_by_role("link", name="Watch").wait_for()
    live.ask(f"/v1/titles/{TITLE}", "PATCH", {"name": NAME, "public": False})


def test_a_title_is_deleted_and_brought_back(studio: Callable[..., Any]) -> None:
    viewer, live = studio()
    page = settled(viewer, f"/studio/titles/{TITLE}")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("Goes for good").wait_for()
    assert live.ask("/v1/titles").json == []
    page = settled(viewer, "/studio")
    page.get_by_label("Show").select_option("deleted")
    page.locator(".card-link").click()
    page.get_by_role("button", name="Bring it back").click()
    page.get_by_role("link", name="Watch").wait_for()
    assert live.ask(f"/v1/titles/{TITLE}").json["state"] == "published"


def test_the_page_of_health_tells_what_is_wrong_and_queues_the_mending(
    studio: Callable[..., Any], matinee: Callable[..., Ended]
) -> None:
    viewer, live = studio()
    library = live.library.settings.library
    page = settled(viewer, "/studio/health")
    assert page.get_by_role("button", name="Repair now").count() == 0
    segment = next((library / "titles" / TITLE).glob("renditions/video-288p-*/00003.m4s"))
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert matinee("scrub", "--sample", "0", "--library", library).exit_code == 6
    page = settled(viewer, "/studio/health")
    page.get_by_text("1 fault", exact=True).wait_for()
    fault = page.locator(".findings li").filter(has_text="the object has other bytes")
    assert segment.name in fault.inner_text() and "To be mended" in fault.inner_text()
    assert "Done" in page.get_by_role("region", name="Scrubs").inner_text()

    page.get_by_role("button", name="Repair now").click()
    page.get_by_text("It is queued.").wait_for()
    (run,) = [each for each in live.ask("/v1/runs").json if each["flow"] == "repair"]
    live.ask(f"/v1/runs/{run['id']}/cancel", "POST", {})
    fault.get_by_role("link", name="Lineage").click()
    page.locator(".lineage-card").filter(has_text="package@").get_by_text("This").wait_for()
    assert matinee("repair", "--library", library).exit_code == 0
    page = settled(viewer, "/studio/health")
    page.get_by_text("All is right").wait_for()
    assert "Mended" in page.locator(".findings li").first.inner_text()
    assert segment.read_bytes() == whole


def test_the_page_of_lineage_leads_from_the_screen_to_the_source(
    studio: Callable[..., Any], scene: Scene
) -> None:
    viewer, live = studio()
    page = settled(viewer, f"/studio/titles/{TITLE}")
    page.get_by_role("link", name="Lineage").click()
    cards = page.locator(".lineage-card")
    cards.first.wait_for()
    names = [name.split("\n")[0] for name in cards.locator("h3").all_inner_texts()]
    source, encode, package = (
        next(n for n, name in enumerate(names) if name.startswith(what))
        for what in ("source", "encode_chunk@", "package@")
    )
    assert source < encode < package
    card = cards.nth(encode)
    assert "Made of" in card.inner_text() and "Went into" in card.inner_text()
    card.get_by_text("Assets and steps").click()
    assert '"crf"' in card.locator("pre").first.inner_text()
    card.locator(".lineage-assets a").first.click()
    viewer.until("document.querySelector('.lineage-card .mark')")
    page.get_by_label("Thing").fill("nothing of that name")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("there is no title, file or asset").wait_for()
    assert ["404" in one for one in viewer.complaints] == [True]
    viewer.complaints.clear()
    assert scene.live is live


DRAWN = """(() => {
  const drawn = (window.drawn = []), { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    drawn.push(text);
    return fillText.call(this, text, ...place);
  };
})()"""


def test_numbers_are_drawn_over_days_and_times_of_iso_8601(studio: Callable[..., Any]) -> None:
    viewer, _ = studio()
    viewer.page.add_init_script(DRAWN)
    page = settled(viewer, "/studio/numbers")
    viewer.until("document.querySelectorAll('.plots canvas').length === 6")
    page.get_by_role("button", name="1 day").click()
    page.locator("[aria-pressed=true]").get_by_text("1 day").wait_for()
    viewer.until("document.querySelectorAll('.plots canvas').length === 6")
    viewer.until("drawn.some((text) => /^\\d{4}-\\d\\d-\\d\\d$/.test(text))")
    drawn = page.evaluate("drawn")
    assert any(re.fullmatch(r"\d\d:\d\d(:\d\d)?", text) for text in drawn)
    assert [text for text in drawn if re.search(r"\d/\d|[ap]m", text)] == []


def test_the_theme_is_chosen_and_kept(studio: Callable[..., Any]) -> None:
    viewer, _ = studio(color_scheme="light")
    page = viewer.page
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Change to dark").click()
    dark = page.evaluate(paper)

    assert dark != light
    page.reload()
    assert page.evaluate(paper) == dark
    viewer.open("/")
    assert page.evaluate(paper) == dark
    viewer.open("/studio")
    page.get_by_role("button", name="Change to light").click()
    assert page.evaluate(paper) == light


def test_titles_are_searched_and_paged(
    open_viewer: Callable[..., Viewer], tmp_path: Path, cinema: Cinema
) -> None:
    library = tmp_path / "library"
    shutil.copytree(cinema.library, library)
    with live_service(library) as live:
        stock(live, 150)
        viewer = open_viewer(live.address)
        page = settled(viewer, "/studio")
        assert page.locator(".card").count() == 60
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        viewer.until("document.querySelectorAll('.card').length >= 120")
        page.get_by_label("Search").fill("number 14")
        viewer.until("document.querySelectorAll('.card').length === 11")
        assert page.url.endswith("?search=number+14")
        page.close()  # before its service is


def stock(live: LiveService, count: int) -> None:
    """Titles beside the one that is there, each with a package of its own."""
    (package,) = [
        p
        for p in live.library.packages.of_title(TITLE)
        if p.id == live.library.titles.get(TITLE).current
    ]
    title = live.library.titles.get(TITLE)
    for number in range(count):
        name = f"Number {number}"
        added = live.library.titles.add(
            replace(title, id=f"number-{number}", name=name, source=digest_of(name.encode()))
        )
        live.library.packages.add(replace(package, title=added.id))
