"""Health: what is wrong with assets, and the cheapest way to have them right again. Pure.

An asset can be had again in two ways: from another place where the same bytes lie (a *copy*), or by
a step that makes it again. A step needs good inputs, so a bad input has to be mended first: that is
how a fault is followed to where it began.

What ``plan_repair`` promises, of the assets that are wanted and can be mended:

- it never touches a good asset, and a step never needs a bad input;
- it is the cheapest. Of faults that hang together by more than ``EXACT`` steps, no step more or
  less makes it cheaper.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import inf
from typing import Any

from matinee.assets.asset import Asset
from matinee.core.ids import Digest

KINDS = {
    "missing": "the object is not there",
    "short": "the object is cut off",
    "long": "the object is longer than it was",
    "changed": "the object has other bytes",
    "exchanged": "the object is another one of the library",
    "unreadable": "the object cannot be read",
    "type": "the object is not of the kind that its name says",
    "size": "the database has another size than the object",
    "row": "a row of the ledger is not what its key says",
    "files": "a package's list of files is not what was made",
    "entry": "an entry manifest does not show the package on screen",
    "poster": "the poster beside the title is none of its posters",
    "unfit": "playlists, manifests and segments do not fit together",
    "frames": "a segment does not show its frames of the film",
    "event": "the event log is not as it was written",
    "database": "the database says that it is damaged",
}
"""Kinds of faults, each in words."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a thing: a key of the store, or what names a row.

    ``digest`` is the asset that should be there, where there is one.
    """

    kind: str
    thing: str
    digest: Digest | None = None
    title: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What is wrong, for people."""
        said = self.detail.get("said")
        return f"{self.thing}: {KINDS[self.kind]}{f': {said}' if said else ''}"


def judge_object(
    expected: Asset, key: str, found: tuple[Digest, int] | None, is_known: bool
) -> Fault | None:
    """What is wrong with an object, by its digest and size as they were read.

    Args:
        expected: What should lie there.
        key: Where it should lie.
        found: Digest and size of what lies there, None for nothing.
        is_known: Whether what lies there is another asset of the library.
    """
    title = key.split("/")[1] if key.startswith("titles/") else None
    if found is None:
        return Fault("missing", key, expected.digest, title)
    digest, size = found
    if digest == expected.digest:
        if size == expected.size_bytes:
            return None
        detail: dict[str, Any] = {"recorded": expected.size_bytes, "measured": size}
        return Fault("size", key, expected.digest, title, detail)
    detail = {"found": digest, "size_bytes": size, "expected_bytes": expected.size_bytes}
    if is_known:
        return Fault("exchanged", key, expected.digest, title, detail)
    if size == expected.size_bytes:
        return Fault("changed", key, expected.digest, title, detail)
    kind = "short" if size < expected.size_bytes else "long"
    return Fault(kind, key, expected.digest, title, detail)


EXACT = 14
"""Steps that hang together up to which every choice of them is tried."""


@dataclass(frozen=True, slots=True)
class Remaking:
    """A step that can run again: what it needs and gives, by digest, and its price in seconds."""

    key: Digest
    needs: tuple[Digest, ...]
    gives: tuple[Digest, ...]
    cost_s: float


@dataclass(frozen=True)
class Clinic:
    """What is known: which assets are bad, what else could give them.

    ``copies`` has the price in seconds of fetching another copy. ``remakings`` are those by which
    bad assets can be made; what they need and is not in ``bad`` is good. No asset is needed, over
    any number of steps, to make itself.
    """

    bad: frozenset[Digest]
    copies: Mapping[Digest, float] = field(default_factory=dict)
    remakings: Sequence[Remaking] = ()


