"""Segments that show wrong frames: followed back to the step that made them, and made again.

The way back: the segment's own chunk is decoded. Where that is wrong too, the step that made it is
suspect, by its version, tools, host and time; what was made in the same way about then is decoded
as well, wider and wider, until what lies around is right. What is wrong is made again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from matinee.assets.asset import object_key
from matinee.assets.derivation import Derivation
from matinee.core.errors import LibraryError, MatineeError
from matinee.core.ids import Digest
from matinee.flows.frames import Eye, Part, chunks_of, look, source_signature
from matinee.flows.infirmary import Done, Mender
from matinee.flows.lineage import TitleGraph, title_graph, title_of
from matinee.flows.remake import remake, swap
from matinee.media.signature import Signature
from matinee.ports.upkeep import Finding
from matinee.stages.redo import Redo

AROUND = timedelta(minutes=30)
"""How long before and after a wrong step others of its kind are suspect."""


@dataclass(frozen=True)
class _Known:
    """A title as it is looked at: its chunks by digest, and what the film should look like."""

    made: TitleGraph
    chunks: dict[Digest, Part]
    source: Signature | None


async def mend_frames(
    mender: Mender, findings: Sequence[Finding], done: Done, *, dry_run: bool
) -> None:
    """Find what is wrong of the same making, name it, make it again."""
    eye = mender.ward.eye
    if eye is None:
        done.left += [(each, "nothing here can decode pictures") for each in findings]
        return
    search = _Search(mender, eye)
    for finding in findings:
        await search.begin(finding)
    await search.widen()
    done.suspects += search.suspects()
    for title, wrong in search.by_title().items():
        known = search.titles[title]
        own = [each for each in findings if each.fault.title == title]
        act = {
            "way": "remake",
            "things": [object_key(digest) for digest in wrong] or [e.fault.thing for e in own],
            "how": "wrong frames: " + ", ".join(sorted({_name(d) for d in wrong.values()})),
            "cost_s": round(sum(each.cost.wall_s for each in wrong.values()), 3),
        }
        reason = "" if dry_run else await _remade(mender, known, wrong)
        if reason:
            done.left += [(each, reason) for each in own]
            continue
        done.acts.append(act)
        done.mended += [] if dry_run else own
        for each in own if not dry_run else ():
            how = f"{act['how']}; the chunks were made again and proved"
            await asyncio.to_thread(mender.ward.findings.close, each, "mended", how)


def _name(made: Derivation) -> str:
    tools = " ".join(f"{name} {identity[:12]}" for name, identity in made.step.tools.items())
    return f"{made.step.function}@{made.step.version} with {tools} on {made.cost.host}"


class _Search:
    """Looks at chunks, from the ones that are known to be wrong outwards."""

    def __init__(self, mender: Mender, eye: Eye) -> None:
        self._mender, self._eye = mender, eye
        self.titles: dict[str, _Known] = {}
        self.wrong: dict[Digest, tuple[str, Derivation]] = {}
        self.looked: set[Digest] = set()

    async def begin(self, finding: Finding) -> None:
        """Look at the chunk that a wrong segment rests on."""
        fault = finding.fault
        assert fault.title is not None and fault.digest is not None  # noqa: PT018
        known = await self._title(fault.title)
        parents = [d for d in known.made.graph.parents(fault.digest) if d in known.chunks]
        for chunk in parents:
            await self._look(known, chunk)

    async def widen(self) -> None:
        """Look at all that was made like a wrong chunk, about then."""
        asked: dict[Any, tuple[datetime, datetime]] = {}
        while True:
            more = {
                key: (start, end)
                for key, (_, start, end) in self._windows().items()
                if asked.get(key) != (start, end)
            }
            if not more:
                return
            asked |= more
            likes = {key: like for key, (like, _, _) in self._windows().items()}
            for key, (start, end) in more.items():
                alike = await asyncio.to_thread(
                    self._mender.ward.records.ancestry.alike, likes[key], start - AROUND,
                    end + AROUND,
                )  # fmt: skip
                await self._look_at_all(alike)

    async def _look_at_all(self, alike: Iterable[Derivation]) -> None:
        records = self._mender.ward.records
        for made in alike:
            chunk = made.outputs["chunk"].digest
            if chunk in self.looked:
                continue
            title = await asyncio.to_thread(title_of, records, chunk)
            if title is not None:
                await self._look(await self._title(title.id), chunk)

    async def _title(self, name: str) -> _Known:
        if name not in self.titles:
            records = self._mender.ward.records
            made = await title_graph(records, records.titles.get(name))
            chunks = {part.digests[0]: part for part in chunks_of(made)}
            source = await source_signature(self._eye, made)
            self.titles[name] = _Known(made, chunks, source)
        return self.titles[name]

    async def _look(self, known: _Known, chunk: Digest) -> None:
        if chunk in self.looked or chunk not in known.chunks:
            return
        self.looked.add(chunk)
        info, source = known.made.info, known.source
        maker = known.made.graph.maker(chunk)
        if info is None or source is None or maker is None:
            return
        part = known.chunks[chunk]
        try:
            said = await look(self._eye, self._mender.ward.records, info.picture, part, source)
        except LibraryError:
            return
        if said:
            self.wrong[chunk] = known.made.title.id, maker

    def _windows(self) -> dict[Any, tuple[Derivation, datetime, datetime]]:
        """Of each kind of making that went wrong: an example, and from when to when."""
        found: dict[Any, tuple[Derivation, datetime, datetime]] = {}
        for _, made in self.wrong.values():
            key = (made.step.function, made.step.version, str(made.step.tools), made.cost.host)
            began = made.cost.started_at
            _, start, end = found.get(key, (made, began, began))
            found[key] = made, min(start, began), max(end, began)
        return found

    def suspects(self) -> list[dict[str, Any]]:
        """What went wrong: version, tools, host and time, and which chunks are of it."""
        return [
            {
                "function": like.step.function,
                "version": like.step.version,
                "tools": dict(like.step.tools),
                "host": like.cost.host,
                "since": start.isoformat(),
                "until": end.isoformat(),
                "chunks": sorted(d for d, (_, made) in self.wrong.items() if _same(made, like)),
            }
            for like, start, end in self._windows().values()
        ]

    def by_title(self) -> dict[str, dict[Digest, Derivation]]:
        """The wrong chunks of each title."""
        found: dict[str, dict[Digest, Derivation]] = {name: {} for name in self.titles}
        for digest, (title, made) in self.wrong.items():
            found[title][digest] = made
        return {name: wrong for name, wrong in found.items() if wrong}


def _same(one: Derivation, other: Derivation) -> bool:
    return (
        (one.step.function, one.step.version, one.cost.host)
        == (other.step.function, other.step.version, other.cost.host)
        and one.step.tools == other.step.tools
    )  # fmt: skip


async def _remade(mender: Mender, known: _Known, wrong: dict[Digest, Derivation]) -> str:
    """Make chunks again, and the package of them; "" or why that was not done."""
    made = known.made
    assert made.shown is not None
    usual = None
    try:
        if "order" not in made.shown.settings:
            usual = mender.load_ladder(made.shown.settings["ladder"])
        redo = Redo(recipes=frozenset(each.step.recipe for each in wrong.values()))
        with mender.open_house(redo, mender.ward.store) as (house, bench):
            came = await remake(house, bench, made.title, made.shown, usual, prove=True)
            if came.package == made.shown.id:
                return "the tools that are installed now give the same wrong frames"
            if not came.passed:
                return f"made again, a verdict failed: package {came.package} is held"
            await swap(house, bench, made.title, made.shown, came.package)
    except (MatineeError, KeyError) as error:
        return str(error)
    return ""
