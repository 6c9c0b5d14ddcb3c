"""Mutated films: a result or a listed error, never a crash, a hang or a stray file."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fuzz.bases import BASES, make_bases
from tests.fuzz.elements import elements
from tests.fuzz.films import Child, Tally, fuzz
from tests.fuzz.mutations import mutant

pytestmark = pytest.mark.tools

FILMS, SEED = 150, 1


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@dataclass(frozen=True)
class Found:
    """A film that once had no honest answer, and what was wrong, as long as it is."""

    seed: int
    number: int
    flaw: str = ""


FOUND = (
    Found(1, 37),
    Found(2, 35),
    Found(2, 374),
    Found(2, 403),
    Found(2, 410),
    Found(2, 541),
    Found(2, 559),
    Found(2, 821),
    Found(3, 126),
    Found(3, 407),
    Found(3, 853),
    Found(4, 13),
    Found(4, 231),
    Found(4, 1548),
    Found(11, 41),
    Found(11, 321),
    Found(11, 478),
    Found(11, 780),
    Found(11, 835),
    Found(11, 1387),
    Found(21, 271),
    Found(21, 8272),
    Found(4101, 539),
    Found(4104, 520),
    Found(4104, 668),
    Found(5101, 1158),
    Found(5101, 16796),
    Found(5101, 17099),
)


def marked(found: Found) -> object:
    marks = [pytest.mark.xfail(strict=True, reason=found.flaw)] if found.flaw else []
    return pytest.param(found, marks=marks, id=f"{found.seed}-{found.number}")


@pytest.mark.parametrize("found", [marked(found) for found in FOUND])
def test_a_film_that_was_found_has_an_honest_answer(found: Found, folder: Path) -> None:
    tally = Tally()
    span = ["--first", str(found.number), "--end", str(found.number + 1)]
    Child(folder, ["--seed", str(found.seed), *span]).watch(tally)

    assert tally.films == 1
    assert tally.failures == {}


def test_every_mutated_film_has_an_honest_answer(folder: Path) -> None:
    tally = fuzz(folder, SEED, FILMS, workers=2, whole=FILMS // 2)

    assert tally.failures == {}
    assert tally.films == FILMS + 2
    assert len(tally.codes) > 3, "the mutations reach several ends"


def test_the_same_seed_makes_the_same_film(folder: Path) -> None:
    bases = make_bases(folder / "bases")

    assert mutant(bases, 1, 7) == mutant(bases, 1, 7)
    assert len({mutant(bases, seed, 7) for seed in range(20)}) == 20


@pytest.mark.parametrize("name", [name for name in BASES if not name.endswith(".flv")])
def test_the_parts_of_a_film_cover_it(name: str, folder: Path) -> None:
    (base,) = (path for path in make_bases(folder / "bases") if path.name == name)
    data = base.read_bytes()
    outermost = [part for part in elements(data, name) if part.depth == 0]

    assert outermost[0].start == 0
    assert sum(part.end - part.start for part in outermost) == len(data)
    assert len(elements(data, name)) > 5


def test_what_is_not_the_films_fault_is_a_failure() -> None:
    tally = Tally()
    codes = ("reached", "source.damaged", "tool.failed", "defect crash -11", "source.changed")
    for number, code in enumerate(codes):
        tally.add(number, code, "", 0.1)

    assert set(tally.failures) == {2, 3, 4}
