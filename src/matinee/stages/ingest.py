"""Ingest: the film's bytes become an asset of the library. The original is never touched."""

import asyncio
import os
from pathlib import Path

from matinee.assets.asset import Asset, object_key
from matinee.assets.derivation import Step
from matinee.assets.files import digest_of_file
from matinee.core.errors import LibraryError, SourceChanged, SourceUnreadable
from matinee.stages.bench import Bench
from matinee.stages.given import check_is_file


async def name_film(film: Path) -> Asset:
    """Read the film once and name it by its bytes.

    Raises:
        SourceUnreadable: no such file, or it cannot be read.
    """
    check_is_file(film)
    try:
        digest, size = await asyncio.to_thread(digest_of_file, film)
    except OSError as error:
        raise SourceUnreadable(
            f"{film.name} cannot be read: {error.strerror}", "give a film that you may read"
        ) from error
    return Asset(digest, size, "video/*")


def shown_name(name: str) -> str:
    """A name from outside as people and databases can have it: printable, valid Unicode, trimmed.

    What cannot be printed becomes a space; bytes that are no UTF-8 the replacement character.
    """
    valid = os.fsencode(name).decode(errors="replace")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in valid).split())


async def ingest(bench: Bench, film: Path, source: Asset) -> Path:
    """Keep the film in the library, if it is not there yet; gives a file with its bytes.

    Raises:
        SourceChanged: the film was written to or removed meanwhile.
    """
    step = Step("ingest", 1, {"film": source.digest}, {})

    async def copy() -> tuple[dict[str, Asset], float]:
        key = object_key(source.digest)
        try:
            await bench.store.write(key, film)
        except LibraryError as error:
            if await asyncio.to_thread(film.is_file):
                raise
            raise SourceChanged(f"{film.name} went away while it was read") from error
        stored = await bench.store.as_file(key, bench.scratch)
        digest, _ = await asyncio.to_thread(digest_of_file, stored)
        if digest != source.digest:
            await bench.store.delete(key)
            raise SourceChanged(f"{film.name} is still being written to")
        return {"source": source}, 0.0

    derivation = await bench.derive("ingest", step, copy)
    return await bench.file(derivation.outputs["source"])
