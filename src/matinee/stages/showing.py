"""What of a preview is stored, and the manifests that name it.

- The ledger has each part once it is stored, so that a preview goes on after a crash.
- Manifests name what is stored, and never less than before (RFC 8216bis section 4.4.3.5), whoever
  goes on with them.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count, takewhile
from pathlib import PurePath

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.errors import EncoderFailed, LibraryError, ObjectMissing
from matinee.core.ids import Digest, digest_of
from matinee.media.cmaf import InitSegment, read_init, zero_times
from matinee.media.media_types import MEDIA_TYPES
from matinee.media.preview import (
    FOLDER,
    Part,
    Piece,
    PreviewTrack,
    begun_of,
    part_as_json,
    part_from_json,
    preview_mpd,
    preview_playlists,
)
from matinee.ports.store import ObjectStore
from matinee.stages.attempts import Attempts
from matinee.stages.bench import Bench, Made

MANIFESTS = ("main.m3u8", "main.mpd", "video.m3u8", "audio.m3u8")

ROLE = "shown"
"""The output of a step whose segments were stored: their names."""

_URIS = {kind: PreviewTrack(kind, "", 1, ()) for kind in ("video", "audio")}
"""Tracks of which nothing is known but where they lie."""

TrackOf = Callable[[InitSegment], PreviewTrack]
"""Tells a track of its header."""


@dataclass
class Showing:
    """One title's preview. ``track_of`` has its tracks by kind; ``on_show``: it can be watched."""

    objects: ObjectStore
    title: str
    now: Callable[[], datetime]
    on_show: Callable[[], None]
    track_of: Mapping[str, TrackOf]
    tracks: dict[str, PreviewTrack] = field(default_factory=dict)
    _headers: dict[str, tuple[Digest, int]] = field(default_factory=dict)
    _decodes_by: dict[str, object] = field(default_factory=dict)
    _named: dict[str, int] = field(default_factory=dict)
    """How many segments manifests named when we came."""
    _ended: set[str] = field(default_factory=set)
    _begun: datetime | None = None
    _is_shown: bool = False
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take_up(self, bench: Bench, steps: Mapping[str, Sequence[Step]]) -> Mapping[str, int]:
        """Go on where another was who made the tracks by these steps; gives how many are done.

        When no picture is, what other tools or another film left is removed.
        """
        done = {kind: await self._take_up(bench, kind, of_kind) for kind, of_kind in steps.items()}
        if not done["video"]:
            await remove_preview(self.objects, self.title, but=self.tracks)
            return done
        for kind in self.track_of:
            playlist = await self._text(f"{kind}.m3u8")
            self._named[kind] = playlist.count("#EXTINF:")
        self._begun = begun_of(await self._text("main.mpd"))
        if all(self._named.values()):
            self._has_shown()
        return done

    async def _take_up(self, bench: Bench, kind: str, steps: Sequence[Step]) -> int:
        """Keep what the first of a track's steps stored, as far as it is whole; gives how many."""
        parts = await self._whole(bench, kind, await _parts_of(bench, steps))
        if parts:
            header = await self.objects.read(self._key(_URIS[kind].init_uri))
            pieces = tuple(piece for part in parts for _, piece in part.segments)
            self._keep(kind, parts[0].header, read_init(header), pieces)
        return len(parts)

    async def _whole(self, bench: Bench, kind: str, parts: Sequence[Part]) -> Sequence[Part]:
        """The first of the parts, up to where one is not stored as it was."""
        uris, numbers = _URIS[kind], count(1)
        places = [(_asset(*part.header), self._key(uris.init_uri)) for part in parts[:1]]
        for part in parts:
            places += [
                (_asset(digest, piece.size_bytes), self._key(uris.uri(next(numbers))))
                for digest, piece in part.segments
            ]
        are_whole = iter(await bench.are_whole(places))
        if not next(are_whole, False):
            return []

        def is_whole(part: Part) -> bool:
            return not [() for _ in part.segments if not next(are_whole)]

        return list(takewhile(is_whole, parts))

    async def begin(self, kind: str, header: bytes) -> None:
        """Store a track's header, if there is none yet.

        Raises:
            EncoderFailed: what is there belongs to other segments.
        """
        init = read_init(header)
        if kind in self.tracks:
            if _decodes_by(init) != self._decodes_by[kind]:
                raise EncoderFailed(f"the {kind} of the preview begins as two different ones")
            return
        content = zero_times(header)
        await self._write(_URIS[kind].init_uri, content)
        self._keep(kind, (digest_of(content), len(content)), init, ())

    def _keep(
        self, kind: str, header: tuple[Digest, int], init: InitSegment, pieces: tuple[Piece, ...]
    ) -> None:
        self._headers[kind], self._decodes_by[kind] = header, _decodes_by(init)
        self.tracks[kind] = replace(self.track_of[kind](init), pieces=pieces)

    async def store(self, kind: str, segments: Sequence[tuple[bytes, int]]) -> Part:
        """Store the next segments of a track, with their lengths in ticks; nobody is told yet."""
        stored, first = [], len(self.tracks[kind].pieces) + 1
        for number, (segment, ticks) in enumerate(segments, first):
            await self._write(_URIS[kind].uri(number), segment)
            stored.append((digest_of(segment), Piece(ticks, len(segment))))
        return Part(self._headers[kind], tuple(stored))

    async def show(self, kind: str, part: Part) -> None:
        """Show segments that were stored."""
        track = self.tracks[kind]
        pieces = (*track.pieces, *(piece for _, piece in part.segments))
        self.tracks[kind] = replace(track, pieces=pieces)
        await self._show()

    async def end(self, kind: str) -> None:
        """No more comes of a track."""
        self._ended.add(kind)
        await self._show()

    async def _show(self) -> None:
        """Write the manifests, once every track has something to show, and no less than before."""
        async with self._turn:
            tracks = [self.tracks[kind] for kind in self.track_of if kind in self.tracks]
            least = [max(1, self._named.get(track.kind, 0)) for track in tracks]
            if len(tracks) < len(self.track_of) or any(
                len(track.pieces) < some for track, some in zip(tracks, least, strict=True)
            ):
                return
            self._begun = self._begun or self.now()
            has_end = self._ended.issuperset(self.track_of)
            texts = preview_playlists(tracks, has_end=has_end)
            texts["main.mpd"] = preview_mpd(tracks, self._begun, has_end=has_end)
            for name, text in texts.items():
                await self._write(name, text.encode())
            self._has_shown()

    def _has_shown(self) -> None:
        if not self._is_shown:
            self._is_shown = True
            self.on_show()

    async def _text(self, name: str) -> str:
        try:
            return (await self.objects.read(self._key(name))).decode(errors="replace")
        except ObjectMissing:
            return ""

    async def _write(self, name: str, content: bytes) -> None:
        media_type = MEDIA_TYPES[PurePath(name).suffix]
        await self.objects.write(self._key(name), content, media_type=media_type, changes=True)

    def _key(self, name: str) -> str:
        return f"titles/{self.title}/{FOLDER}/{name}"


