"""Lineage of a title, a rendition, a file or a digest, read from the ledger."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation
from matinee.assets.lineage import Excerpt, Graph, frames_of_chunks
from matinee.core.errors import LibraryError, NotFound
from matinee.core.ids import Digest, digest_of
from matinee.media.source import SourceInfo, source_from_json
from matinee.ports.catalog import Package, Packages, Title, Titles
from matinee.ports.lineage import Ancestry

COPIES = ("straighten", "add_still")
"""Functions that make a film to work on of another."""

_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Records:
    """Where lineage is read. ``read`` gives an asset's bytes, proved."""

    ancestry: Ancestry
    titles: Titles
    packages: Packages
    read: Callable[[Asset], Awaitable[bytes]]


@dataclass(frozen=True)
class TitleGraph:
    """What a title is made of.

    ``package`` is the derivation of its package, if it has one; ``info`` what is in the film that
    it was made of, where that can be read; ``known`` are those inputs that are assets.
    """

    title: Title
    shown: Package | None
    package: Derivation | None
    graph: Graph
    info: SourceInfo | None
    known: Collection[Digest] = frozenset()


@dataclass(frozen=True)
class Found:
    """What a name means: assets of a title's graph; without a title, of the graph around them."""

    thing: str
    kind: str
    digests: Sequence[Digest]
    graph: Graph
    title: TitleGraph | None


async def find_thing(records: Records, thing: str) -> Found:
    """What ``thing`` names: a title, ``title/rendition``, a file's key or a digest.

    Raises:
        NotFound: nothing of that name.
    """
    if len(thing) == 64 and set(thing) <= _HEX:
        return await _of_digest(records, thing, Digest(thing))
    for key in (thing, f"titles/{thing}"):
        digest = records.ancestry.at(key)
        if digest is not None:
            return await _of_digest(records, key, digest)
    try:
        title = records.titles.get(thing)
    except NotFound:
        return await _of_rendition(records, thing)
    made = await title_graph(records, title)
    return Found(title.id, "title", _all_of(made), made.graph, made)


def _all_of(made: TitleGraph) -> list[Digest]:
    """Every file of the package; of a title without one, the source."""
    files = made.shown.files.values() if made.shown else [made.title.source]
    return list(dict.fromkeys(files))


async def _of_rendition(records: Records, thing: str) -> Found:
    name, _, rendition = thing.rpartition("/")
    title = records.titles.get(name) if name else None
    made = await title_graph(records, title) if title else None
    if made is None or made.shown is None:
        raise NotFound(
            f"there is no title, file or asset {thing!r}",
            "give a title, a title and one of its renditions as sintel/video-1080p, a file's key "
            "such as titles/sintel/packages/..., or a digest",
        )
    streams = made.package.step.parameters["streams"] if made.package else ()
    folders = {stream["name"]: stream["folder"] for stream in streams}
    if rendition not in folders:
        raise NotFound(
            f"{made.title.id} has no rendition {rendition!r}", f"it has: {', '.join(folders)}"
        )
    own = (f"renditions/{folders[rendition]}/", f"renditions/{folders[rendition]}-wvtt/")
    files = {path: d for path, d in made.shown.files.items() if path.startswith(own)}
    return Found(thing, "rendition", list(dict.fromkeys(files.values())), made.graph, made)


async def _of_digest(records: Records, thing: str, digest: Digest) -> Found:
    title = title_of(records, digest)
    if title is not None:
        made = await title_graph(records, title, digest)
        return Found(thing, "asset", [digest], made.graph, made)
    ancestry = records.ancestry
    around = [*ancestry.made_any([digest]), *ancestry.used_any([digest])]
    if not around and not ancestry.assets([digest]):
        raise NotFound(
            f"the library has no asset {digest}", "see what a title has: matinee lineage"
        )
    return Found(thing, "asset", [digest], Graph(around), None)


