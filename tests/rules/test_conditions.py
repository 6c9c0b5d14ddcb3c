"""Conditions: true or false, about names that are known, and never for long."""

from datetime import UTC, datetime
from typing import Any

import pytest

from matinee.core.events import TYPES, Event
from matinee.rules.conditions import LONGEST, Condition, Undecided, compile_condition
from matinee.rules.faults import Faulty

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = [TYPES["film.arrived"]]


def holds(text: str, **data: Any) -> bool:
    condition: Condition = compile_condition(text, KINDS)
    return condition.holds(Event("1", NOW, "film.arrived", "/", "film/a", data), NOW)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("data.size_bytes > 1000", True),
        ("event.data.size_bytes > 1000 && !data.name.startsWith('proxy-')", True),
        ("data.name == 'data.nothing'", False),
        ("now - event.time < duration('1h')", True),
        ("data.sidecars.exists(s, s.language == 'de')", True),
        ("data.place == null", True),
        ("has(data.wishes.deadline)", False),
        ("event.cause == null && event.subject.matches('^film/')", True),
    ],
)
def test_conditions_decide_about_an_event(text: str, answer: bool) -> None:
    data = {"name": "a", "size_bytes": 5000, "wishes": {}, "sidecars": [{"language": "de"}]}
    assert holds(text, **data) is answer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("data.size_bytes >", "expected a condition in CEL"),
        ("data.nothing > 1", 'no field of the data "nothing"'),
        ("event.kind == 'x'", 'no field of events "kind"'),
        ("film.name == 'x'", 'no name "film"'),
        ("frobnicate(data.name)", "Undefined variable or function: 'frobnicate'"),
        ("data.size_bytes", "gives 0, not true or false"),
        ("data.size_bytes > 'a'", "No such overload"),
        ("", "expected a condition"),
        ("true || " * 200 + "true", f"expected at most {LONGEST} characters"),
        ("[1].all(a, [1].all(b, [1].all(c, true)))", "expected at most 2 of"),
    ],
)
def test_faults_are_told_before_any_event_comes(text: str, told: str) -> None:
    with pytest.raises(Faulty) as caught:
        compile_condition(text, KINDS)
    assert told in caught.value.faults[0].text


def test_what_cannot_be_decided_is_no_silent_no() -> None:
    with pytest.raises(Undecided, match="deadline"):
        holds("data.wishes.deadline == 'x'", wishes={})
