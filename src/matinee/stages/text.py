"""Text: every subtitle track as WebVTT on the film's own clock."""

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.errors import SourceDamaged, SubtitlesInvalid, ToolError, UsageError
from matinee.core.ids import Digest, digest_of
from matinee.core.time import as_text
from matinee.media.source import SourceInfo, Track
from matinee.media.subtitle_formats import CARRIED, FORMATS, LARGEST, parse_subtitles
from matinee.media.subtitles import Subtitles, placed, write_webvtt
from matinee.media.timeline import Timeline
from matinee.media.tracks import (
    DAMAGED,
    SAID_BESIDE,
    Sidecar,
    TextTrack,
    TrackPlan,
    language_tag,
    without_texts,
)
from matinee.ports.tools import Encoder
from matinee.stages.bench import Bench, Made
from matinee.stages.together import together

SIDECARS = frozenset(FORMATS)
CANNOT = "cannot be read:"


@dataclass(frozen=True, slots=True)
class Text:
    """A subtitle rendition as made. ``origin`` names the packets or the file that it is of."""

    plan: TextTrack
    asset: Asset
    origin: Digest


async def make_texts(
    bench: Bench, encoder: Encoder, film: Path, info: SourceInfo, timeline: Timeline,
    tracks: TrackPlan, *, accept_damage: bool,
) -> tuple[list[Text], TrackPlan]:  # fmt: skip
    """Every text rendition, and the plan without those that are damaged where that is accepted.

    Raises:
        SubtitlesInvalid, SourceDamaged: as ``make_text``.
    """
    reasons: dict[str, str] = {}

    async def one(text: TextTrack) -> Text | None:
        try:
            return await make_text(bench, encoder, film, info, timeline, text)
        except SourceDamaged as error:
            if not accept_damage:
                raise
            fault = error.message.rpartition(f"{CANNOT} ")[2]
            reasons[text.name] = f"{DAMAGED}: {fault}"
            return None

    made = await together(one(text) for text in tracks.texts)
    return [text for text in made if text is not None], without_texts(tracks, reasons)


async def make_text(
    bench: Bench, encoder: Encoder, film: Path, info: SourceInfo, timeline: Timeline,
    text: TextTrack,
) -> Text:  # fmt: skip
    """Convert one track or sidecar.

    Raises:
        SubtitlesInvalid: a sidecar that cannot be read, or that has no cue within the film.
        SourceDamaged: a track of the film that cannot be read.
    """
    if text.track is not None:
        origin, shift = info.track(text.track.index).packets, -timeline.start
        kind = CARRIED.get(text.track.codec, "srt")
    else:
        assert text.sidecar is not None
        sidecar = Path(text.sidecar.file)
        content = read_sidecar(sidecar)
        origin, shift, kind = digest_of(content), Fraction(0), FORMATS[sidecar.suffix.lower()]
        await _keep(bench, content, origin)
    step = Step(
        "make_text", 2, {"text": origin},
        {
            "kind": text.track.codec if text.track else kind,
            "language": text.labels.language,
            "rate": as_text(timeline.rate),
            "shift_ms": round(shift * 1000),
            "duration": as_text(timeline.duration),
        },
        bench.tool_ids("ffmpeg"),
    )  # fmt: skip

    def read(data: bytes, name: str) -> Subtitles:
        found = parse_subtitles(data, kind, name, text.labels.language, timeline.rate)
        return placed(found, shift, timeline.duration)

    async def make() -> tuple[dict[str, Made], float]:
        if text.track is not None:
            (folder := bench.scratch / text.name).mkdir(exist_ok=True)
            with _blamed_on_film(name := _name(text.track)):
                data = await encoder.read_subtitles(film, text.track, folder)
                subtitles = read(data, name) if data.strip() else Subtitles(())
        else:
            subtitles = read(content, sidecar.name)
            if not subtitles.cues:
                raise SubtitlesInvalid(
                    f"{sidecar.name} has no text within the film's {float(timeline.duration):.1f} s"
                )
        return {"webvtt": Made(write_webvtt(subtitles).encode(), "text/vtt")}, 0.0

    return Text(text, (await bench.derive("text", step, make)).outputs["webvtt"], origin)


async def _keep(bench: Bench, content: bytes, digest: Digest) -> None:
    """Keep a sidecar in the library as the film is kept: what is made of it can be made again."""

    async def keep() -> tuple[dict[str, Made], float]:
        return {"source": Made(content, "text/plain")}, 0.0

    await bench.derive("ingest", Step("ingest", 1, {"film": digest}, {}), keep)


def _name(track: Track) -> str:
    language = f" ({track.language})" if track.language else ""
    return f"subtitle track {track.index}{language}"


@contextmanager
def _blamed_on_film(name: str) -> Iterator[None]:
    """Damage of a track is the film's; a tool that is missing, hung or over its limit is not."""
    try:
        yield
    except (SubtitlesInvalid, ToolError) as error:
        if type(error) not in (SubtitlesInvalid, ToolError):
            raise
        raise SourceDamaged(
            f"{name} {CANNOT} {_fault(error, name)}",
            "try another copy of the film; or publish with --accept-damage: the track is left out",
        ) from error


def _fault(error: SubtitlesInvalid | ToolError, name: str) -> str:
    """What is wrong first, without which track it is and which part of a tool met it."""
    first = str(error).rpartition(f" {CANNOT} ")[2].partition("\n")[0]
    return re.sub(r"^(\[[^\]]*\] )+", "", first.removeprefix(f"{name}: "))


def read_sidecar(path: Path) -> bytes:
    """A subtitle file's bytes.

    Raises:
        SubtitlesInvalid: no such file, or of a kind that is not read.
    """
    if path.suffix.lower() not in SIDECARS:
        raise SubtitlesInvalid(
            f"{path.name} is not a kind of subtitle file that is read",
            f"these are: {', '.join(sorted(SIDECARS))}",
        )
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise SubtitlesInvalid(f"{path} is not a file")
        if state.st_size > LARGEST:
            raise SubtitlesInvalid(f"{path.name}: {state.st_size} bytes are too many for subtitles")
        return path.read_bytes()
    except OSError as error:
        raise SubtitlesInvalid(f"{path} cannot be read: {error.strerror}") from error


def sidecar_of(path: Path, language: str = "") -> Sidecar:
    """A subtitle file, seen to be readable; without a language, the one its name says, if any.

    Raises:
        UsageError: no language of that code. SubtitlesInvalid: as ``read_sidecar``, or what is in
            the file is not what its name says.
    """
    if language and language_tag(language) == "und" and language.lower() != "und":
        raise UsageError(f"{path.name}: {language!r} is not a language code")
    words = [part for part in path.stem.split(".")[1:] if part.lower() not in SAID_BESIDE]
    if not language and words:
        language = words[-1]
    kind = path.suffix.lower()
    parse_subtitles(read_sidecar(path), FORMATS[kind], path.name, language_tag(language))
    return Sidecar(str(path), language or "und")
