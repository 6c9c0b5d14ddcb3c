"""Command lines for ``ffmpeg``, as pure functions: tests compare them whole.

Traps that these lines avoid, each measured:

- ``-frames:v`` and ``-t`` hold for one output only, so frames are counted in the filter graph.
- A demuxer's start time shifts everything unless ``-copyts`` is given.
- x264 writes its settings into the stream as SEI (type 6): 700 bytes a chunk, removed.
- libvmaf pairs frames by time: both sides are renumbered first.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from matinee.media.ladder import Rung, display_size
from matinee.media.signature import HEIGHT, WIDTH
from matinee.media.sound import AAC_FRAME, SAMPLE_RATE, SoundRendition
from matinee.media.source import Picture, SourceInfo
from matinee.ports.tools import Clip, ThumbnailPlan

QUIET = ("-nostdin", "-hide_banner", "-v", "error")
CONTAINERS = "mov,matroska,webm,mpegts"
FILMS = ("-protocol_whitelist", "file", "-format_whitelist", CONTAINERS)
TEXTS = ("-protocol_whitelist", "file", "-format_whitelist", f"{CONTAINERS},srt,ass,webvtt")
"""In front of every film: no playlist or script can make ffmpeg open another file or address."""
TELL = ("-progress", "pipe:1", "-stats_period", "0.5")
BITEXACT = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")
SIGN = f"scale={WIDTH}:{HEIGHT}:flags=area,format=gray16le"
RAW = ("-fps_mode", "passthrough", "-c:v", "rawvideo", "-f", "rawvideo")
TURNS = {90: "transpose=cclock,", 180: "hflip,vflip,", 270: "transpose=clock,"}


def encode_command(
    ffmpeg: str,
    clip: Clip,
    picture: Picture,
    rungs: Sequence[Rung],
    starts: Sequence[int],
    outputs: Sequence[Path],
) -> list[str]:
    """One decode of the clip, one encoder for each rung."""
    rate = rungs[0].rate
    labels = [f"rung{n}" for n in range(len(rungs))]
    frames = f"[0:v:0]{_wanted(clip, rate)},{_upright(picture)}"
    graph = [f"{frames},split={len(rungs)}{''.join(f'[{label}in]' for label in labels)}"]
    command = [ffmpeg, *QUIET, *TELL, "-y", "-copyts", "-noautorotate", "-threads", "1"]
    command += [*FILMS, "-i", str(clip.path)]
    for rung, label in zip(rungs, labels, strict=True):
        scale = f"scale={rung.width}:{rung.height}:flags=bicubic"
        graph.append(f"[{label}in]{scale},setsar=1,format=yuv420p[{label}]")
    command += ["-filter_complex", ";".join(graph)]
    for rung, label, output in zip(rungs, labels, outputs, strict=True):
        command += ["-map", f"[{label}]", *_x264(rung, starts), *BITEXACT, str(output)]
    return command


def _wanted(clip: Clip, rate: Fraction) -> str:
    """Exactly the clip's frames, numbered from 0 on a clock that ticks once a frame."""
    return (
        f"trim=start={float(clip.skip_s):.6f},trim=end_frame={len(clip.plan.frames)},"
        f"settb={rate.denominator}/{rate.numerator},setpts=N"
    )


def _upright(picture: Picture) -> str:
    """Turned as shown, in limited range, with every colour tag set."""
    turn = TURNS.get(picture.rotation, "")
    to_limited = "scale=in_range=pc:out_range=tv," if picture.colour.full_range else ""
    primaries, transfer, matrix = colour_tags(picture)
    return (
        f"{turn}{to_limited}setparams=range=tv:color_primaries={primaries}:"
        f"color_trc={transfer}:colorspace={matrix}"
    )


def colour_tags(picture: Picture) -> tuple[str, str, str]:
    """Primaries, transfer and matrix by ffmpeg's names; what the source leaves open by its size.

    Players take untagged small pictures for BT.601 and large ones for BT.709, so an untagged film
    would change its colours from rung to rung.
    """
    small = "smpte170m" if picture.height <= 480 else "bt470bg"
    assumed = "bt709" if picture.height >= 720 else small
    colour = picture.colour
    transfer = assumed if assumed == "bt709" else "smpte170m"
    return (
        colour.primaries or assumed,
        colour.transfer or transfer,
        colour.matrix or assumed,
    )


def _x264(rung: Rung, starts: Sequence[int]) -> list[str]:
    # Half a frame early: a time that is rounded up would force the frame after.
    times = ",".join(
        f"{max(0.0, float((start - Fraction(1, 2)) / rung.rate)):.6f}" for start in starts
    )
    options = (
        f"stitchable=1:scenecut=0:keyint=infinite:ref={rung.reference_frames}:bframes=3:"
        "b-pyramid=normal:open-gop=0:force-cfr=1"
    )
    return [
        "-fps_mode", "cfr", "-r", f"{rung.rate.numerator}/{rung.rate.denominator}",
        "-c:v", "libx264", "-preset", rung.preset, "-crf", f"{rung.crf:g}",
        "-maxrate", str(rung.maxrate), "-bufsize", str(rung.bufsize),
        "-profile:v", "high", "-level", rung.level, "-threads:v", str(rung.threads),
        "-force_key_frames", times, "-forced-idr", "1", "-x264-params", options,
        "-flags:v", "+bitexact", "-bsf:v", "filter_units=remove_types=6",
        "-video_track_timescale", str(timescale(rung.rate)), "-f", "mp4",
    ]  # fmt: skip


