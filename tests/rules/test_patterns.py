"""Patterns: what they match, and what is told at once that they never could."""

from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.events import TYPES, Event
from matinee.rules.faults import Faulty
from matinee.rules.patterns import Pattern, compile_pattern

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = st.text("ab*\\c.", max_size=8)


def arrived(**data: Any) -> Event:
    usual = {"origin": "watch", "name": "a.mkv", "place": "/a", "size_bytes": 5, "wishes": {}}
    return Event("1", NOW, "film.arrived", "/matinee", "film/a", {**usual, **data})


def pattern(**data: Any) -> Pattern:
    return compile_pattern({"type": "film.arrived", "data": data}, TYPES)


def matches(event: Event, **data: Any) -> bool:
    return pattern(**data).matches(event)


def faults(document: Any) -> list[str]:
    with pytest.raises(Faulty) as caught:
        compile_pattern(document, TYPES)
    return [f"{'.'.join(map(str, fault.path))}: {fault.text}" for fault in caught.value.faults]


@given(text=NAMES, name=NAMES)
def test_text_operators_are_those_of_text(text: str, name: str) -> None:
    event = arrived(name=name)
    assert matches(event, name=text) is (name == text)
    assert matches(event, name={"prefix": text}) is name.startswith(text)
    assert matches(event, name={"suffix": text}) is name.endswith(text)
    assert matches(event, name={"equals-ignore-case": text.upper()}) is (name == text)
    assert matches(event, name={"prefix": {"equals-ignore-case": text.upper()}}) is (
        name.startswith(text)
    )


@given(text=st.text("ab*", max_size=8), name=st.text("ab", max_size=10))
def test_a_star_stands_for_any_characters(text: str, name: str) -> None:
    assert matches(arrived(name=name), name={"wildcard": text}) is fnmatchcase(name, text)


@given(text=NAMES)
def test_an_escaped_star_is_a_star(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("*", "\\*")
    assert matches(arrived(name=text), name={"wildcard": escaped})


def test_a_wildcard_of_many_stars_is_decided_soon() -> None:
    assert not matches(arrived(name="a" * 20_000), name={"wildcard": "*a" * 200 + "*b"})


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5))
def test_numbers_lie_in_ranges(size: int, low: int, high: int) -> None:
    event = arrived(size_bytes=size)
    assert matches(event, size_bytes={"numeric": [">=", low, "<", high]}) is (low <= size < high)
    assert matches(event, size_bytes={"numeric": ["=", low]}) is (size == low)
    assert matches(event, size_bytes={"anything-but": low}) is (size != low)


@given(st.lists(NAMES, min_size=1, max_size=3), NAMES)
def test_anything_but_is_none_of_them(texts: list[str], name: str) -> None:
    event = arrived(name=name)
    assert matches(event, name={"anything-but": texts}) is (name not in texts)
    assert matches(event, name={"anything-but": {"prefix": texts}}) is (
        not any(name.startswith(text) for text in texts)
    )


def test_a_field_without_a_value_is_not_there() -> None:
    asked = arrived(wishes={"profile": None, "deadline": "soon"})
    assert matches(asked, wishes={"profile": {"exists": False}, "deadline": {"exists": True}})
    assert not matches(asked, wishes={"profile": {"anything-but": "x"}})
    assert matches(arrived(wishes={}), wishes={"profile": {"exists": False}})


def test_of_a_list_one_item_must_meet_everything() -> None:
    sidecars = [{"place": "a.srt", "language": "de"}, {"place": "b.vtt", "language": "en"}]
    wanted = {"place": {"suffix": ".vtt"}, "language": "en"}
    assert matches(arrived(sidecars=sidecars), sidecars=wanted)
    assert not matches(arrived(sidecars=sidecars), sidecars={**wanted, "language": "de"})
    assert not matches(arrived(sidecars=[]), sidecars=wanted)


def test_true_is_not_one() -> None:
    assert not matches(arrived(wishes={"public": True}), wishes={"public": 1})
    assert matches(arrived(wishes={"public": True}), wishes={"public": True})


def test_a_pattern_knows_which_types_it_is_about() -> None:
    both = compile_pattern({"type": {"prefix": "film."}}, TYPES)
    assert both.types == {name for name in TYPES if name.startswith("film.")}
    assert both.matches(arrived())


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, "type: expected a type of events"),
        ({"type": "film.arived"}, 'type: no event type "film.arived": did you mean "film.arrived"'),
        ({"type": "film.arrived", "dat": {}}, 'dat: no field of events "dat"'),
        ({"type": "film.arrived", "data": {"nam": "x"}}, "data.nam: no field in the data of film"),
        ({"type": "film.arrived", "data": {"name": {"numeric": ["<", 1]}}}, "data.name: numeric"),
        ({"type": "film.arrived", "data": {"size_bytes": "5"}}, "data.size_bytes: equals"),
        ({"type": "film.arrived", "data": {"size_bytes": {"prefix": "5"}}}, "data.size_bytes: pr"),
        ({"type": "film.arrived", "data": {"name": []}}, "data.name: expected at least one value"),
        ({"type": "film.arrived", "data": {"name": {"a": "b"}}}, "data.name: expected a value"),
        ({"type": "film.arrived", "data": {"name": [{"prefx": "b"}]}}, "data.name: no operator"),
        ({"type": "film.arrived", "data": {"name": {"prefix": 1}}}, "data.name: prefix: expected"),
        ({"type": "film.arrived", "data": {"size_bytes": {"numeric": ["<"]}}}, "data.size_bytes"),
        ({"type": "film.arrived", "data": {"name": {"exists": "yes"}}}, "data.name: exists: expec"),
        ({"type": "film.arrived", "data": {"name": {"wildcard": "\\a"}}}, "data.name: wildcard"),
        ("film.arrived", ": expected a table"),
    ],
)  # fmt: skip
def test_what_can_never_match_is_told(document: Any, told: str) -> None:
    assert faults(document)[0].startswith(told)
