"""Steps that are to run again, divided among walks along the paths of packages. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matinee.assets.health import Mending, Remaking
from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Batch:
    """Steps that run in one walk, in their order. ``package`` names whose path is walked."""

    package: str
    steps: tuple[Digest, ...]


_Work = tuple[Remaking, tuple[Digest, ...]]
"""A step, and what it gives by the plan."""


def batched(
    mendings: Sequence[Mending],
    remakings: Mapping[Digest, Remaking],
    packages: Mapping[Digest, Sequence[str]],
) -> list[Batch]:
    """Which steps of a plan run in which walk: each in one, after all that it needs.

    A walk takes in every step that it can, and of all walks the one with the most comes first.

    Args:
        mendings: The plan, in order; copies count as done.
        remakings: The steps, by key.
        packages: The packages on whose path each step is, those first that are preferred; a step
            without any is left out.
    """
    waiting = [
        (remakings[each.remake], each.assets)
        for each in mendings
        if each.remake is not None and packages[each.remake]
    ]
    lacking = {asset for _, gives in waiting for asset in gives}
    batches: list[Batch] = []
    while waiting:
        names = dict.fromkeys(name for step, _ in waiting for name in packages[step.key])
        walks = {name: _walk(waiting, packages, lacking, name) for name in names}
        best = max(walks, key=lambda name: len(walks[name]))
        if not walks[best]:
            break  # what they need was left out
        lacking -= {asset for _, gives in walks[best] for asset in gives}
        batches.append(Batch(best, tuple(step.key for step, _ in walks[best])))
        waiting = [each for each in waiting if each not in walks[best]]
    return batches


def _walk(
    waiting: Sequence[_Work], packages: Mapping[Digest, Sequence[str]], lacking: set[Digest],
    name: str,
) -> list[_Work]:  # fmt: skip
    """The steps that a walk along a package's path can do, by what is lacking before it."""
    still, found = set(lacking), []
    for step, gives in waiting:
        if name in packages[step.key] and not still & set(step.needs):
            still -= set(gives)
            found.append((step, gives))
    return found
