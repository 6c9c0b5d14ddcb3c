"""Scrubs, what they found, and from where sources came, in tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from matinee.adapters.sql.database import insert_or_change, reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.schema import findings, originals, scrubs
from matinee.assets.health import Fault
from matinee.core.events import Fact
from matinee.core.ids import Digest
from matinee.ports.copies import Originals
from matinee.ports.upkeep import Finding, Findings, Scrub, Scrubs


class SqlFindings(Findings):
    """Findings in a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
        cause: The event that led to what is done.
    """

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], cause: str | None = None
    ) -> None:
        self._engine, self._now, self._cause = engine, now, cause

    def open(self, faults: Sequence[Fault]) -> Sequence[Finding]:
        if not faults:
            return []
        now, columns = self._now(), findings.c
        new: list[Finding] = []
        with writing(self._engine) as connection:
            query = select(columns.thing, columns.kind).where(
                columns.thing.in_([fault.thing for fault in faults]), columns.state != "mended"
            )
            known = {(row.thing, row.kind) for row in connection.execute(query)}
            for fault in faults:
                if (fault.thing, fault.kind) in known:
                    continue
                known.add((fault.thing, fault.kind))
                row = {**_fault_row(fault), "state": "open", "found_at": now}
                number = connection.scalars(insert(findings).values(row).returning(columns.id))
                new.append(Finding(number.one(), fault, "open", now, None, None))
            tell(connection, [_opened(each, self._cause) for each in new], now)
        return new

    def close(self, finding: Finding, state: str, how: str) -> None:
        now, columns = self._now(), findings.c
        with writing(self._engine) as connection:
            closed = (
                update(findings)
                .where(columns.id == finding.id, columns.state.not_in(["mended", state]))
                .values(state=state, how=how, closed_at=now)
            )
            if connection.execute(closed.returning(columns.id)).one_or_none() is not None:
                tell(connection, [_closed(finding, state, how, self._cause)], now)

    def all_open(self, title: str | None = None) -> Sequence[Finding]:
        query = select(findings).where(findings.c.state != "mended")
        if title is not None:
            query = query.where(findings.c.title == title)
        with reading(self._engine) as connection:
            return [_finding(row) for row in connection.execute(query.order_by(findings.c.id))]

    def page(self, states: Sequence[str], before: int | None, limit: int) -> Sequence[Finding]:
        query = select(findings)
        if states:
            query = query.where(findings.c.state.in_(states))
        if before is not None:
            query = query.where(findings.c.id < before)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(findings.c.id.desc()).limit(limit))
            return [_finding(row) for row in rows]


class SqlScrubs(Scrubs):
    """Passes in a database that ``open_database`` opened; see ``SqlFindings``."""

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], cause: str | None = None
    ) -> None:
        self._engine, self._now, self._cause = engine, now, cause

    def begin(self, settings: Mapping[str, Any]) -> Scrub:
        now = self._now()
        open_ones = select(scrubs).where(scrubs.c.state == "running")
        with writing(self._engine) as connection:
            for row in connection.execute(open_ones.order_by(scrubs.c.id.desc())):
                if row.settings == dict(settings):
                    return _scrub(row)
            values = {
                "settings": dict(settings), "state": "running", "phase": "", "place": "",
                "counts": {}, "begun_at": now, "told_at": now,
            }  # fmt: skip
            new = insert(scrubs).values(values).returning(scrubs)
            return _scrub(connection.execute(new).one())

    def tell(self, scrub: Scrub) -> None:
        values = {
            "phase": scrub.phase, "place": scrub.place, "counts": dict(scrub.counts),
            "told_at": self._now(),
        }  # fmt: skip
        with writing(self._engine) as connection:
            connection.execute(update(scrubs).where(scrubs.c.id == scrub.id).values(values))

    def end(self, scrub: Scrub) -> Scrub:
        now = self._now()
        values = {
            "state": "done", "counts": dict(scrub.counts), "told_at": now, "ended_at": now,
            "phase": "", "place": "",
        }  # fmt: skip
        with writing(self._engine) as connection:
            ended = update(scrubs).where(scrubs.c.id == scrub.id, scrubs.c.state == "running")
            if connection.execute(ended.values(values)).rowcount:
                fact = Fact(
                    "scrub.ended", f"scrub/{scrub.id}",
                    {"scrub": scrub.id, "settings": dict(scrub.settings),
                     "counts": dict(scrub.counts)},
                    self._cause,
                )  # fmt: skip
                tell(connection, [fact], now)
        return replace(scrub, state="done", phase="", place="", told_at=now, ended_at=now)

    def newest(self, limit: int) -> Sequence[Scrub]:
        query = select(scrubs).order_by(scrubs.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [_scrub(row) for row in connection.execute(query)]


class SqlOriginals(Originals):
    """Places of originals in a database that ``open_database`` opened."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine, self._now = engine, now

    def note(self, digest: Digest, place: str) -> None:
        row = {"digest": digest, "place": place, "seen_at": self._now()}
        with writing(self._engine) as connection:
            changing = insert_or_change(
                connection, originals, key=["digest", "place"], changed=["seen_at"]
            )
            connection.execute(changing, row)

    def of(self, digest: Digest) -> Sequence[str]:
        columns = originals.c
        query = select(columns.place).where(columns.digest == digest)
        with reading(self._engine) as connection:
            return connection.scalars(query.order_by(columns.seen_at.desc())).all()


def _fault_row(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind, "thing": fault.thing, "digest": fault.digest, "title": fault.title,
        "detail": dict(fault.detail),
    }  # fmt: skip


def _finding(row: Row[Any]) -> Finding:
    fault = Fault(row.kind, row.thing, row.digest, row.title, row.detail)
    return Finding(row.id, fault, row.state, row.found_at, row.closed_at, row.how)


def _scrub(row: Row[Any]) -> Scrub:
    return Scrub(**row._asdict())


def _opened(finding: Finding, cause: str | None) -> Fact:
    fault = finding.fault
    data = {
        "finding": finding.id, "kind": fault.kind, "thing": fault.thing, "digest": fault.digest,
        "title": fault.title, "message": fault.words,
    }  # fmt: skip
    return Fact("finding.opened", f"finding/{finding.id}", data, cause)


def _closed(finding: Finding, state: str, how: str, cause: str | None) -> Fact:
    fault = finding.fault
    data = {
        "finding": finding.id, "kind": fault.kind, "thing": fault.thing, "title": fault.title,
        "state": state, "message": how,
    }  # fmt: skip
    return Fact("finding.closed", f"finding/{finding.id}", data, cause)
