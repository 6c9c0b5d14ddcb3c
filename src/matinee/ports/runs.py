"""Runs: one execution of a flow, claimed by lease. Losing them loses no work that is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from matinee.core.events import Fact


@dataclass(frozen=True, slots=True)
class Wish:
    """A run that is asked for.

    ``id`` is given by who asks (such as the delivery), so that asking twice makes one run.
    ``request`` is JSON: what the flow is to do. Of the runs that wait, the one of the highest
    ``priority`` is taken, then of the earliest ``deadline``, then the oldest.
    """

    id: str
    flow: str
    film: str
    request: Mapping[str, Any]
    priority: int = 0
    deadline: datetime | None = None
    cause: str | None = None


OPEN_STATES = ("queued", "running", "cancelling")
"""Those of a run that is not over."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands.

    ``state`` is ``queued``, ``running``, ``cancelling``, or how it ended: ``done``, ``held`` (a
    verdict failed), ``refused`` (the film's fault), ``failed``, ``cancelled``. ``progress`` is what
    its worker last told: see ``flows.progress``. ``error`` has ``code``, ``message`` and ``hint``.
    ``result`` names title and package.
    """

    wish: Wish
    state: str
    token: int
    owner: str | None
    attempts: int
    title: str | None
    progress: Mapping[str, Any]
    error: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def id(self) -> str:
        """Its id, as it was asked for."""
        return self.wish.id

    @property
    def is_over(self) -> bool:
        """Whether it came to its end."""
        return self.ended_at is not None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. ``facts`` are told in the same transaction, beside ``run.ended``."""

    state: str
    error: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    facts: Sequence[Fact] = ()


class RunQueue(Protocol):
    """Where runs wait and workers take them."""

    def submit(self, wish: Wish, title: str | None = None) -> Run:
        """Queue a run and tell ``run.queued``; one of the same id stays as it is.

        ``title`` is the one that it is of, where that is known before the run tells it.
        """
        ...

    def claim(self, owner: str, above: int | None = None) -> Run | None:
        """Take the run that is next, tell ``run.started``; its token grows.

        With ``above``, only one of a higher priority than that.
        """
        ...

    def tell(self, run: Run, progress: Mapping[str, Any], title: str | None) -> str:
        """Keep what the worker tells, make the lease's counter grow; gives the run's state now.

        ``lost`` when its token is no longer the run's: whoever told must stop.
        """
        ...

    def end(self, run: Run, how: Ended) -> bool:
        """Close a run and tell ``run.ended``; False, and nothing happens, when it was lost."""
        ...


class RunDesk(Protocol):
    """What people see of runs and do about them."""

    def has_open(self) -> bool:
        """Whether any run is not over; cheap, as it is asked every second."""
        ...

    def get(self, run_id: str) -> Run:
        """One run; raises ``NotFound``."""
        ...

    def page(
        self, states: Sequence[str], before: str | None, limit: int, title: str | None = None
    ) -> Sequence[Run]:
        """Runs in these states (all, when none is given), newest first; with ``title``, only its.

        ``before`` is the id of the last run of the page before: runs that were queued at one time
        are not lost between pages. Raises ``NotFound`` for an unknown one.
        """
        ...

    def cancel(self, run_id: str, facts: Sequence[Fact]) -> Run:
        """End a queued run at once; ask the worker of a running one to. Raises ``NotFound``.

        A run that is over or was cancelled already stays as it is, and the facts are not told.
        """
        ...

    def again(self, run_id: str, request: Mapping[str, Any], facts: Sequence[Fact]) -> Run:
        """Queue a run that is over again, with another request; raises ``NotFound``.

        A run that is not over stays as it is, and the facts are not told.
        """
        ...

    def hurry(self, run_id: str, priority: int, facts: Sequence[Fact]) -> Run:
        """Change the priority of a run that is not over; raises ``NotFound``.

        A run that is over stays as it is, and the facts are not told.
        """
        ...
