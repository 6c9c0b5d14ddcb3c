"""What functions may work with: the library's ports."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee.core.errors import NotFound
from matinee.core.ids import Digest
from matinee.ports.catalog import Packages, Titles
from matinee.ports.keeping import Keeping
from matinee.ports.ledger import Inventory
from matinee.ports.notices import Notices
from matinee.ports.runs import RunDesk
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Stills
from matinee.rules.forms import PACKAGES, TITLE
from matinee.stages.bench import Bench
from matinee.stages.unlock import Locksmith


@dataclass(frozen=True, slots=True)
class Reach:
    """The ports. ``workbench`` gives a bench and the tools, for functions that make assets."""

    titles: Titles
    packages: Packages
    inventory: Inventory
    store: ObjectStore
    runs: RunDesk
    notices: Notices
    workbench: Callable[[], AbstractAsyncContextManager[tuple[Bench, Stills]]]
    keeping: Keeping | None = None
    locksmith: Locksmith | None = None

    async def file(self, digest: Digest, scratch: Path) -> Path:
        """A file with an asset's bytes; below ``scratch`` where the store is no folder.

        Raises:
            NotFound: no such asset. ObjectMissing: its bytes are gone.
        """
        for key in await asyncio.to_thread(self.inventory.locate, digest):
            if await self.store.size(key) is not None:
                return await self.store.as_file(key, scratch)
        raise NotFound(f"the library has no asset {digest}")

    async def answer(self, what: str, name: str, scratch: Path) -> Any:
        """What a plain function asks from its own process, as JSON.

        Raises:
            NotFound: there is no such thing.
        """
        if what == "title":
            title = await asyncio.to_thread(self.titles.get, name)
            return TITLE.dump_python(title, mode="json")
        if what == "packages":
            packages = await asyncio.to_thread(self.packages.of_title, name)
            return PACKAGES.dump_python(list(packages), mode="json")
        if what == "file":
            return str(await self.file(Digest(name), scratch))
        raise NotFound(f"a function asks for {what!r}")
