"""A worker carries out what the queue gives it, and nothing that is not its own any more."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.runs import SqlRuns
from matinee.core.errors import EncoderFailed, LibraryBusy, SourceDamaged
from matinee.flows.board import Board
from matinee.flows.work import Outcome, Worker
from matinee.ports.runs import Run, Wish

DONE = Outcome("done", {"title": "sintel", "package": "p1"})


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def queue(tmp_path: Path) -> SqlRuns:
    return SqlRuns(open_database(f"sqlite:///{tmp_path}/library.db"), now)


def wish(name: str, priority: int = 0) -> Wish:
    return Wish(name, "publish", f"{name}.mp4", {"place": f"{name}.mp4"}, priority)


def worker_of(queue: SqlRuns, execute: Callable[[Run, Board], Awaitable[Outcome]]) -> Worker:
    return Worker(queue, execute, "me", at_once=2, tool_pauses_s=(0, 0), library_pauses_s=(0, 0, 0))


async def work_until(worker: Worker, is_true: Callable[[], bool]) -> None:
    stop = asyncio.Event()
    working = asyncio.create_task(worker.work(stop))
    async with asyncio.timeout(20):
        while not is_true():
            worker.woken.set()
            await asyncio.sleep(0.01)
    stop.set()
    await working


def carry_out(queue: SqlRuns, execute: Callable[[Run, Board], Awaitable[Outcome]]) -> Run:
    """One run to its end."""
    queue.submit(wish("a"))
    asyncio.run(work_until(worker_of(queue, execute), lambda: queue.get("a").is_over))
    return queue.get("a")


def test_a_run_ends_as_its_flow_says(queue: SqlRuns) -> None:
    async def execute(run: Run, board: Board) -> Outcome:
        assert run.wish.request == {"place": "a.mp4"}
        board.titled("sintel")
        return DONE

    run = carry_out(queue, execute)

    assert (run.state, run.result, run.title, run.attempts) == ("done", DONE.result, "sintel", 1)


def test_a_refusal_is_the_films_and_is_not_tried_again(queue: SqlRuns) -> None:
    tries = 0

    async def execute(run: Run, board: Board) -> Outcome:
        nonlocal tries
        tries += 1
        raise SourceDamaged("the film is cut off at 3 s", "try another copy")

    run = carry_out(queue, execute)

    assert (run.state, tries) == ("refused", 1)
    assert run.error == {
        "code": "source.damaged", "message": "the film is cut off at 3 s",
        "hint": "try another copy",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "times", "state"),
    [
        (EncoderFailed("died"), 2, "done"),
        (EncoderFailed("died"), 3, "failed"),
        (LibraryBusy("held"), 3, "done"),
    ],
)
def test_what_may_pass_is_tried_again(
    queue: SqlRuns, error: Exception, times: int, state: str
) -> None:
    tries = 0

    async def execute(run: Run, board: Board) -> Outcome:
        nonlocal tries
        tries += 1
        if tries <= times:
            raise error
        return DONE

    assert carry_out(queue, execute).state == state


def test_a_defect_ends_its_run_alone(queue: SqlRuns) -> None:
    async def execute(run: Run, board: Board) -> Outcome:
        if run.id == "a":
            raise ZeroDivisionError("oops")
        return DONE

    queue.submit(wish("b"))
    run = carry_out(queue, execute)

    assert run.state == "failed"
    assert run.error is not None
    assert "ZeroDivisionError: oops" in run.error["message"]
    assert queue.get("b").state == "done"


def test_cancelling_stops_the_work_and_is_told(queue: SqlRuns) -> None:
    stopped = False

    async def execute(run: Run, board: Board) -> Outcome:
        nonlocal stopped
        queue.cancel("a", ())
        try:
            await asyncio.Event().wait()
        finally:
            stopped = True
        return DONE

    assert carry_out(queue, execute).state == "cancelled"
    assert stopped


def test_a_run_that_was_taken_over_is_stopped_and_not_touched(queue: SqlRuns) -> None:
    stopped = False

    async def execute(run: Run, board: Board) -> Outcome:
        nonlocal stopped
        queue.release_all("me")
        queue.claim("another")
        try:
            await asyncio.Event().wait()
        finally:
            stopped = True
        return DONE

    queue.submit(wish("a"))
    asyncio.run(work_until(worker_of(queue, execute), lambda: stopped))

    run = queue.get("a")
    assert (run.state, run.owner, run.token) == ("running", "another", 2)


def test_urgent_work_does_not_wait_for_bulk_work(queue: SqlRuns) -> None:
    begun: list[str] = []

    async def execute(run: Run, board: Board) -> Outcome:
        begun.append(run.id)
        if run.id == "urgent":
            return DONE
        await asyncio.Event().wait()
        return DONE

    for name in ("bulk-1", "bulk-2", "bulk-3"):
        queue.submit(wish(name))
    worker = worker_of(queue, execute)

    async def play() -> None:
        task = asyncio.create_task(work_until(worker, lambda: "urgent" in begun))
        while len(begun) < 2:
            await asyncio.sleep(0.01)
        queue.submit(wish("urgent", priority=5))
        await task

    asyncio.run(play())

    assert begun == ["bulk-1", "bulk-2", "urgent"]
    assert queue.get("urgent").state == "done"


def test_every_step_of_a_run_is_an_event(queue: SqlRuns, tmp_path: Path) -> None:
    async def execute(run: Run, board: Board) -> Outcome:
        return DONE

    carry_out(queue, execute)

    log = SqlEventLog(open_database(f"sqlite:///{tmp_path}/library.db"), now)
    told = [entry.event for entry in log.after(0, 10)]
    assert [event.type for event in told if event] == ["run.queued", "run.started", "run.ended"]
    assert told[-1] is not None
    assert told[-1].data["title"] == "sintel"
