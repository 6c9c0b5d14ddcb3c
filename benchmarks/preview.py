"""From a film in a watched folder to a preview that plays: a whole service, the whole film.

The clock starts when the film has its last name in the folder, its index there to be read, and
stops when both of the preview's entry manifests and the segments that they name are served.
"""

import json
import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from benchmarks.service import running_service
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell

NAME = "preview"
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
    with running_service(folder, watched) as service:
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
