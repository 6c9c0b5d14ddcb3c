"""The restore drill: a backup is worth what comes back out of it, so it is tried.

The newest snapshot's tables and one title, chosen by chance, are restored into an empty library of
the drill's own. The title is then proved as a viewer gets it: every file's digest, the manifests;
and pieces of its largest picture are decoded and compared with the film, frame by frame.
"""

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from matinee.assets.asset import object_key
from matinee.core.errors import LibraryError, MatineeError
from matinee.core.verdicts import Verdict
from matinee.flows.back_up import FILES, LACKING
from matinee.flows.restore import AT_ONCE, Contents, Restored, Target, place, rows, title_of
from matinee.flows.restore_title import Pieces, places_of, rows_of_title
from matinee.flows.vault import Vault
from matinee.flows.verify_title import verify_title
from matinee.media.signature import compare, read_signature
from matinee.ports.catalog import Packages, Title
from matinee.ports.dump import TitleRows
from matinee.ports.tools import Meter
from matinee.stages import publish as publishing
from matinee.stages.posters import is_for_all
from matinee.stages.publish import title_key
from matinee.stages.together import in_turn
from matinee.stages.unlock import Locksmith, Unlock


class DrillFailed(LibraryError):
    """A backup that was restored for trial is not what it should be."""

    code = "drill.failed"
    advice = "prove the place with: matinee backups --verify, then back up again"


PARTS = 3
"""Segments that are decoded."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a drill works with: ``empty`` opens an empty library in a folder.

    ``locksmith`` has the keys, which are in no backup.
    """

    empty: Callable[[Path], AbstractContextManager[tuple[Target, Packages]]]
    meter: Meter
    locksmith: Locksmith


@dataclass
class _Found:
    """What was counted, and the faults."""

    evidence: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)


async def drill(vault: Vault, stage: Stage, seed: int, scratch: Path) -> Verdict:
    """Try the newest snapshot; the same seed tries the same title and pieces of it.

    Raises:
        NotFound: there is no snapshot.
        LibraryError: the vault cannot be used at all, or the disk is full.
    """
    snapshot = await vault.newest()
    found = _Found({
        "vault": vault.name, "snapshot": snapshot.id, "seed": seed,
        "taken_at": snapshot.taken_at.isoformat().replace("+00:00", "Z"), "title": None,
    })  # fmt: skip
    chance = random.Random(seed)  # noqa: S311  # a choice that can be made again
    try:
        contents = Contents(vault, snapshot, scratch)
        await contents.load()
        pieces = await contents.pieces()
    except MatineeError as error:
        if error.retryable:
            raise
        found.reasons.append(f"the snapshot cannot be read: {error}")
        return Verdict("drill", "backup", found.evidence, tuple(found.reasons))
    library = scratch / "drill"
    library.mkdir()
    with stage.empty(library) as (target, packages):
        title = _chosen(pieces, chance)
        restored = await _restored(vault, target, contents, pieces, title, scratch, found)
        if title is not None and restored is not None:
            await _prove(stage, target, packages, title, found)
            await _compare(stage, target, packages, title, restored, chance, scratch, found)
    return Verdict("drill", "backup", found.evidence, tuple(found.reasons))


def _chosen(pieces: Pieces, chance: random.Random) -> Title | None:
    shown = sorted(row["id"] for row in rows(pieces, "title") if row["current"] is not None)
    if not shown:
        return None
    chosen = chance.choice(shown)
    return title_of(next(row for row in rows(pieces, "title") if row["id"] == chosen))


async def _restored(
    vault: Vault, target: Target, contents: Contents, pieces: Pieces, title: Title | None,
    scratch: Path, found: _Found,
) -> TitleRows | None:  # fmt: skip
    """Bring the title's objects and all tables into the empty library."""
    own = rows_of_title(pieces, title.id) if title else None
    wanted = list(places_of(contents, own)) if own else []
    done = Restored(contents.snapshot)
    there = await in_turn(
        lambda one: place(vault, target.store, one, scratch, done), wanted, AT_ONCE
    )
    placed = {one.copy.digest for one, is_there in zip(wanted, there, strict=True) if is_there}
    found.reasons += [f"{key} cannot be read from the backup" for key in done.lost]
    found.evidence |= {
        "title": title and title.id, "objects": done.written, "bytes": done.bytes_written,
    }  # fmt: skip
    tables = {
        name: (path.read_bytes() for path in paths)
        for name, paths in pieces.items()
        if name not in (FILES, LACKING)
    }
    try:
        fill = target.dump.fill
        await asyncio.to_thread(fill, contents.snapshot.revision, tables, placed.__contains__)
        if title is not None:
            await publishing.project(target.store, title)
    except MatineeError as error:
        found.reasons.append(f"the library cannot be restored: {error}")
        return None
    found.evidence["tables"] = len(contents.snapshot.tables)
    return own


