"""Facts about films that come and go."""

import json
import os

from hypothesis import given
from hypothesis import strategies as st

from matinee.core.arrivals import (
    ARRIVED,
    Film,
    History,
    arrived,
    key_of,
    place_of,
    removed,
    subject_of,
)

PATHS = st.binary(min_size=1, max_size=40).filter(lambda raw: b"\0" not in raw).map(os.fsdecode)


def a_film(mark: object = 1) -> Film:
    return Film("watch", "/films/a.mkv", "a.mkv", "/films/a.mkv", mark, 5)


@given(first=PATHS, second=PATHS)
def test_every_path_has_a_subject_of_its_own_that_gives_it_back(first: str, second: str) -> None:
    assert key_of(subject_of("watch", first)) == first.lstrip("/")
    is_same = first.lstrip("/") == second.lstrip("/")
    assert (subject_of("watch", first) == subject_of("watch", second)) == is_same


@given(path=PATHS)
def test_a_subject_and_a_place_can_be_kept_and_are_no_pattern(path: str) -> None:
    subject = subject_of("watch", path)

    assert json.dumps([subject, place_of(f"/{path}")], ensure_ascii=False).encode()
    assert subject.isprintable()
    assert "*" not in subject


def test_a_film_that_is_as_it_was_is_known() -> None:
    film = a_film()
    history = History().then(arrived(film, History()))

    assert history.is_here
    assert history.has(ARRIVED, film.subject, film.mark)
    assert not history.has(ARRIVED, film.subject, 2)


def test_a_film_that_comes_back_as_it_was_is_told_again() -> None:
    film = a_film()
    first = arrived(film, History())
    here = History().then(first)
    gone = here.then(removed("watch", film.key, film.name, film.place, here))
    again = arrived(film, gone)

    assert not gone.is_here
    assert again.id not in {first.id, gone.id}
    assert arrived(film, gone).id == again.id
