"""``python -m tests.flows.preview_alone LIBRARY FILM KEY``: makes a film's preview, nothing else.

Is killed (``kill -9``) in the moment before something is written to a place that ends with KEY.
"""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from matinee.config import Settings
from matinee.core.ids import Digest
from matinee.core.progress import Silent
from matinee.flows.hidden import HiddenObjects
from matinee.flows.house import House
from matinee.ladders import preview_ladder
from matinee.ports.store import UNTYPED, ObjectStore
from matinee.stages.bench import Bench
from matinee.stages.ingest import name_film
from matinee.stages.inspect import inspect
from matinee.stages.preview import Preview, make_preview
from matinee.stages.slots import Slots
from matinee.wiring.publishing import open_house

TITLE = "a-film"


class Deadly(HiddenObjects):
    """A store in which one write is never begun."""

    def __init__(self, store: ObjectStore, last: str) -> None:
        super().__init__(store, set())
        self._last = last

    async def write(
        self, key: str, content: bytes | Path, *, media_type: str = UNTYPED, changes: bool = False,
        digest: Digest | None = None,
    ) -> None:  # fmt: skip
        if key.endswith(self._last):
            os.kill(os.getpid(), signal.SIGKILL)
        await super().write(key, content, media_type=media_type, changes=changes, digest=digest)


@dataclass
class Watcher(Silent):
    """Reads the preview's playlists at the moment in which it is said that there are some."""

    folder: Path
    seen: str = ""

    def previewed(self) -> None:
        self.seen = (self.folder / "video.m3u8").read_text()


def make(library: Path, film: Path, last: str | None = None) -> str:
    """Make or go on with the preview; gives its video's playlist as it was first seen."""
    watcher = Watcher(library / "titles" / TITLE / "preview")
    with open_house(Settings(library, 2), watcher, refresh=False) as (house, bench):
        store = bench.store if last is None else Deadly(bench.store, last)
        asyncio.run(_make(house, replace(bench, store=store), film))
    return watcher.seen


async def _make(house: House, bench: Bench, film: Path) -> None:
    try:
        source = await name_film(film)
        info, timeline = await inspect(bench, house.studio.indexer, film, source)
        own = Slots(1).of()
        preview = Preview(TITLE, preview_ladder(), own, film, info, timeline, house.now)
        await make_preview(bench, house.studio, preview)
    finally:
        house.stop()


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
