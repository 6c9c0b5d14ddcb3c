"""Make parts of a title again, by the path that made them: what is whole stays as it is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matinee.core.errors import NotFound, ObjectMissing
from matinee.core.ids import Digest
from matinee.core.verdicts import Verdict, failed
from matinee.flows.house import House
from matinee.flows.order import ordered_profile, proofs_of, sidecars_of
from matinee.flows.publish_title import enter, look_at, make
from matinee.flows.report import Making
from matinee.flows.request import Request
from matinee.media.encryption import generation_of
from matinee.media.profile import Profile
from matinee.media.tracks import plan_tracks
from matinee.ports.catalog import Package, Title
from matinee.stages import publish as publishing
from matinee.stages.bench import Bench
from matinee.stages.chunks import Proofs
from matinee.stages.judge import Evidence, judge


@dataclass(frozen=True, slots=True)
class Remade:
    """What came of it: the package's id, its verdicts, and what they rest on.

    ``report`` None: it is as it was. ``film`` is the film that it was made of.
    """

    package: str
    verdicts: Sequence[Verdict]
    report: Mapping[str, Any] | None
    evidence: Evidence
    film: Path

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong with it."""
        return not failed(self.verdicts)


async def remake(
    house: House, bench: Bench, title: Title, package: Package, usual: Profile | None,
    *, report_too: bool = False, prove: bool = False, generation: int | None = None,
) -> Remade:  # fmt: skip
    """Make again what the bench's ledger and store lack of a title's package.

    The package is entered anew only when it became another, or with ``report_too``.

    Args:
        house: The tools.
        bench: Its ``redo`` names what is to be made again.
        title: The title.
        package: The package.
        usual: The profile to take where an older version did not keep what was ordered.
        report_too: Write its report again.
        prove: Decode every chunk and compare it with the film, also where that was not ordered.
        generation: That of the keys; None: the package's own.

    Raises:
        MatineeError: as ``publish_title``.
    """
    bench.mends = True
    asset = await asyncio.to_thread(bench.inventory.asset, title.source)
    if asset is None:
        raise ObjectMissing(f"the source of {title.id} is not in the ledger")
    try:
        async with house.exclusive(title.source):
            film = await bench.file(asset)
            request = await _request(bench, title, package, film, usual)
            if prove:
                request = replace(request, proofs=replace(request.proofs, signed=True))
            request = replace(request, generation=generation or generation_of(package.settings))
            film, info, timeline, left_out = await look_at(
                house, bench, request, film, asset, is_published=True
            )
            tracks = plan_tracks(info, timeline, request.profile, request.sidecars)
            tracks = replace(tracks, outcomes=(*tracks.outcomes, *left_out))
            evidence = await make(house, bench, request, title, film, info, timeline, tracks)
            verdicts = await judge(bench, evidence, house.locksmith.decrypter)
            if evidence.packaged.id == package.id and not report_too:
                return Remade(package.id, verdicts, None, evidence, film)
            making = Making(title, title.film, asset, evidence, verdicts, house.now())
            report, entry = await enter(house, bench, request, making)
            return Remade(entry.id, verdicts, report, evidence, film)
    finally:
        house.stop()


async def _request(
    bench: Bench, title: Title, package: Package, film: Path, usual: Profile | None
) -> Request:
    """What the package was ordered with."""
    order = package.settings.get("order")
    if order is None:
        if usual is None:
            name = package.settings.get("ladder")
            raise NotFound(
                f"the ladder {name!r} of {title.id} is not known",
                "publish the film again as it was published: only what is damaged is made again",
            )
        proofs = Proofs(scored=bool(package.settings.get("scored")))
        return Request(film, None, None, (), usual, proofs, film_name=title.film)
    files = [await _sidecar(bench, number, one) for number, one in enumerate(order["sidecars"])]
    return Request(
        film=film,
        name=None,
        credit=None,
        sidecars=sidecars_of(order, files),
        profile=ordered_profile(order),
        proofs=proofs_of(order),
        accept_damage=order["accept_damage"],
        crop=order["crop"],
        film_name=title.film,
    )


async def _sidecar(bench: Bench, number: int, one: Mapping[str, Any]) -> Path:
    """A subtitle file as it came, under a name that says as much as its own."""
    asset = bench.inventory.asset(Digest(one["digest"]))
    if asset is None:
        raise ObjectMissing(f"the subtitle file {one['name']} is not in the ledger")
    folder = bench.scratch / f"sidecar-{number}"
    folder.mkdir()
    path = folder / str(one["name"])
    path.write_bytes(await bench.read(asset))
    return path


async def swap(house: House, bench: Bench, title: Title, old: Package, new: str) -> Title:
    """Show the package that takes the place of a bad one, which is held from now on."""
    if title.current == old.id:
        title = await publishing.show(bench.store, house.packages, title.id, new)
    held = replace(old, state="held")
    await asyncio.to_thread(house.packages.add, held)
    return title
