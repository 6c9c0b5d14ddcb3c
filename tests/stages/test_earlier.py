"""Which earlier titles teach a new one, and what a film that comes again begins with."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from matinee.assets.derivation import Step
from matinee.config import Settings
from matinee.core.ids import canonical_json, digest_of
from matinee.core.progress import Silent
from matinee.media.foretold import Lesson, Start, lesson_json
from matinee.media.shot_models import Measured, Shift
from matinee.stages.bench import Bench, Made
from matinee.stages.earlier import ASKED, NEWER, known_search, lessons_for, start_in
from matinee.wiring.publishing import open_house

pytestmark = pytest.mark.tools

RUNG = {"width": 640, "height": 360, "rate": "24", "level": "3", "preset": "medium", "crf": 23}
START = Start(3, {(640, 360): ((23.0, Shift(0.5, -0.25, -0.25)),)})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_house(Settings(tmp_path, workers=1), Silent(), refresh=False) as (_, bench):
        yield bench


def search_of(film: str, **parameters: Any) -> Step:
    told = {"rungs": [RUNG], "proxies": ["ultrafast", 0, 10], "every": 7, "base": [RUNG]}
    clips = {"clip/00000": digest_of(film.encode())}
    return Step("choose_rungs", 1, clips, {**told, "shown": [640, 360], **parameters}, {})


def lesson(bits: float) -> Lesson:
    points = (Measured(23.0, bits, 90.0, 90.0), Measured(33.0, bits / 4, 80.0, 80.0))
    return Lesson(points, {(640, 360): points})


def record(bench: Bench, step: Step, taught: Lesson | None) -> None:
    async def make() -> tuple[dict[str, Made], float]:
        made = {"hull": b"{}"}
        if taught:
            made["lesson"] = canonical_json(lesson_json(taught)).encode()
        return {role: Made(data, "application/json") for role, data in made.items()}, 0.0

    asyncio.run(bench.derive("search", step, make))


def lessons(bench: Bench, step: Step) -> list[float]:
    return [one.base[0].bits for one in asyncio.run(lessons_for(bench, step))]


def test_titles_of_one_kind_teach_each_once(bench: Bench) -> None:
    other = {**RUNG, "rate": "25", "level": "3.1"}
    faster = search_of("e", rungs=[other], base=[other])
    record(bench, search_of("a"), lesson(1))
    record(bench, search_of("a", scored=True), lesson(2))  # the same film, searched once more
    record(bench, search_of("b", start=START.as_json()), None)  # it was told, and measured little
    record(bench, search_of("c", rungs=[{**RUNG, "preset": "slow"}]), lesson(3))
    record(bench, search_of("d", shown=[1280, 720]), lesson(4))
    record(bench, faster, lesson(5))

    assert lessons(bench, search_of("new")) == [5, 2]


def test_a_lesson_that_is_damaged_or_gone_teaches_nothing(bench: Bench, tmp_path: Path) -> None:
    record(bench, search_of("a"), lesson(1))
    record(bench, search_of("b"), lesson(2))
    digest = digest_of(canonical_json(lesson_json(lesson(2))).encode())
    lost = tmp_path / "objects" / digest[:2] / digest
    for is_there in (True, False):
        lost.write_bytes(b"{}") if is_there else lost.unlink()
        assert lessons(bench, search_of("new")) == [1]


def test_a_film_begins_with_what_it_began_with(bench: Bench) -> None:
    alone, told = search_of("a"), search_of("b")
    assert known_search(bench, alone) is None
    record(bench, alone, lesson(1))
    record(bench, search_of("b", start=START.as_json()), None)
    for target in range(20, 40):  # other wishes of the same film
        record(bench, search_of("b", target=target), lesson(2))

    assert known_search(bench, alone) == alone
    assert start_in(alone) is None
    found = known_search(bench, told)
    assert found == search_of("b", start=START.as_json())
    assert start_in(found) == START
    assert known_search(bench, search_of("b", target=93)) is None
    longer = replace(told, inputs={**told.inputs, "clip/00001": digest_of(b"more")})
    assert known_search(bench, longer) is None


def test_a_search_of_before_is_known_as_it_is(bench: Bench) -> None:
    step = search_of("a")
    kept = {key: value for key, value in step.parameters.items() if key not in NEWER}
    older = replace(step, parameters=kept)
    record(bench, older, None)

    found = known_search(bench, step)
    assert found is not None
    assert (found, found.key) == (older, older.key)


def test_a_film_whose_points_are_known_is_told_nothing(bench: Bench) -> None:
    for film in "abcd":
        record(bench, search_of(film), lesson(1))

    assert len(lessons(bench, search_of("new"))) == 4
    assert lessons(bench, search_of("c", target=90)) == []


def test_a_long_series_is_not_forgotten(bench: Bench) -> None:
    for film in "abc":
        record(bench, search_of(film), lesson(1))
    for number in range(2 * ASKED):
        record(bench, search_of(f"episode {number}", start=START.as_json()), None)

    assert len(lessons(bench, search_of("new"))) == 3