async def record(tries: Attempts, part: Part) -> None:
    """Write to the ledger that a part is stored."""
    await tries.record(0, {ROLE: Made(part_as_json(part), "application/json")})


async def _parts_of(bench: Bench, steps: Sequence[Step]) -> list[Part]:
    """What the first of the steps stored, of those that the tools made that are there now."""
    parts: list[Part] = []
    for step, made in zip(steps, bench.find_each(steps), strict=True):
        if made is None or made.step.key != step.key:
            break
        try:
            part = part_from_json(await bench.read(made.outputs[ROLE]))
        except LibraryError:  # it is gone or damaged
            break
        if parts and part.header != parts[0].header:
            break
        parts.append(part)
    return parts


def _decodes_by(init: InitSegment) -> object:
    """What segments need of their header: not what it tells of lengths and bit rates."""
    return init.entry, init.timescale, init.media_time, init.defaults


def _asset(digest: Digest, size_bytes: int) -> Asset:
    return Asset(digest, size_bytes, "video/mp4")


async def remove_preview(store: ObjectStore, title: str, but: Collection[str] = ()) -> None:
    """Remove a title's preview: its manifests first, then what they named, the newest first.

    What was interrupted is finished by doing it again. The segments of the kinds ``but`` stay.
    """
    folder = f"titles/{title}/{FOLDER}"
    for name in MANIFESTS:
        await store.delete(f"{folder}/{name}")
    for track in (each for kind, each in _URIS.items() if kind not in but):
        there = 0
        while await store.size(f"{folder}/{track.uri(there + 1)}") is not None:
            there += 1
        for number in range(there, 0, -1):
            await store.delete(f"{folder}/{track.uri(number)}")
        await store.delete(f"{folder}/{track.init_uri}")
