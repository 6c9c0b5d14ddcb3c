"""Head starts, put together: uploads on this machine's disk, work when nobody else has any."""

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from matinee.adapters.upload_files import under_way
from matinee.config import Settings, read_disk_floor
from matinee.core.arrivals import Film as ArrivedFilm
from matinee.core.arrivals import History, arrived
from matinee.core.errors import LibraryError
from matinee.core.events import Event
from matinee.core.progress import Silent
from matinee.flows.functions import SHIPPED, publish_request
from matinee.flows.go_ahead import HeadStarts
from matinee.flows.head_start import head_start
from matinee.flows.publish_run import check_request, profile_wished, request_of
from matinee.flows.request import Request
from matinee.ports.uploads import Upload
from matinee.profiles import load_wished
from matinee.rules.functions import registry
from matinee.rules.rulebook import RuleBook
from matinee.stages.slots import Slots, Turn
from matinee.wiring.library import now, open_library
from matinee.wiring.publishing import house_for, known_tools
from matinee.wiring.rules import load_rules

OPEN = ("queued", "running", "cancelling")
WAIT_S = 1.0


def head_starts(settings: Settings) -> HeadStarts:
    """The head starts of a library's uploads.

    Raises:
        MatineeError: the library, its rules or the tools cannot be used.
    """
    library, tools = open_library(settings), known_tools(settings)
    book = load_rules(settings, registry(SHIPPED))
    root = settings.library / "uploads"
    slots = Polite(Slots(1), lambda: bool(library.runs.page(OPEN, None, 1)))

    async def begin(upload: Upload) -> int:
        request = wanted(book, upload)
        if request is None or not _has_room(settings.library, upload.offset):
            return 0
        with house_for(library, tools, Silent(), slots) as (house, bench):
            film = bench.scratch / "film"
            os.link(upload.path, film)
            return await head_start(house, bench, film, request)

    return HeadStarts(lambda: under_way(root), begin, now)


class Polite(Turn):
    """A way to slots of its own that waits as long as there are runs."""

    def __init__(self, slots: Slots, is_busy: Callable[[], bool]) -> None:
        super().__init__(slots, ())
        self._is_busy = is_busy

    async def acquire(self) -> None:
        """Wait for a slot, and until there are no runs."""
        while await asyncio.to_thread(self._asked):  # noqa: ASYNC110  # nobody tells of its end
            await asyncio.sleep(WAIT_S)
        await super().acquire()

    def _asked(self) -> bool:
        with suppress(LibraryError):
            return self._is_busy()
        return True


def wanted(book: RuleBook, upload: Upload) -> Request | None:
    """What will be asked for when the film is whole, by the rules as they are; None: nothing.

    What a deadline or a crop leads to is known only then.
    """
    order = upload.order
    film = ArrivedFilm(
        origin="upload", key=upload.id, name=order.name, place=str(upload.path), mark="whole",
        size_bytes=order.length, wishes=order.wishes,
    )  # fmt: skip
    fact = arrived(film, History())
    event = Event(str(fact.id), now(), fact.type, "/matinee", fact.subject, fact.data)
    chosen = [one for one in book.orders(event, now()) if one.function == "publish"]
    if not chosen:
        return None
    request = check_request(publish_request(event.data, **_settings(chosen[-1].parameters)))
    if request.get("deadline") or request.get("crop"):
        return None
    return request_of(request, upload.path, load_wished(*profile_wished(request)))


def _settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name != "priority"}


def _has_room(folder: Path, size_bytes: int) -> bool:
    """Whether what came fits once more beside what has to stay free: its pictures are copied."""
    return shutil.disk_usage(folder).free > read_disk_floor() + size_bytes