@dataclass(frozen=True, slots=True)
class Mending:
    """One thing to do: fetch ``assets`` from a copy, or run the step ``remake``, which gives them.

    ``assets`` are bad ones only: what else a step gives stays as it is.
    """

    assets: tuple[Digest, ...]
    remake: Digest | None
    cost_s: float


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What to do, in order; what cannot be mended; and what was not asked for but is needed."""

    mendings: tuple[Mending, ...]
    lost: frozenset[Digest]

    @property
    def cost_s(self) -> float:
        """Its price: seconds of work."""
        return sum(each.cost_s for each in self.mendings)

    @property
    def mended(self) -> frozenset[Digest]:
        """The assets that are good after it."""
        return frozenset(digest for each in self.mendings for digest in each.assets)


def plan_repair(clinic: Clinic, wanted: Iterable[Digest]) -> RepairPlan:
    """The cheapest way to have the wanted assets good, and which of them cannot be had.

    Args:
        clinic: What is known.
        wanted: Assets that are to be good; those that are so already cost nothing.
    """
    possible = _possible(clinic)
    bad = [digest for digest in dict.fromkeys(wanted) if digest in clinic.bad]
    lost = frozenset(digest for digest in bad if digest not in possible.assets)
    mendings: list[Mending] = []
    for group, steps in _groups(clinic, possible, [d for d in bad if d in possible.assets]):
        chosen = _cheapest(clinic, group, steps)
        mendings += _ordered(clinic, group, chosen)
    return RepairPlan(tuple(mendings), lost)


@dataclass(frozen=True, slots=True)
class _Possible:
    """Bad assets that can be had, and the steps that can run, by what they give that is bad."""

    assets: frozenset[Digest]
    makers: Mapping[Digest, Sequence[Remaking]]


def _possible(clinic: Clinic) -> _Possible:
    """Grown from copies and good inputs, until nothing more becomes possible."""
    waiting: dict[Digest, list[Remaking]] = {}
    lacking: dict[Digest, int] = {}
    for step in clinic.remakings:
        needs = set(step.needs) & clinic.bad
        lacking[step.key] = len(needs)
        for digest in needs:
            waiting.setdefault(digest, []).append(step)
    had = {digest for digest in clinic.bad if digest in clinic.copies}
    makers: dict[Digest, list[Remaking]] = {}
    reached = list(had)
    ready = [step for step in clinic.remakings if not lacking[step.key]]
    while ready or reached:
        if reached:
            for step in waiting.get(reached.pop(), ()):
                lacking[step.key] -= 1
                if not lacking[step.key]:
                    ready.append(step)
            continue
        step = ready.pop()
        for digest in set(step.gives) & clinic.bad:
            makers.setdefault(digest, []).append(step)
            if digest not in had:
                had.add(digest)
                reached.append(digest)
    return _Possible(frozenset(had), makers)


def _groups(
    clinic: Clinic, possible: _Possible, wanted: Sequence[Digest]
) -> list[tuple[list[Digest], list[Remaking]]]:
    """The wanted assets in groups that share nothing, each with the steps that may serve it."""
    steps: dict[Digest, Remaking] = {}
    sets = _Sets()
    stack, seen = list(wanted), set(wanted)
    while stack:
        asset = stack.pop()
        for step in possible.makers.get(asset, ()):
            sets.join(asset, step.key)
            steps[step.key] = step
            for need in set(step.needs) & clinic.bad:
                sets.join(need, step.key)
                if need not in seen:
                    seen.add(need)
                    stack.append(need)
    groups: dict[Digest, tuple[list[Digest], list[Remaking]]] = {}
    for digest in wanted:
        groups.setdefault(sets.of(digest), ([], []))[0].append(digest)
    for step in steps.values():
        groups[sets.of(step.key)][1].append(step)
    return list(groups.values())


class _Sets:
    """Sets that grow together: each is named by one of its members."""

    def __init__(self) -> None:
        self._above: dict[Digest, Digest] = {}

    def of(self, one: Digest) -> Digest:
        while (above := self._above.setdefault(one, one)) != one:
            self._above[one] = self._above[above]
            one = above
        return one

    def join(self, one: Digest, other: Digest) -> None:
        self._above[self.of(one)] = self.of(other)


def _price(clinic: Clinic, wanted: Sequence[Digest], steps: Sequence[Remaking]) -> float:
    """What it costs to run exactly these steps and fetch what else is needed; inf if impossible."""
    given = {digest for step in steps for digest in step.gives}
    needed = {*wanted, *(need for step in steps for need in step.needs if need in clinic.bad)}
    fetched = sum(clinic.copies.get(digest, inf) for digest in needed - given)
    return sum(step.cost_s for step in steps) + fetched


def _cheapest(
    clinic: Clinic, wanted: Sequence[Digest], steps: Sequence[Remaking]
) -> list[Remaking]:
    """The steps to run."""
    if len(steps) <= EXACT:
        choices = (
            list(chosen) for count in range(len(steps) + 1) for chosen in combinations(steps, count)
        )
        return min(choices, key=lambda chosen: _price(clinic, wanted, chosen))
    return _improved(clinic, wanted, steps)


def _improved(
    clinic: Clinic, wanted: Sequence[Digest], steps: Sequence[Remaking]
) -> list[Remaking]:
    """From every step at work on: leave out, then take in, whatever makes it cheaper by itself."""
    chosen = dict.fromkeys(range(len(steps)))
    ledger = _Account(clinic, wanted, steps)
    for number in chosen:
        ledger.turn(number)
    for number in sorted(chosen, key=lambda n: -steps[n].cost_s):
        before = ledger.price()
        ledger.turn(number)
        if ledger.price() > before:
            ledger.turn(number)
    for number in range(len(steps)):
        before = ledger.price()
        ledger.turn(number)
        if ledger.price() >= before:
            ledger.turn(number)
    return [step for number, step in enumerate(steps) if ledger.runs[number]]


class _Account:
    """The price of a choice of steps, kept up as single steps are turned on and off."""

    def __init__(self, clinic: Clinic, wanted: Sequence[Digest], steps: Sequence[Remaking]) -> None:
        self._clinic, self._steps = clinic, steps
        self.runs = [False] * len(steps)
        self._needed: dict[Digest, int] = dict.fromkeys(wanted, 1)
        self._given: dict[Digest, int] = {}
        self._work = 0.0
        self._fetched = 0.0
        self._impossible = 0
        for digest in self._needed:
            self._count(digest, 1)

    def price(self) -> float:
        return inf if self._impossible else self._work + self._fetched

    def turn(self, number: int) -> None:
        """Run a step that did not, or the other way round."""
        sign = -1 if self.runs[number] else 1
        self.runs[number] = not self.runs[number]
        step = self._steps[number]
        self._work += sign * step.cost_s
        for digest in set(step.gives) & self._clinic.bad:
            self._change(self._given, digest, sign)
        for digest in set(step.needs) & self._clinic.bad:
            self._change(self._needed, digest, sign)

    def _change(self, counts: dict[Digest, int], digest: Digest, sign: int) -> None:
        if self._is_fetched(digest):
            self._count(digest, -1)
        counts[digest] = counts.get(digest, 0) + sign
        if self._is_fetched(digest):
            self._count(digest, 1)

    def _is_fetched(self, digest: Digest) -> bool:
        return self._needed.get(digest, 0) > 0 and self._given.get(digest, 0) == 0

    def _count(self, digest: Digest, sign: int) -> None:
        cost = self._clinic.copies.get(digest)
        if cost is None:
            self._impossible += sign
        else:
            self._fetched += sign * cost


def _ordered(clinic: Clinic, wanted: Sequence[Digest], steps: Sequence[Remaking]) -> list[Mending]:
    """What to do, so that nothing is needed before it is good: copies first, then steps."""
    given = {digest for step in steps for digest in step.gives if digest in clinic.bad}
    needed = dict.fromkeys(
        [*wanted, *(need for step in steps for need in step.needs if need in clinic.bad)]
    )
    fetched = [digest for digest in needed if digest not in given]
    mendings = [Mending((digest,), None, clinic.copies[digest]) for digest in fetched]
    good = set(fetched)
    waiting = list(steps)
    while waiting:
        ready = [
            step
            for step in waiting
            if all(need in good or need not in clinic.bad for need in step.needs)
        ]
        for step in ready:
            gives = tuple(d for d in dict.fromkeys(step.gives) if d in clinic.bad and d not in good)
            good.update(gives)
            mendings.append(Mending(gives, step.key, step.cost_s))
        waiting = [step for step in waiting if step not in ready]
        if not ready:
            raise ValueError("steps need each other")
    return mendings
