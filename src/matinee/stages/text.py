"""Text: every subtitle track as WebVTT on the film's own clock."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.errors import SubtitlesInvalid, ToolError
from matinee.core.ids import digest_of
from matinee.core.time import as_text
from matinee.media.source import SourceInfo
from matinee.media.subtitles import decode_text, parse_webvtt, placed, write_webvtt
from matinee.media.timeline import Timeline
from matinee.media.tracks import TextTrack
from matinee.ports.tools import Encoder
from matinee.stages.bench import Bench, Made

SIDECARS = frozenset({".srt", ".vtt", ".ass", ".ssa"})


@dataclass(frozen=True, slots=True)
class Text:
    """A subtitle rendition as made."""

    plan: TextTrack
    asset: Asset


async def make_text(
    bench: Bench, encoder: Encoder, film: Path, info: SourceInfo, timeline: Timeline,
    text: TextTrack,
) -> Text:  # fmt: skip
    """Convert one track or sidecar.

    Raises:
        SubtitlesInvalid: a sidecar that cannot be read, or that has no cue within the film.
    """
    if text.track is not None:
        origin, shift, kind = (
            info.track(text.track.index).packets,
            -timeline.start,
            text.track.codec,
        )
    else:
        assert text.sidecar is not None
        sidecar = Path(text.sidecar.file)
        origin, shift, kind = digest_of(read_sidecar(sidecar)), Fraction(0), sidecar.suffix.lower()
    step = Step(
        "make_text", 1, {"text": origin},
        {
            "kind": kind,
            "shift_ms": round(shift * 1000),
            "duration": as_text(timeline.duration),
        },
        bench.tool_ids("ffmpeg"),
    )  # fmt: skip

    async def make() -> tuple[dict[str, Made], float]:
        vtt = await _as_webvtt(bench, encoder, film, text)
        subtitles = placed(parse_webvtt(vtt, text.name), shift, timeline.duration)
        if not subtitles.cues and text.sidecar:
            raise SubtitlesInvalid(
                f"{text.sidecar.file} has no text within the film's "
                f"{float(timeline.duration):.1f} s"
            )
        return {"webvtt": Made(write_webvtt(subtitles).encode(), "text/vtt")}, 0.0

    derivation = await bench.derive("text", step, make)
    return Text(text, derivation.outputs["webvtt"])


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
        return path.read_bytes()
    except OSError as error:
        raise SubtitlesInvalid(f"{path} cannot be read: {error.strerror}") from error


async def _as_webvtt(bench: Bench, encoder: Encoder, film: Path, text: TextTrack) -> str:
    folder = bench.scratch / text.name
    folder.mkdir(exist_ok=True)
    if text.track is not None:
        return await encoder.read_subtitles(film, text.track.index, folder)
    assert text.sidecar is not None
    sidecar = Path(text.sidecar.file)
    content = decode_text(read_sidecar(sidecar), sidecar.name)
    if sidecar.suffix.lower() == ".vtt":
        return content
    plain = folder / f"sidecar{sidecar.suffix.lower()}"
    plain.write_text(content, encoding="utf-8")
    try:
        return await encoder.read_subtitles(plain, 0, folder)
    except ToolError as error:
        raise SubtitlesInvalid(f"{sidecar.name} cannot be read as subtitles: {error}") from error
