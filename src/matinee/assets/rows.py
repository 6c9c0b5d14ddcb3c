"""Rows of the ledger that were damaged: what can be told again without running their step. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from matinee.assets.derivation import Step
from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class BadRow:
    """A derivation's row that is damaged, and what is known of its step in spite of that.

    ``inputs`` are by its links, excerpts among them; ``known`` those that are assets. ``function``
    and ``version`` are "" and 0 where there is no row any more.
    """

    key: Digest
    function: str
    version: int
    inputs: tuple[Digest, ...]
    known: frozenset[Digest]
    gives: tuple[Digest, ...]
    cost_s: float

    @property
    def thing(self) -> str:
        """What findings call it."""
        return f"derivation/{self.key}"


def restored(key: Digest, step: Step, links: Collection[Digest]) -> Step | None:
    """The step that a damaged row was of, by what is left in it; its key proves that it is so.

    None: more is wrong than the row's recipe or single digests of its inputs.

    Args:
        key: What the row calls itself.
        step: What is in the row.
        links: What the step was made from, by the links of the row.
    """
    if step.key == key:
        return step
    inputs = {
        role: digest if digest in links or not links else _nearest(digest, links)
        for role, digest in step.inputs.items()
    }
    found = replace(step, inputs=inputs)
    return found if found.key == key else None


def _nearest(digest: Digest, links: Collection[Digest]) -> Digest:
    def unlike(link: Digest) -> int:
        return sum(one != other for one, other in zip(link, str(digest), strict=False))

    return min(sorted(links), key=unlike)
