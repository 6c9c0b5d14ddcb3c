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

from matinee.adapters.ffmpeg.picture_filters import PICTURES, as_film, upright, wanted
from matinee.media.codecs.codec import pixel_format
from matinee.media.ladder import Rung
from matinee.media.signature import HEIGHT, WIDTH
from matinee.media.source import STILL_RATE, STILL_SIZE, Picture, SourceInfo, Track, display_size
from matinee.media.subtitle_formats import CARRIED
from matinee.media.timeline import Timeline
from matinee.ports.tools import Clip, ThumbnailPlan

QUIET = ("-nostdin", "-hide_banner", "-v", "error")
CONTAINERS = "mov,matroska,webm,mpegts,mpeg,avi,ogg,flv,asf,mxf,mp3,flac,wav,aac"
FILMS = (
    "-max_pixels", str(8192 * 8192), "-protocol_whitelist", "file", "-format_whitelist", CONTAINERS,
)  # fmt: skip
LENIENT = ("-max_error_rate", "1")
CLIPS = ("-protocol_whitelist", "file", "-format_whitelist", "matroska,nut,mov")
"""In front of every film: no playlist or script can make ffmpeg open another file or address."""
WITHOUT_GRAIN = ("-export_side_data", "film_grain")
"""A decoder that gives grain away as data does not apply it."""
TELL = ("-progress", "pipe:1", "-stats_period", "0.5")
BITEXACT = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")
SIGN = f"scale={WIDTH}:{HEIGHT}:flags=area,format=yuv420p16le,extractplanes=y"
GRAPH = ("-filter_complex_threads", "1", "-filter_complex")
"""Filters of one thread: as many as there are cores would wait for each other, and change no byte.
"""
RAW = ("-fps_mode", "passthrough", "-c:v", "rawvideo", "-f", "rawvideo")


def encode_command(
    ffmpeg: str,
    clip: Clip,
    picture: Picture,
    rungs: Sequence[Rung],
    starts: Sequence[int],
    outputs: Sequence[Path],
) -> list[str]:
    """One decode of the clip, one encoder for each rung."""
    labels = [f"rung{n}" for n in range(len(rungs))]
    graph = _shown(f"[0:v:0]{wanted(clip, rungs[0].rate)}", picture, rungs, labels)
    command = [ffmpeg, *QUIET, *TELL, "-y", "-copyts", "-noautorotate", "-threads", "1"]
    command += [*CLIPS, "-i", str(clip.path)]
    for rung, label in zip(rungs, labels, strict=True):
        scale = f"scale={rung.width}:{rung.height}:flags=bicubic"
        form = f"setsar=1,format={pixel_format(rung.depth)}"
        graph.append(f"[{label}in]{scale},{form}[{label}]")
    command += [*GRAPH, ";".join(graph)]
    for rung, label, output in zip(rungs, labels, outputs, strict=True):
        command += ["-map", f"[{label}]", *_coder(rung, starts), *BITEXACT, str(output)]
    return command


def _shown(
    frames: str, picture: Picture, rungs: Sequence[Rung], labels: Sequence[str]
) -> list[str]:
    """The frames as each rung shows them: tone-mapped once for all, or in the film's own range."""
    pairs = list(zip(rungs, labels, strict=True))
    plain = [f"[{label}in]" for rung, label in pairs if rung.hdr is None]
    bright = [f"[{label}in]" for rung, label in pairs if rung.hdr is not None]
    ways = [
        f"{filters},split={len(pads)}{''.join(pads)}"
        for filters, pads in (
            (upright(picture), plain), (upright(picture, keep_range=True), bright),
        )
        if pads
    ]  # fmt: skip
    if len(ways) == 1:
        return [f"{frames},{ways[0]}"]
    return [f"{frames},split=2[plain][bright]", f"[plain]{ways[0]}", f"[bright]{ways[1]}"]


