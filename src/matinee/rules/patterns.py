"""Which events a rule is about: patterns in the language of Amazon EventBridge. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matinee.core.events import Event, EventType
from matinee.rules.faults import Fault, Faulty, unknown

ENVELOPE = ("id", "time", "type", "source", "subject", "cause", "data")
"""What a pattern may name of an event."""

LITERALS = (str, int, float, bool, type(None))
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt,
}  # fmt: skip
OPERATORS = (
    "prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "exists", "anything-but",
)  # fmt: skip
OF_TEXT = ("prefix", "suffix", "equals-ignore-case", "wildcard")
"""The operators that only text can meet."""

IGNORE_CASE = "equals-ignore-case"


@dataclass(frozen=True, slots=True)
class Test:
    """One value of a pattern: ``equals`` a literal, or an operator with its argument."""

    kind: str
    argument: Any

    def holds(self, value: Any) -> bool:
        """Whether a field of that value meets it; null counts as a field that is not there."""
        if self.kind == "equals":
            return _same(value, self.argument)
        if self.kind == "exists":
            return (value is not None) is self.argument
        if value is None:
            return False
        if self.kind == "anything-but":
            return not any(test.holds(value) for test in self.argument)
        if self.kind == "numeric":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return is_number and all(COMPARE[sign](value, bound) for sign, bound in self.argument)
        return isinstance(value, str) and _text_holds(self.kind, self.argument, value)


Node = Mapping[str, "Node | Sequence[Test]"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Conditions on an event's fields that must all hold. ``types`` are all that it can match."""

    node: Node
    types: frozenset[str]

    def matches(self, event: Event) -> bool:
        """Whether the event is one of those."""
        return event.type in self.types and _meets(self.node, _view(event))


def compile_pattern(document: Any, types: Mapping[str, EventType]) -> Pattern:
    """The pattern that a document spells.

    Raises:
        Faulty: a field, type or operator that there is none of, or that fits not together.
    """
    if not isinstance(document, Mapping):
        raise Faulty(Fault((), "expected a table with the fields that an event must have"))
    faults: list[Fault] = []
    strangers = [name for name in document if name not in ENVELOPE]
    faults += [Fault((name,), unknown("field of events", name, ENVELOPE)) for name in strangers]
    node = _compile(document, faults)
    matched = _matched_types(node.get("type"), types, faults)
    if not faults:
        _check_kinds(node, [types[name] for name in matched], faults)
    if faults:
        raise Faulty(*faults)
    return Pattern(node, frozenset(matched))


def _view(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "time": event.time.isoformat(),
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "cause": event.cause,
        "data": event.data,
    }


def _meets(node: Node | Sequence[Test], value: Any) -> bool:
    """Of a list in the event, one item must meet all."""
    if isinstance(value, list | tuple):
        return any(_meets(node, item) for item in value) or (not value and _meets(node, None))
    if isinstance(node, Mapping):
        fields = value if isinstance(value, Mapping) else {}
        return all(_meets(child, fields.get(name)) for name, child in node.items())
    return any(test.holds(value) for test in node)


def _same(value: Any, literal: Any) -> bool:
    # 1 == True in Python, not in JSON.
    return isinstance(value, bool) is isinstance(literal, bool) and bool(value == literal)


def _text_holds(kind: str, argument: Any, value: str) -> bool:
    if kind == "wildcard":
        return _wildcard(argument, value)
    text, folds = argument
    if folds:
        text, value = text.casefold(), value.casefold()
    if kind == "prefix":
        return value.startswith(text)
    if kind == "suffix":
        return value.endswith(text)
    return bool(value == text)


def _wildcard(parts: Sequence[str], value: str) -> bool:
    """Parts in order with anything between them; no going back, so in linear time."""
    first, *rest = parts
    if not rest:
        return value == first
    *middle, last = rest
    if not value.startswith(first) or len(value) < len(first) + len(last):
        return False
    place, end = len(first), len(value) - len(last)
    for part in middle:
        found = value.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return value.endswith(last)


