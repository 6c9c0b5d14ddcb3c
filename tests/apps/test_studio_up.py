"""A film is dropped into the studio of a real service, made before one's eyes, and played."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.apps.viewer import Viewer
from tests.conftest import environment
from tests.encrypted import Encrypted

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),
]

DROP = """() => {
  const { files } = document.querySelector('#files'), drop = new DataTransfer();
  for (const file of files) drop.items.add(file);
  const told = { dataTransfer: drop, bubbles: true, cancelable: true };
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    document.querySelector('.drop').dispatchEvent(new DragEvent(kind, told));
  }
}"""
SRT = "1\n00:00:01,000 --> 00:00:03,000\nBuongiorno\n"
HOLD = """() => document.querySelector('#files').addEventListener(
  'change', (event) => event.stopImmediatePropagation(), { capture: true })"""
"""A test cannot drag a file in from outside; it can drop one that the page was only given."""


@contextmanager
def up(library: Path) -> Iterator[tuple[str, str]]:
    """The address of ``matinee up``, and its link to sign in."""
    command = [sys.executable, "-m", "matinee", "up", "--bind", "127.0.0.1:0", "--workers", "2"]
    with subprocess.Popen(
        [*command, "--library", str(library)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment(), "MATINEE_DISK_FLOOR": "0.001"},
        text=True,
    ) as process:
        try:
            assert process.stdout
            lines = [process.stdout.readline() for _ in range(3)]
            address = re.search(r"http://127\.0\.0\.1:\d+", lines[0])
            link = re.search(r"/studio/sign-in#code=\S+", lines[2])
            assert address and link, lines
            yield address[0], link[0]
        finally:
            process.terminate()
            assert process.wait(20) == 0


@pytest.fixture
def new_service(tmp_path: Path) -> Iterator[tuple[str, str]]:
    with up(tmp_path / "library") as service:
        yield service


def test_a_film_that_is_dropped_with_its_subtitles_is_made_and_plays(
    new_service: tuple[str, str], open_viewer: Callable[..., Viewer], film: Path, tmp_path: Path
) -> None:
    address, link = new_service
    text = tmp_path / f"{film.stem}.it.srt"
    text.write_text(SRT)
    viewer = open_viewer(address)
    page = viewer.open(link)
    page.get_by_role("link", name="Upload a film").click()
    page.get_by_label("Name of the title").fill("Dropped")
    page.evaluate(HOLD)
    page.locator("#files").set_input_files([text, film])
    page.evaluate(DROP)
    page.get_by_text(f"{film.name} arrived.").wait_for()

    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("link", name=film.name).first.click()
    viewer.until("document.querySelectorAll('.cells .cell.d').length > 0", 120)
    page.locator(".cells .cell.d").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("encode_chunk").first.wait_for()
    assert "score_chunk" in dialog.inner_text()
    assert re.search(r"\d+\.\d in the mean", dialog.inner_text())
    page.keyboard.press("Escape")
    page.locator(".run-facts").get_by_text("Done").wait_for(timeout=120_000)

    page.get_by_role("link", name="Title", exact=True).click()
    page.get_by_role("heading", name="Dropped").wait_for()
    page.get_by_role("link", name="Watch").click()
    viewer.until("window.matinee && matinee.state().duration > 20")
    assert page.evaluate("matinee.player.getTextTracks().map(({ language }) => language)") == [
        "en",
        "it",
    ]
    page.close()


def test_an_encrypted_title_gets_new_keys_before_ones_eyes(
    encrypted: Encrypted, open_viewer: Callable[..., Viewer], tmp_path: Path
) -> None:
    copy = encrypted.copied_to(tmp_path / "library")
    with up(copy.library) as (address, link):
        viewer = open_viewer(address)
        page = viewer.open(link)
        page.get_by_role("heading", name="Titles", exact=True).wait_for()
        page = viewer.open(f"/studio/titles/{copy.title}")
        page.get_by_text("cbcs, generation 1").wait_for()
        page.get_by_role("button", name="New keys").click()
        dialog = page.get_by_role("dialog")
        assert "There is no way back" in dialog.inner_text()
        dialog.get_by_role("button", name="Close").click()
        page.get_by_role("button", name="New keys").click()
        page.get_by_role("button", name="Make new keys").click()

        state = page.get_by_role("button", name=re.compile("New keys: (waiting|being made)"))
        state.wait_for()
        assert state.get_attribute("aria-disabled") == "true"
        page.get_by_text("cbcs, generation 2").wait_for(timeout=120_000)
        page.get_by_role("button", name="New keys", exact=True).click()
        page.get_by_role("button", name="Make new keys").wait_for()
        page.close()
