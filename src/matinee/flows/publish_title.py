"""The path of a film: ingest, inspect, split, encode, join, judge, package, publish.

Plain async Python over the ledger: to go on after a crash is to run it again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from matinee.assets.asset import Asset, object_key
from matinee.core.arrivals import place_of
from matinee.core.errors import EncoderFailed
from matinee.core.ids import Digest, canonical_json, digest_of, slug
from matinee.core.verdicts import Verdict, failed
from matinee.flows.house import House
from matinee.flows.order import settings_json
from matinee.flows.report import Making, build_report, failures
from matinee.flows.request import Request
from matinee.media.languages import with_languages
from matinee.media.remarks import told_range, told_source
from matinee.media.source import SourceInfo
from matinee.media.timeline import Timeline
from matinee.media.tracks import Outcome, TrackPlan, plan_tracks, with_rungs
from matinee.ports.catalog import Package, Title
from matinee.stages import publish as publishing
from matinee.stages.bench import Bench
from matinee.stages.chunks import Film, Table, count_reused, film_of, is_complete, look_up
from matinee.stages.crop import crop_bars, told_crop
from matinee.stages.damage import check_whole, look_first
from matinee.stages.deadline import Deadline, in_time
from matinee.stages.encode import encode, tell_finished, tell_stages
from matinee.stages.given import check_is_file
from matinee.stages.ingest import ingest, name_film, shown_name
from matinee.stages.inspect import inspect
from matinee.stages.judge import Evidence, judge
from matinee.stages.package import Renditions, has_package, package, plan_package
from matinee.stages.preview import Preview, previewing
from matinee.stages.rehearse import rehearse
from matinee.stages.settings import Settled, check_wishes, settle
from matinee.stages.sound import make_sound
from matinee.stages.split import Split, read_source_signature, split
from matinee.stages.straighten import add_still, named_as_before, straighten
from matinee.stages.text import make_texts
from matinee.stages.together import both, together
from matinee.stages.unlock import newest_generation


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
    check_wishes(request.profile.ladders, request.proofs)
    identity = check_is_file(request.film)
    await asyncio.to_thread(
        look_first, house.studio.indexer, request.film, accept_damage=request.accept_damage
    )
    source = await name_film(request.film)
    async with house.exclusive(source.digest):
        film = await ingest(bench, request.film, source, identity)
        if house.originals is not None:
            place = request.place or place_of(str(request.film.absolute()))
            await asyncio.to_thread(house.originals.note, source.digest, place)
        film, info, timeline, left_out = await look_at(house, bench, request, film, source)
        asked, request = request, request.of_film(timeline)
        tracks = _tracks(house, bench, request, info, timeline)
        tracks = replace(tracks, outcomes=(*tracks.outcomes, *left_out))
        timeline = replace(timeline, notes=(*timeline.notes, *told_range(tracks.rungs)))
        title = _described(house, request, _title(house, request, source))
        if title.removes_at is not None:  # who publishes it wants it back
            title = await publishing.undelete(bench.store, house.packages, title.id, request.cause)
        bench.progress.titled(title.id)
        wanted = house.preview if request.preview and title.current is None else None
        if wanted and request.profile.encryption:
            wanted = None
            bench.progress.note("no preview: the film is to be encrypted, a preview is not")
        preview = wanted and Preview(title.id, *wanted, film, info, timeline, house.now)

        def publish(one: Request, timeline: Timeline, tracks: TrackPlan) -> Awaitable[Published]:
            made = partial(make, house, bench, one, title, film, info, timeline, tracks)
            return _published(house, bench, one, title, source, started, made)

        async with previewing(bench, house.studio, preview):
            try:
                return await publish(request, timeline, tracks)
            except EncoderFailed as error:
                fixed = asked.of_film(timeline, has_time=False)
                if fixed.profile == request.profile:
                    raise
                note = f"the ladder's own rungs, as those of the film could not be made: {error}"
                bench.progress.note(note)
                timeline = replace(timeline, notes=(*timeline.notes, note))
                own = replace(tracks, rungs=_tracks(house, bench, fixed, info, timeline).rungs)
                return await publish(fixed, timeline, own)


def _tracks(
    house: House, bench: Bench, request: Request, info: SourceInfo, timeline: Timeline
) -> TrackPlan:
    """The plan, in time for a deadline."""
    tracks = plan_tracks(info, timeline, request.profile, request.sidecars)
    if request.budget_s is None:
        return tracks
    deadline = Deadline(request.budget_s, house.workers, request.proofs.scored, request.on_late)
    return in_time(bench, deadline, info, timeline, tracks)


async def _published(
    house: House, bench: Bench, request: Request, title: Title, source: Asset, started: float,
    make: Callable[[], Awaitable[Evidence]],
) -> Published:  # fmt: skip
    """Make, judge, enter, show."""
    evidence = await make()
    verdicts = await judge(bench, evidence, house.locksmith.decrypter)
    seconds = time.monotonic() - started
    making = Making(title, request.shown_film, source, evidence, verdicts, house.now())
    report, entry = await enter(house, bench, request, making)
    title = house.titles.get(title.id)  # a person may have changed it meanwhile
    if entry.state == "ready" and title.may_be_shown(house.now()):
        title = await publishing.show(
            bench.store, house.packages, title.id, entry.id, request.cause
        )
    return Published(title, entry, report, tuple(verdicts), seconds)


def _title(house: House, request: Request, source: Asset) -> Title:
    """The title of these bytes: known already, or new."""
    known = house.titles.of_source(source.digest)
    if known is not None:
        return known
    name = request.name or shown_name(Path(request.film_name or request.film).stem)
    return house.titles.add(
        Title(
            id=slug(name),
            name=name,
            source=source.digest,
            film=request.shown_film,
            credit=request.credit or "",
            added_at=house.now(),
            current=None,
        )
    )


def _described(house: House, request: Request, title: Title) -> Title:
    """The title with what the request says of it."""
    if request.name is not None or request.credit is not None:
        title = house.titles.describe(title.id, request.name, request.credit, request.cause)
    if request.is_public is not None:
        title = house.desk.open_to_all(title.id, request.is_public, request.cause)
    if request.rights is not None:
        title = house.desk.set_window(title.id, *request.rights, request.cause)
    return title


async def look_at(
    house: House, bench: Bench, request: Request, film: Path, source: Asset,
    *, is_published: bool = False,
) -> tuple[Path, SourceInfo, Timeline, list[Outcome]]:  # fmt: skip
    """The film to make streams of, what is in it, when its frames are shown.

    And what becomes of the source's tracks that it lacks. ``is_published``: it is not doubted.
    """
    indexer, encoder = house.studio.indexer, house.studio.encoder
    info, timeline = await inspect(bench, indexer, film, source)
    pace, looked = None, (indexer, film, info, timeline)
    if request.accept_damage or not is_published:
        pace = await asyncio.to_thread(check_whole, *looked, accept_damage=request.accept_damage)
    notes = told_source(info, pace)
    left_out: list[Outcome] = []

    def waived() -> list[Outcome]:
        planned = plan_tracks(info, timeline, request.profile, ()).outcomes
        return [outcome for outcome in planned if outcome.waiver]

    if info.clock_jumps:
        left_out += waived() if info.goes_back else []  # a copy of a recording has every track
        film, source = await straighten(bench, encoder, film, info, source)
        as_it_was = info
        info, timeline = await inspect(bench, indexer, film, source)
        info = named_as_before(info, as_it_was) if as_it_was.goes_back else info
    if info.needs_still:
        left_out += waived()
        film, source = await add_still(bench, encoder, film, info, source)
        info, timeline = await inspect(bench, indexer, film, source)
    if request.crop:
        info = await crop_bars(bench, house.scanner, film, info)
    info, named = with_languages(info, request.languages)
    notes = (*notes, *timeline.notes, *told_crop(info.picture), *named)
    return film, info, replace(timeline, notes=notes), left_out


async def make(
    house: House, bench: Bench, request: Request, title: Title, film: Path, info: SourceInfo,
    timeline: Timeline, tracks: TrackPlan,
) -> Evidence:  # fmt: skip
    """Everything between inspection and judgement."""
    encoder = house.studio.encoder
    # Keys and texts first: what is wrong with them is told before hours of video.
    encryption, packages = request.profile.encryption, house.packages.of_title(title.id)
    generation = request.generation or newest_generation(packages)
    keyring = await asyncio.to_thread(house.locksmith.keyring, title.id, encryption, generation)
    made_texts, tracks = await make_texts(
        bench, encoder, film, info, timeline, tracks, accept_damage=request.accept_damage
    )
    scheme = keyring.scheme if keyring else None
    await rehearse(bench, house.studio, house.packager, film, info, timeline, tracks, scheme)
    sounds = [
        make_sound(bench, house.studio, film, info, one, accept_damage=request.accept_damage)
        for track in tracks.sounds
        for one in track.renditions
    ]
    (found, settled, table, is_known), made_sounds = await both(
        _pictures(house, bench, request, film, info, timeline, tracks), together(sounds)
    )
    planned = settled.film
    made = Renditions(
        film=planned,
        tracks=with_rungs(tracks, planned.rungs),
        chunks=table,
        sounds={sound.plan.name: sound for sound in made_sounds},
        texts={text.plan.name: text for text in made_texts},
        thumbnails=found.thumbnails,
        keyring=keyring,
        generation=generation,
    )
    plan = plan_package(made)
    if is_known:  # all is in the ledger
        if await has_package(bench, title.id, made, plan):
            count_reused(bench, table)
            tell_stages(bench, planned, table, request.proofs)
            tell_finished(bench, planned, request.proofs)
        else:
            chunks = await _encode(house, bench, request, film, found, planned, table)
            made = replace(made, chunks=chunks)
    packaged = await package(bench, house.studio.indexer, house.packager, title.id, made, plan)
    return Evidence(
        made, plan, packaged, found, request.proofs, settled.choices, settled.hulls,
        settled.grain
    )  # fmt: skip


async def _pictures(
    house: House, bench: Bench, request: Request, film: Path, info: SourceInfo,
    timeline: Timeline, tracks: TrackPlan,
) -> tuple[Split, Settled, Table, bool]:  # fmt: skip
    """The film's chunks in every rung, and whether the ledger had them all already."""
    found = await split(
        bench, house.scanner, house.studio.indexer, film, info, timeline,
        accept_damage=request.accept_damage,
        longest_segment_s=request.profile.longest_segment_s,
    )  # fmt: skip
    fixed = film_of(info, found.timeline, found.plan, tracks.rungs)
    settled = await settle(
        bench, house.studio, film, fixed, found, request.profile.ladders, request.proofs
    )
    table = look_up(bench, settled.film, request.proofs)
    is_known = is_complete(table, request.proofs)
    if not is_known:
        table = await _encode(house, bench, request, film, found, settled.film, table)
    return found, settled, table, is_known


