"""The fourth film of a library: what it saves to begin a search with what three taught.

Four stretches of the whole film are its episodes. The fourth is published after the others, and
alone; all by rungs of their own. Without the whole film there is nothing to measure.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.film import CACHE, make
from benchmarks.ours import publish
from benchmarks.per_title import bits_at_equal_quality, hull_of, stored, told_rungs
from benchmarks.ratios import Ratio
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell

NAME = "series"
EPISODES = (30, 170, 310, 450)
"""Where they begin, in seconds."""

FITTED = ("--ladder", "standard", "--per-title", "--proofs", "packets")
CPU = Bar(1.0, "ours")
TAUGHT, ALONE = CACHE / "series", CACHE / "series-alone"
"""Libraries that are kept, so that a run that was cut off goes on."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """The last episode with what the others taught, beside the same alone."""
    whole, seconds = workplace.film.whole, workplace.seconds
    if whole == workplace.film.cut:
        workplace.note(f"{NAME}: not measured, as the whole film is missing")
        return
    *before, last = [_episode(whole, start, seconds) for start in EPISODES]
    for number, film in enumerate(before, 1):
        tell(f"{NAME}: episode {number}")
        publish(film, TAUGHT, *FITTED)
    tell(f"{NAME}: the last one, after these")
    taught = publish(last, TAUGHT, *FITTED)
    tell(f"{NAME}: the last one, alone")
    alone = publish(last, ALONE, *FITTED)
    hulls = [hull_of(taught, TAUGHT), hull_of(alone, ALONE)]
    start, rounds = hulls[0].get("start"), [hull["rounds"] for hull in hulls]
    workplace.note(f"{NAME}: {seconds} s each; the last one began with {start}")
    for name, hull in zip(("after three", "alone"), hulls, strict=True):
        workplace.note(f"{NAME}: {name}: {told_rungs(hull)}")
    mine, other = taught.stages["search"], alone.stages["search"]
    share = mine / other
    yield Figure(NAME, "CPU of the search", "s", mine, other, Ratio(share, share, share))
    for name, made in (("after three", taught), ("alone", alone)):
        cost = made.stages["search"] / made.stages["encode"]
        yield Figure(NAME, f"{name}: search, in CPU of the final encodes", "", cost, bar=CPU)
    yield Figure(NAME, "rounds", "", *rounds)
    gain = bits_at_equal_quality(stored(alone.document), stored(taught.document))
    if gain is not None:
        yield Figure(NAME, "bits at equal VMAF beside the search alone", "%", gain)


def _episode(film: Path, start: int, seconds: int) -> Path:
    """A stretch of the picture, from key frame to key frame, its packets as they are."""
    cut = CACHE / f"{film.stem}-{film.stat().st_size}-episode-{start}-{seconds}.mp4"
    if not cut.exists():
        make(
            ["-ss", str(start), "-i", str(film)],
            ["-t", str(seconds), "-map", "0:v:0", "-c", "copy", "-avoid_negative_ts", "make_zero"],
            cut,
        )
    return cut
