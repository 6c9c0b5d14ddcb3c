"""Preview: a film plays while it is being made, seconds after its index was read.

- One small rung with fixed settings, chunk after chunk from the begin, and the main sound.
- A chunk is shown only after it was decoded again and every frame of it shows the frame of the
  source that it should; then its segments are stored, and then the manifests that name them.
- It has a slot of its own: it waits for no other work.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePath

from matinee.core.errors import EncoderFailed, MatineeError
from matinee.media.cmaf import read_init, read_segment, zero_times
from matinee.media.ladder import Ladder
from matinee.media.media_types import MEDIA_TYPES
from matinee.media.preview import (
    FOLDER,
    Piece,
    PreviewTrack,
    moved_segment,
    plan_preview,
    preview_mpd,
    preview_playlists,
    split_fragments,
)
from matinee.media.profile import profile_of
from matinee.media.sound import SoundRendition
from matinee.media.source import SourceInfo
from matinee.media.timeline import Timeline
from matinee.media.tracks import plan_tracks
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Clip
from matinee.stages.bench import Bench
from matinee.stages.checks import check_frames
from matinee.stages.chunks import Film, film_of
from matinee.stages.encode import Studio
from matinee.stages.slots import Turn
from matinee.stages.together import both

MANIFESTS = ("main.m3u8", "main.mpd", "video.m3u8", "audio.m3u8")
LOOK_S = 0.25
"""How often the growing sound is looked at."""


@dataclass
class Showing:
    """What of a preview is stored, and the manifests that name it. ``folder`` is a key's begin."""

    store: ObjectStore
    folder: str
    now: Callable[[], datetime]
    on_show: Callable[[], None]
    kinds: Sequence[str]
    tracks: dict[str, PreviewTrack] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    begun: datetime | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self, track: PreviewTrack, header: bytes) -> None:
        """Store a track's header; a header that is there already has to be the same."""
        await self._write(track.init_uri, zero_times(header))
        self.tracks[track.kind] = track

    async def add(self, kind: str, segments: Sequence[tuple[bytes, int]]) -> None:
        """Store segments with their lengths in ticks, then show them."""
        for segment, ticks in segments:
            track = self.tracks[kind]
            number = len(track.pieces) + 1
            await self._write(track.uri(number), segment)
            self.tracks[kind] = replace(track, pieces=(*track.pieces, Piece(ticks, len(segment))))
        await self._show()

    async def end(self, kind: str) -> None:
        """No more comes of a track."""
        self.ended.add(kind)
        await self._show()

    async def _show(self) -> None:
        """Write the manifests, once every track has something to show."""
        async with self._turn:
            tracks = [self.tracks[kind] for kind in self.kinds if kind in self.tracks]
            if len(tracks) < len(self.kinds) or not all(track.pieces for track in tracks):
                return
            is_first = self.begun is None
            self.begun = self.begun or self.now()
            has_end = self.ended.issuperset(self.kinds)
            texts = preview_playlists(tracks, has_end=has_end)
            texts["main.mpd"] = preview_mpd(tracks, self.begun, has_end=has_end)
            for name, text in texts.items():
                await self._write(name, text.encode())
            if is_first:
                self.on_show()

    async def _write(self, name: str, content: bytes) -> None:
        media_type = MEDIA_TYPES[PurePath(name).suffix]
        await self.store.write(
            f"{self.folder}/{name}", content, media_type=media_type, changes=True
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """What is to be previewed: which title's film, by which ladder, in which slot."""

    title_id: str
    ladder: Ladder
    slots: Turn
    film: Path
    info: SourceInfo
    timeline: Timeline
    now: Callable[[], datetime]


@asynccontextmanager
async def previewing(bench: Bench, studio: Studio, preview: Preview | None) -> AsyncIterator[None]:
    """A preview grows beside the block, and is whole when the block has ended well.

    One that cannot be made any further is a note: the film is published all the same.
    """
    if preview is None:
        yield
        return

    async def make() -> None:
        try:
            await make_preview(replace(bench, slots=preview.slots), studio, preview)
        except MatineeError as error:
            bench.progress.note(f"there is no whole preview: {error}")

    making = asyncio.create_task(make())
    try:
        yield
        await making
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)


async def remove_preview(store: ObjectStore, title: str) -> None:
    """Remove a title's preview: its manifests first, then what they named, the newest first.

    What was interrupted is finished by doing it again.
    """
    folder = f"titles/{title}/{FOLDER}"
    for name in MANIFESTS:
        await store.delete(f"{folder}/{name}")
    for kind in ("video", "audio"):
        track = PreviewTrack(kind, "", 1, ())
        there = 0
        while await store.size(f"{folder}/{track.uri(there + 1)}") is not None:
            there += 1
        for number in range(there, 0, -1):
            await store.delete(f"{folder}/{track.uri(number)}")
        await store.delete(f"{folder}/{track.init_uri}")


