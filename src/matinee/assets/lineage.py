"""Lineage: the way from a source's bytes to what was published, in both directions. Pure.

- A derivation names its inputs by digest. Some inputs are no assets but *excerpts*: packets of a
  film, named by what an encoder reads. ``excerpts`` says of which film they are.
- A package is made of all chunks in one step, but a segment rests on one of them only.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from matinee.assets.derivation import Derivation, Step
from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a film that is no asset of its own. ``what`` says in words which part."""

    film: Digest
    what: str


@dataclass(frozen=True)
class Graph:
    """Derivations and what they have to do with each other.

    Of several derivations that made an asset, the first that is given counts.
    """

    derivations: Sequence[Derivation]
    excerpts: Mapping[Digest, Excerpt] = field(default_factory=dict)

    def __post_init__(self) -> None:
        makers: dict[Digest, list[Derivation]] = {}
        users: dict[Digest, list[Derivation]] = {}
        for each in self.derivations:
            given = set(each.step.inputs.values())
            for asset in each.outputs.values():
                if asset.digest not in given:
                    makers.setdefault(asset.digest, []).append(each)
            for digest in {self.whole(digest) for digest in each.step.inputs.values()}:
                users.setdefault(digest, []).append(each)
        object.__setattr__(self, "_makers", makers)
        object.__setattr__(self, "_users", users)
        object.__setattr__(self, "_rests", {})

    def whole(self, digest: Digest) -> Digest:
        """The asset that a digest is a part of: itself, but for excerpts."""
        excerpt = self.excerpts.get(digest)
        return digest if excerpt is None else excerpt.film

    def maker(self, digest: Digest) -> Derivation | None:
        """What made an asset; None of one that came from outside.

        To pass an asset on is not to make it: ``ingest`` gives what it was given.
        """
        return next(iter(self.makers(digest)), None)

    def makers(self, digest: Digest) -> Sequence[Derivation]:
        """All that made an asset: others may have given the same bytes."""
        makers: Mapping[Digest, Sequence[Derivation]] = self._makers  # type: ignore[attr-defined]
        return makers.get(digest, ())

    def users(self, digest: Digest) -> Sequence[Derivation]:
        """What was made of an asset."""
        users: Mapping[Digest, Sequence[Derivation]] = self._users  # type: ignore[attr-defined]
        return users.get(digest, ())

    def parents(self, digest: Digest) -> list[Digest]:
        """The assets that an asset rests on directly, each once, in the order of their roles."""
        made = self.maker(digest)
        if made is None:
            return []
        rests = self._rests_of(made)
        roles = [role for role, asset in made.outputs.items() if asset.digest == digest]
        return list(dict.fromkeys(parent for role in roles for parent in rests[role]))

    def children(self, digest: Digest) -> list[Digest]:
        """The assets that rest on an asset directly, each once."""
        found: dict[Digest, None] = {}
        for made in self.users(digest):
            rests = self._rests_of(made)
            for role, asset in made.outputs.items():
                if asset.digest != digest and digest in rests[role]:
                    found[asset.digest] = None
        return list(found)

    def back(self, digests: Iterable[Digest]) -> list[Digest]:
        """The assets and all that they rest on: what others rest on comes first."""
        return _in_order(digests, self.parents)

    def forward(self, digests: Iterable[Digest]) -> list[Digest]:
        """The assets and all that rests on them: what rests on others comes last."""
        return _in_order(digests, self.children)[::-1]

    def lengths(self, step: Step) -> Mapping[Digest, int]:
        """How many segments each chunk of a package has, as far as that is known."""
        makers = {d: self.maker(d) for name, d in step.inputs.items() if name.startswith("video/")}
        return {
            digest: len(made.step.parameters.get("starts", ()))
            for digest, made in makers.items()
            if made is not None
        }

    def _rests_of(self, made: Derivation) -> Mapping[str, Mapping[Digest, None]]:
        """What each output of a derivation rests on, by role; worked out once."""
        known: dict[Digest, Mapping[str, Mapping[Digest, None]]] = self._rests  # type: ignore[attr-defined]
        if made.step.key not in known:
            every = {self.whole(digest): None for digest in made.step.inputs.values()}
            parts = _Parts(made.step, self.lengths(made.step)) if _is_package(made.step) else None
            known[made.step.key] = {
                role: every
                if parts is None or not role.startswith("renditions/")
                else {self.whole(made.step.inputs[name]): None for name in parts.of(role)}
                for role in made.outputs
            }
        return known[made.step.key]


