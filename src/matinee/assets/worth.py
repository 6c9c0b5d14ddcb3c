"""What of a library is worth its place in a backup.

What cannot be made again always is. What can be made again has a price: the processor seconds that
making it took, and its inputs' as far as they are not kept themselves, against its bytes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from matinee.core.ids import Digest

GIB = 1 << 30
SMALL = 1 << 20
"""Bytes of a derivation's outputs that cost less to keep than to think about."""
UNMADE = frozenset({"ingest"})
"""Functions whose outputs come from outside: nothing makes them again."""

Share = Literal["all", "price", "none"]
Published = AbstractSet[str]


@dataclass(frozen=True, slots=True)
class Worth:
    """A policy. ``published``: files of packages; ``made``: all else that has a derivation.

    ``price`` keeps what took at least ``seconds_per_gib`` to make for each GiB and is at least
    ``age`` old, and what is ``SMALL``, whatever it took.
    """

    published: Share = "all"
    made: Share = "price"
    seconds_per_gib: float = 1800.0
    age: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Making:
    """A derivation as far as its price goes."""

    function: str
    inputs: Sequence[Digest]
    outputs: Mapping[Digest, int]
    """Sizes by digest."""
    made_at: datetime
    cpu_s: float


def left_out(
    makings: Iterable[Making], is_published: Published, worth: Worth, now: datetime
) -> Iterator[Digest]:
    """What need not be backed up: may name an asset twice.

    Args:
        makings: All derivations, each after those that made its inputs.
        is_published: The digests of the files of packages.
        worth: The policy.
        now: The time.
    """
    rebuild_s: dict[bytes, float] = {}  # of what is left out, for what is made from it
    for making in makings:
        if making.function in UNMADE:
            continue
        spent = making.cpu_s + sum(rebuild_s.get(bytes.fromhex(i), 0.0) for i in making.inputs)
        size = sum(making.outputs.values())
        is_dear = spent * GIB >= worth.seconds_per_gib * size and now - making.made_at >= worth.age
        is_worth_it = is_dear or size <= SMALL
        for digest in making.outputs:
            share = worth.published if digest in is_published else worth.made
            if share == "none" or (share == "price" and not is_worth_it):
                rebuild_s[bytes.fromhex(digest)] = spent
                yield digest