def title_of(records: Records, digest: Digest) -> Title | None:
    """A title that an asset belongs to: looked for from derivation to derivation, nearest first.

    Of titles that are as near, the one that has the most there: films of one ladder share small
    files.
    """
    ancestry, seen, frontier = records.ancestry, {digest}, [digest]
    asked = {digest}
    kept = {digest}  # what may be a source: to ask after every asset would take long
    while frontier:
        for each in sorted(kept):
            title = records.titles.of_source(each)
            if title is not None:
                return title
        near_titles = Counter(
            title
            for keys in ancestry.places(frontier).values()
            for title in sorted({k.split("/")[1] for k in keys if k.startswith("titles/")})
        )
        if near_titles:
            return records.titles.get(near_titles.most_common(1)[0][0])
        near = [*ancestry.made_any(frontier), *ancestry.used_any(frontier)]
        digests = {d for one in near for d in one.step.inputs.values()}
        digests |= {asset.digest for one in near for asset in one.outputs.values()}
        # Of what was taken in before, its own step is found when it has been seen already.
        kept = {
            d for one in near if one.step.function == "ingest" for d in one.step.inputs.values()
        }
        frontier = sorted((digests - seen) | (kept - asked))
        asked |= kept
        seen |= digests
    return None


async def title_graph(
    records: Records, title: Title, also: Digest | None = None, package: str | None = None,
    makers_of: Sequence[Digest] = (),
) -> TitleGraph:  # fmt: skip
    """All that the ledger has of a title, and of one of its packages: the one on screen first.

    Args:
        records: Where it is read.
        title: The title.
        also: An asset of it: the newest package that has it or rests on it is taken.
        package: The package, by its id.
        makers_of: Assets of which the steps that made them are wanted too.
    """
    ancestry = records.ancestry
    derivations = _Collected()
    infos = await _films(records, title.source, derivations)
    excerpts = {
        track.packets: Excerpt(film, f"track {track.index} ({track.type}, {track.codec})")
        for film, info in infos.items()
        for track in info.tracks
    } | {
        info.picture.configuration: Excerpt(film, "decoder configuration")
        for film, info in infos.items()
    }
    derivations.add(ancestry.used_any(list(excerpts)))
    shown = _package(records, title, also, package)
    made = _maker_of(ancestry, shown) if shown else None
    if made is not None:
        derivations.add([made])
        derivations.add(ancestry.made_any(list(dict.fromkeys(made.step.inputs.values()))))
        chunks = [d for role, d in made.step.inputs.items() if role.startswith("video/")]
        joins = [made.outputs["join"].digest] if "join" in made.outputs else []
        derivations.add(ancestry.used_any([*dict.fromkeys(chunks), *joins]), but=("package",))
    if also is not None:
        derivations.add(ancestry.made_any([also]))
        derivations.add(ancestry.used_any([also]))
    derivations.add(ancestry.made_any(makers_of))
    film = next(reversed(infos), title.source)
    graph = Graph(derivations.all(), excerpts)
    if made is not None:
        excerpts |= _clips(graph, made, film)
    graph = Graph(derivations.all(), excerpts)
    inputs = {d for each in graph.derivations for d in each.step.inputs.values()}
    known = frozenset(ancestry.assets(sorted(inputs)))
    return TitleGraph(title, shown, made, graph, infos.get(film), known)


class _Collected:
    """Derivations, each once, in the order in which they came."""

    def __init__(self) -> None:
        self._found: dict[Digest, Derivation] = {}

    def add(self, more: Iterable[Derivation], but: Sequence[str] = ()) -> None:
        for each in more:
            if each.step.function not in but:
                self._found.setdefault(each.step.key, each)

    def all(self) -> list[Derivation]:
        return list(self._found.values())


