"""Who gets a head start, and when: uploads that go on for a while, as more of them comes.

What is done is measured by how much came since: a film is looked at again when half as much again
is there, so that all looks together cost no more than three times the last one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from matinee.core.errors import MatineeError
from matinee.ports.uploads import Upload

log = logging.getLogger("matinee.ahead")

LOOK_S = 2.0
OLD_S = 5.0
"""An upload that is younger is left alone: most are over before anything could be gained."""

GROWN = 1.5
"""By how much more of an upload has to be there for another look."""


@dataclass
class HeadStarts:
    """Gives uploads their head starts, one at a time, the oldest first.

    ``uploads`` are films that are not whole; ``begin`` gives one its head start. An upload that is
    whole or gone meanwhile ends what is done for it.
    """

    uploads: Callable[[], Sequence[Upload]]
    begin: Callable[[Upload], Awaitable[object]]
    now: Callable[[], datetime]
    look_s: float = LOOK_S
    _looked: dict[str, int] = field(default_factory=dict)

    async def go_on(self, until: asyncio.Event, idle_s: float) -> None:
        """Work until told to stop, or until there was nothing to do for so long."""
        idle = 0.0
        while not until.is_set() and idle < idle_s:
            upload = self.next()
            if upload is None:
                idle += self.look_s
                await _waited(until, self.look_s)
                continue
            idle = 0.0
            self._looked[upload.id] = upload.offset
            await self._given(upload, until)

    def next(self) -> Upload | None:
        """The oldest of which enough came since it was looked at."""
        there = self.uploads()
        self._looked = {u.id: self._looked[u.id] for u in there if u.id in self._looked}
        old = self.now() - timedelta(seconds=OLD_S)
        grown = (
            upload
            for upload in there
            if upload.started_at <= old
            and upload.offset > 0
            and upload.offset >= GROWN * self._looked.get(upload.id, 0)
        )
        return next(grown, None)

    async def _given(self, upload: Upload, until: asyncio.Event) -> None:
        """One head start, while the upload goes on."""
        work = asyncio.ensure_future(self.begin(upload))
        try:
            while not work.done() and not until.is_set():
                await asyncio.wait([work], timeout=self.look_s)
                if all(other.id != upload.id for other in self.uploads()):
                    break
        finally:
            work.cancel()
            (ended,) = await asyncio.gather(work, return_exceptions=True)
        if isinstance(ended, MatineeError):
            log.info("no head start for %s: %s [%s]", upload.order.name, ended, ended.code)
        elif isinstance(ended, Exception):
            log.error("a head start broke", exc_info=ended)


async def _waited(until: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()
