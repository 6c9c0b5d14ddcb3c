"""Ways in which bad things of a title are made again: steps, and on the path of which packages."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from matinee.assets.derivation import Derivation, Step
from matinee.assets.health import Remaking
from matinee.assets.rows import BadRow
from matinee.core.ids import Digest, digest_of_value
from matinee.flows.lineage import TitleGraph
from matinee.stages.posters import files_of_posters

ALMOST_NOTHING_S = 0.001
"""The least price of anything, so that of equal ways the one with fewer steps is taken."""


@dataclass(frozen=True, slots=True)
class Way:
    """A step that can run again. ``packages`` are those on whose path it is.

    ``step`` None: its row is damaged, and writing that anew is part of what it gives.
    """

    remaking: Remaking
    called: str
    packages: tuple[str, ...]
    step: Step | None = None


def ways_of(
    mades: Sequence[TitleGraph],
    bad: Mapping[Digest, Collection[str]],
    near: Mapping[Digest, Collection[str]],
    rows: Collection[BadRow] = (),
) -> dict[Digest, Way]:
    """The steps by which bad things, and bad ones that these need, can be made, by key.

    Args:
        mades: The title with each of its packages, those first that are preferred.
        bad: Assets, with the keys at which their bytes are bad.
        near: Of an asset, the packages that have to do with it; where that is not known, all.
        rows: Damaged rows, which count as bad things under their keys.
    """
    on_path = {row.key: [made for made in mades if _is_on_path(made, row)] for row in rows}
    found: dict[Digest, Way] = {}
    for made in mades:
        own = package_of(made)
        mine = [row for row in rows if made in (on_path[row.key] or mades)]
        asked = [digest for digest in bad if own in near.get(digest, (own,))]
        for way in _on_path_of(made, asked, bad, mine):
            known = found.get(way.remaking.key)
            packages = (*known.packages, own) if known else (own,)
            found[way.remaking.key] = replace(known or way, packages=packages)
    return found


def package_of(made: TitleGraph) -> str:
    """The id of the package that is looked at; "" where a title has none."""
    return made.shown.id if made.shown else ""


def _on_path_of(
    made: TitleGraph, asked: Iterable[Digest], bad: Mapping[Digest, Collection[str]],
    rows: Sequence[BadRow],
) -> list[Way]:  # fmt: skip
    """The steps on the path of one package."""
    found = {row.key: _by_row(made, row) for row in rows}
    given = {digest for row in rows for digest in row.gives}
    waiting = [*asked, *(need for way in found.values() for need in way.remaking.needs)]
    seen = set(given)
    while waiting:
        digest = waiting.pop()
        if digest in seen or digest not in bad:
            continue
        seen.add(digest)
        for maker in made.graph.makers(digest):
            if maker.step.key not in found and _runs_for(made, maker.step):
                way = _by_step(made, maker, bad)
                found[maker.step.key] = way
                waiting += way.remaking.needs
    return list(found.values())


def _by_step(made: TitleGraph, maker: Derivation, bad: Mapping[Digest, Collection[str]]) -> Way:
    step = maker.step
    needs = needs_of(made, maker)
    gives = dict.fromkeys(
        asset.digest
        for role, asset in maker.outputs.items()
        if asset.digest not in needs and _puts(made, step, role, bad.get(asset.digest, ()))
    )
    price = max(ALMOST_NOTHING_S, maker.cost.wall_s)
    remaking = Remaking(step.key, needs, tuple(gives), price)
    return Way(remaking, f"{step.function}@{step.version}", (), step)


def _puts(made: TitleGraph, step: Step, role: str, keys: Collection[str]) -> bool:
    """Whether an output comes where it is bad: packages of one title may have it at own paths."""
    if step.function != "package" or not keys:
        return True
    own = f"titles/{made.title.id}/{role}"
    return any(key == own or not key.startswith("titles/") for key in keys)


def _by_row(made: TitleGraph, row: BadRow) -> Way:
    """The step of a damaged row: what it gives is right with it."""
    needs = _needs(made, row.function, row.inputs, row.known)
    gives = (*(digest for digest in row.gives if digest not in needs), row.key)
    remaking = Remaking(row.key, needs, gives, max(ALMOST_NOTHING_S, row.cost_s))
    return Way(remaking, f"{row.function}@{row.version}" if row.function else "its step", ())


def _is_on_path(made: TitleGraph, row: BadRow) -> bool:
    """Whether a package rests on what a damaged row gave, as far as that can be told."""
    if row.function == "judge" and made.shown is not None:
        return digest_of_value(dict(made.shown.files)) in row.inputs
    gives, own = set(row.gives), made.package.step.key if made.package else None
    return any(
        {asset.digest for asset in each.outputs.values()} == gives
        and (each.step.function != "package" or each.step.key == own)
        for each in made.graph.derivations
    )


def _runs_for(made: TitleGraph, step: Step) -> bool:
    """Whether a step runs when that package is made: some are of one package only."""
    if step.function == "package":
        return made.package is not None and step.key == made.package.step.key
    if made.shown is None:
        return True
    if step.function == "judge":
        return step.inputs.get("package") == digest_of_value(dict(made.shown.files))
    return step.function != "poster" or bool(files_of_posters(made.shown.files, step))


def needs_of(made: TitleGraph, maker: Derivation) -> tuple[Digest, ...]:
    """The assets that a step needs to run again, each once.

    Its inputs; of excerpts, the film that they are of, with its index. Judges need all that they
    look at.
    """
    step = maker.step
    if step.function == "poster" and made.shown is not None:
        own = files_of_posters(made.shown.files, step) or made.shown.files
        return tuple(dict.fromkeys(own.values()))
    return _needs(made, step.function, tuple(step.inputs.values()), made.known)


def _needs(
    made: TitleGraph, function: str, inputs: Sequence[Digest], known: Collection[Digest]
) -> tuple[Digest, ...]:
    graph = made.graph
    # A digest of several things, as judges have them, is none of an asset; a subtitle file's is.
    needs = dict.fromkeys(
        graph.whole(digest)
        for digest in inputs
        if digest in known or digest in graph.excerpts or function == "make_text"
    )
    if function == "judge" and made.shown is not None:
        needs |= dict.fromkeys(made.shown.files.values())
    films = {graph.excerpts[digest].film for digest in inputs if digest in graph.excerpts}
    for film in films:
        for user in graph.users(film):
            if user.step.function == "inspect":
                needs |= dict.fromkeys(asset.digest for asset in user.outputs.values())
    return tuple(needs)
