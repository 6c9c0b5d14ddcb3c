"""rules.toml: what a person writes is what happens, or is told with its line."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from matinee.core.events import Event, EventType
from matinee.core.toml_lines import line_of
from matinee.flows.functions import SHIPPED
from matinee.rules.faults import RulesInvalid
from matinee.rules.functions import AsyncCall, Call, Function, function, registry
from matinee.rules.retry import Retry
from matinee.rules.rulebook import RuleBook, read_rules, shipped_rules

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINE = EventType("list.written", "a list was written", {"names": ("integer", "how many")})


@function("write-list", version=1, tells=(MINE,))
def write_list(
    call: Call, path: str, most: Annotated[int, Field(ge=1)] = 10, kind: Literal["a", "b"] = "a"
) -> None:
    del call, path, most, kind


@function("look", version=1)
async def look(call: AsyncCall) -> None:
    del call


FUNCTIONS: Mapping[str, Function] = registry((*SHIPPED, write_list, look), ())


def read(text: str) -> RuleBook:
    return read_rules([shipped_rules(), ("rules.toml", text)], FUNCTIONS)


def faults(text: str) -> list[str]:
    with pytest.raises(RulesInvalid) as caught:
        read(text)
    assert caught.value.code == "rules.invalid"
    return str(caught.value).splitlines()


def event(kind: str, **data: Any) -> Event:
    return Event("1", NOW, kind, "/matinee", "film/a", data)


def test_the_shipped_rules_do_what_is_promised() -> None:
    book = read_rules([shipped_rules()], FUNCTIONS)
    done = {
        kind: [order.function for order in book.orders(event(kind), NOW)]
        for kind in (
            "film.arrived", "title.published", "verdict.failed", "rights.opened", "rights.closed",
            "film.removed", "run.ended", "backup.failed", "backup.late",
            "backup.damaged",
        )
    }  # fmt: skip
    assert done == {
        "film.arrived": ["publish"],
        "title.published": ["poster"],
        "verdict.failed": ["hold", "notify"],
        "rights.opened": ["show"],
        "rights.closed": ["hide"],
        "film.removed": [],
        "run.ended": ["forget-preview"],
        "backup.failed": ["notify"],
        "backup.late": ["notify"],
        "backup.damaged": ["notify"],
    }


def test_every_field_of_a_rule_reaches_its_order() -> None:
    book = read(
        """
        [[rule]]
        name = "big"
        when = { type = "film.arrived" }
        if = "data.size_bytes > 5"
        do = "write-list"
        with = { path = "/list", most = 3 }
        at_most = "10/minute"
        delay = "1.5h"
        retry = { attempts = 3, first = "10s", factor = 2, most = "1h" }
        ordered = false
        """
    )
    assert [o.rule for o in book.orders(event("film.arrived", size_bytes=5), NOW)] == ["publish"]
    _, order = book.orders(event("film.arrived", size_bytes=6), NOW)
    assert order.parameters == {"path": "/list", "most": 3}
    assert (order.most, order.window_s, order.ordered) == (10, 60.0, False)
    assert order.due_at == NOW + timedelta(hours=1.5)
    rule = book.get("big")
    assert rule is not None and rule.retry == Retry(3, 10, 2, 3600)


def test_a_users_rule_goes_over_a_shipped_one() -> None:
    book = read(
        """
        [[rule]]
        name = "publish"
        with = { ladder = "fast" }
        [[rule]]
        name = "hide"
        enabled = false
        [[rule]]
        name = "show"
        when = { type = "rights.opened" }
        do = "look"
        """
    )
    (order,) = book.orders(event("film.arrived"), NOW)
    assert (order.function, order.parameters) == ("publish", {"ladder": "fast"})
    assert book.orders(event("rights.closed"), NOW) == []
    assert [order.function for order in book.orders(event("rights.opened"), NOW)] == ["look"]


def test_a_schedule_is_a_rule_about_its_own_times() -> None:
    book = read('[[rule]]\nname = "nightly"\nschedule = "0 3 * * *"\nzone = "UTC"\ndo = "look"')
    shipped = ["back-up", "check-backups", "drill", "watch-backups", "scrub", "collect"]
    assert [name for name, _ in book.schedules()] == [*shipped, "nightly"]
    due = [order.rule for order in book.orders(event("schedule.due", rule="nightly"), NOW)]
    assert due == ["nightly"]
    assert book.orders(event("schedule.due", rule="other"), NOW) == []


def test_rules_may_name_events_that_a_package_tells() -> None:
    rule = '[[rule]]\nname = "x"\nwhen = { type = "list.written" }\ndo = "look"'
    assert read(rule).orders(event("list.written", names=1), NOW)


def test_an_undecided_condition_is_a_delivery_that_tells_of_it() -> None:
    text = (
        '[[rule]]\nname = "x"\nwhen = { type = "run.late" }\nif = "data.title > \'a\'"\ndo = "look"'
    )
    assert [order.rule for order in read(text).orders(event("run.late"), NOW)] == ["x"]


def test_rules_on_the_dead_never_hear_of_each_other() -> None:
    rules = "".join(
        f'[[rule]]\nname = "{name}"\nwhen = {{ type = "delivery.dead" }}\ndo = "look"\n'
        for name in ("one", "two")
    )
    book = read(rules)
    heard = book.orders(event("delivery.dead", rule="publish"), NOW)
    assert [order.rule for order in heard] == ["one", "two"]
    assert book.orders(event("delivery.dead", rule="one"), NOW) == []


GOOD = 'when = { type = "film.arrived" }\ndo = "look"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n[[rule]\n", "rules.toml:2: expected TOML"),
        ("a = 1", 'rules.toml:1: expected [[rule]] and nothing else, not "a"'),
        ("[rule]\nname = 'x'", "rules.toml:1: expected [[rule]], with two brackets"),
        (f"[[rule]]\n{GOOD}", 'rules.toml:1: rule "number 1": name: expected a name'),
        (f'[[rule]]\nname = "x"\nwen = 1\n{GOOD}', 'rules.toml:3: rule "x": wen: no field of a'),
        ('[[rule]]\nname = "x"\ndo = "look"', 'rules.toml:1: rule "x": expected either "when" or'),
        (f'[[rule]]\nname = "x"\nschedule = "* * * * *"\n{GOOD}', 'rules.toml:1: rule "x": expect'),
        ('[[rule]]\nname = "x"\nschedule = "99 * * * *"\ndo = "look"', 'rules.toml:3: rule "x": s'),
        (
            '[[rule]]\nname = "x"\nschedule = "1 * * * *"\nzone = "Mars/Base"\ndo = "look"',
            'rules.toml:4: rule "x": zone: no time zone "Mars/Base"',
        ),
        (f'[[rule]]\nname = "x"\nzone = "UTC"\n{GOOD}', 'rules.toml:3: rule "x": zone: expected o'),
        ('[[rule]]\nname = "x"\nwhen = { type = "film.arrived" }', 'rules.toml:1: rule "x": expec'),
        (
            '[[rule]]\nname = "x"\nwhen = { type = "film.arrived" }\ndo = "lok"',
            'rules.toml:4: rule "x": do: no function "lok": did you mean "look"?',
        ),
        (
            '[[rule]]\nname = "x"\ndo = "look"\n[rule.when]\ntype = "film.arrived"\ndata.nam = "x"',
            'rules.toml:6: rule "x": when.data.nam: no field in the data of film.arrived "nam"',
        ),
        (f'[[rule]]\nname = "x"\n{GOOD}if = "data.nam > 1"', 'rules.toml:5: rule "x": if: no fiel'),
        (f'[[rule]]\nname = "x"\n{GOOD}at_most = "10"', 'rules.toml:5: rule "x": at_most: expecte'),
        (f'[[rule]]\nname = "x"\n{GOOD}delay = 5', 'rules.toml:5: rule "x": delay: expected a tim'),
        (f'[[rule]]\nname = "x"\n{GOOD}ordered = "no"', 'rules.toml:5: rule "x": ordered: expecte'),
        (
            f'[[rule]]\nname = "x"\n{GOOD}[rule.retry]\nattempts = 2\nfirst = "x"',
            'rules.toml:7: rule "x": retry.first: expected a time',
        ),
        (f'[[rule]]\nname = "x"\n{GOOD}[[rule]]\nname = "x"\n{GOOD}', "rules.toml:6:"),
        (
            '[[rule]]\nname = "publish"\n[rule.with]\n\nladder = 3',
            'rules.toml:5: rule "publish": with.ladder: expected a valid string, not 3',
        ),
        ('[[rule]]\nname = "publish"\nwith = 3', 'rules.toml:3: rule "publish": with: expected a '),
        (
            '[[rule]]\nname = "x"\nwhen.type = "film.arrived"\ndo = "write-list"\nwith.most = 1',
            'rules.toml:5: rule "x": with: write-list needs the parameter "path"',
        ),
    ],
)  # fmt: skip
def test_every_fault_is_told_with_file_line_and_rule(text: str, told: str) -> None:
    assert faults(text)[0].startswith(told)


def test_all_faults_are_told_at_once() -> None:
    text = (
        '[[rule]]\nname = "x"\nwhen = { type = "film.arrived" }\ndo = "write-list"\n'
        'with = { path = "p", most = 0, knd = "a" }\n[[rule]]\nname = "y"\ndo = "look"\n'
    )
    assert faults(text) == [
        'rules.toml:5: rule "x": with.most: expected greater than or equal to 1, not 0',
        'rules.toml:5: rule "x": with.knd: no parameter of write-list "knd": did you mean "kind"?',
        'rules.toml:6: rule "y": expected either "when" or "schedule"',
    ]


def test_lines_are_those_of_statements_whatever_stands_between() -> None:
    text = '# a\n[[rule]]\nname = """\n[[rule]]\n"""\n\n# b\nwith.list = [\n  1, # c\n  2,\n]\n'
    assert line_of(text, ("rule", 0)) == 2
    assert line_of(text, ("rule", 0, "name")) == 3
    assert line_of(text, ("rule", 0, "with", "list", 1)) == 8
    assert line_of(text, ("rule", 0, "do")) == 2
    assert line_of(text, ("nothing",)) is None


@given(
    attempts=st.integers(1, 40), first=st.floats(0.001, 60), factor=st.floats(1, 10),
    most=st.floats(1, 3600), roll=st.floats(0, 1),
)  # fmt: skip
def test_pauses_grow_to_their_cap_and_end(
    attempts: int, first: float, factor: float, most: float, roll: float
) -> None:
    retry = Retry(attempts, first, factor, most)
    pauses = [retry.pause_s(attempt, roll) for attempt in range(1, attempts + 1)]

    assert pauses[-1] is None
    waits = [pause for pause in pauses if pause is not None]
    assert len(waits) == attempts - 1 and waits == sorted(waits)
    assert all(0 < wait <= most for wait in waits)
    full = [retry.pause_s(attempt, 1) for attempt in range(1, attempts)]
    assert all(f / 2 <= w <= f for w, f in zip(waits, full, strict=True) if f is not None)
