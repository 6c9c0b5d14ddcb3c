"""Posters in upkeep: the one beside a title is one of its posters; bad ones are made again."""

import asyncio
from collections.abc import Sequence

from matinee.assets.derivation import Step
from matinee.assets.health import Fault
from matinee.core.errors import (
    LibraryError,
    LibraryUnreachable,
    NotFound,
    ObjectDamaged,
    ObjectMissing,
)
from matinee.core.ids import Digest, digest_of
from matinee.flows.lineage import Records
from matinee.ports.catalog import Package, Title
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Stills
from matinee.ports.upkeep import Holdings
from matinee.stages.bench import Bench
from matinee.stages.posters import POSTER, files_of_posters, make_posters
from matinee.stages.publish import title_key
from matinee.stages.unlock import Locksmith


async def poster_fault(store: ObjectStore, records: Records, title: Title) -> Fault | None:
    """What is wrong with the poster beside a title: it is none of the posters that were made.

    The fault's digest is that of the best of the newest ones.

    Raises:
        LibraryUnreachable: the bucket does not answer.
    """
    prefix = title_key(title.id, "posters/")
    lying = await asyncio.to_thread(records.ancestry.under, prefix)
    if not lying:
        return None
    key = title_key(title.id, POSTER)
    try:
        found, _ = await store.prove(key, lambda _: None)
    except ObjectMissing:
        said = "it is not there"
    except LibraryUnreachable:
        raise
    except LibraryError as error:
        said = str(error)
    else:
        if found in lying.values():
            return None
        said = ""
    made = await asyncio.to_thread(records.ancestry.made_any, list(lying.values()))
    newest = next((each for each in made if each.step.function == "poster"), None)
    if newest is None:
        return None
    best = newest.outputs[min(newest.outputs, key=_place)].digest
    return Fault("poster", key, best, title.id, {"said": said} if said else {})


def _place(path: str) -> tuple[int, str]:
    """Posters are named by their place: 1.jpg is the best."""
    return len(path), path


async def put_beside(store: ObjectStore, records: Records, key: str, digest: Digest) -> None:
    """Write a poster beside its title, from where it lies.

    Raises:
        ObjectDamaged: it is itself damaged.
    """
    for place in (await asyncio.to_thread(records.ancestry.places, [digest])).get(digest, ()):
        try:
            data = await store.read(place)
        except LibraryUnreachable:
            raise
        except LibraryError:
            continue
        if digest_of(data) == digest:
            await store.write(key, data, media_type="image/jpeg", changes=True)
            return
    raise ObjectDamaged(f"the poster that belongs at {key} is damaged itself")


def package_of_posters(packages: Sequence[Package], step: Step) -> Package | None:
    """The package that posters were made of, the last of them; None: it is gone."""
    return next((one for one in reversed(packages) if files_of_posters(one.files, step)), None)


async def remake_posters(
    bench: Bench, stills: Stills, locksmith: Locksmith, records: Records, holdings: Holdings,
    title: Title, step: Step,
) -> None:  # fmt: skip
    """Make posters again, by their step.

    Other tools make them elsewhere, and those that were there go.

    Raises:
        NotFound: the package that they were made of is gone. MatineeError: as ``make_posters``.
    """
    packages = await asyncio.to_thread(records.packages.of_title, title.id)
    package = package_of_posters(packages, step)
    if package is None:
        raise NotFound("the package that the posters were made of is gone")
    unlock = await asyncio.to_thread(locksmith.unlock, package)
    paths = await make_posters(bench, stills, unlock, package, step.parameters["count"])
    if f"/{step.key[:12]}/" in paths[0]:
        return
    folder = title_key(title.id, f"posters/{step.key[:12]}/")
    old = list(await asyncio.to_thread(records.ancestry.under, folder))
    await asyncio.to_thread(holdings.release, step.key, old)
    for key in old:
        await bench.store.delete(key)
