"""Head starts are given to uploads that go on, one after the other, and only while they do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from matinee.core.errors import SourceUnreadable
from matinee.flows.go_ahead import GROWN, OLD_S, HeadStarts
from matinee.ports.uploads import Order, Upload

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def upload(name: str, offset: int, age_s: float = 60) -> Upload:
    order = Order("ada", 1000, name, {})
    began = NOW - timedelta(seconds=age_s)
    return Upload(name, order, Path(name), offset, began, began, None)


@dataclass
class Scene:
    """Uploads as they stand, and who was given a head start at which offset."""

    there: list[Upload]
    work: Callable[[Upload], Awaitable[None]] | None = None
    given: list[tuple[str, int]] = field(default_factory=list)

    async def begin(self, one: Upload) -> None:
        self.given.append((one.id, one.offset))
        if self.work:
            await self.work(one)

    def starts(self) -> HeadStarts:
        ordered = lambda: sorted(self.there, key=lambda one: one.started_at)  # noqa: E731
        return HeadStarts(ordered, self.begin, lambda: NOW, look_s=0.001)


def go_on(scene: Scene) -> list[tuple[str, int]]:
    """What is done until there is nothing more to do."""
    asyncio.run(scene.starts().go_on(asyncio.Event(), idle_s=0.005))
    return scene.given


def test_the_oldest_goes_first_and_what_is_young_or_empty_is_left_alone() -> None:
    there = [
        upload("young", 500, OLD_S - 1), upload("empty", 0), upload("new", 9, 30),
        upload("old", 7, 90),
    ]  # fmt: skip
    assert go_on(Scene(there)) == [("old", 7), ("new", 9)]


def test_an_upload_is_looked_at_again_when_half_as_much_again_is_there() -> None:
    scene = Scene([upload("a", 100)])
    sizes = iter([101, int(GROWN * 100), int(GROWN * 150), 226])
    starts = scene.starts()

    async def grow() -> None:
        while (one := starts.next()) is not None or scene.there[0].offset < 226:
            if one is not None:
                starts._looked[one.id] = one.offset  # noqa: SLF001  # as it does before each
                scene.given.append((one.id, one.offset))
            scene.there = [replace(scene.there[0], offset=next(sizes))]

    asyncio.run(grow())
    assert scene.given == [("a", 100), ("a", 150), ("a", 225)]


@pytest.mark.parametrize("error", [SourceUnreadable("no index"), ZeroDivisionError()])
def test_one_that_fails_harms_no_other(error: Exception) -> None:
    async def fail(one: Upload) -> None:
        if one.id == "a":
            raise error

    assert go_on(Scene([upload("a", 5, 90), upload("b", 6)], fail)) == [("a", 5), ("b", 6)]


def test_it_ends_when_its_upload_is_whole_or_gone() -> None:
    ended: list[str] = []

    async def for_ever(one: Upload) -> None:
        scene.there.remove(one)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(one.id)

    scene = Scene([upload("a", 5)], for_ever)
    go_on(scene)
    assert ended == ["a"]
