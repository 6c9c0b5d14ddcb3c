"""The path of a film: ingest, inspect, split, encode, join, judge, package, publish.

Plain async Python over the ledger: to go on after a crash is to run it again.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from matinee.assets.asset import Asset, object_key
from matinee.core.ids import Digest, canonical_json, digest_of, slug
from matinee.core.verdicts import Verdict, failed
from matinee.flows.report import Making, build_report
from matinee.media.ladder import Ladder
from matinee.media.source import SourceInfo
from matinee.media.timeline import Timeline
from matinee.media.tracks import Outcome, Sidecar, TrackPlan, plan_tracks
from matinee.ports.catalog import Package, Packages, Title, Titles
from matinee.ports.tools import Packager, Scanner
from matinee.stages import publish as publishing
from matinee.stages.bench import Bench
from matinee.stages.chunks import Film, Proofs, Table, count_reused, film_of, is_complete, look_up
from matinee.stages.crop import crop_bars, told_crop
from matinee.stages.damage import check_whole
from matinee.stages.encode import Studio, encode, tell_finished, tell_stages
from matinee.stages.given import check_is_file
from matinee.stages.ingest import ingest, name_film, shown_name
from matinee.stages.inspect import inspect
from matinee.stages.judge import Evidence, judge
from matinee.stages.package import Renditions, has_package, package, plan_package
from matinee.stages.sound import make_sound
from matinee.stages.split import Split, read_source_signature, split
from matinee.stages.straighten import add_still, straighten, told_source
from matinee.stages.text import make_text
from matinee.stages.together import both, together

QUICKLY_READ = 256 << 20
"""Bytes beyond which a film is looked at before all of it is read: refusals come soon."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for. ``name`` and ``credit`` None: as the title has them already."""

    film: Path
    name: str | None
    credit: str | None
    sidecars: tuple[Sidecar, ...]
    ladder: Ladder
    proofs: Proofs
    accept_damage: bool = False
    crop: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """The ports that the flow works with, beside the bench's.

    ``exclusive`` gives what one run at a time can hold for a name; others wait. ``stop`` ends at
    once what threads wait for.
    """

    titles: Titles
    packages: Packages
    studio: Studio
    scanner: Scanner
    packager: Packager
    now: Callable[[], datetime]
    stop: Callable[[], None]
    exclusive: Callable[[str], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Published:
    """How a publish ended: the title as it is now, the package and its report."""

    title: Title
    package: Package
    report: dict[str, Any]
    verdicts: tuple[Verdict, ...]
    seconds: float


async def publish_title(house: House, bench: Bench, request: Request) -> Published:
    """Make, prove and show a film; what the ledger has is not made again.

    A package with a failed verdict is kept as ``held`` and never shown.

    Raises:
        SourceRefused: the film cannot become a right stream. ToolError: a tool failed.
    """
    try:
        return await _publish(house, bench, request)
    finally:
        house.stop()


async def _publish(house: House, bench: Bench, request: Request) -> Published:
    started = time.monotonic()
    check_is_file(request.film)
    if request.film.stat().st_size > QUICKLY_READ:
        await asyncio.to_thread(house.studio.indexer.look, request.film)
    source = await name_film(request.film)
    async with house.exclusive(source.digest):
        film = await ingest(bench, request.film, source)
        film, info, timeline, left_out = await _look_at(house, bench, request, film, source)
        tracks = plan_tracks(info, timeline, request.ladder, request.sidecars)
        tracks = replace(tracks, outcomes=(*tracks.outcomes, *left_out))
        title = _title(house, request, source)
        evidence = await _make(house, bench, request, title, film, info, timeline, tracks)
        verdicts = await judge(bench, evidence)
        seconds = time.monotonic() - started
        making = Making(
            title, shown_name(request.film.name), source, evidence, verdicts, house.now()
        )
        report, entry = await _enter(house, bench, request, making)
        if entry.state == "ready":
            title = await publishing.show(bench.store, house.packages, title.id, entry.id)
        return Published(title, entry, report, tuple(verdicts), seconds)


def _title(house: House, request: Request, source: Asset) -> Title:
    """The title of these bytes: known already, or new."""
    known = house.titles.of_source(source.digest)
    if known is not None:
        if request.name is not None or request.credit is not None:
            return house.titles.describe(known.id, request.name, request.credit)
        return known
    name = request.name or shown_name(request.film.stem)
    return house.titles.add(
        Title(
            id=slug(name),
            name=name,
            source=source.digest,
            film=shown_name(request.film.name),
            credit=request.credit or "",
            added_at=house.now(),
            current=None,
        )
    )


async def _look_at(
    house: House, bench: Bench, request: Request, film: Path, source: Asset
) -> tuple[Path, SourceInfo, Timeline, list[Outcome]]:
    """The film to make streams of, what is in it, when its frames are shown.

    And what becomes of the tracks that are in the source and no longer in that film.
    """
    indexer, encoder = house.studio.indexer, house.studio.encoder
    info, timeline = await inspect(bench, indexer, film, source)
    if not request.accept_damage:
        check_whole(info)
    notes = told_source(info)
    left_out: list[Outcome] = []
    if info.clock_jumps:
        film, source = await straighten(bench, encoder, film, source)
    elif info.needs_still:
        planned = plan_tracks(info, timeline, request.ladder, ()).outcomes
        left_out = [outcome for outcome in planned if outcome.waiver]
        film, source = await add_still(bench, encoder, film, info, source)
    if notes:
        info, timeline = await inspect(bench, indexer, film, source)
    if request.crop:
        info = await crop_bars(bench, house.scanner, film, info)
    notes = (*notes, *timeline.notes, *told_crop(info.picture))
    return film, info, replace(timeline, notes=notes), left_out


async def _make(
    house: House, bench: Bench, request: Request, title: Title, film: Path, info: SourceInfo,
    timeline: Timeline, tracks: TrackPlan,
) -> Evidence:  # fmt: skip
    """Everything between inspection and judgement."""
    encoder, indexer = house.studio.encoder, house.studio.indexer

    async def pictures() -> tuple[Split, Film, Table]:
        found = await split(
            bench, house.scanner, indexer, film, info, timeline,
            accept_damage=request.accept_damage,
        )  # fmt: skip
        planned = film_of(info, found.timeline, found.plan, tracks.rungs)
        table = look_up(bench, planned, request.proofs)
        if not is_complete(table, request.proofs):
            table = await encode_all(found, planned)
        return found, planned, table

    async def encode_all(found: Split, planned: Film) -> Table:
        reference = await read_source_signature(bench, found)
        return await encode(bench, house.studio, film, planned, reference, request.proofs)

    # Texts first: a bad subtitle file is told before hours of video.
    made_texts = await together(
        make_text(bench, encoder, film, info, timeline, text) for text in tracks.texts
    )
    renditions = [rendition for track in tracks.sounds for rendition in track.renditions]
    sounds = [
        make_sound(bench, encoder, indexer, film, info, one, accept_damage=request.accept_damage)
        for one in renditions
    ]
    (found, planned, table), made_sounds = await both(pictures(), together(sounds))
    made = Renditions(
        film=planned,
        tracks=tracks,
        chunks=table,
        sounds={sound.plan.name: sound for sound in made_sounds},
        texts={text.plan.name: text for text in made_texts},
        thumbnails=found.thumbnails,
    )
    plan = plan_package(made)
    if "encode" not in bench.tallies:  # nothing was looked at closely: all is in the ledger
        if await has_package(bench, title.id, made, plan):
            count_reused(bench, table)
            tell_stages(bench, planned, table, request.proofs)
            tell_finished(bench, planned, request.proofs)
        else:
            made = replace(made, chunks=await encode_all(found, planned))
    packaged = await package(bench, indexer, house.packager, title.id, made, plan)
    return Evidence(made, plan, packaged, found, request.proofs)


def _says_as_much(known: Package, request: Request, bench: Bench) -> bool:
    """Whether the report that is there is to stay.

    It has scores that this run did not ask for, or this run found out nothing new.
    """
    was_scored = bool(known.settings.get("scored"))
    if was_scored != request.proofs.scored:
        return was_scored
    return not any(tally.ran for tally in bench.tallies.values())


async def _enter(
    house: House, bench: Bench, request: Request, making: Making
) -> tuple[dict[str, Any], Package]:
    """The package's row and report; a run that made nothing leaves them as they are."""
    packaged = making.evidence.packaged
    known = next((p for p in house.packages.of_title(making.title.id) if p.id == packaged.id), None)
    report = await build_report(bench, making)
    if known is not None and _says_as_much(known, request, bench):
        return report, known
    body = canonical_json(report).encode()
    digest: Digest = digest_of(body)
    await bench.store.write(object_key(digest), body)
    entry = Package(
        id=packaged.id,
        title=making.title.id,
        state="held" if failed(making.verdicts) else "ready",
        made_at=making.made_at,
        files={path: asset.digest for path, asset in packaged.files.items()},
        report=digest,
        settings={"ladder": request.ladder.name, "scored": request.proofs.scored},
    )
    house.packages.add(entry)
    return report, entry
