"""Text: every subtitle track as WebVTT on the film's own clock."""

import json
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.errors import SourceDamaged, SubtitlesInvalid, ToolError, UsageError
from matinee.core.ids import Digest, canonical_json, digest_of
from matinee.core.time import as_text
from matinee.media.source import SourceInfo, Track
from matinee.media.subtitle_formats import (
    CARRIED,
    FORMATS,
    LARGEST,
    parse_subtitles,
    read_subtitles,
)
from matinee.media.subtitle_lint import Linted, Remark, lint, remarks_from_json
from matinee.media.subtitles import Subtitles, shifted, write_webvtt
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
    """A subtitle rendition as made. ``origin`` names the packets or the file that it is of.

    ``remarks`` are what is said of its cues.
    """

    plan: TextTrack
    asset: Asset
    origin: Digest
    remarks: tuple[Remark, ...] = ()


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
        "make_text", 3, {"text": origin},
        {
            "kind": text.track.codec if text.track else kind,
            "language": text.labels.language,
            "rate": as_text(timeline.rate),
            "shift_ms": round(shift * 1000),
            "duration": as_text(timeline.duration),
        },
        bench.tool_ids("ffmpeg"),
    )  # fmt: skip

    async def make() -> tuple[dict[str, Made], float]:
        if text.track is not None:
            (folder := bench.scratch / text.name).mkdir(exist_ok=True)
            with _blamed_on_film(name := _name(text.track)):
                (data,) = await encoder.read_subtitles(film, [text.track], folder)
                found = linted(data, text, timeline, name)
        else:
            found = linted(content, text, timeline, sidecar.name)
            if not found.subtitles.cues:
                raise SubtitlesInvalid(
                    f"{sidecar.name} has no text within the film's {float(timeline.duration):.1f} s"
                )
        remarks = canonical_json([remark.as_json() for remark in found.remarks])
        return {
            "webvtt": Made(write_webvtt(found.subtitles).encode(), "text/vtt"),
            "remarks": Made(remarks.encode(), "application/json"),
        }, 0.0

    made = (await bench.derive("text", step, make)).outputs
    remarks = remarks_from_json(json.loads(await bench.read(made["remarks"])))
    return Text(text, made["webvtt"], origin, remarks)


def linted(data: bytes, text: TextTrack, timeline: Timeline, name: str) -> Linted:
    """A track or sidecar as it would be published, on the film's clock.

    Raises:
        SubtitlesInvalid: it cannot be read.
    """
    if text.track is not None:
        shift, kind = -timeline.start, CARRIED.get(text.track.codec, "srt")
        if not data.strip():
            return Linted(Subtitles(()), ())
    else:
        assert text.sidecar is not None
        shift, kind = Fraction(0), FORMATS[Path(text.sidecar.file).suffix.lower()]
    found = read_subtitles(data, kind, name, text.labels.language, timeline.rate)
    return lint(shifted(found, shift), timeline.duration, timeline.rate, text.labels.language)


async def look_at_texts(
    encoder: Encoder, film: Path, timeline: Timeline, texts: Sequence[TextTrack], folder: Path
) -> dict[str, tuple[Remark, ...]]:
    """What is said of each text rendition's cues, by name, in one pass of the film.

    Raises:
        SubtitlesInvalid, SourceDamaged: as ``make_text``.
    """
    contents = await _read_all(encoder, film, [t.track for t in texts if t.track], folder)
    said = {}
    for text in texts:
        if text.track is not None:
            with _blamed_on_film(name := _name(text.track)):
                said[text.name] = linted(contents[text.track.index], text, timeline, name).remarks
        elif text.sidecar is not None:
            path = Path(text.sidecar.file)
            said[text.name] = linted(read_sidecar(path), text, timeline, path.name).remarks
    return said


async def _read_all(
    encoder: Encoder, film: Path, tracks: Sequence[Track], folder: Path
) -> dict[int, bytes]:
    """Every track by its index; where one cannot be read, one by one, so that it is named."""
    if not tracks:
        return {}
    try:
        read = await encoder.read_subtitles(film, tracks, folder)
        return {track.index: data for track, data in zip(tracks, read, strict=True)}
    except ToolError:
        found = {}
        for track in tracks:
            with _blamed_on_film(_name(track)):
                (found[track.index],) = await encoder.read_subtitles(film, [track], folder)
        return found


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