async def _films(
    records: Records, source: Digest, derivations: _Collected
) -> dict[Digest, SourceInfo]:
    """What is in the source, and in the films that were made of it; those that can be read."""
    infos: dict[Digest, SourceInfo] = {}
    waiting = [source]
    while waiting:
        film = waiting.pop(0)
        used = records.ancestry.used_any([film])
        derivations.add(used)
        inspected = next((each for each in used if each.step.function == "inspect"), None)
        if inspected is not None:
            try:
                document = json.loads(await records.read(inspected.outputs["info"]))
                infos[film] = source_from_json(document["source"])
            except (LibraryError, ValueError, KeyError):
                pass  # it is damaged: the way goes on by what the ledger itself says
        waiting += [
            asset.digest
            for each in used
            if each.step.function in COPIES
            for asset in each.outputs.values()
        ]
    return infos


def _package(
    records: Records, title: Title, also: Digest | None, wanted: str | None
) -> Package | None:
    if wanted is not None:
        return records.packages.get(title.id, wanted)
    packages = sorted(
        records.packages.of_title(title.id), key=lambda each: each.id == title.current
    )
    if also is None:
        return packages[-1] if packages else None
    return package_with(records, packages, also)


def package_with(records: Records, packages: Sequence[Package], asset: Digest) -> Package | None:
    """The last of a title's packages that has an asset or rests on it; None of none.

    Args:
        records: Where it is read.
        packages: The title's; those that are preferred come last.
        asset: What it should have.
    """
    return next(reversed(packages_with(records, packages, asset)), None)


def packages_with(
    records: Records, packages: Sequence[Package], asset: Digest
) -> Sequence[Package]:
    """Those of a title's packages that have an asset or rest on it, or that it is a proof of.

    All, if there are none such.

    Args:
        records: Where it is read.
        packages: The title's.
        asset: What they should have.
    """
    if len(packages) < 2:
        return packages
    ancestry = records.ancestry
    near = [asset]
    has = [one for one in packages if asset in one.files.values()]
    if not has:
        has = _resting(packages, ancestry.used_any(near))
    if not has:  # a proof: what it is about
        near += [d for each in ancestry.made_any([asset]) for d in each.step.inputs.values()]
        around = [*ancestry.used_any(near), *ancestry.made_any(near)]
        has = _resting(packages, around)
    return has or packages


def _resting(packages: Sequence[Package], around: Iterable[Derivation]) -> list[Package]:
    """Those of the packages that one of the derivations made."""
    paths = {
        role
        for each in around
        if each.step.function == "package"
        for role in each.outputs
        if role.startswith("packages/")
    }
    return [one for one in packages if paths & one.files.keys()]


def _maker_of(ancestry: Ancestry, package: Package) -> Derivation | None:
    """The derivation that made a package."""
    own = [d for path, d in package.files.items() if path.startswith(f"packages/{package.id}/")]
    made = [each for each in ancestry.made_any(own[:1]) if each.step.function == "package"]
    return next((one for one in made if package.files.keys() <= one.outputs.keys()), None)


def _clips(graph: Graph, package: Derivation, film: Digest) -> dict[Digest, Excerpt]:
    """Of which frames of the film the chunks' clips are."""
    frames = frames_of_chunks(package.step, graph.lengths(package.step))
    found: dict[Digest, Excerpt] = {}
    for role, chunk in package.step.inputs.items():
        maker = graph.maker(chunk) if role.startswith("video/") else None
        if maker is not None and "clip" in maker.step.inputs:
            start, end = frames.get(chunk, (0, 0))
            what = f"frames {start} to {end - 1}" if end else "a clip"
            found.setdefault(maker.step.inputs["clip"], Excerpt(film, what))
    return found


async def read_proved(
    read: Callable[[str], Awaitable[bytes]], ancestry: Ancestry, asset: Asset
) -> bytes:
    """An asset's bytes from the first of its places that has them.

    Raises:
        LibraryError: none has.
    """
    for key in ancestry.places([asset.digest]).get(asset.digest, ()):
        try:
            data = await read(key)
        except LibraryError:
            continue
        if digest_of(data) == asset.digest:
            return data
    raise LibraryError(f"no place has the bytes of {asset.digest}")