async def make_preview(bench: Bench, studio: Studio, preview: Preview) -> None:
    """Make the whole preview; what is finished of it can be watched all the while.

    Raises:
        MatineeError: it cannot be made any further.
    """
    folder = bench.scratch / FOLDER
    folder.mkdir()
    info, timeline = preview.info, preview.timeline
    tracks = plan_tracks(info, timeline, profile_of(preview.ladder), ())
    plan = plan_preview(timeline.frames, timeline.rate)
    planned = film_of(info, timeline, plan, tracks.rungs[:1])
    sound = next((track.renditions[0] for track in tracks.sounds), None)
    kinds = ["video"] if sound is None else ["video", "audio"]
    where = f"titles/{preview.title_id}/{FOLDER}"
    showing = Showing(bench.store, where, preview.now, bench.progress.previewed, kinds)
    pictures = _pictures(bench, studio, preview.film, planned, folder, showing)
    if sound is None:
        await pictures
        return
    language = tracks.sounds[0].labels.language
    await both(pictures, _sound(studio, preview.film, sound, language, folder, showing))


async def _pictures(
    bench: Bench, studio: Studio, source: Path, film: Film, folder: Path, showing: Showing
) -> None:
    loop = asyncio.get_running_loop()

    def take(clip: Clip) -> bool:
        shown = asyncio.run_coroutine_threadsafe(
            _show_chunk(bench, studio, film, clip, folder, showing), loop
        )
        with suppress(RuntimeError):  # the loop is closed: we are interrupted
            shown.result()
            return True
        return False

    await asyncio.to_thread(
        studio.indexer.cut, source, film.info, film.timeline, film.clips, folder, take
    )
    await showing.end("video")


async def _show_chunk(
    bench: Bench, studio: Studio, film: Film, clip: Clip, folder: Path, showing: Showing
) -> None:
    """Encode, prove, cut into segments, store, show."""
    span, rung = clip.plan.frames, film.rungs[0]
    chunk, fragments = folder / "chunk.mp4", folder / "fragments.mp4"
    starts = film.starts(clip.plan)
    async with bench.slots:
        await studio.encoder.encode(clip, film.picture, [rung], starts, [chunk], lambda _: None)
        reference, _ = await studio.meter.sign(clip, film.picture, film.plan.rate, folder)
        (measured,), _ = await studio.meter.measure(
            None, film.picture, [rung], [chunk], folder, lambda _: None
        )
    clip.path.unlink(missing_ok=True)
    check_frames(reference, measured.signature, span.start, "preview")
    await asyncio.to_thread(
        studio.indexer.fragment, chunk, len(span), starts, film.plan.rate, fragments
    )
    header, pieces, _ = split_fragments(fragments.read_bytes())
    init = read_init(header)
    if "video" not in showing.tracks:
        track = PreviewTrack(
            "video", init.codec, init.timescale, (), rung.width, rung.height, film.plan.rate
        )
        await showing.begin(track, header)
    begin = int(span.start / film.plan.rate * init.timescale)
    await showing.add(
        "video",
        [(moved_segment(each, begin), read_segment(each, init).duration) for each in pieces],
    )


async def _sound(
    studio: Studio, film: Path, sound: SoundRendition, language: str, folder: Path,
    showing: Showing,
) -> None:  # fmt: skip
    """Show the sound as it grows."""
    output = folder / "sound.mp4"
    encoding = asyncio.ensure_future(studio.encoder.stream_sound(film, sound, output))
    header, seen = b"", 0
    try:
        while True:
            is_last = encoding.done()
            data = await asyncio.to_thread(_read_from, output, seen)
            found, pieces, used = split_fragments(data)
            header, seen = header + found, seen + used
            if header and pieces:
                await _add_sound(showing, header, pieces, sound, language)
            if is_last:
                break
            await asyncio.wait([encoding], timeout=LOOK_S)
        await encoding
    finally:
        encoding.cancel()
        await asyncio.gather(encoding, return_exceptions=True)
    if "audio" not in showing.tracks:
        raise EncoderFailed("the preview's sound has not a single fragment")
    await showing.end("audio")


async def _add_sound(
    showing: Showing, header: bytes, pieces: Sequence[bytes], sound: SoundRendition, language: str
) -> None:
    init = read_init(header)
    if "audio" not in showing.tracks:
        track = PreviewTrack(
            "audio", init.codec, init.timescale, (), channels=sound.channels, language=language
        )
        await showing.begin(track, header)
    await showing.add("audio", [(each, read_segment(each, init).duration) for each in pieces])


def _read_from(path: Path, begin: int) -> bytes:
    """What a growing file has from a byte on; nothing while it is not there."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(begin)
        return file.read()
    return b""
