"""What goes between us and the function host: lines of JSON.

::

    we    {"call": 1, "function": NAME, "event": EVENT, "parameters": {...},
           "rule": NAME, "delivery": 4, "attempt": 1}
    host  {"call": 1, "ask": 7, "what": "title", "name": "sintel"}
    we    {"answer": 7, "value": ...}                    or "error": {"code", "message", "hint"}
    host  {"call": 1, "facts": [...], "wishes": [...]}   or "error": {..., "gave_up": true}
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from matinee.core.events import Fact, event_from_json
from matinee.ports.deliveries import Delivery
from matinee.ports.runs import Wish
from matinee.rules.functions import Call, FunctionFailed, GiveUp

FACTS = TypeAdapter(list[Fact])
WISHES = TypeAdapter(list[Wish])


def call_json(number: int, function: str, delivery: Delivery) -> dict[str, Any]:
    """A call, on its way to the host."""
    return {
        "call": number,
        "function": function,
        "event": delivery.event.as_json(),
        "rule": delivery.rule,
        "delivery": delivery.id,
        "attempt": delivery.attempts,
        "parameters": dict(delivery.parameters),
    }


def call_of(message: Mapping[str, Any]) -> Call:
    """The call that ``call_json`` spelled."""
    return Call(
        event_from_json(message["event"]),
        message["rule"],
        message["delivery"],
        message["attempt"],
    )


def effects_json(number: int, call: Call) -> dict[str, Any]:
    """What a function that returned wants told and run."""
    return {
        "call": number,
        "facts": FACTS.dump_python(call.facts, mode="json"),
        "wishes": WISHES.dump_python(call.wishes, mode="json"),
    }


def effects_of(message: Mapping[str, Any], call: Call) -> None:
    """Put what the host said onto the call.

    Raises:
        GiveUp, FunctionFailed: the function raised.
    """
    if "error" in message:
        error = message["error"]
        kind = GiveUp if error["gave_up"] else FunctionFailed
        raise kind(error["message"], error["hint"])
    call.facts[:] = FACTS.validate_python(message["facts"])
    call.wishes[:] = WISHES.validate_python(message["wishes"])
