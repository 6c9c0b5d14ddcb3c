"""What a pattern cannot say: conditions in CEL, the Common Expression Language.

CEL has no loops but over lists that are there, no assignments and no way out, so a condition of
bounded length is decided soon. The library comes with 30 MB, so it is loaded when a rule needs it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matinee.core.events import Event, EventType
from matinee.rules.faults import Fault, Faulty, unknown

LONGEST = 1000
"""Characters of a condition."""

MOST_LOOPS = 2
"""How many macros that go through a list a condition may have."""

NAMES = ("event", "data", "now")
FIELDS = ("id", "type", "source", "subject", "time", "cause", "data")

_TEXT = re.compile(
    r'[rRbB]{0,2}(?:"""(?:\\.|[^\\])*?"""|'
    r"'''(?:\\.|[^\\])*?'''|"
    r'"(?:\\.|[^"\\])*"|'
    r"'(?:\\.|[^'\\])*')",
    re.DOTALL,
)
_LOOP = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(")
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(\w+)\s*,")
_DATA = re.compile(r"(?<![\w.])(?:event\s*\.\s*)?data\s*\.\s*(\w+)(?!\s*\()")
_EVENT = re.compile(r"(?<![\w.])event\s*\.\s*(\w+)(?!\s*\()")
SAMPLES = {
    "string": "", "integer": 0, "number": 0.0, "boolean": False, "array": [], "object": {},
}  # fmt: skip

TELLING = ("Undefined", "true or false", "Unsupported", "No such overload")
"""Of a condition that fails about a sample: what no other values would mend."""


class Undecided(Exception):  # the dispatcher makes a dead letter of it
    """A condition has no answer for this event."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. ``fields`` are those of the data of all events it may be asked about.

    A field that an event lacks is null.
    """

    text: str
    fields: tuple[str, ...]
    program: Any

    def holds(self, event: Event, now: datetime) -> bool:
        """Whether it holds for the event.

        Raises:
            Undecided: it cannot be decided, or is neither true nor false.
        """
        return _ask(self.program, _names(event, self.fields, now))


def compile_condition(text: Any, types: Sequence[EventType]) -> Condition:
    """The condition that a text spells, about events of these types.

    Raises:
        Faulty: it is no CEL, too long, names something unknown, or gives no true or false.
    """
    if not isinstance(text, str) or not text.strip():
        raise Faulty(Fault((), 'expected a condition, such as "data.size_bytes > 1000"'))
    if len(text) > LONGEST:
        raise Faulty(Fault((), f"expected at most {LONGEST} characters, not {len(text)}"))
    from cel import compile as compile_cel  # noqa: PLC0415  # see above

    try:
        program = compile_cel(text)
    except ValueError as error:
        raise Faulty(Fault((), f"expected a condition in CEL: {_told(error)}")) from error
    bare = _TEXT.sub('""', text)
    if len(_LOOP.findall(bare)) > MOST_LOOPS:
        raise Faulty(Fault((), f"expected at most {MOST_LOOPS} of all, exists, map and filter"))
    fields = tuple(sorted({name for each in types for name in each.fields}))
    faults = [*_unknown_names(program, bare), *_unknown_fields(bare, fields)]
    if not faults:
        faults = _type_faults(Condition(text, fields, program), types)
    if faults:
        raise Faulty(*faults)
    return Condition(text, fields, program)


def _unknown_names(program: Any, bare: str) -> list[Fault]:
    names = set(program.variables()) - set(_BOUND.findall(bare))
    strangers = sorted(name for name in names if name not in NAMES)
    return [Fault((), unknown("name", name, NAMES)) for name in strangers]


def _unknown_fields(bare: str, fields: Sequence[str]) -> list[Fault]:
    of_event = {name for name in _EVENT.findall(bare) if name not in FIELDS}
    of_data = {name for name in _DATA.findall(bare) if name not in fields}
    return [
        *(Fault((), unknown("field of events", name, FIELDS)) for name in sorted(of_event)),
        *(Fault((), unknown("field of the data", name, fields)) for name in sorted(of_data)),
    ]


def _type_faults(condition: Condition, types: Sequence[EventType]) -> list[Fault]:
    """Faults that show when it is asked about an event of each type with values of its types."""
    now = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    for kind in types:
        data = {name: SAMPLES.get(json_type, "") for name, (json_type, _) in kind.fields.items()}
        sample = Event("id", now, kind.name, "/", "subject", data, "cause")
        try:
            condition.holds(sample, now)
        except Undecided as error:
            # What is inside objects and lists is not known here, and a sample is only a sample.
            if any(sign in str(error) for sign in TELLING):
                return [Fault((), f"about {kind.name}: {error}")]
    return []


def _names(event: Event, fields: Sequence[str], now: datetime) -> dict[str, Any]:
    data = {**dict.fromkeys(fields), **event.data}
    return {
        "event": {
            "id": event.id,
            "type": event.type,
            "source": event.source,
            "subject": event.subject,
            "time": event.time,
            "cause": event.cause,
            "data": data,
        },
        "data": data,
        "now": now,
    }


def _ask(program: Any, names: Mapping[str, Any]) -> bool:
    try:
        answer = program.execute(dict(names))
    except Exception as error:
        raise Undecided(_told(error)) from error
    if not isinstance(answer, bool):
        raise Undecided(f"it gives {answer!r}, not true or false")
    return answer


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no field {error}"
    return " ".join(str(error).split()).replace("ERROR: <input>:", "at ").partition(". ")[0]