def _coder(rung: Rung, starts: Sequence[int]) -> list[str]:
    # Half a frame early: a time that is rounded up would force the frame after.
    times = ",".join(
        f"{max(0.0, float((start - Fraction(1, 2)) / rung.rate)):.6f}" for start in starts
    )
    return [
        "-fps_mode", "cfr", "-r", f"{rung.rate.numerator}/{rung.rate.denominator}",
        *rung.coding.options(rung, times),
        "-video_track_timescale", str(timescale(rung.rate)), "-f", "mp4",
    ]  # fmt: skip


def timescale(rate: Fraction) -> int:
    """Ticks a second in which a frame lasts a whole number of them (1000 or the denominator)."""
    return rate.numerator * (1000 if rate.denominator == 1 else 1)


def scan_command(
    ffmpeg: str,
    film: Path,
    info: SourceInfo,
    timeline: Timeline,
    thumbnails: ThumbnailPlan,
    cuts: Path,
    signature: Path,
    sheets: Path,
    *,
    threads: int = 1,
    lenient: bool = False,
) -> list[str]:
    """One decode: cuts to a text file, signature to a raw file, sheets to numbered JPEG files.

    All lie in the working folder, whose own name may hold what a pattern must not. ``lenient``:
    with one thread, as chunks are decoded, so that errors are concealed in the same way.
    """
    small = f"scale={thumbnails.width}:{thumbnails.height},setsar=1"
    pictures = f"{PICTURES[timeline.fields]}," if timeline.fields != "progressive" else ""
    if timeline.slots is None:
        small += f",tile={thumbnails.columns}x{thumbnails.rows}"
        chosen = f"not(mod(n\\,{thumbnails.every}))"
    else:  # one by one: a picture that stays for long is on several thumbnails
        chosen = is_among(sorted(set(thumbnails.shown(timeline))))
    graph = (
        f"[0:{info.video}]{pictures}{upright(info.picture)},split=3[shots][frames][thumbs];"
        "[shots]scale=320:-2:flags=fast_bilinear,scdet=threshold=10,"
        f"metadata=mode=print:key=lavfi.scd.time:file={cuts.name},nullsink;"
        f"[frames]{SIGN}[sig];"
        f"[thumbs]select={chosen},{small}[sheet]"
    )
    return [
        ffmpeg, *QUIET, *TELL, "-y", "-noautorotate", *(LENIENT if lenient else ()),
        "-threads", str(1 if lenient else threads), *FILMS, "-i", str(film), "-an", "-sn", "-dn",
        *GRAPH, graph,
        "-map", "[sig]", *RAW, signature.name,
        "-map", "[sheet]", "-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", "4",
        "-threads:v", "1", "-pix_fmt", "yuvj420p", *BITEXACT, "-f", "image2", sheets.name,
    ]  # fmt: skip


def is_among(frames: Sequence[int]) -> str:
    """True for these frames; sums of sums, as ffmpeg takes no sum of more than 100 terms."""
    terms = [f"eq(n\\,{frame})" for frame in frames]
    return "+".join(f"({'+'.join(terms[i : i + 50])})" for i in range(0, len(terms), 50))


def tile_command(ffmpeg: str, thumbnails: ThumbnailPlan, pictures: Path, sheets: Path) -> list[str]:
    """Numbered thumbnails to numbered sheets, in the working folder."""
    return [
        ffmpeg, *QUIET, "-y", "-protocol_whitelist", "file", "-f", "image2", "-i", pictures.name,
        "-vf", f"tile={thumbnails.columns}x{thumbnails.rows}", "-fps_mode", "passthrough",
        "-c:v", "mjpeg", "-q:v", "4", "-threads:v", "1", "-pix_fmt", "yuvj420p", *BITEXACT,
        "-f", "image2", sheets.name,
    ]  # fmt: skip


