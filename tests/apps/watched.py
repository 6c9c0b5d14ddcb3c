"""A viewer who watches a title while its segments are damaged and mended, and never waits.

Short form: ``test_watched.py``. Long form: ``make watched`` (``python -m tests.apps.watched``).
"""

import argparse
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.apps.cinema import RATE as FILM_RATE
from tests.apps.cinema import SECONDS, SHOT_FRAMES, TITLE, open_cinema
from tests.apps.live_server import LiveServer
from tests.apps.viewer import Viewer
from tests.conftest import Ended, environment
from tests.forks import run_module
from tests.integrity import stand
from tests.integrity.plant import Library

SEGMENT_S = SHOT_FRAMES / FILM_RATE
GOAL_S = 3
"""What the player has ahead of what it shows: so that it fetches while it plays."""

SLOWLY = 0.5
"""How fast it plays while segments are bad, so that a busy machine mends them in time."""

AHEAD_S = 15
"""From where on segments are damaged: so far that they are mended when the player asks for them."""

_COUNT = """() => {
  window.stalls = [];
  for (const kind of ['waiting', 'stalled', 'error']) {
    video.addEventListener(kind, () => {
      window.stalls.push(`${kind} at ${video.currentTime}, ${matinee.state().buffer_s} s ahead`);
    });
  }
  matinee.player.addEventListener('buffering', ({ buffering }) => {
    if (buffering) window.stalls.push(`buffering at ${video.currentTime}`);
  });
  window.matinee.player.addEventListener('gapjumped', () => window.stalls.push('gap jumped'));
}"""


@dataclass
class Watched:
    """What came of one pass."""

    damaged: list[str] = field(default_factory=list)
    fetched: set[str] = field(default_factory=set)
    """Of these, the ones that the viewer fetched after they were mended."""
    stalls: list[str] = field(default_factory=list)
    same: bool = False
    ended: bool = False


def begin(viewer: Viewer) -> Any:
    """Open the title so that little of it is at hand, and stand at its begin, playing slowly."""
    page = viewer.page
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    viewer.open(f"/watch/{TITLE}?autoplay&t={SECONDS - 2}")
    viewer.until("window.matinee && matinee.state().buffer_s > 0")
    page.evaluate(
        f"matinee.player.configure({{streaming: {{bufferingGoal: {GOAL_S}, bufferBehind: 1}}}})"
    )
    return page


def watch(viewer: Viewer, library: Path, chance: random.Random) -> Watched:
    """Play from begin to end; what lies ahead is damaged and mended meanwhile, then what is behind.

    The viewer's page has been opened by ``begin``.
    """
    page, seen = viewer.page, Watched()
    before = stand.shown(library)
    page.evaluate(f"video.pause(), video.currentTime = 0, video.playbackRate = {SLOWLY}")
    page.evaluate("video.play()")
    viewer.until("video.currentTime > 0.1 && video.currentTime < 3 && matinee.state().buffer_s > 1")
    page.evaluate(_COUNT)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("requestfailed", lambda request: fetched.append(f"failed {request.url}"))

    seen.damaged = _damage(library, _segments(library, AHEAD_S, SECONDS), chance)
    _mend(library)
    mended, time = len(fetched), viewer.state()["time"]
    assert time + GOAL_S < AHEAD_S - SEGMENT_S, "the machine mends more slowly than it plays"
    page.evaluate("video.playbackRate = 1")
    viewer.until(f"video.currentTime > {AHEAD_S + SEGMENT_S}", 60)
    seen.fetched = {
        key for key in seen.damaged if any(url.endswith(key) for url in fetched[mended:])
    }
    _damage(library, _segments(library, 0, 2 * SEGMENT_S), chance)
    _mend(library)
    viewer.until("video.ended", 60)
    seen.stalls = page.evaluate("window.stalls")
    seen.ended = viewer.state()["error"] is None
    seen.same = stand.shown(library) == before
    return seen


def _segments(library: Path, begin_s: float, end_s: float) -> list[str]:
    """The segments that lie between two times, of every rendition."""
    found = []
    for folder in sorted((library / "titles" / TITLE / "renditions").iterdir()):
        paths = sorted(folder.glob("*.m4s"))  # all of one length, but for the last
        each_s = SECONDS / max(1, len(paths))
        found += [
            path.relative_to(library).as_posix()
            for number, path in enumerate(paths)
            if begin_s <= number * each_s and (number + 1) * each_s <= end_s
        ]
    return found


def _damage(library: Path, keys: list[str], chance: random.Random) -> list[str]:
    """Half of them, each in one way of several."""
    damaged = Library(library, chance)
    chosen = sorted(chance.sample(keys, max(1, len(keys) // 2)))
    for key in chosen:
        path = library / key
        match chance.choice(("flip", "cut", "remove")):
            case "flip":
                damaged.flip(key)
            case "cut":
                path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])
            case _:
                path.unlink()
    return chosen


def _mend(library: Path) -> None:
    code, done = stand.upkeep(library, "repair", TITLE)
    assert code == 0 and done["mended"], done


def main() -> int:
    """The long form."""
    from playwright.sync_api import sync_playwright
    from tests.apps.conftest import BROWSERS, FLAGS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    program = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if program is None:
        print("watched: NOT RUN: no browser")
        return 1
    failed = mended = fetched = 0
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        cinema = open_cinema(Path(name), _run)
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        with LiveServer.over(cinema.library) as server:
            for number in range(chosen.passes):
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                viewer = Viewer(context.new_page(), server.address)
                begin(viewer)
                seen = watch(viewer, cinema.library, random.Random(f"{chosen.seed} {number}"))
                context.close()
                mended, fetched = mended + len(seen.damaged), fetched + len(seen.fetched)
                if seen.stalls or not (seen.same and seen.ended) or viewer.complaints:
                    failed += 1
                    print(f"  pass {number}: {seen.stalls} {viewer.complaints}", flush=True)
        browser.close()
    print(
        f"watched: seed {chosen.seed}: {chosen.passes} passes, {mended} segments damaged ahead of"
        f" the viewer and mended, {fetched} of them fetched then; {failed} passes failed"
    )
    return 1 if failed else 0


def _run(*arguments: object, **variables: str) -> Ended:
    finished = run_module(
        "matinee", *arguments, variables={**environment(), **variables}, timeout_s=240
    )
    return Ended(finished.returncode, finished.stdout.decode(), finished.stderr.decode())


if __name__ == "__main__":
    sys.exit(main())
