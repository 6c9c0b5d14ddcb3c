"""Ingest: the film's bytes become an asset of the library. The original is never touched."""

import asyncio
import os
from functools import partial
from pathlib import Path

from matinee.assets.asset import Asset, object_key
from matinee.assets.derivation import Step
from matinee.assets.files import digest_of_file
from matinee.core.errors import LibraryError, ObjectDamaged, SourceChanged, SourceUnreadable
from matinee.stages.bench import Bench
from matinee.stages.given import Identity, check_is_file


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


async def ingest(bench: Bench, film: Path, source: Asset, identity: Identity) -> Path:
    """Keep the film in the library, if it is not there yet; gives a file with its bytes.

    That file is the library's own, which nobody writes to. A bucket has none: then it is the film
    as it was given, under a plain name, and nothing more is recorded once that is another file than
    ``identity`` says, or was written to.

    Raises:
        SourceChanged: the film was written to or removed meanwhile.
    """
    step = Step("ingest", 1, {"film": source.digest}, {})

    async def copy() -> tuple[dict[str, Asset], float]:
        try:
            await bench.store.write(
                object_key(source.digest), film, media_type=source.media_type, digest=source.digest
            )
        except ObjectDamaged as error:
            raise SourceChanged(f"{film.name} is still being written to") from error
        except LibraryError as error:
            if await asyncio.to_thread(film.is_file):
                raise
            raise SourceChanged(f"{film.name} went away while it was read") from error
        return {"source": source}, 0.0

    derivation = await bench.derive("ingest", step, copy)
    if bench.store.is_local:
        return await bench.file(derivation.outputs["source"])
    bench.check_source = partial(check_unchanged, film, identity)
    return at_hand(film, bench.scratch)


def at_hand(film: Path, folder: Path, name: str = "film") -> Path:
    """The film where it lies, under a plain name in ``folder``."""
    plain = folder / name
    plain.symlink_to(film.absolute())
    return plain


def check_unchanged(film: Path, identity: Identity) -> None:
    """Whether the film is still the file that it was.

    Raises:
        SourceChanged: it is not.
    """
    try:
        if check_is_file(film) == identity:
            return
    except SourceUnreadable as error:
        raise SourceChanged(f"{film.name} went away while it was read") from error
    raise SourceChanged(f"{film.name} was written to while it was read")