async def _encode(
    house: House, bench: Bench, request: Request, film: Path, found: Split, planned: Film,
    table: Table,
) -> Table:  # fmt: skip
    """What the table lacks, and what it has of which the bytes are gone."""
    reference = await read_source_signature(bench, found)
    return await encode(bench, house.studio, film, planned, reference, request.proofs, table)


def _says_as_much(known: Package, request: Request, bench: Bench) -> bool:
    """Whether the report that is there is to stay.

    It has scores that this run did not ask for, or this run found out nothing new.
    """
    was_scored = bool(known.settings.get("scored"))
    if was_scored != request.proofs.scored:
        return was_scored
    return not any(tally.ran for tally in bench.tallies.values())


async def enter(
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
    await bench.store.write(object_key(digest), body, media_type="application/json")
    entry = Package(
        id=packaged.id,
        title=making.title.id,
        state="held" if failed(making.verdicts) else "ready",
        made_at=making.made_at,
        files={path: asset.digest for path, asset in packaged.files.items()},
        report=digest,
        settings=settings_json(request, making.evidence.made),
        sketch={
            "duration": report["source"]["duration"],
            "thumbnails": report["thumbnails"],
        },
    )
    house.packages.add(entry, request.cause, failures(making, entry, request.cause))
    return report, entry
