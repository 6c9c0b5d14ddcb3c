"""Libraries to be damaged, and what is to be the same after repair."""

import hashlib
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.conftest import environment, standing_in
from tests.forks import run_module

FAULTY = Path(__file__).parents[1] / "flows" / "faulty_ffmpeg.py"


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """The program, as a user runs it."""
    return run_module(
        "matinee", *arguments, variables={**environment(), **variables}, timeout_s=240
    )


def publish(film: Path, library: Path, ladder: Path, *more: str, **variables: str) -> None:
    ended = run("publish", film, "--library", library, "--ladder", ladder, *more, **variables)
    assert ended.returncode == 0, ended.stderr.decode()


def publish_faultily(film: Path, library: Path, ladder: Path, folder: Path) -> None:
    """By an encoder that gives the frames of each chunk but the first backwards."""
    wrapper = standing_in(folder / "faulty", FAULTY)
    publish(
        film, library, ladder, "--proofs", "packets", "--no-scores", MATINEE_FAULT="foreign",
        **wrapper,
    )  # fmt: skip


def other_tools(folder: Path, how: str) -> dict[str, str]:
    """Variables by which another version of the encoder is installed: ``finer`` or ``coarser``."""
    return {"MATINEE_FAULT": how, **standing_in(folder / "other", FAULTY)}


def seal(library: Path) -> None:
    """Seal the whole event log, as the service does in time."""
    import asyncio

    from matinee.config import read_settings
    from matinee.flows.seal_events import seal_events
    from matinee.wiring.library import open_library

    with sqlite3.connect(library / "matinee.db") as connection:
        connection.execute(
            "UPDATE bookmark SET place = (SELECT place FROM bookmark WHERE name = 'log')"
            " WHERE name = 'router'"
        )
    opened = open_library(read_settings(str(library), None, None))
    later = datetime.now(UTC) + timedelta(days=2)
    made = asyncio.run(seal_events(opened.events, opened.store, lambda: later, 1))
    opened.engine.dispose()
    assert made


def make_posters(library: Path) -> None:
    """Posters of what is on screen, as the service's rule makes them."""
    import asyncio

    from matinee.config import read_settings
    from matinee.core.events import Event
    from matinee.flows.functions import poster
    from matinee.rules.functions import AsyncCall
    from matinee.wiring.library import open_library
    from matinee.wiring.rules import open_automation

    opened = open_library(read_settings(str(library), 1, None))

    async def make() -> None:
        reach = open_automation(opened).dispatcher.performer.reach
        for title in opened.titles.all():
            data = {"title": title.id, "name": title.name, "package": title.current}
            told = Event("e", datetime.now(UTC), "title.published", "/", f"title/{title.id}", data)
            await poster.body(AsyncCall(told, "poster", 1, 1, reach=reach))  # type: ignore[misc]

    asyncio.run(make())
    opened.engine.dispose()


def give_backup(library: Path, vault: Path) -> None:
    """Name a backup that has everything in the library's policy."""
    (library / "backup.toml").write_text(f'[[backup]]\nto = "{vault}"\nmade = "all"\n')


def shown(library: Path) -> dict[str, str]:
    """The digest of every published path and of every object."""
    return {
        path.relative_to(library).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("titles", "objects")
        for path in sorted((library / folder).rglob("*"))
        if path.is_file()
    }


def copied(library: Path, target: Path) -> Path:
    """A copy of a library to be damaged."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(library, target)
    return target


def upkeep(library: Path, *arguments: object, **variables: str) -> tuple[int, Any]:
    """A command's exit code and JSON."""
    import json

    ended = run(*arguments, "--library", library, "--json", **variables)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)