def bars_command(ffmpeg: str, film: Path, info: SourceInfo, found: Path) -> list[str]:
    """What is not black in any key frame, written to a text file in the working folder."""
    return [
        ffmpeg, *QUIET, *TELL, "-y", "-noautorotate", "-skip_frame", "nokey", *FILMS,
        "-i", str(film), "-map", f"0:{info.video}", "-vf",
        f"cropdetect=limit=0.094:round=2:skip=0:reset=0,metadata=mode=print:file={found.name}",
        "-fps_mode", "passthrough", "-f", "null", "-",
    ]  # fmt: skip


def copy_command(ffmpeg: str, film: Path, output: Path) -> list[str]:
    """Every track as it is; where the clock leaps by a second or more, it goes on instead."""
    return [
        ffmpeg, *QUIET, "-y", "-dts_delta_threshold", "1", *FILMS, "-i", str(film), "-map", "0",
        "-c", "copy", "-copy_unknown", *BITEXACT, "-f", "mpegts", str(output),
    ]  # fmt: skip


def lay_out_command(ffmpeg: str, film: Path, info: SourceInfo, output: Path) -> list[str]:
    """Every track as it is; sound whose times go back sample by sample, without loss."""
    pictures = [] if info.needs_still else [info.track(info.video)]
    command = [ffmpeg, *QUIET, "-y", "-copyts", *FILMS, "-i", str(film), "-c", "copy"]
    for number, track in enumerate([*pictures, *kept_tracks(info)]):
        command += ["-map", f"0:{track.index}"]
        if track.goes_back:
            first = round(track.start * track.sample_rate)
            command += [f"-c:{number}", "flac", f"-filter:{number}", f"asetpts=(N+{first})/SR/TB"]
    return [*command, "-fflags", "+bitexact", "-f", "matroska", str(output)]


def kept_tracks(info: SourceInfo) -> list[Track]:
    """The sound and text that a copy of the film has."""
    return [t for t in info.tracks if t.type in ("audio", "subtitles") and not t.fault]


def still_command(
    ffmpeg: str, film: Path, cover: int | None, sound: int, output: Path
) -> list[str]:
    """A picture for a film that has none: its cover, or the shape of its sound."""
    width, height = STILL_SIZE
    box = f"{width}:{height}"
    graph = (
        f"[0:{sound}]aformat=channel_layouts=mono,showwavespic=s={width}x{height}:colors=0x8fb4d8,"
        "format=gbrp[wave];"
        f"color=c=0x14181f:s={width}x{height},format=gbrp[dark];[dark][wave]overlay=shortest=1"
        if cover is None
        else f"[0:{cover}]scale={box}:force_original_aspect_ratio=decrease,pad={box}:-1:-1,setsar=1"
    )
    return [
        ffmpeg, *QUIET, "-y", *FILMS, "-i", str(film), "-filter_complex", f"{graph},format=rgb24",
        "-frames:v", "1", "-update", "1", *BITEXACT, "-c:v", "png", "-f", "image2", str(output),
    ]  # fmt: skip


def hold_still_command(ffmpeg: str, still: Path, output: Path) -> list[str]:
    """One short group of pictures that shows a still, to be shown again and again."""
    return [
        ffmpeg, *QUIET, "-y", "-protocol_whitelist", "file", "-f", "image2", "-loop", "1",
        "-framerate", str(STILL_RATE), "-i", str(still), "-frames:v", "20",
        "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
        "-c:v", "libx264", "-preset", "medium", "-crf", "8", "-g", "20", "-bf", "0",
        "-threads:v", "1", "-colorspace", "bt709", "-color_primaries", "bt709",
        "-color_trc", "bt709", *BITEXACT, "-f", "matroska", str(output),
    ]  # fmt: skip


