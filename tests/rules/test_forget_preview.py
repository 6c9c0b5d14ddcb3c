"""A preview goes when nobody has a use for it any more, and not before."""

import asyncio
from pathlib import Path

import pytest

from matinee.config import Settings
from matinee.core.events import Event
from matinee.flows.functions import forget_preview
from matinee.ports.events import Search
from matinee.ports.runs import Ended, Wish
from matinee.rules.functions import AsyncCall
from matinee.stages.showing import remove_preview
from matinee.wiring.library import Library, open_library
from matinee.wiring.rules import open_automation

TITLE = "a-title"
FILES = (
    "main.m3u8", "main.mpd", "video.m3u8", "audio.m3u8", "video-init.mp4", "audio-init.mp4",
    *(f"{kind}-{number:05d}.m4s" for kind in ("video", "audio") for number in (1, 2, 3)),
)  # fmt: skip


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return open_library(Settings(tmp_path / "library", 1))


def preview_in(library: Library) -> Path:
    """A library's title with a preview and, beside it, what is on screen."""
    folder = library.settings.library / "titles" / TITLE

    async def write() -> None:
        for name in FILES:
            await library.store.write(f"titles/{TITLE}/preview/{name}", name.encode())
        await library.store.write(f"titles/{TITLE}/main.m3u8", b"#EXTM3U")

    asyncio.run(write())
    return folder


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def ended_run(library: Library, run: str, state: str) -> Event:
    """A run of the title that came to its end: what was told of that."""
    library.runs.submit(Wish(run, "publish", "film.mp4", {}))
    claimed = library.runs.claim("a worker")
    assert claimed is not None
    library.runs.tell(claimed, {}, TITLE)
    library.runs.end(claimed, Ended(state))
    (entry,) = library.events.search(Search(type="run.ended", subject=f"run/{run}"), 1)
    assert entry.event is not None
    return entry.event


def call(library: Library, event: Event) -> None:
    async def called() -> None:
        reach = open_automation(library).dispatcher.performer.reach
        await forget_preview.body(AsyncCall(event, "d", 1, 1, reach=reach))  # type: ignore[misc]

    asyncio.run(called())


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_it_goes_however_its_run_ended_and_nothing_else_does(library: Library, state: str) -> None:
    folder = preview_in(library)
    event = ended_run(library, "r1", state)
    call(library, event)
    assert files(folder) == {"main.m3u8"}
    call(library, event)  # deliveries may come twice


def test_a_later_run_of_the_title_keeps_it_until_its_own_end(library: Library) -> None:
    folder = preview_in(library)
    first = ended_run(library, "r1", "failed")
    library.runs.again("r1", {}, ())
    call(library, first)
    assert len(files(folder)) == len(FILES) + 1

    claimed = library.runs.claim("a worker")
    assert claimed is not None
    library.runs.end(claimed, Ended("done"))
    call(library, first)
    assert len(files(folder)) == len(FILES) + 1

    told = library.events.search(Search(type="run.ended", subject="run/r1"), 2)
    assert told[0].event is not None
    call(library, told[0].event)
    assert files(folder) == {"main.m3u8"}


def test_what_was_interrupted_is_finished_by_doing_it_again(library: Library) -> None:
    folder = preview_in(library)
    for name in ("main.m3u8", "video-00003.m4s"):
        (folder / "preview" / name).unlink()
    asyncio.run(remove_preview(library.store, TITLE))
    assert files(folder) == {"main.m3u8"}