def _compile(document: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    node: dict[str, Any] = {}
    for name, value in document.items():
        inner: list[Fault] = []
        if isinstance(value, Mapping) and not (len(value) == 1 and set(value) <= set(OPERATORS)):
            node[name] = _compile(value, inner)
            if not value:
                inner.append(Fault((), "expected fields or values: an empty table says nothing"))
        else:
            values = value if isinstance(value, list) else [value]
            if not values:
                inner.append(Fault((), "expected at least one value"))
            node[name] = [test for one in values if (test := _test(one, inner))]
        faults += [fault.under(name) for fault in inner]
    return node


def _test(value: Any, faults: list[Fault]) -> Test | None:
    if isinstance(value, LITERALS):
        return Test("equals", value)
    if not isinstance(value, Mapping) or len(value) != 1:
        faults.append(Fault((), "expected a value, or a table of one operator"))
        return None
    ((kind, argument),) = value.items()
    if kind not in OPERATORS:
        faults.append(Fault((), unknown("operator", kind, OPERATORS)))
        return None
    try:
        return Test(kind, _argument(kind, argument))
    except ValueError as error:
        faults.append(Fault((), f"{kind}: expected {error}"))
        return None


def _argument(kind: str, argument: Any) -> Any:
    """The operator's argument in the form that ``Test.holds`` takes; ValueError: what it wants."""
    if kind == "exists":
        if not isinstance(argument, bool):
            raise ValueError("true or false")
        return argument
    if kind == "numeric":
        return _bounds(argument)
    if kind == "anything-but":
        return _excluded(argument)
    if kind == "wildcard":
        return _parts(argument)
    folds = kind == IGNORE_CASE
    if kind in ("prefix", "suffix") and isinstance(argument, Mapping):
        if set(argument) != {IGNORE_CASE}:
            raise ValueError(f"a text or {{ {IGNORE_CASE} = text }}")
        argument, folds = argument[IGNORE_CASE], True
    if not isinstance(argument, str):
        raise ValueError("a text")  # noqa: TRY004  # a rule's fault
    return argument, folds


def _bounds(argument: Any) -> tuple[tuple[str, float], ...]:
    wanted = 'one or two comparisons, such as [">", 0, "<=", 1000]'
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise ValueError(wanted)
    pairs = tuple(zip(argument[::2], argument[1::2], strict=True))
    for sign, bound in pairs:
        is_number = isinstance(bound, int | float) and not isinstance(bound, bool)
        if not isinstance(sign, str) or sign not in COMPARE or not is_number:
            raise ValueError(wanted)
    return pairs


def _excluded(argument: Any) -> tuple[Test, ...]:
    values = argument if isinstance(argument, list) else [argument]
    tests = []
    for value in values:
        if isinstance(value, Mapping):
            if len(value) != 1 or not set(value) <= set(OF_TEXT):
                raise ValueError(f"values, or a table of one of {', '.join(OF_TEXT)}")
            ((kind, inner),) = value.items()
            texts = inner if isinstance(inner, list) else [inner]
            tests += [Test(kind, _argument(kind, text)) for text in texts]
        elif isinstance(value, LITERALS):
            tests.append(Test("equals", value))
        else:
            raise ValueError("values or a table of one operator")  # noqa: TRY004  # a rule's fault
    if not tests:
        raise ValueError("at least one value")
    return tuple(tests)


def _parts(argument: Any) -> tuple[str, ...]:
    if not isinstance(argument, str):
        raise ValueError("a text with stars")  # noqa: TRY004  # a rule's fault
    parts = [""]
    letters = iter(argument)
    for letter in letters:
        if letter == "*":
            parts.append("")
        elif letter == "\\":
            escaped = next(letters, "")
            if escaped not in ("*", "\\"):
                raise ValueError(r"\* or \\ after a backslash")
            parts[-1] += escaped
        else:
            parts[-1] += letter
    return tuple(parts)


def _matched_types(
    tests: Any, types: Mapping[str, EventType], faults: list[Fault]
) -> frozenset[str]:
    if tests is None or isinstance(tests, Mapping):
        faults.append(Fault(("type",), "expected a type of events, such as film.arrived"))
        return frozenset()
    for test in tests:
        if not any(test.holds(name) for name in types):
            told = test.argument if test.kind == "equals" else test.kind
            faults.append(Fault(("type",), unknown("event type", told, types)))
    return frozenset(name for name in types if any(test.holds(name) for test in tests))


def _check_kinds(node: Node, matched: Sequence[EventType], faults: list[Fault]) -> None:
    """Every field is one that a matched event may have, and its tests can be met."""
    for name, child in node.items():
        if name != "data":
            faults += [fault.under(name) for fault in _kind_faults(child, {"string"})]
    data = node.get("data", {})
    if not isinstance(data, Mapping):
        faults.append(Fault(("data",), "expected a table of the data's fields"))
        return
    for name, child in data.items():
        kinds = {each.fields[name][0] for each in matched if name in each.fields}
        if kinds:
            faults += [fault.under("data", name) for fault in _kind_faults(child, kinds)]
            continue
        known = {field for each in matched for field in each.fields}
        of = matched[0].name if len(matched) == 1 else "these events"
        faults.append(Fault(("data", name), unknown(f"field in the data of {of}", name, known)))


def _kind_faults(child: Any, kinds: set[str]) -> list[Fault]:
    """What of a field's tests no value of these JSON types can meet."""
    if "array" in kinds or ("object" in kinds and isinstance(child, Mapping)):
        return []
    kind = " or ".join(sorted(kinds))
    if isinstance(child, Mapping):
        return [Fault((), f"expected a value: it is of type {kind} and has no fields")]
    return [
        Fault((), f"{test.kind}: the field is of type {kind}")
        for test in child
        if not _can_hold(test, kinds)
    ]


def _can_hold(test: Test, kinds: set[str]) -> bool:
    if test.kind == "exists":
        return True
    if test.kind == "anything-but":
        return all(_can_hold(inner, kinds) for inner in test.argument)
    if test.kind == "equals":
        return test.argument is None or _json_type(test.argument) in kinds
    wanted = {"integer", "number"} if test.kind == "numeric" else {"string"}
    return bool(kinds & wanted)


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {str: "string", int: "integer", float: "number"}[type(value)]
