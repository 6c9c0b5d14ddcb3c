"""What chaos works on: a library on a small disk of its own, films, a clock, a webhook's receiver.

It runs in a mount namespace, without root's right to write where it may not.
"""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from random import Random

from tests.chaos.counting import RETRY, RULES
from tests.conftest import ROOT, TINY_LADDER, run_ffmpeg

DISK = "1g"
SHOT_S = 9
UNDER = (
    "unshare", "--map-root-user", "--mount",
    "setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all",
)  # fmt: skip


@dataclass
class Scene:
    """All that lies in one folder."""

    folder: Path
    chance: Random
    films: list[Path] = field(default_factory=list)
    _modes: dict[Path, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.library = self.folder / "library"
        self.watched = self.folder / "films"
        self.log = self.folder / "service.log"
        self._clock = self.folder / "clock"
        for folder in (self.library, self.watched, self.folder / "site"):
            folder.mkdir()
        self._mount(f"-t tmpfs -o size={DISK} chaos")
        self.set_clock(0)
        _install(self.folder / "site")

    def write_rules(self, hook: str) -> None:
        """Have films made by a tiny ladder, and events counted."""
        ladder = self.folder / "tiny.toml"
        ladder.write_text(TINY_LADDER)
        rules = RULES.format(ladder=ladder, retry=RETRY, hook=hook)
        (self.library / "rules.toml").write_text(rules)

    def variables(self) -> dict[str, str]:
        """The service's environment."""
        paths = (ROOT / "src", ROOT, self.folder / "site")
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "MATINEE_LIBRARY": str(self.library),
            "MATINEE_DISK_FLOOR": "0.001",
            "MATINEE_WEBHOOK_ALLOW": "127.0.0.1",
            "MATINEE_WEBHOOK_SECRET": "chaos chaos chaos chaos chaos",
            **self._false_clock(),
        }

    def _false_clock(self) -> dict[str, str]:
        """What makes the wall clock of a process that file's; the monotonic one stays true."""
        library = false_clock()
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        } if library else {}  # fmt: skip

    def film_comes(self) -> Path:
        """A new film is copied in, or renamed in; sometimes the same bytes come once more."""
        number = len(self.films)
        path = self.watched / f"Film {number}.mp4"
        outside = self.folder / "outside.mp4"
        if number % 3 == 2:
            outside.write_bytes(self.films[-1].read_bytes())
        else:
            _make_film(outside, number)
        if self.chance.random() < 0.5:
            outside.rename(path)
        else:
            data = outside.read_bytes()
            with path.open("wb") as file:
                for at in range(0, len(data), 1 << 16):
                    file.write(data[at : at + (1 << 16)])
            outside.unlink()
        self.films.append(path)
        return path

    def set_clock(self, offset_s: int) -> None:
        """Set the service's wall clock so many seconds off the true one."""
        staged = self._clock.with_suffix(".new")
        staged.write_text(f"{offset_s:+d}\n")
        staged.replace(self._clock)

    def fill_disk(self) -> None:
        """Leave no room on the library's disk."""
        for _ in range(20):
            found = os.statvfs(self.library)
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            if self._mount(f"-o remount,size={used}", check=False):
                return

    def free_disk(self) -> None:
        """Give the room back."""
        self._mount(f"-o remount,size={DISK}")

    def forbid_writing(self) -> None:
        """Make the library's folder, its database and its scratch folders unwritable."""
        scratch = self.library / "scratch"
        paths = [self.library, scratch, *(p for p in scratch.glob("*") if p.is_dir())]
        for path in [*self.library.glob("matinee.db*"), *paths]:
            with suppress(FileNotFoundError):
                self._modes.setdefault(path, path.stat().st_mode)
                path.chmod(0o555 if path.is_dir() else 0o444)

    def allow_writing(self) -> None:
        """Undo it."""
        for path, mode in sorted(self._modes.items()):
            with suppress(FileNotFoundError):
                path.chmod(mode)
        self._modes.clear()

    def _mount(self, what: str, *, check: bool = True) -> bool:
        command = ["mount", *what.split(), str(self.library)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if check and done.returncode:
            raise OSError(done.stderr)
        return done.returncode == 0


def _make_film(path: Path, number: int) -> None:
    """Two shots that are two chunks, as cheap as can be; no chunk is like one of another film."""
    inputs: list[object] = []
    for picture in ("testsrc2", "smptebars"):
        inputs += ["-f", "lavfi", "-t", SHOT_S, "-i", f"{picture}=s=256x144:r=12"]
    run_ffmpeg(
        *inputs, "-f", "lavfi", "-t", 2 * SHOT_S, "-i", f"sine=f={300 + number}:r=48000",
        "-filter_complex",
        "[0:v]format=yuv420p[a];[1:v]format=yuv420p[b];[a][b]concat=n=2,"
        f"drawbox=x={number % 64 * 4}:y={number // 64 * 4}:w=16:h=16:color=red:t=fill[v]",
        "-map", "[v]", "-map", "2:a", "-c:v", "libx264", "-preset", "ultrafast", "-g", 24,
        "-c:a", "aac", "-b:a", "48k", path,
    )  # fmt: skip


def _install(site: Path) -> None:
    """Put the counting package where Python finds it, as an installer would."""
    info = site / "chaos-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: chaos\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[matinee.functions]\nchaos = tests.chaos.counting\n")


def false_clock() -> Path | None:
    """The library that shows processes another wall clock, where it is there for this machine."""
    found = find_spec("libfaketime")
    if found is None or found.origin is None or os.uname().machine != "x86_64":
        return None
    path = Path(found.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return path if path.exists() else None


class Hook:
    """Receives webhooks; every third is refused. ``taken`` counts messages by number and id."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[int, str]] = Counter()
        asked, taken = [0], self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                asked[0] += 1
                if asked[0] % 3 == 0:
                    self.send_error(503)
                    return
                taken[body["data"]["number"], self.headers["webhook-id"]] += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def in_own_mounts(module: str, arguments: list[str]) -> list[str]:
    """The command that runs a module where disks can be mounted and rights bind."""
    return [*UNDER, sys.executable, "-m", module, *arguments]
