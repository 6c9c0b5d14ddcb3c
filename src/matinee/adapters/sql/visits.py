"""Who works with objects, for garbage collection; and what may be written again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from matinee.adapters.owners import is_dead, this_owner
from matinee.adapters.sql.database import reading, writing
from matinee.adapters.sql.schema import condemned, visits
from matinee.core.errors import LibraryError, MatineeError, RunLost
from matinee.ports.garbage import Spare

BEAT_S = 60
"""How often a visitor shows that it lives, where others cannot look after its process."""

COUNT = update(visits).where(visits.c.number == 0).values(counter=visits.c.counter + 1)
_IS_THERE = (
    select(visits.c.number).where(visits.c.number == bindparam("one")).with_for_update(read=True)
)
_SPARE = delete(condemned).where(condemned.c.key == bindparam("one"), condemned.c.owner.is_(None))
_OWNER = select(condemned.c.owner).where(condemned.c.key == bindparam("one"))
_FORGET = delete(condemned).where(condemned.c.key == bindparam("one"))


@dataclass(frozen=True, slots=True)
class Visit:
    """One visitor. What it commits is conditional on its row: who was taken for dead is lost."""

    number: int

    def check(self, connection: Connection) -> None:
        """Raise ``RunLost`` when garbage collection did not wait for this visitor."""
        if connection.scalar(_IS_THERE, {"one": self.number}) is None:
            raise RunLost(
                "this process was taken for dead while garbage was collected",
                "run the same command again: what is finished is kept",
            )


@contextmanager
def visiting(engine: Engine) -> Iterator[Visit]:
    """Let garbage collection wait until the block ends with what is condemned from now on."""
    owner = this_owner()
    with writing(engine) as connection:
        number: int = connection.scalars(COUNT.returning(visits.c.counter)).one()
        connection.execute(insert(visits).values(number=number, owner=owner, counter=0))
    ended = threading.Event()
    if engine.dialect.name != "sqlite":  # whose visitors are all processes of this machine
        threading.Thread(target=_beat, args=(engine, number, ended), daemon=True).start()
    try:
        yield Visit(number)
    finally:
        ended.set()
        with suppress(LibraryError), writing(engine) as connection:  # else it is seen off later
            connection.execute(delete(visits).where(visits.c.number == number))


def _beat(engine: Engine, number: int, ended: threading.Event) -> None:
    move = update(visits).where(visits.c.number == number).values(counter=visits.c.counter + 1)
    while not ended.wait(BEAT_S):
        try:
            with writing(engine) as connection:
                connection.execute(move)
        except MatineeError:
            continue  # the next beat may come through


class SqlSpare(Spare):
    """Spares what somebody is about to write, whoever that is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def spare(self, key: str) -> bool:
        asked = {"one": key}
        with reading(self._engine) as connection:
            row = connection.execute(_OWNER, asked).one_or_none()
        if row is None:
            return True
        with writing(self._engine) as connection:
            connection.execute(_SPARE, asked)
            owner = connection.scalar(_OWNER, asked)
            if owner is not None and is_dead(owner):  # it will remove nothing any more
                connection.execute(_FORGET, asked)
                owner = None
        return owner is None
