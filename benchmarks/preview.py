"""From a film in a watched folder to a preview that plays: a whole service, the whole film.

The clock starts when the film has its last name in the folder, its index there to be read, and
stops when both of the preview's entry manifests and the segments that they name are served.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from benchmarks.film import ROOT
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell

NAME = "preview"
LOOK_S = 0.02
LONGEST_S = 600.0
WATCHED_S = 60.0
"""How long the preview is then watched as it grows, beside the encode that goes on."""

SOON = Bar(15, "ours")


def run(workplace: Workplace) -> Iterator[Figure]:
    """The standard ladder with everything on, as a film is published that nobody said more of."""
    found = []
    for turn in range(1, workplace.repeats + 1):
        tell(f"{NAME}: {turn}/{workplace.repeats}")
        with workplace.folder() as folder:
            found.append(_measured(workplace.film.whole, folder))
    names = (
        ("from the film's arrival to a preview that plays", "s", SOON),
        ("from the begin of its run to a preview that plays", "s", SOON),
        (f"preview that is there {WATCHED_S:.0f} s later, beside the encode", "s", None),
    )
    for place, (name, unit, bar) in enumerate(names):
        middle = sorted(each[place] for each in found)[len(found) // 2]
        yield Figure(NAME, name, unit, middle, bar=bar)


def _measured(film: Path, folder: Path) -> tuple[float, float, float]:
    """Seconds to the preview from both clocks, and how many of it are there later."""
    watched = folder / "watched"
    watched.mkdir()
    copy = watched / "film.mp4.part"
    shutil.copyfile(film, copy)
    with _service(folder, watched) as service:
        service.until("/healthz")
        begun, began_at = time.monotonic(), time.time()
        copy.rename(watched / "film.mp4")
        service.until("/media/titles/film/preview/main.m3u8")
        service.until("/media/titles/film/preview/main.mpd")
        for kind in ("video", "audio"):
            playlist = f"/media/titles/film/preview/{kind}.m3u8"
            service.until(urljoin(playlist, segments(service.get(playlist))[0][0]))
        arrival_s = time.monotonic() - begun
        (run_of_it,) = json.loads(service.get("/v1/runs"))
        started = datetime.fromisoformat(run_of_it["started_at"]).timestamp()
        time.sleep(WATCHED_S)
        (run_of_it,) = json.loads(service.get("/v1/runs"))
        if run_of_it["state"] != "running":
            tell(f"{NAME}: the film was done before it had been watched: {run_of_it['state']}")
        there = segments(service.get("/media/titles/film/preview/video.m3u8"))
    run_s = arrival_s - (started - began_at)
    return arrival_s, run_s, sum(seconds for _, seconds in there)


def segments(playlist: str) -> list[tuple[str, float]]:
    """Address and length of each segment of a media playlist."""
    found = re.findall(r"^#EXTINF:([0-9.]+),.*\n(?:#.*\n)*([^#\n]+)$", playlist, re.MULTILINE)
    return [(uri, float(seconds)) for seconds, uri in found]


@dataclass(frozen=True, slots=True)
class _Service:
    port: int

    def ask(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()

    def get(self, path: str) -> str:
        status, body = self.ask(path)
        if status != 200:
            raise RuntimeError(f"{path} gives {status}: {body[:200]}")
        return body

    def until(self, path: str) -> None:
        """Ask until it is there."""
        deadline = time.monotonic() + LONGEST_S
        while self.ask(path)[0] != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{path} did not come")
            time.sleep(LOOK_S)


@contextmanager
def _service(folder: Path, watched: Path) -> Iterator[_Service]:
    """``matinee up`` over a new library; ended with all that it started."""
    command = [sys.executable, "-m", "matinee", "up", "--bind", "127.0.0.1:0"]
    variables: dict[str, Any] = {**os.environ, "MATINEE_DISK_FLOOR": "0.1"}
    with (folder / "log").open("w") as log, subprocess.Popen(
        [*command, "--library", str(folder / "library"), "--watch", str(watched)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env=variables,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout
            told = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
            if told is None:
                raise RuntimeError(f"it did not start: {(folder / 'log').read_text()}")
            yield _Service(int(told[1]))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