def _is_package(step: Step) -> bool:
    return step.function == "package"


class _Parts:
    """Which inputs of a package the files of its renditions rest on.

    A segment of a video rests on the chunk that has its frames, its init segment on the first
    chunk; a segment of sound, text or thumbnails on its own track. Where it is not known how many
    segments a chunk has, a segment rests on all of its rung's.
    """

    def __init__(self, step: Step, lengths: Mapping[Digest, int]) -> None:
        self._streams = {s["folder"]: (s["kind"], s["name"]) for s in step.parameters["streams"]}
        self._sheets = [name for name in step.inputs if name.startswith("thumbnails/")]
        self._chunks: dict[str, list[str]] = {}
        for name in sorted(each for each in step.inputs if each.startswith("video/")):
            self._chunks.setdefault(name.split("/")[1], []).append(name)
        self._firsts: dict[str, list[int] | None] = {}
        for rung, chunks in self._chunks.items():
            counts = [lengths.get(step.inputs[name], 0) for name in chunks]
            places = [0, *accumulate(counts)][:-1]
            self._firsts[rung] = places if all(counts) else None

    def of(self, path: str) -> Sequence[str]:
        """The roles of the inputs."""
        _, folder, file = path.split("/")
        kind, name = self._streams.get(folder.removesuffix("-wvtt"), ("thumbnails", ""))
        if kind == "thumbnails":
            return self._sheets
        if kind != "video":
            return [f"{kind}/{name}"]
        rung = name.removeprefix("video-")
        chunks, firsts = self._chunks[rung], self._firsts[rung]
        if file == "init.mp4":
            return chunks[:1]
        number = file.removesuffix(".m4s")
        if firsts is None or not number.isdigit():
            return chunks
        return [chunks[bisect_right(firsts, int(number) - 1) - 1]]


def frames_of_chunks(step: Step, lengths: Mapping[Digest, int]) -> dict[Digest, tuple[int, int]]:
    """The frames ``[start, end)`` of the film that each chunk of a package shows.

    Those whose count of segments is not known, and those after them, are left out. The step may be
    of a damaged row.
    """
    starts = [*step.parameters.get("segments", ()), step.parameters.get("frames", 0)]
    found: dict[Digest, tuple[int, int]] = {}
    place, rung = 0, ""
    for name in sorted(each for each in step.inputs if each.startswith("video/")):
        if name.split("/")[1] != rung:
            place, rung = 0, name.split("/")[1]
        digest = step.inputs[name]
        count = lengths.get(digest, 0)
        if count and place + count < len(starts):
            found[digest] = (starts[place], starts[place + count])
        place = place + count if count else len(starts)
    return found


def _in_order(
    digests: Iterable[Digest], before: Callable[[Digest], Sequence[Digest]]
) -> list[Digest]:
    """Depth first, what ``before`` gives ahead of what it is given for; each once."""
    done: dict[Digest, None] = {}
    begun: set[Digest] = set()
    stack = [(digest, False) for digest in reversed(list(digests))]
    while stack:
        digest, is_over = stack.pop()
        if is_over:
            done[digest] = None
        elif digest not in begun:
            begun.add(digest)
            stack.append((digest, True))
            stack += [(each, False) for each in reversed(before(digest)) if each not in begun]
    return list(done)
