"""Ingest: the film's bytes become an asset of the library. The original is never touched."""

import asyncio
from pathlib import Path

from matinee.assets.asset import Asset, object_key
from matinee.assets.derivation import Step
from matinee.assets.files import digest_of_file
from matinee.core.errors import SourceChanged, SourceUnreadable
from matinee.stages.bench import Bench


async def name_film(film: Path) -> Asset:
    """Read the film once and name it by its bytes.

    Raises:
        SourceUnreadable: no such file, or it cannot be read.
    """
    try:
        digest, size = await asyncio.to_thread(digest_of_file, film)
    except OSError as error:
        raise SourceUnreadable(
            f"{film} cannot be read: {error.strerror}", "give the path of a film"
        ) from error
    return Asset(digest, size, "video/*")


async def ingest(bench: Bench, film: Path, source: Asset) -> Path:
    """Keep the film in the library, if it is not there yet; gives a file with its bytes.

    Raises:
        SourceChanged: the film was written to meanwhile.
    """
    step = Step("ingest", 1, {"film": source.digest}, {})

    async def copy() -> tuple[dict[str, Asset], float]:
        key = object_key(source.digest)
        await bench.store.write(key, film)
        stored = await bench.store.as_file(key, bench.scratch)
        digest, _ = await asyncio.to_thread(digest_of_file, stored)
        if digest != source.digest:
            await bench.store.delete(key)
            raise SourceChanged(
                f"{film.name} is still being written to", "publish it when it is complete"
            )
        return {"source": source}, 0.0

    derivation = await bench.derive("ingest", step, copy)
    return await bench.file(derivation.outputs["source"])