async def _prove(
    stage: Stage, target: Target, packages: Packages, title: Title, found: _Found
) -> None:
    """What ``matinee verify`` finds."""
    assert title.current is not None
    package = packages.get(title.id, title.current)
    try:
        report = json.loads(await target.store.read(object_key(package.report)))
        verdicts = await verify_title(target.store, title, package, report, stage.locksmith)
    except MatineeError as error:
        found.reasons.append(f"{title.id} cannot be proved: {error}")
        return
    found.evidence["files"] = len(package.files)
    found.reasons += [f"{one.judge}: {reason}" for one in verdicts for reason in one.reasons]


async def _compare(
    stage: Stage, target: Target, packages: Packages, title: Title, own: TitleRows,
    chance: random.Random, scratch: Path, found: _Found,
) -> None:  # fmt: skip
    """Decode pieces of the largest picture and compare each frame with the film's own."""
    assert title.current is not None
    package = packages.get(title.id, title.current)
    try:
        report = json.loads(await target.store.read(object_key(package.report)))
        source = await _source_signature(target, own, package.files, report)
        unlock = await asyncio.to_thread(stage.locksmith.unlock, package)
        spans = _spans(report["plan"])
        frames, differences = 0, list[float]()
        for number in sorted(chance.sample(range(len(spans)), min(PARTS, len(spans)))):
            start, end = spans[number]
            part = await _part(target, title, report, number, scratch, unlock)
            signed, _ = await stage.meter.sign_part(part, scratch)
            frames += len(signed)
            if len(signed) != end - start:
                found.reasons.append(
                    f"segment {number + 1} decodes to {len(signed)} frames, not {end - start}"
                )
            elif source is not None:
                film = source[start:end]
                found.reasons += [
                    f"frame {one.frame} does not show its frame of the film"
                    for one in compare(film, signed, start)
                ]
                steps = np.abs(film.astype(np.float32) - signed.astype(np.float32)) / 256
                differences.append(float(steps.mean()))
    except MatineeError as error:
        found.reasons.append(f"{title.id} does not play: {error}")
        return
    found.evidence["frames"] = frames
    found.evidence["difference"] = round(max(differences), 3) if differences else None


def _spans(plan: Mapping[str, Any]) -> list[tuple[int, int]]:
    """First frame and end of each segment."""
    return [(segment["start"], segment["end"]) for segment in plan["segments"]]


async def _part(
    target: Target, title: Title, report: Mapping[str, Any], number: int, scratch: Path,
    unlock: Unlock,
) -> Path:  # fmt: skip
    """A segment with its initialization, as a file that can be decoded."""
    video = max(
        filter(is_for_all, report["renditions"]),
        key=lambda each: (each["height"], each["width"]),
    )
    names = ("init.mp4", f"{number + 1:05d}.m4s")
    keys = [title_key(title.id, f"renditions/{video['folder']}/{name}") for name in names]
    part = scratch / "part.mp4"
    init, segment = [await target.store.read(key) for key in keys]
    await asyncio.to_thread(part.write_bytes, unlock.part(init, segment))
    return part


async def _source_signature(
    target: Target, own: TitleRows, files: Mapping[str, str], report: Mapping[str, Any]
) -> Any:
    """The signature of the film's frames: of the scan that made the package's thumbnails."""
    folder = report["thumbnails"]["uri"].rpartition("/")[0]
    sheets = {digest for path, digest in files.items() if path.startswith(f"{folder}/")}
    scans = {row["derivation"] for row in own.outputs if row["digest"] in sheets}
    wanted = [
        row["digest"]
        for row in own.outputs
        if row["derivation"] in scans and row["role"] == "signature"
    ]
    for digest in wanted:
        key = object_key(digest)
        if await target.store.size(key) is not None:
            return read_signature(await target.store.read(key))
    return None


def told(verdict: Verdict) -> Sequence[str]:
    """A verdict in words."""
    evidence = verdict.evidence
    if not verdict.passed:
        return verdict.reasons
    counts = [f"{evidence.get('objects', 0)} objects", f"{evidence.get('files', 0)} files proved"]
    counts.append(f"{evidence.get('frames', 0)} frames decoded")
    return [f"{evidence['title'] or 'no title'}: {', '.join(counts)}"]
