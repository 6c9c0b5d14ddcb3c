"""Decodes every picture of a film: which ones come out of it, and in what order."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av.error

from matinee.adapters.pyav_picture import open_safely, pictures_of
from matinee.media.damage import Damage, damage_of
from matinee.media.source import SourceInfo
from matinee.media.timeline import Timeline


def find_damage(film: Path, info: SourceInfo, timeline: Timeline) -> Damage | None:
    """See ``Indexer.find_damage``."""
    decoded, corrupt = set[int](), set[int]()
    for number, is_corrupt in decoded_pictures(film, info.video, "NONE"):  # the same at every run
        if number < len(timeline.packets):
            decoded.add(number)
            corrupt |= {number} if is_corrupt else set()
    return damage_of(timeline, decoded, corrupt)


def decoded_pictures(film: Path, index: int, threads: str) -> Iterator[tuple[int, bool]]:
    """Every picture in order of showing: its packet's number, whether it decoded with errors."""
    with open_safely(film) as container:
        stream: Any = container.streams[index]
        stream.thread_type = threads
        number, suspect = 0, set[int]()
        for packet in pictures_of(container, stream):
            if packet.size:
                suspect |= {number} if packet.is_corrupt else set()
                packet.pts = packet.dts = number
                number += 1
            with suppress(av.error.FFmpegError):
                for frame in packet.decode():
                    if frame.pts is not None:
                        yield frame.pts, frame.is_corrupt or frame.pts in suspect
