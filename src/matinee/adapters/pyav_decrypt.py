"""Decrypts segments with libavformat: another implementation than the one that encrypted them."""

import io
from collections.abc import Iterator
from pathlib import Path

from matinee.core.errors import ToolError
from matinee.ports.keys import Decrypter

PLAIN = {"fflags": "noparse+nofillin", "ignore_editlist": "1"}
"""Every sample as it lies in the file."""


class SegmentsNotDecrypted(ToolError):
    """An encrypted segment cannot be read."""

    code = "decrypt.failed"
    retryable = False
    advice = "have it made again with: matinee repair"


class PyavDecrypter(Decrypter):
    """In this process, so that no other one is told a key. What it reads is what we packaged."""

    def samples_of(self, file: Path) -> Iterator[bytes]:
        import av  # noqa: PLC0415  # slow to load, and a service that only serves needs none

        try:
            with av.open(str(file), options=PLAIN) as container:
                for packet in container.demux(container.streams[0]):
                    if packet.size:
                        yield bytes(packet)
        except (av.error.FFmpegError, OSError, IndexError) as error:
            raise SegmentsNotDecrypted(f"a file cannot be read: {error}") from error

    def samples(self, init: bytes, segment: bytes, key: bytes) -> list[bytes]:
        import av  # noqa: PLC0415

        options = {**PLAIN, "decryption_key": key.hex()}
        try:
            data = io.BytesIO(init + segment)
            with av.open(data, "r", format="mp4", options=options) as container:
                stream = container.streams[0]
                return [bytes(packet) for packet in container.demux(stream) if packet.size]
        except (av.error.FFmpegError, ValueError, IndexError) as error:
            raise SegmentsNotDecrypted(
                f"an encrypted segment cannot be read: {type(error).__name__}"
            ) from None
