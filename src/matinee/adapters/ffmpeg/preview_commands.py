"""Command lines over pieces of what is made: previews and drills, as pure functions."""

from fractions import Fraction
from pathlib import Path

from matinee.adapters.ffmpeg.commands import (
    BITEXACT,
    CLIPS,
    FILMS,
    GRAPH,
    QUIET,
    RAW,
    SIGN,
    TELL,
)
from matinee.adapters.ffmpeg.picture_filters import upright, wanted
from matinee.adapters.ffmpeg.sound_commands import placed
from matinee.media.grain import window_of
from matinee.media.preview import SEGMENT
from matinee.media.sound import AAC_FRAME, SoundRendition
from matinee.media.source import Picture, display_size
from matinee.ports.tools import Clip


def sign_command(
    ffmpeg: str, clip: Clip, picture: Picture, rate: Fraction, output: str
) -> list[str]:
    """The signature of a clip's frames, as a scan would give it."""
    width, height = display_size(picture)
    graph = (
        f"[0:v:0]{wanted(clip, rate)},{upright(picture)},"
        f"scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p,{SIGN}[sig]"
    )
    return [
        ffmpeg, *QUIET, *TELL, "-y", "-copyts", "-noautorotate", "-threads", "1",
        *CLIPS, "-i", str(clip.path), "-filter_complex", graph, "-map", "[sig]", *RAW, output,
    ]  # fmt: skip


def luma_command(
    ffmpeg: str, clip: Clip, picture: Picture, rate: Fraction, frames: range, output: str
) -> list[str]:
    """Luma of a few frames of a clip as shown, 16 bits each, from the middle of the picture."""
    width, height = display_size(picture)
    across, down = window_of(picture)
    graph = (
        f"[0:v:0]{wanted(clip, rate)},trim=start_frame={frames.start}:end_frame={frames.stop},"
        f"{upright(picture)},scale={width}:{height}:flags=bicubic,crop={across}:{down},setsar=1,"
        "format=yuv420p16le,extractplanes=y[luma]"
    )
    return [
        ffmpeg, *QUIET, *TELL, "-y", "-copyts", "-noautorotate", "-threads", "1",
        *CLIPS, "-i", str(clip.path), *GRAPH, graph, "-map", "[luma]", *RAW, output,
    ]  # fmt: skip


def sign_part_command(ffmpeg: str, part: Path, output: str) -> list[str]:
    """Every frame of a piece of a rendition to its signature."""
    return [
        ffmpeg, *QUIET, *TELL, "-y", "-threads", "1", *CLIPS, "-i", str(part),
        *GRAPH, f"[0:v:0]{SIGN}[sig]", "-map", "[sig]", *RAW, output,
    ]  # fmt: skip


def stream_sound_command(ffmpeg: str, film: Path, sound: SoundRendition, output: Path) -> list[str]:
    """A sound track as fragments of a file that grows.

    AAC holds back one frame, which a fragmented file has no edit list for: as many samples are left
    out at the begin, so that all others are in step.
    """
    filters = (*placed(sound), f"atrim=start_sample={AAC_FRAME}", "asetpts=PTS-STARTPTS")
    return [
        ffmpeg, *QUIET, *TELL, "-y", "-copyts", "-vn", "-sn", "-dn", *FILMS, "-i", str(film),
        "-map", f"0:{sound.track}", "-af", ",".join(filters),
        "-c:a", "aac", "-b:a", str(sound.bit_rate), "-flags:a", "+bitexact", *BITEXACT,
        "-f", "mp4", "-movflags", "+empty_moov+default_base_moof+cmaf", "-use_editlist", "0",
        "-frag_duration", str(int(SEGMENT * 1_000_000)), "-flush_packets", "1", str(output),
    ]  # fmt: skip
