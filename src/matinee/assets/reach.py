"""What a title needs of the ledger: what its files were made from, and what was found out of them.

A step is needed when something that is needed comes out of it; then so are its inputs and its other
outputs. A step that only looks at things (an inspection, a score, a signature, a verdict) is needed
too when all that it looked at is: its inputs that a step made, or else all its inputs. A rehearsal
is when one of its pieces is. What makes media is not: a chunk of a ladder that nothing shows is
made from the same clip as one that is shown.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MEDIA = frozenset(
    {"encode_chunk", "encode_sound", "make_text", "package", "poster", "show_chunk", "show_sound"}
)
"""Functions whose outputs are needed only by what is made from them."""

GLANCES = frozenset({"rehearse"})
"""Functions that look at pieces of one film: one piece that is needed is enough."""


@dataclass(frozen=True, slots=True)
class Link:
    """A derivation's place in the graph; inputs may name what is no asset, such as packets."""

    number: int
    function: str
    inputs: Sequence[str]
    outputs: Sequence[str]


def needed(links: Iterable[Link], roots: Iterable[str]) -> set[int]:
    """The numbers of the derivations that the roots need. A fixed point: asking again adds none."""
    makers, lookers, unseen = _indexed(links)
    live, found = set[int](), set[str]()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        follows = list(makers.get(name, ()))
        for link in lookers.get(name, ()):
            unseen[link.number] -= 1
            follows += [link] if unseen[link.number] == 0 else []
        for link in follows:
            if link.number not in live:
                live.add(link.number)
                waiting += [*link.inputs, *link.outputs]
    return live


_ByName = Mapping[str, Sequence[Link]]


def _indexed(links: Iterable[Link]) -> tuple[_ByName, _ByName, dict[int, int]]:
    """By output; those that only look, by input; how many inputs each of these has."""
    makers: dict[str, list[Link]] = defaultdict(list)
    lookers: dict[str, list[Link]] = defaultdict(list)
    unseen: dict[int, int] = {}
    every = list(links)
    for link in every:
        for name in set(link.outputs):
            makers[name].append(link)
    for link in every:
        if link.function not in MEDIA:
            made = {name for name in link.inputs if name in makers and name not in link.outputs}
            names = made or set(link.inputs)
            unseen[link.number] = 1 if link.function in GLANCES else len(names)
            for name in names:
                lookers[name].append(link)
    return makers, lookers, unseen
