"""Bring one title back from a snapshot into a library, with all that its publishing can reuse."""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from matinee.assets.asset import object_key
from matinee.assets.reach import Link, needed
from matinee.core.errors import NotFound
from matinee.flows.back_up import FILES
from matinee.flows.restore import (
    AT_ONCE,
    Contents,
    Placed,
    Restored,
    Target,
    place,
    restored_fact,
    rows,
    title_of,
)
from matinee.flows.vault import Vault
from matinee.ports.dump import TitleRows
from matinee.ports.store import UNTYPED
from matinee.stages import publish as publishing
from matinee.stages.together import in_turn

Pieces = Mapping[str, Sequence[Path]]


async def restore_title(
    vault: Vault, target: Target, name: str, at: datetime | None, scratch: Path,
    told: Callable[[int, int], None] = lambda _, __: None,
) -> tuple[str, Restored]:  # fmt: skip
    """Bring the title of that id or name back as it was; gives its id.

    Raises:
        NotFound: the snapshot has no such title.
        TitleTaken: another one is in its place.
    """
    snapshot = await vault.newest(at)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        contents = Contents(vault, snapshot, Path(folder))
        await contents.load()
        pieces = await contents.pieces()
        found = await asyncio.to_thread(rows_of_title, pieces, name)
        done = Restored(snapshot)
        wanted = list(places_of(contents, found))
        there = await in_turn(
            lambda one: place(vault, target.store, one, Path(folder), done), wanted, AT_ONCE
        )
        told(len(wanted), len(wanted))
    lost = {one.copy.digest for one, is_there in zip(wanted, there, strict=True) if not is_there}
    row = dict(found.title)
    if row.get("removes_at") is not None:  # deleted in the snapshot; who restores it wants it back
        row |= {"current": row["was_shown"], "removes_at": None, "was_shown": None}
    title = title_of(row)
    kept = [
        row for row in found.locations if contents.has(row["digest"]) and row["digest"] not in lost
    ]
    found = replace(found, title=row, locations=kept)
    facts = [restored_fact(done, vault.name, title.id)]
    await asyncio.to_thread(target.dump.add_title, found, facts)
    await publishing.project(target.store, target.titles.get(title.id))
    return title.id, done


def rows_of_title(pieces: Pieces, name: str) -> TitleRows:
    """The rows of a title, and of the part of the ledger that it needs.

    Raises:
        NotFound: no title of that id, or several of that name.
    """
    title = _title(pieces, name)
    own = f"titles/{title['id']}/"
    packages = [row for row in rows(pieces, "package") if row["title"] == title["id"]]
    roots = {title["source"]}
    for package in packages:
        roots |= {package["report"], *package["files"].values()}
    roots |= {
        row["digest"] for row in rows(pieces, "location") if row["key"].startswith(f"{own}posters/")
    }
    outputs: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(pieces, "derivation_output"):
        outputs[row["derivation"]].append(row)
    live = needed(_links(pieces, outputs), roots)
    links = [link for number in sorted(live) for link in outputs[number]]
    digests = {link["digest"] for link in links}
    return TitleRows(
        title=title,
        packages=packages,
        showings=[row for row in rows(pieces, "showing") if row["title"] == title["id"]],
        derivations=[row for row in rows(pieces, "derivation") if row["sequence"] in live],
        outputs=links,
        assets=[row for row in rows(pieces, "asset") if row["digest"] in digests],
        locations=[
            row
            for row in rows(pieces, "location")
            if row["digest"] in digests and _is_of(row["key"], own)
        ],
        files=[row for row in rows(pieces, FILES) if row["key"].startswith(own)],
    )


def _is_of(key: str, own: str) -> bool:
    """Whether a place is the title's, or that of no title."""
    return key.startswith(own) or not key.startswith("titles/")


def _title(pieces: Pieces, name: str) -> dict[str, Any]:
    every = list(rows(pieces, "title"))
    found = [row for row in every if row["id"] == name] or [
        row for row in every if row["name"] == name
    ]
    match found:
        case [only]:
            return only
        case []:
            raise NotFound(
                f"the snapshot has no title {name!r}", "try another moment with --at TIME"
            )
        case _:
            ids = ", ".join(row["id"] for row in found)
            raise NotFound(f"{len(found)} titles are called {name!r}", f"use an id: {ids}")


def _links(pieces: Pieces, outputs: Mapping[int, Sequence[Mapping[str, Any]]]) -> Iterator[Link]:
    for row in rows(pieces, "derivation"):
        made = [link["digest"] for link in outputs.get(row["sequence"], ())]
        yield Link(row["sequence"], row["function"], list(row["inputs"].values()), made)


def places_of(contents: Contents, found: TitleRows) -> Iterator[Placed]:
    """The objects of a title, as far as the snapshot has them."""
    types = {row["digest"]: row["media_type"] for row in found.assets}
    for row in found.locations:
        if contents.has(row["digest"]):
            yield Placed(contents.copy(row["digest"]), row["key"], types[row["digest"]])
    for digest in {package["report"] for package in found.packages}:
        if contents.has(digest):
            yield Placed(contents.copy(digest), object_key(digest), "application/json")
    for row in found.files:
        if contents.has(row["digest"]):
            yield Placed(contents.copy(row["digest"]), row["key"], UNTYPED, changes=True)
