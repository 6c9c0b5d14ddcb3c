"""A library learns: what earlier titles tell of the next one's curves, and what they do not."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Ended
from tests.docs.test_schemas import faults
from tests.films import X264, Films
from tests.per_shot import Made
from tests.per_title import FITTED

from matinee.config import Settings
from matinee.core.progress import Silent
from matinee.flows.publish_title import publish_title
from matinee.flows.request import Request
from matinee.ladders import load_ladder
from matinee.media.profile import profile_of
from matinee.stages.chunks import Proofs
from matinee.stages.redo import Redo, functions_from
from matinee.wiring.publishing import open_house

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]
LIGHT = ("--proofs", "packets", "--json")
FRAMES = 312


def episode(films: Films, number: int, more: str = "") -> Path:
    """Three chunks at a fractional rate, with B-frames; every episode in other colours."""
    picture = (
        f"testsrc2=s=160x90:r=12000/1001,scroll=horizontal=0.013:vertical=0.007,"
        f"hue=h={50 * number},negate=enable='mod(floor(n/32),2)'{more},"
        f"trim=end_frame={FRAMES},format=yuv420p"
    )
    return films.special(f"episode-{number}.mp4", "-f", "lavfi", "-i", picture, *X264)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory, films: Films, matinee: Run) -> Made:
    """Four episodes in one library; told of the last one."""
    folder = tmp_path_factory.mktemp("series")
    ladder, library = folder / "fitted.toml", folder / "library"
    ladder.write_text(FITTED)
    every = [
        matinee("publish", episode(films, number), "--library", library, "--ladder", ladder, *LIGHT)
        for number in range(4)
    ]
    assert [ended.exit_code for ended in every] == [0] * 4, every[-1].err
    return Made(library, every[-1].json)


def publish(series: Made, film: Path, matinee: Run) -> Ended:
    ladder = series.library.with_name("fitted.toml")
    return matinee("publish", film, "--library", series.library, "--ladder", ladder, *LIGHT)


def explained(series: Made, title: str, matinee: Run) -> Ended:
    return matinee("explain", title, "--library", series.library, "--json")


def test_the_fourth_is_measured_at_one_size(series: Made, matinee: Run) -> None:
    own = explained(series, "episode-3", matinee)
    (hull,) = own.json["hulls"]
    (before,) = explained(series, "episode-2", matinee).json["hulls"]

    assert faults("explain", own.json) == []
    assert "start" not in before
    assert all(one["proxies"] for one in before["sizes"])
    assert hull["start"] == {"titles": 3, "held": True}
    assert [one["proxies"] for one in hull["sizes"]] == [[], []]
    assert {r["width"] for r in hull["rungs"]} == {r["width"] for r in before["rungs"]}
    assert all(verdict["passed"] for verdict in series.document["verdicts"])
    told = matinee("explain", "episode-3", "--library", series.library).out
    assert "one size, the others as 3 earlier titles foretell them" in told


def test_what_it_began_with_stays_its_own(series: Made, films: Films, matinee: Run) -> None:
    """A film that was searched alone is not searched again because others came after it."""
    before = series.steps()
    for number in (0, 3):
        assert publish(series, episode(films, number), matinee).exit_code == 0

    assert series.steps() == before


def test_a_lost_choice_is_made_again_as_it_was(series: Made, matinee: Run) -> None:
    hull = series.newest("choose_rungs", "hull")
    lost = series.library / "objects" / hull[:2] / hull
    data = lost.read_bytes()
    assert json.loads(data)["start"]["held"]
    lost.unlink()

    scrubbed = matinee("scrub", "--library", series.library)
    mended = matinee("repair", "--library", series.library)

    assert scrubbed.exit_code != 0
    assert mended.exit_code == 0, mended.err
    assert lost.read_bytes() == data


def test_another_kind_of_film_is_measured_at_every_size(
    series: Made, films: Films, matinee: Run
) -> None:
    soft = episode(films, 9, ",gblur=sigma=5")
    assert publish(series, soft, matinee).exit_code == 0
    (hull,) = explained(series, "episode-9", matinee).json["hulls"]

    assert hull["start"] == {"titles": 3, "held": False}
    assert all(one["proxies"] for one in hull["sizes"])
    told = matinee("explain", "episode-9", "--library", series.library).out
    assert "as this film is unlike 3 earlier titles" in told


def test_a_run_that_goes_back_to_the_search_finds_the_same(series: Made, films: Films) -> None:
    ladder = load_ladder(str(series.library.with_name("fitted.toml")))
    film, proofs = episode(films, 3), Proofs(signed=False)
    request = Request(film, None, None, (), profile_of(ladder), proofs)
    before = series.steps()
    with open_house(Settings(series.library, workers=2), Silent(), refresh=False) as (house, bench):
        bench.redo = Redo(functions_from("search"))
        again = asyncio.run(publish_title(house, bench, request))

    assert bench.tallies["search"].ran > 0
    assert again.package.id == Path(series.document["package"]).name
    assert series.steps() == before
