"""Where a library is backed up to, and what of it: the file ``backup.toml`` of a library.

One table ``[[backup]]`` for each place, so that one place may have everything and another what
cannot be made again.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from matinee.assets.retention import Retention
from matinee.assets.worth import Worth
from matinee.core.errors import UsageError

FILE = "backup.toml"
SHARES = ("all", "price", "none")


class BackupPolicyInvalid(UsageError):
    """``backup.toml`` has a fault."""

    code = "backup.invalid"
    advice = "docs/guide/backup.md has every field of backup.toml"


@dataclass(frozen=True, slots=True)
class Policy:
    """One place: its address, what goes there, for whom it is encrypted, what is kept there.

    ``keep`` None: every snapshot.
    """

    to: str
    worth: Worth = field(default_factory=Worth)
    recipients: tuple[str, ...] = ()
    keep: Retention | None = None


def read_policies(text: str) -> Sequence[Policy]:
    """The places of a file.

    Raises:
        BackupPolicyInvalid: it is no TOML, or a field is unknown or of the wrong kind.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BackupPolicyInvalid(f"{FILE}: {error}") from error
    places = document.pop("backup", [])
    _refuse_unknown(document, (), "the file")
    if not isinstance(places, list) or not all(isinstance(place, dict) for place in places):
        raise BackupPolicyInvalid(f"{FILE}: each place is a table [[backup]]")
    return [_policy(place) for place in places]


def _policy(table: Mapping[str, Any]) -> Policy:
    known = ("to", "recipients", "published", "made", "seconds_per_gib", "age_days", "keep")
    _refuse_unknown(table, known, "[[backup]]")
    to = table.get("to")
    if not isinstance(to, str) or not to:
        raise BackupPolicyInvalid(f"{FILE}: every [[backup]] says where: to = 'ADDRESS'")
    recipients = table.get("recipients", [])
    if not isinstance(recipients, list) or not all(isinstance(one, str) for one in recipients):
        raise BackupPolicyInvalid(f"{FILE}: recipients of {to} is a list of age recipients")
    usual = Worth()
    return Policy(
        to=to,
        worth=Worth(
            published=_share(table, "published", usual.published),
            made=_share(table, "made", usual.made),
            seconds_per_gib=_number(table, "seconds_per_gib", usual.seconds_per_gib),
            age=timedelta(days=_number(table, "age_days", 0)),
        ),
        recipients=tuple(recipients),
        keep=_retention(table["keep"]) if "keep" in table else None,
    )


def _retention(table: Any) -> Retention:
    known = tuple(each.name for each in fields(Retention))
    if not isinstance(table, dict):
        raise BackupPolicyInvalid(f"{FILE}: keep is a table such as {{ last = 3, daily = 7 }}")
    _refuse_unknown(table, known, "keep")
    for name, count in table.items():
        if type(count) is not int or not 0 <= count <= 10_000:
            raise BackupPolicyInvalid(f"{FILE}: keep.{name} is a number of snapshots")
    return Retention(**table)


def _share(table: Mapping[str, Any], name: str, usual: Any) -> Any:
    value = table.get(name, usual)
    if value not in SHARES:
        raise BackupPolicyInvalid(f"{FILE}: {name} is one of {', '.join(SHARES)}")
    return value


def _number(table: Mapping[str, Any], name: str, usual: float) -> float:
    value = table.get(name, usual)
    if type(value) not in (int, float) or not 0 <= value <= 1e9:
        raise BackupPolicyInvalid(f"{FILE}: {name} is a number, at least 0")
    return float(value)


def _refuse_unknown(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in table:
        if name not in known:
            raise BackupPolicyInvalid(f"{FILE}: {where} has no field {name!r}")
