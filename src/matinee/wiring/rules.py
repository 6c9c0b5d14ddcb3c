"""What acts by rules, put together: the part of the wiring that only a service loads."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path

from matinee.adapters.ffmpeg.program import Ffmpeg
from matinee.adapters.ffmpeg.stills import FfmpegStills
from matinee.adapters.owners import is_dead, this_owner
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.visits import visiting
from matinee.adapters.tools import find_tools
from matinee.adapters.webhook import WebhookNotices
from matinee.adapters.workspace import Workspace
from matinee.config import RULES, Settings, read_webhook
from matinee.core.progress import Silent
from matinee.flows.functions import SHIPPED
from matinee.ports.tools import Tool
from matinee.rules.automation import Automation
from matinee.rules.dispatch import Dispatcher
from matinee.rules.faults import RulesInvalid
from matinee.rules.functions import Function, registry
from matinee.rules.host import FunctionHost
from matinee.rules.perform import Performer
from matinee.rules.reach import Reach
from matinee.rules.room import Room
from matinee.rules.rulebook import RuleBook, read_rules, shipped_rules
from matinee.rules.timers import Timers
from matinee.rules.waker import Waker
from matinee.stages.bench import Bench
from matinee.stages.slots import Slots
from matinee.wiring.backup import keeper_of
from matinee.wiring.keys import locksmith_of
from matinee.wiring.library import Library, now
from matinee.wiring.reading import sandbox_of


def load_rules(settings: Settings, functions: Mapping[str, Function]) -> RuleBook:
    """The shipped rules, with the library's ``rules.toml`` over them.

    Raises:
        RulesInvalid: anything is wrong in them.
    """
    return read_rules(rule_documents(settings), functions)


def rule_documents(settings: Settings) -> list[tuple[str, str]]:
    """Names and texts of the files of rules, the shipped ones first.

    Raises:
        RulesInvalid: the library's cannot be read.
    """
    documents = [shipped_rules()]
    path = settings.library / RULES
    try:
        documents.append((str(path), path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as error:
        raise RulesInvalid(f"{path}:1: expected a text file in UTF-8: {error}") from error
    return documents


def open_automation(library: Library) -> Automation:
    """The rules of a library, at work when they are run.

    Raises:
        RulesInvalid, FunctionsInvalid: they cannot be used.
    """
    functions = registry(SHIPPED)
    book = load_rules(library.settings, functions)
    reach = Reach(
        library.titles, library.packages, library.ledger, library.store, library.runs,
        _notices(), lambda: _workbench(library), keeper_of(library),
        locksmith_of(library.settings),
    )  # fmt: skip
    host = FunctionHost(reach.answer, lambda: _call_folder(library.settings))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    room = Room(library.settings.workers, memory)
    performer = Performer(functions, reach, library.runs, host, room, now)
    dispatcher = Dispatcher(
        library.deliveries, library.deliveries, book, performer, Waker(), this_owner(), now,
        random.random, is_dead,
    )  # fmt: skip
    told = dispatcher.waker.wake
    timers = Timers(library.events, library.desk, lambda: dispatcher.book, Waker(), told, now)
    return Automation(dispatcher, timers, host)


@contextmanager
def _call_folder(settings: Settings) -> Iterator[Path]:
    """Where one call of a function may have files."""
    with Workspace(settings.library / "scratch").run() as (_, folder):
        yield folder


def _notices() -> WebhookNotices:
    return WebhookNotices(*read_webhook())


@asynccontextmanager
async def _workbench(library: Library) -> AsyncIterator[tuple[Bench, FfmpegStills]]:
    """What functions make assets with."""
    sandbox = sandbox_of(library.settings)
    found, walls = await asyncio.to_thread(lambda: (_tools_once(), sandbox.walls()))
    workspace = Workspace(library.settings.library / "scratch")
    with visiting(library.engine) as visit, workspace.run() as (run, scratch):
        ledger = SqlLedger(library.engine, now, visit, spares=True)
        bench = Bench(
            run=run,
            ledger=ledger,
            inventory=ledger,
            store=library.store,
            tools=found,
            sandbox=walls,
            scratch=scratch,
            slots=Slots(1).of(),
            progress=Silent(),
        )
        yield bench, FfmpegStills(Ffmpeg(Path(found["ffmpeg"].path), sandbox))


@cache
def _tools_once() -> dict[str, Tool]:
    return find_tools()
