"""The rules as read: from ``rules.toml`` over the shipped ones, all checked before any is used."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from matinee.core.events import Event, EventType
from matinee.core.toml_lines import line_of, line_of_error
from matinee.ports.deliveries import Order
from matinee.rules.conditions import Condition, Undecided, compile_condition
from matinee.rules.faults import Fault, Faulty, Path, RulesInvalid, unknown
from matinee.rules.fields import read_cap, read_duration, read_name, read_retry, read_switch
from matinee.rules.functions import Function, event_types
from matinee.rules.patterns import Pattern, compile_pattern
from matinee.rules.retry import Retry
from matinee.rules.schedules import Schedule, read_schedule

FIELDS = (
    "name", "when", "schedule", "zone", "if", "do", "with", "at_most", "delay", "retry", "ordered",
    "enabled",
)  # fmt: skip
DEAD = "delivery.dead"


@dataclass(frozen=True, slots=True)
class Rule:
    """When, if, do, at most so often. ``cap`` is how many in how many seconds.

    ``document`` is the rule as written, ``file`` where.
    """

    name: str
    pattern: Pattern
    condition: Condition | None
    do: str
    parameters: Mapping[str, Any]
    cap: tuple[int, float] | None
    delay_s: float
    retry: Retry
    schedule: Schedule | None
    ordered: bool
    enabled: bool
    document: Mapping[str, Any]
    file: str

    def matches(self, event: Event) -> bool:
        """Whether the rule is about the event, whatever its condition says."""
        return self.enabled and self.pattern.matches(event)

    def holds(self, event: Event, now: datetime) -> bool:
        """Whether its condition holds; raises ``Undecided``."""
        return self.condition is None or self.condition.holds(event, now)

    def order(self, now: datetime) -> Order:
        """What it wants done about an event that came now."""
        most, window_s = self.cap or (None, None)
        due_at = now + timedelta(seconds=self.delay_s)
        return Order(self.name, self.do, self.parameters, due_at, self.ordered, most, window_s)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules, shipped ones first."""

    rules: tuple[Rule, ...]

    def get(self, name: str) -> Rule | None:
        """The rule of that name."""
        return next((rule for rule in self.rules if rule.name == name), None)

    def orders(self, event: Event, now: datetime) -> list[Order]:
        """What is wanted done about an event.

        A condition that cannot be decided counts as one that holds here: when the function's turn
        comes it is asked again, and a delivery that nobody can decide about is dead, not gone.
        """
        if event.type == DEAD and self._hears_of_the_dead(event.data.get("rule")):
            return []  # or two rules that fail would tell of each other for ever
        return [
            rule.order(now) for rule in self.rules if rule.matches(event) and _may(rule, event, now)
        ]

    def schedules(self) -> list[tuple[str, Schedule]]:
        """The rules that the clock calls."""
        return [(r.name, r.schedule) for r in self.rules if r.schedule is not None and r.enabled]

    def _hears_of_the_dead(self, name: object) -> bool:
        return any(rule.name == name and DEAD in rule.pattern.types for rule in self.rules)


def _may(rule: Rule, event: Event, now: datetime) -> bool:
    try:
        return rule.holds(event, now)
    except Undecided:
        return True


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part of a rule was written."""

    file: str
    text: str
    index: int


@dataclass
class _Draft:
    """A rule as it is put together from what is shipped and what is the user's."""

    document: dict[str, Any]
    places: dict[Path, _Place]
    faults: list[Fault] = field(default_factory=list)

    def place_of(self, path: Path) -> _Place:
        return next(
            (self.places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.places),
            self.places[()],
        )

    def told(self, fault: Fault) -> str:
        place = self.place_of(fault.path)
        line = line_of(place.text, ("rule", place.index, *fault.path)) or 1
        name = self.document.get("name", f"number {place.index + 1}")
        where = f"{'.'.join(map(str, fault.path))}: " if fault.path else ""
        return f'{place.file}:{line}: rule "{name}": {where}{fault.text}'


def shipped_rules() -> tuple[str, str]:
    """Name and text of the rules that come with Matinee."""
    return "shipped.toml", files(__package__).joinpath("shipped.toml").read_text(encoding="utf-8")


def read_rules(documents: Sequence[tuple[str, str]], functions: Mapping[str, Function]) -> RuleBook:
    """The rules of several documents, each a file's name and text; later ones go over earlier ones.

    Raises:
        RulesInvalid: anything is wrong in any of them; tells all of it.
    """
    drafts: dict[str, _Draft] = {}
    told: list[str] = []
    for file, text in documents:
        told += _read_document(file, text, drafts)
    types = event_types(functions.values())
    rules = []
    for draft in drafts.values():
        rule = _Reader(draft, functions, types).read()
        told += [draft.told(fault) for fault in draft.faults]
        rules += [rule] if rule else []
    if told:
        raise RulesInvalid("\n".join(told))
    return RuleBook(tuple(rules))


