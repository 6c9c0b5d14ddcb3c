"""Bytes on their way from a connection to a disk."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import IO

from matinee.core.disk_failures import NO_ROOM, of_disk
from matinee.core.errors import LibraryFull
from matinee.ports.uploads import UploadTakenOver

SILENCE_S = 60.0
"""A connection that brings nothing for so long is cut off."""


async def pieces(body: AsyncIterator[bytes], over: asyncio.Event) -> AsyncIterator[bytes]:
    """What comes, until somebody newer wants the upload.

    Raises:
        UploadTakenOver: somebody does. ConnectionError: nothing comes any more.
    """
    is_over = asyncio.ensure_future(over.wait())
    try:
        while True:
            coming = asyncio.ensure_future(_next(body))
            await asyncio.wait(
                {coming, is_over}, timeout=SILENCE_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not coming.done():
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
                if is_over.done():
                    raise UploadTakenOver("a newer request continues the upload")
                raise ConnectionError("nothing came for too long")
            piece = coming.result()
            if piece is None:
                return
            yield piece
    finally:
        is_over.cancel()


async def _next(body: AsyncIterator[bytes]) -> bytes | None:
    try:
        return await anext(body)
    except StopAsyncIteration:
        return None


def write_all(file: IO[bytes], content: bytearray) -> None:
    """Write all of it; an unbuffered file may take less at a time."""
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


@contextmanager
def disk_failures() -> Iterator[None]:
    """Say in our words what the disk refused."""
    try:
        yield
    except ConnectionError:
        raise
    except OSError as error:
        if error.errno in NO_ROOM:
            raise LibraryFull("the disk of the library's uploads is full") from error
        raise of_disk(f"uploads cannot be kept: {error.strerror}", error) from error
