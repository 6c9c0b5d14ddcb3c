"""Rekey: a title's package made again with new keys, and swapped in whole while people watch.

No picture or sound is encoded again: what is encrypted is. The package before stays as long as any
that is no longer on screen, and its keys are given as long; so who watches it can watch to the end.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from matinee.core.errors import NotFound, UsageError
from matinee.core.verdicts import Verdict, failed
from matinee.flows.board import Board
from matinee.flows.house import House
from matinee.flows.publish_run import held
from matinee.flows.remake import remake
from matinee.flows.work import Outcome
from matinee.media.encryption import Encryption, generation_of
from matinee.ports.catalog import Package, Title
from matinee.ports.keys import KeysInvalid
from matinee.ports.runs import Run
from matinee.stages import publish as publishing
from matinee.stages.bench import Bench
from matinee.stages.unlock import newest_generation


class NotEncrypted(UsageError):
    """New keys are asked for a title that has none."""

    code = "title.clear"
    advice = "publish the film with a profile that has [encryption]"


class TitleMoved(UsageError):
    """Somebody put another package of the title on screen meanwhile."""

    code = "title.moved"
    advice = "run it again: that package has the old keys"


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What came of it. ``before`` is the package with the old keys."""

    title: Title
    before: Package
    package: str
    generation: int
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether the new package may be shown."""
        return not failed(self.verdicts)


async def rekey(house: House, bench: Bench, name: str, cause: str | None = None) -> Rekeyed:
    """Give a title the next generation of its keys.

    A title that is off the screen stays off it, and has a package with the new keys.

    Raises:
        NotFound: there is no such title, or nothing was made of it.
        NotEncrypted: its package has no keys.
        KeysInvalid: who has keys gives those that it has already.
        MatineeError: as ``publish_title``.
    """
    title = house.titles.get(name)
    before = _package_of(house, title)
    newest = newest_generation(house.packages.of_title(title.id))
    generation = max(newest, 1 + generation_of(before.settings))  # one that was begun is finished
    await asyncio.to_thread(_check_keys, house, title, before, generation)
    made = await remake(house, bench, title, before, None, generation=generation)
    title = house.titles.get(title.id)
    if title.current not in (None, before.id):
        raise TitleMoved(f"{title.id} shows another package by now: {title.current}")
    if made.passed and title.current is not None:
        title = await publishing.show(
            bench.store, house.packages, title.id, made.package, cause
        )  # fmt: skip
    return Rekeyed(title, before, made.package, generation, tuple(made.verdicts))


def _package_of(house: House, title: Title) -> Package:
    """The one on screen, else the newest that is ready."""
    packages = house.packages.of_title(title.id)
    wanted = title.current or title.was_shown
    fitting = [one for one in packages if one.id == wanted or (not wanted and one.state == "ready")]
    if not fitting:
        raise NotFound(f"no package of {title.id} is ready", "publish the film first")
    return fitting[-1]


def _check_keys(house: House, title: Title, before: Package, generation: int) -> None:
    """Whether there are new keys; told before the work.

    Raises:
        NotEncrypted: there are no old ones. KeysInvalid: they are the old ones. As ``Keys.key``.
    """
    kept = before.settings.get("encryption")
    if kept is None:
        raise NotEncrypted(f"{title.id} is not encrypted")
    encryption = Encryption(kept["scheme"], kept["keys"])
    keyring = house.locksmith.keyring(title.id, encryption, generation)
    assert keyring is not None
    new = keyring.as_json()
    for what in ("ids", "checks"):
        if set(new[what].values()) & set(kept[what].values()):
            raise KeysInvalid(
                f"the keys of generation {generation} of {title.id} are not all new",
                "a generation has keys and ids of its own: see docs/guide/encryption.md",
            )


@dataclass(frozen=True, slots=True)
class RekeyRun:
    """Carries out runs of ``rekey``. ``open_house`` gives what one works with."""

    open_house: Callable[[Run, Board], AbstractContextManager[tuple[House, Bench]]]

    async def __call__(self, run: Run, board: Board) -> Outcome:
        """Give the title that the request names its next keys, once."""
        title = run.wish.request.get("title")
        if not isinstance(title, str):
            raise UsageError("a run of rekey needs a title")
        board.titled(title)
        with self.open_house(run, board) as (house, bench):
            return outcome_of(await rekey(house, bench, title, run.wish.cause))


def outcome_of(rekeyed: Rekeyed) -> Outcome:
    """How the run ends: as a publish does."""
    result = {
        "title": rekeyed.title.id, "package": rekeyed.package, "before": rekeyed.before.id,
        "generation": rekeyed.generation,
    }  # fmt: skip
    faults = failed(rekeyed.verdicts)
    if not faults:
        return Outcome("done", result)
    return held(rekeyed.title.id, faults, result)
