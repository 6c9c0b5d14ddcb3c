"""The simple fields of a rule, each read or refused with what was expected."""

import re
from collections.abc import Mapping
from typing import Any

from matinee.rules.faults import Fault, Faulty, unknown
from matinee.rules.functions import NAME
from matinee.rules.retry import Retry

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
WINDOWS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
LONGEST_S = 366 * SECONDS["d"]


def read_name(value: Any) -> str:
    """The name of a rule."""
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise _expected("a name of letters, digits, -, _ and ., at most 64", "name")
    return value


def read_switch(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _expected("true or false")
    return value


def read_duration(value: Any) -> float:
    """Seconds, from a text such as ``90s``."""
    parts = (
        re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", value) if isinstance(value, str) else None
    )
    seconds = float(parts[1]) * SECONDS[parts[2]] if parts else LONGEST_S + 1
    if seconds > LONGEST_S:
        raise _expected('a time such as "90s", "5m", "2h" or "1d", at most 366 days')
    return seconds


def read_cap(value: Any) -> tuple[int, float]:
    """How many in how many seconds, from a text such as ``10/minute``."""
    parts = re.fullmatch(r"(\d{1,6})\s*/\s*(\w+)", value) if isinstance(value, str) else None
    if not parts or parts[2] not in WINDOWS or int(parts[1]) == 0:
        raise _expected('a cap such as "10/minute": a number, then second, minute, hour or day')
    return int(parts[1]), WINDOWS[parts[2]]


def read_retry(value: Any) -> Retry:
    """How often and when to call again."""
    if not isinstance(value, Mapping):
        raise _expected('a table such as { attempts = 3, first = "10s", factor = 2, most = "1h" }')
    known = ("attempts", "first", "factor", "most")
    faults = [Fault((n,), unknown("field of retry", n, known)) for n in value if n not in known]
    usual = Retry()
    numbers: dict[str, float] = {"attempts": usual.attempts, "factor": usual.factor}
    for name, least, most in (("attempts", 1, 1000), ("factor", 1, 100)):
        given = value.get(name, numbers[name])
        is_number = isinstance(given, int if name == "attempts" else int | float)
        if not is_number or isinstance(given, bool) or not least <= given <= most:
            faults.append(Fault((name,), f"expected a number from {least} to {most}"))
        else:
            numbers[name] = given
    times = {"first": usual.first_s, "most": usual.most_s}
    for name in times.keys() & value.keys():
        try:
            times[name] = read_duration(value[name])
        except Faulty as error:
            faults += [fault.under(name) for fault in error.faults]
    if faults:
        raise Faulty(*faults)
    return Retry(int(numbers["attempts"]), times["first"], numbers["factor"], times["most"])


def _expected(what: str, *path: str) -> Faulty:
    return Faulty(Fault(path, f"expected {what}"))
