"""The page of a comparison in a real browser, from a file, without any network."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.apps.viewer import PHONE, Viewer
from tests.comparisons import Made, Run, compare_ladders
from tests.films import Films
from tests.shared import made_once

from matinee.apps.cli.compare_page import page_of, write_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),  # first of all: without one there is nothing to wait for
]

SHADES = (
    "(id) => { const c = document.querySelector(`#${id} canvas`);"
    " return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size }"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, films: Films, matinee: Run) -> Made:
    return made_once(
        tmp_path_factory, "compare", lambda folder: compare_ladders(folder, films, matinee)
    )


@pytest.mark.parametrize(("scheme", "viewport"), [("dark", None), ("light", PHONE)])
def test_the_page_shows_curves_figures_and_frames(
    open_viewer: Callable[..., Viewer], made: Made, scheme: str, viewport: dict[str, int] | None
) -> None:
    viewer = open_viewer(made.page.as_uri(), color_scheme=scheme, viewport=viewport, offline=True)
    page = viewer.open("")
    found = made.document
    page.locator("#plot-bits canvas").wait_for()

    for plot in ("plot-curves", "plot-vmaf", "plot-bits"):
        assert page.evaluate(SHADES, plot) > 10
    body = page.locator("#report-body").inner_text()
    rate = found["overall"]["bd_rate"]["value"]
    assert f"+{rate:.1f} %" in body
    for encode in (*found["a"]["encodes"], *found["b"]["encodes"]):
        assert encode["name"] in body
    page.get_by_role("button", name="96\u00d754").click()
    legend = page.locator("#plot-curves .u-legend")
    assert "slower" in legend.inner_text() and "quicker" in legend.inner_text()
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0

    looks = page.locator(".look")
    assert looks.count() == len(found["worst"]) == 3
    sizes = page.evaluate(
        "Array.from(document.querySelectorAll('.look img'),"
        " (img) => [img.naturalWidth, img.naturalHeight])"
    )
    assert sizes == [[160, 90]] * 6


def test_two_frames_are_wiped_one_over_the_other_by_keys(
    open_viewer: Callable[..., Viewer], made: Made
) -> None:
    page = open_viewer(made.page.as_uri(), offline=True).open("")
    look = page.locator(".look").first
    look.locator("img").first.wait_for()
    before = look.locator("img").evaluate_all("images => images.map((each) => each.src)")
    assert before[0] != before[1]

    look.get_by_role("slider").focus()
    page.keyboard.press("Home")
    assert look.locator(".wipe").evaluate("(one) => one.style.getPropertyValue('--at')") == "0%"
    page.keyboard.press("End")
    assert look.locator(".wipe").evaluate("(one) => one.style.getPropertyValue('--at')") == "100%"

    look.get_by_role("button", name="Film | B").click()
    after = look.locator("img").evaluate_all("images => images.map((each) => each.src)")
    assert after[0] not in before
    assert after[1] == before[1]
    look.get_by_role("button", name="Pixels 2:1").click()
    box = look.locator(".wipe").bounding_box()
    assert box is not None and box["width"] == 320


def test_names_are_text_whatever_they_hold(
    open_viewer: Callable[..., Viewer], made: Made, tmp_path: Path
) -> None:
    hostile = "</script><img src=x onerror=document.title='taken'><!--\u2028 & \"B\""
    document = {**made.document, "worst": []}
    document["film"] = {**document["film"], "file": hostile}
    document["b"] = {**document["b"], "name": hostile}
    path = tmp_path / "page.html"
    write_page(path, page_of(document, []))

    page = open_viewer(path.as_uri(), offline=True).open("")
    page.locator("#plot-bits canvas").wait_for()

    assert page.title().startswith("slower and </script>")
    assert page.locator("img").count() == 0
    assert hostile in page.locator("h1").text_content()