def _read_document(file: str, text: str, drafts: dict[str, _Draft]) -> Iterator[str]:
    """Lay a document's rules over the drafts; gives what is wrong with its form."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        yield f"{file}:{line_of_error(error, text)}: expected TOML: {error}"
        return
    for name in document:
        if name != "rule":
            line = line_of(text, (name,)) or 1
            yield f'{file}:{line}: expected [[rule]] and nothing else, not "{name}"'
    listed = document.get("rule", [])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        yield f"{file}:{line_of(text, ('rule',)) or 1}: expected [[rule]], with two brackets"
        return
    seen: set[str] = set()
    for index, each in enumerate(listed):
        draft = _Draft(each, {(): _Place(file, text, index)})
        try:
            name = read_name(each.get("name"))
        except Faulty as error:
            yield from (draft.told(fault) for fault in error.faults)
            continue
        if name in seen:
            yield draft.told(Fault(("name",), "expected a name of its own: an earlier rule has it"))
            continue
        seen.add(name)
        drafts[name] = draft if "do" in each or name not in drafts else _laid(drafts[name], draft)


def _laid(below: _Draft, over: _Draft) -> _Draft:
    """A shipped rule with some fields changed."""
    place = over.places[()]
    changed = dict(over.document)
    if isinstance(changed.get("with"), dict):
        changed["with"] = {**below.document.get("with", {}), **changed["with"]}
    places = dict(below.places)
    for name, value in over.document.items():
        is_merged = name == "with" and isinstance(value, dict)
        places |= {("with", key): place for key in value} if is_merged else {(name,): place}
    return _Draft({**below.document, **changed}, places)


class _Reader:
    """Turns a draft into a rule, and notes everything that is wrong with it."""

    def __init__(
        self, draft: _Draft, functions: Mapping[str, Function], types: Mapping[str, EventType]
    ) -> None:
        self._draft, self._functions, self._types = draft, functions, types

    def read(self) -> Rule | None:
        document, faults = self._draft.document, self._draft.faults
        faults += [
            Fault((name,), unknown("field of a rule", name, FIELDS))
            for name in document
            if name not in FIELDS
        ]
        schedule = self._schedule()
        pattern = self._pattern(schedule)
        condition = self._condition(pattern)
        do, parameters = self._function()
        cap = self._field("at_most", read_cap, None)
        delay_s = self._field("delay", read_duration, 0.0)
        retry = self._field("retry", read_retry, Retry())
        ordered = self._field("ordered", read_switch, default=True)
        enabled = self._field("enabled", read_switch, default=True)
        if faults or pattern is None:
            return None
        return Rule(
            document["name"], pattern, condition, do, parameters, cap, delay_s, retry, schedule,
            ordered, enabled, document, self._draft.place_of(("do",)).file,
        )  # fmt: skip

    def _field(self, name: str, read: Any, default: Any) -> Any:
        if name not in self._draft.document:
            return default
        try:
            return read(self._draft.document[name])
        except Faulty as error:
            self._draft.faults += [fault.under(name) for fault in error.faults]
            return default

    def _schedule(self) -> Schedule | None:
        document = self._draft.document
        if "schedule" not in document:
            if "zone" in document:
                self._draft.faults.append(Fault(("zone",), "expected only beside a schedule"))
            return None
        try:
            return read_schedule(document["schedule"], document.get("zone", "UTC"))
        except Faulty as error:
            self._draft.faults += error.faults
            return None

    def _pattern(self, schedule: Schedule | None) -> Pattern | None:
        document = self._draft.document
        if ("when" in document) == ("schedule" in document):
            self._draft.faults.append(Fault((), 'expected either "when" or "schedule"'))
            return None
        when = document.get("when")
        if schedule is not None:
            when = {"type": "schedule.due", "data": {"rule": document["name"]}}
        elif "schedule" in document:
            return None
        try:
            return compile_pattern(when, self._types)
        except Faulty as error:
            self._draft.faults += [fault.under("when") for fault in error.faults]
            return None

    def _condition(self, pattern: Pattern | None) -> Condition | None:
        if "if" not in self._draft.document or pattern is None:
            return None
        types = [self._types[name] for name in sorted(pattern.types)]
        condition: Condition | None = self._field(
            "if", lambda text: compile_condition(text, types), None
        )
        return condition

    def _function(self) -> tuple[str, Mapping[str, Any]]:
        document, faults = self._draft.document, self._draft.faults
        name, parameters = document.get("do"), document.get("with", {})
        if not isinstance(parameters, dict):
            faults.append(Fault(("with",), "expected a table of parameters"))
        elif name is None:
            faults.append(Fault((), 'expected "do": the function to call'))
        elif name not in self._functions:
            faults.append(Fault(("do",), unknown("function", name, self._functions)))
        else:
            wrong = self._functions[name].check(parameters)
            faults += [fault.under("with") for fault in wrong]
        return str(name), parameters
