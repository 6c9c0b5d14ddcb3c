"""The films that are mutated: tiny ones in every container, made once for a folder."""

from pathlib import Path

from tests.conftest import run_ffmpeg

FRAMES = 12
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "6", "-threads", "1")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-threads", "1")
AAC, MP2 = ("-c:a", "aac", "-b:a", "32k"), ("-c:a", "mp2", "-b:a", "64k")
FRAGMENTS = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof")

BASES: dict[str, tuple[str, ...]] = {
    "film.mp4": (*H264, *AAC, "-c:s", "mov_text"),
    "front.mp4": (*H264, *AAC, "-movflags", "+faststart", "-sn"),
    "fragments.mp4": (*H264, *AAC, *FRAGMENTS, "-sn"),
    "film.mov": ("-c:v", "mjpeg", "-c:a", "pcm_s16le", "-sn"),
    "film.mkv": (*H264, "-c:a", "ac3", "-b:a", "64k", "-c:s", "srt"),
    "film.webm": (*VP9, "-c:a", "libopus", "-b:a", "32k", "-c:s", "webvtt"),
    "film.ts": (*H264, *MP2, "-sn"),
    "film.avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame", "-b:a", "64k", "-sn"),
    "film.ogv": ("-c:v", "libtheora", "-c:a", "libvorbis", "-sn"),
    "film.mpg": ("-c:v", "mpeg2video", "-g", "6", *MP2, "-f", "vob", "-sn"),
    "film.flv": (*H264, *AAC, "-sn"),
}
"""Name and ffmpeg's output options, none of which may make other bytes in another run."""

SUBTITLES = "1\n00:00:00,100 --> 00:00:00,300\nGood morning\n"


def make_bases(folder: Path) -> list[Path]:
    """All base films, in their order; what is there already is not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "text.srt"
    text.write_text(SUBTITLES)
    length = FRAMES / 24
    for name, options in BASES.items():
        if not (folder / name).exists():
            run_ffmpeg(
                "-f", "lavfi", "-i", f"testsrc2=s=64x36:r=24:d={length}",
                "-f", "lavfi", "-i", f"anoisesrc=a=0.2:r=48000:d={length}:seed=7", "-i", text,
                "-map", "0:v", "-map", "1:a", "-map", "2:s", "-pix_fmt",
                "yuvj420p" if "mjpeg" in options else "yuv420p", "-flags", "+bitexact",
                "-fflags", "+bitexact", *options, folder / name,
            )  # fmt: skip
    return [folder / name for name in BASES]
