"""The report's page in a real browser, over a report that the program wrote."""

from collections.abc import Callable

import pytest
from tests.apps.cinema import HEIGHTS, TITLE, Cinema
from tests.apps.live_server import LiveServer
from tests.apps.viewer import PHONE, Viewer
from tests.films import Films
from tests.per_shot import CHUNKS, TARGET, Run, publish_targeted
from tests.per_title import publish_fitted

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


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_report_shows_plots_and_verdicts(
    view: Callable[..., Viewer], cinema: Cinema, scheme: str
) -> None:
    viewer = view(color_scheme=scheme)
    page = viewer.open(f"/titles/{TITLE}")
    page.locator("#plot-bits canvas").wait_for()

    assert page.locator("#plot-vmaf canvas").count() == 1
    legends = page.locator(".u-legend")
    assert [text.count("video-") for text in legends.all_inner_texts()] == [len(HEIGHTS)] * 2
    verdicts = cinema.report["verdicts"]
    page.locator(".judge summary").first.click()
    page.locator(".verdict summary").first.click()
    shown = page.locator(".verdict pre").first.inner_text()
    assert all(f'"{name}"' in shown for name in verdicts[0]["evidence"])
    assert page.locator(".verdict").count() == len(verdicts)
    assert page.get_by_text(f"All {len(verdicts)} verdicts passed").is_visible()
    first, second = cinema.packages
    body = page.locator("#report-body").inner_text()
    waiver = next(t["reason"] for t in cinema.report["tracks"] if t["outcome"] == "waived")
    (remark,) = cinema.report["subtitle_remarks"]
    assert remark["mended"] and remark["told"] in body
    for words in ("What came in", "What was made", waiver, "encode", first, second, "on screen"):
        assert words in body
    shades = (
        "(() => { const c = document.querySelector('#plot-vmaf canvas');"
        " return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size })()"
    )
    assert page.evaluate(shades) > 10

    page.get_by_role("link", name=first).click()
    page.locator("#plot-bits canvas").wait_for()
    assert page.url.endswith(f"?package={first}")
    assert "text-es" not in page.locator("#report-body").inner_text()


def test_the_report_shows_why_each_shot_has_its_settings(
    open_viewer: Callable[..., Viewer], tmp_path_factory: pytest.TempPathFactory, films: Films,
    matinee: Run,
) -> None:  # fmt: skip
    made = publish_targeted(tmp_path_factory, films, matinee)
    told = matinee("explain", made.title, "--library", made.library, "--json").json
    (choice,) = told["choices"]
    with LiveServer.over(made.library) as server:
        viewer = open_viewer(server.address, viewport=PHONE)
        page = viewer.open(f"/titles/{made.title}")
        page.locator("#plot-shot-0 canvas").wait_for()

        for plot in ("plot-crf-0", "plot-shot-0"):
            assert page.evaluate(SHADES, plot) > 10
        body = page.locator("#report-body").inner_text()
        assert f"VMAF {TARGET:g}, no shot below" in body
        assert "The same CRFs: 72p." in body
        assert page.locator("#shot-0 option").count() == CHUNKS

        page.locator("#shot-0").select_option("2")
        crf = choice["shots"][1]["crf"]
        facts = page.locator("#shot-facts-0")
        assert f"{crf:g}, taken" in facts.inner_text()
        rows = facts.locator("tbody tr").count()
        assert rows == sum(
            len(choice["shots"][1][kind]) for kind in ("finals", "proxies", "neighbours")
        )
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0


def test_the_report_shows_the_hull_that_rungs_come_from(
    open_viewer: Callable[..., Viewer], tmp_path_factory: pytest.TempPathFactory, films: Films,
    matinee: Run,
) -> None:  # fmt: skip
    made = publish_fitted(tmp_path_factory, films, matinee)
    told = matinee("explain", made.title, "--library", made.library, "--json").json
    (hull,) = told["hulls"]
    with LiveServer.over(made.library) as server:
        viewer = open_viewer(server.address, viewport=PHONE)
        page = viewer.open(f"/titles/{made.title}")
        page.locator("#plot-hull-0 canvas").wait_for()

        assert page.evaluate(SHADES, "plot-hull-0") > 10
        panel = page.locator("section", has=page.locator("#plot-hull-0"))
        assert "Rungs from the title: fitted" in panel.inner_text()
        body = page.locator("#report-body").inner_text()
        assert "As good as CRF 30 for all shots: by proxies VMAF" in body
        assert "The same steps from their own CRFs: 72p" in body
        assert "54, CRF 26, 45, 1 frame in 7 scored." in body
        assert panel.locator(".u-legend .u-series").count() == 1 + len(hull["sizes"]) + 1
        rows = panel.locator("tbody tr").filter(has=page.locator("strong"))
        assert [row.split()[0] for row in rows.all_inner_texts()] == [
            one["rung"] for one in hull["rungs"]
        ]
        for row, rung in zip(rows.all_inner_texts(), hull["rungs"], strict=True):
            assert f"{rung['vmaf']:.2f}" in row
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
