"""Preview: a film plays while it is being made, seconds after its index was read.

- One small rung with fixed settings, chunk after chunk from the begin, and the main sound.
- What a maker that died has shown stays, and the next one goes on after it: the ledger has it.
- A chunk is shown only after it was decoded again and every frame of it shows the frame of the
  source that it should; then its segments are stored, and then the manifests that name them.
- It has a slot of its own: it waits for no other work.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from matinee.assets.derivation import Step
from matinee.core.errors import EncoderFailed, MatineeError
from matinee.media.clips import ClipPlan
from matinee.media.cmaf import read_init, read_segment
from matinee.media.ladder import Ladder
from matinee.media.preview import (
    FOLDER,
    Part,
    PreviewTrack,
    moved_segment,
    plan_preview,
    split_fragments,
)
from matinee.media.profile import profile_of
from matinee.media.sound import SoundRendition
from matinee.media.source import SourceInfo
from matinee.media.timeline import Timeline
from matinee.media.tracks import plan_tracks
from matinee.ports.tools import Clip
from matinee.stages.attempts import Attempts
from matinee.stages.bench import Bench
from matinee.stages.checks import check_frames
from matinee.stages.chunks import Film, encode_step, film_of
from matinee.stages.encode import Studio
from matinee.stages.showing import Showing, TrackOf, record
from matinee.stages.slots import Turn
from matinee.stages.together import both

LOOK_S = 0.25
"""How often the growing sound is looked at."""

STAGE = "preview"


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

    own = replace(bench, slots=preview.slots, tallies={})  # nothing of it counts for the title

    async def make() -> None:
        try:
            await make_preview(own, studio, preview)
        except MatineeError as error:
            bench.progress.note(f"there is no whole preview: {error}")

    making = asyncio.create_task(make())
    try:
        yield
        await making
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)


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
    track_of = {"video": _video_of(planned)}
    steps = {"video": [_chunk_step(bench, planned, clip) for clip in planned.clips]}
    if sound is not None:
        track_of["audio"] = _audio_of(sound, tracks.sounds[0].labels.language)
        steps["audio"] = [_sound_step(bench, info, sound)]
    showing = Showing(
        bench.store, preview.title_id, preview.now, bench.progress.previewed, track_of
    )
    done = await showing.take_up(bench, steps)
    pictures = _pictures(bench, studio, preview.film, planned, done["video"], folder, showing)
    if sound is None:
        await pictures
    elif done["audio"]:
        await both(pictures, showing.end("audio"))
    else:
        await both(pictures, _sound(bench, studio, preview, sound, folder, showing))


def _video_of(film: Film) -> TrackOf:
    rung = film.rungs[0]
    return lambda init: PreviewTrack(
        "video", init.codec, init.timescale, (), rung.width, rung.height, film.plan.rate
    )


def _audio_of(sound: SoundRendition, language: str) -> TrackOf:
    return lambda init: PreviewTrack(
        "audio", init.codec, init.timescale, (), channels=sound.channels, language=language
    )


def _chunk_step(bench: Bench, film: Film, clip: ClipPlan) -> Step:
    """What decides a chunk, and where in the film its segments are shown."""
    decides = encode_step(bench, film, clip, film.rungs[0])
    parameters = {**decides.parameters, "first": clip.frames.start}
    return Step(
        "show_chunk", 1, decides.inputs, parameters, bench.tool_ids("ffmpeg", "pyav")
    )  # fmt: skip


def _sound_step(bench: Bench, info: SourceInfo, sound: SoundRendition) -> Step:
    inputs = {"track": info.track(sound.track).packets}
    return Step("show_sound", 1, inputs, sound.as_parameters(), bench.tool_ids("ffmpeg"))


async def _pictures(
    bench: Bench, studio: Studio, source: Path, film: Film, done: int, folder: Path,
    showing: Showing,
) -> None:  # fmt: skip
    """Show the chunks that are not done yet."""
    loop = asyncio.get_running_loop()

    def take(clip: Clip) -> bool:
        shown = asyncio.run_coroutine_threadsafe(
            _show_chunk(bench, studio, film, clip, folder, showing), loop
        )
        with suppress(RuntimeError):  # the loop is closed: we are interrupted
            shown.result()
            return True
        return False

    if left := film.clips[done:]:
        await asyncio.to_thread(
            studio.indexer.cut, source, film.info, film.timeline, left, folder, take
        )
    await showing.end("video")


async def _show_chunk(
    bench: Bench, studio: Studio, film: Film, clip: Clip, folder: Path, showing: Showing
) -> None:
    """Encode, prove, cut into segments, store, show."""
    with Attempts(bench, STAGE, [_chunk_step(bench, film, clip.plan)], [1]) as tries:
        header, pieces, cpu_s = await _coded(bench, studio, film, clip, folder)
        tries.spent(cpu_s)
        init = read_init(header)
        await showing.begin("video", header)
        begin = int(clip.plan.frames.start / film.plan.rate * init.timescale)
        part = await showing.store(
            "video",
            [(moved_segment(each, begin), read_segment(each, init).duration) for each in pieces],
        )
        await record(tries, part)
    await showing.show("video", part)


async def _coded(
    bench: Bench, studio: Studio, film: Film, clip: Clip, folder: Path
) -> tuple[bytes, list[bytes], float]:
    """A chunk's header and segments, every frame of it proved, and the processor seconds."""
    span, rung, starts = clip.plan.frames, film.rungs[0], film.starts(clip.plan)
    chunk, fragments = folder / "chunk.mp4", folder / "fragments.mp4"
    async with bench.slots:
        encoded = await studio.encoder.encode(
            clip, film.picture, [rung], starts, [chunk], lambda _: None
        )
        reference, signed = await studio.meter.sign(clip, film.picture, film.plan.rate, folder)
        (measured,), decoded = await studio.meter.measure(
            None, film.picture, [rung], [chunk], folder, lambda _: None
        )
    clip.path.unlink(missing_ok=True)
    check_frames(reference, measured.signature, span.start, "preview")
    await asyncio.to_thread(
        studio.indexer.fragment, chunk, len(span), starts, film.plan.rate, fragments
    )
    header, pieces, _ = split_fragments(fragments.read_bytes())
    return header, pieces, encoded.cpu_s + signed.cpu_s + decoded.cpu_s