def timescale(rate: Fraction) -> int:
    """Ticks a second in which a frame lasts a whole number of them (1000 or the denominator)."""
    return rate.numerator * (1000 if rate.denominator == 1 else 1)


def scan_command(
    ffmpeg: str,
    film: Path,
    info: SourceInfo,
    thumbnails: ThumbnailPlan,
    cuts: Path,
    signature: Path,
    sheets: Path,
) -> list[str]:
    """One decode: cuts to a text file, signature to a raw file, sheets to numbered JPEG files.

    All lie in the working folder, whose own name may hold what a pattern must not.
    """
    small = f"scale={thumbnails.width}:{thumbnails.height}"
    graph = (
        f"[0:{info.video}]{_upright(info.picture)},split=3[shots][frames][thumbs];"
        "[shots]scale=320:-2:flags=fast_bilinear,scdet=threshold=10,"
        f"metadata=mode=print:key=lavfi.scd.time:file={cuts.name},nullsink;"
        f"[frames]{SIGN}[sig];"
        f"[thumbs]select=not(mod(n\\,{thumbnails.every})),{small},setsar=1,"
        f"tile={thumbnails.columns}x{thumbnails.rows}[sheet]"
    )
    return [
        ffmpeg, *QUIET, *TELL, "-y", "-noautorotate", *FILMS, "-i", str(film), "-an",
        "-sn", "-dn",
        "-filter_complex", graph,
        "-map", "[sig]", *RAW, signature.name,
        "-map", "[sheet]", "-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", "4",
        "-threads:v", "1", "-pix_fmt", "yuvj420p", *BITEXACT, "-f", "image2", sheets.name,
    ]  # fmt: skip


def measure_command(
    ffmpeg: str,
    clip: Clip | None,
    picture: Picture,
    rungs: Sequence[Rung],
    chunks: Sequence[Path],
    names: Sequence[str],
) -> list[str]:
    """Decode every chunk to its signature; with a clip, score each at the source's size.

    Outputs lie in the working folder: ``<name>.sig`` for each chunk, ``<name>.json`` its scores,
    ``reference.sig`` the frames that it was scored against.
    """
    rate = rungs[0].rate
    clock = f"settb={rate.denominator}/{rate.numerator},setpts=N"
    command = [ffmpeg, *QUIET, *TELL, "-y"]
    for chunk in chunks:
        command += ["-threads", "1", *FILMS, "-i", str(chunk)]
    graph = []
    outputs = [(f"sig{n}", f"{name}.sig") for n, name in enumerate(names)]
    if clip is None:
        graph += [f"[{n}:v:0]{SIGN}[sig{n}]" for n in range(len(chunks))]
    else:
        width, height = display_size(picture)
        command += ["-copyts", "-noautorotate", "-threads", "1", *FILMS, "-i", str(clip.path)]
        source = f"[{len(chunks)}:v:0]{_wanted(clip, rate)},{_upright(picture)}"
        copies = "".join(f"[ref{n}]" for n in range(len(chunks)))
        graph.append(
            f"{source},scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p,"
            f"split={len(chunks) + 1}{copies}[refsig]"
        )
        graph.append(f"[refsig]{SIGN}[reference]")
        outputs.append(("reference", "reference.sig"))
        for n, name in enumerate(names):
            graph.append(f"[{n}:v:0]{clock},split=2[own{n}][dis{n}];[own{n}]{SIGN}[sig{n}]")
            graph.append(
                f"[dis{n}]scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p[big{n}];"
                f"[big{n}][ref{n}]libvmaf=model=version={vmaf_model(height)}:"
                f"log_fmt=json:log_path={name}.json:n_threads=1:shortest=1,nullsink"
            )
    command += ["-filter_complex", ";".join(graph)]
    for label, file in outputs:
        command += ["-map", f"[{label}]", *RAW, file]
    return command


def vmaf_model(height: int) -> str:
    """Netflix's model for a television, or for a 4K one above 1440 lines."""
    return "vmaf_4k_v0.6.1" if height > 1440 else "vmaf_v0.6.1"


def sound_command(ffmpeg: str, film: Path, sound: SoundRendition, output: Path) -> list[str]:
    """A sound track from the film's first frame on: gaps filled, cut or filled to its length."""
    samples = round(sound.duration * SAMPLE_RATE)
    filters = (
        f"asetpts=PTS-({float(sound.film_start):.9f})/TB",
        f"aresample={SAMPLE_RATE}:async=1:min_hard_comp=0.005:first_pts=0",
        f"aformat=sample_fmts=fltp:channel_layouts={sound.layout}",
        f"apad=whole_len={samples}",
        f"atrim=end_sample={samples}",
        f"adelay=delays={sound.lead - AAC_FRAME}S:all=1",
    )
    return [
        ffmpeg, *QUIET, "-y", "-copyts", "-vn", "-sn", "-dn", *FILMS, "-i", str(film),
        "-map", f"0:{sound.track}", "-af", ",".join(filters),
        "-c:a", "aac", "-b:a", str(sound.bit_rate), "-flags:a", "+bitexact",
        *BITEXACT, "-f", "mp4", str(output),
    ]  # fmt: skip


def subtitles_command(ffmpeg: str, film: Path, track: int, output: Path) -> list[str]:
    """A text subtitle track as WebVTT, on the container's clock."""
    return [
        ffmpeg, *QUIET, "-y", "-copyts", "-vn", "-an", "-dn", *TEXTS, "-i", str(film),
        "-map", f"0:{track}", "-c:s", "webvtt", "-f", "webvtt", str(output),
    ]  # fmt: skip
