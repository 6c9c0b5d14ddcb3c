"""What only looks into films, put together: the part of the wiring that loads soon.

A reader is on its way before the rest of Matinee is loaded.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from matinee.adapters.reader import ConfinedIndexer
from matinee.adapters.sandbox.rules import Sandbox
from matinee.config import Settings, read_settings

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from matinee.media.source import SourceInfo
    from matinee.media.timeline import Packets
    from matinee.ports.tools import Indexer


def indexer() -> Indexer:
    """What reads films, for ``inspect`` and plans."""
    return ConfinedIndexer(sandbox_of(read_settings(None, None)))


def begin_to_inspect(film: Path) -> Future[tuple[SourceInfo, Packets, Fraction]]:
    """See ``Indexer.inspect``: what it gives, once it is there.

    Who waits for it may load meanwhile what is needed then.
    """
    return ThreadPoolExecutor(1).submit(indexer().inspect, film)


def sandbox_of(settings: Settings) -> Sandbox:
    """The walls around every tool."""
    return Sandbox(settings.limits, settings.tools_read)