async def _sound(
    bench: Bench, studio: Studio, preview: Preview, sound: SoundRendition, folder: Path,
    showing: Showing,
) -> None:  # fmt: skip
    """Show the sound as it grows; one that did not come to its end begins again, and soon is there.

    Raises:
        EncoderFailed: there is none.
    """
    with Attempts(bench, STAGE, [_sound_step(bench, preview.info, sound)], [1]) as tries:
        parts, cpu_s = await _stream(studio, preview.film, sound, folder, showing)
        tries.spent(cpu_s)
        if not parts:
            raise EncoderFailed("the preview's sound has not a single fragment")
        segments = tuple(segment for part in parts for segment in part.segments)
        await record(tries, Part(parts[0].header, segments))
    await showing.end("audio")


async def _stream(
    studio: Studio, film: Path, sound: SoundRendition, folder: Path, showing: Showing
) -> tuple[list[Part], float]:
    """Encode the sound; what there is of it is stored and shown all the while."""
    output = folder / "sound.mp4"
    encoding = asyncio.ensure_future(studio.encoder.stream_sound(film, sound, output))
    header, seen, parts = b"", 0, list[Part]()
    try:
        while True:
            is_last = encoding.done()
            data = await asyncio.to_thread(_read_from, output, seen)
            found, pieces, used = split_fragments(data)
            header, seen = header + found, seen + used
            if header and pieces:
                parts.append(await _show_sound(showing, header, pieces))
            if is_last:
                break
            await asyncio.wait([encoding], timeout=LOOK_S)
        return parts, (await encoding).cpu_s
    finally:
        encoding.cancel()
        await asyncio.gather(encoding, return_exceptions=True)


async def _show_sound(showing: Showing, header: bytes, pieces: Sequence[bytes]) -> Part:
    init = read_init(header)
    await showing.begin("audio", header)
    lengths = [(each, read_segment(each, init).duration) for each in pieces]
    part = await showing.store("audio", lengths)
    await showing.show("audio", part)
    return part


def _read_from(path: Path, begin: int) -> bytes:
    """What a growing file has from a byte on; nothing while it is not there."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(begin)
        return file.read()
    return b""
