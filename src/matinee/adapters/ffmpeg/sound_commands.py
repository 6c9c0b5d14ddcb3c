"""Command lines of sound, as pure functions."""

from pathlib import Path

from matinee.adapters.ffmpeg.commands import BITEXACT, CLIPS, FILMS, QUIET
from matinee.media.sound import SAMPLE_RATE, SoundRendition


def sound_command(
    ffmpeg: str, film: Path, sound: SoundRendition, output: Path, gain_db: float = 0.0
) -> list[str]:
    """A sound track from the film's first frame on: gaps filled, cut or filled to its length."""
    codec = sound.coding
    louder = [f"volume={gain_db:.2f}dB:precision=double"] if gain_db else []
    filters = [*placed(sound), *louder, f"adelay=delays={sound.lead - codec.priming}S:all=1"]
    if codec.name != "aac":  # whole packets, as many as the film needs
        filters.append(f"apad=whole_len={sound.packets * codec.frame - codec.priming}")
    if sound.channels in codec.layouts:
        filters.append(f"aformat=channel_layouts={codec.layouts[sound.channels]}")
    rate = () if codec.is_lossless else ("-b:a", str(sound.bit_rate))
    return [
        ffmpeg, *QUIET, "-y", "-copyts", "-vn", "-sn", "-dn", *FILMS, "-i", str(film),
        "-map", f"0:{sound.track}", "-af", ",".join(filters),
        "-c:a", codec.encoder, *rate, *codec.options, "-flags:a", "+bitexact",
        *BITEXACT, "-f", "mp4", str(output),
    ]  # fmt: skip


LOUDNESS = "ebur128=peak=true:framelog=quiet"
SUMMARY = ("-nostdin", "-hide_banner", "-nostats", "-v", "info")
"""What ``ebur128`` found is told at its end, among what is no error."""


def wished_loudness_command(ffmpeg: str, film: Path, sound: SoundRendition) -> list[str]:
    """How loud a track is in a rendition's layout, before anything is done about it."""
    return [
        ffmpeg, *SUMMARY, "-copyts", "-vn", "-sn", "-dn", *FILMS, "-i", str(film),
        "-map", f"0:{sound.track}", "-af", ",".join([*placed(sound), LOUDNESS]), "-f", "null", "-",
    ]  # fmt: skip


def loudness_command(ffmpeg: str, sound: Path) -> list[str]:
    """How loud a coded sound is."""
    return [
        ffmpeg, *SUMMARY, *CLIPS, "-i", str(sound), "-map", "0:a:0", "-af", LOUDNESS,
        "-f", "null", "-",
    ]  # fmt: skip


def placed(sound: SoundRendition) -> tuple[str, ...]:
    """Filters that give every sample of a rendition its place, gaps filled, ends cut or filled."""
    samples = round(sound.duration * SAMPLE_RATE)
    return (
        *([sound.mix] if sound.mix else []),
        f"asetpts=PTS-({float(sound.film_start):.9f})/TB",
        f"aresample={SAMPLE_RATE}:async=1:min_hard_comp=0.005:first_pts=0",
        f"aformat=sample_fmts=fltp:channel_layouts={sound.layout}",
        f"apad=whole_len={samples}",
        f"atrim=end_sample={samples}",
    )