def add_still_command(
    ffmpeg: str, film: Path, info: SourceInfo, held: Path, output: Path
) -> list[str]:
    """The film's sound and text as they are, under a still that lasts as long; nothing is coded."""
    track = info.track(info.video)
    maps = [option for t in kept_tracks(info) for option in ("-map", f"0:{t.index}")]
    return [
        ffmpeg, *QUIET, *TELL, "-y", "-copyts", *FILMS, "-i", str(film),
        *CLIPS, "-stream_loop", "-1", "-itsoffset", f"{float(track.start):.6f}", "-i", str(held),
        "-map", "1:v", *maps, "-c", "copy", "-map_metadata", "0", "-map_chapters", "0",
        "-to", f"{float(track.start + track.duration):.6f}", "-fflags", "+bitexact",
        "-f", "matroska", str(output),
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
    ``reference.sig`` the frames that it was scored against. Chunks of high dynamic range are
    tone-mapped as the film was, so that like is compared with like; grain that a decoder makes is
    left out, as it is none of the film's.
    """
    rate = rungs[0].rate
    clock = f"settb={rate.denominator}/{rate.numerator},setpts=N"
    command = [ffmpeg, *QUIET, *TELL, "-y", *opened(rungs, chunks)]
    graph = []
    outputs = [(f"sig{n}", f"{name}.sig") for n, name in enumerate(names)]
    if clip is None:
        graph += [f"[{n}:v:0]{as_film(rung)}{SIGN}[sig{n}]" for n, rung in enumerate(rungs)]
    else:
        width, height = display_size(picture)
        command += ["-copyts", "-noautorotate", "-threads", "1", *CLIPS, "-i", str(clip.path)]
        source = f"[{len(chunks)}:v:0]{wanted(clip, rate)},{upright(picture)}"
        copies = "".join(f"[ref{n}]" for n in range(len(chunks)))
        graph.append(
            f"{source},scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p,"
            f"split={len(chunks) + 1}{copies}[refsig]"
        )
        graph.append(f"[refsig]{SIGN}[reference]")
        outputs.append(("reference", "reference.sig"))
        for n, (rung, name) in enumerate(zip(rungs, names, strict=True)):
            shown = f"[{n}:v:0]{clock},{as_film(rung)}split=2[own{n}][dis{n}]"
            graph.append(f"{shown};[own{n}]{SIGN}[sig{n}]")
            graph.append(
                f"[dis{n}]scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p[big{n}];"
                f"[big{n}][ref{n}]libvmaf=model=version={vmaf_model(height)}:"
                f"log_fmt=json:log_path={name}.json:n_threads=1:shortest=1,nullsink"
            )
    command += [*GRAPH, ";".join(graph)]
    for label, file in outputs:
        command += ["-map", f"[{label}]", *RAW, file]
    return command


def opened(rungs: Sequence[Rung], chunks: Sequence[Path]) -> list[str]:
    """Chunks as inputs that are decoded to what was coded, without grain that is put on it."""
    inputs: list[str] = []
    for rung, chunk in zip(rungs, chunks, strict=True):
        inputs += [*(WITHOUT_GRAIN if rung.film_grain else ()), "-threads", "1", *CLIPS]
        inputs += ["-i", str(chunk)]
    return inputs


def vmaf_model(height: int) -> str:
    """Netflix's model for a television, or for a 4K one above 1440 lines."""
    return "vmaf_4k_v0.6.1" if height > 1440 else "vmaf_v0.6.1"


def subtitles_command(
    ffmpeg: str, film: Path, tracks: Sequence[Track], outputs: Sequence[Path]
) -> list[str]:
    """Text subtitle tracks on the container's clock, each in the form that ``CARRIED`` names.

    Packets that are text are copied; what a decoder must read becomes SubRip.
    """
    command = [ffmpeg, *QUIET, "-y", "-copyts", "-vn", "-an", "-dn", *FILMS, "-i", str(film)]
    for track, output in zip(tracks, outputs, strict=True):
        form = CARRIED.get(track.codec)
        muxer = "data" if form == "ttml" else form or "srt"
        command += ["-map", f"0:{track.index}", "-c:s", "copy" if form else "srt"]
        command += ["-f", muxer, str(output)]
    return command
