"""The whole film, with rungs of its own, beside ladders that others ship: bits, bytes, viewers.

All of the film is encoded by every side. Scores are of the same pieces of it on all sides,
``SECONDS`` long together, and so are bits: what was published is measured as a file, like the
files of the peers.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from benchmarks.fixed_ladders import AWS, SHAKA, fitting, make_ladder
from benchmarks.grid import measured
from benchmarks.ladders import Reeled, beside, told
from benchmarks.ours import Publish, publish
from benchmarks.reels import Reel
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.flows.compare import FilesSide
from matinee.media.comparison import Encode

NAME = "whole"
SECONDS = 100
LIBRARY = "whole"
"""Beside the plots; kept, so a run that was cut off goes on."""

OWN = "rungs from the title"
WAYS = {OWN: ("--per-title",), "standard, fixed": ("--fixed",)}
LEAN = ("--profile", "standard", "--proofs", "packets", "--no-scores")
"""Nothing is corrected then; scores of all frames would take as long as the encodes."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """Ours with its own rungs and with a fixed ladder, each beside the peers'."""
    film = workplace.film.whole
    reel = Reel(NAME, film, film.name)
    found: Reeled | None = None
    for name, options in WAYS.items():
        tell(f"{NAME}: {name}")
        made = publish(film, workplace.plots / LIBRARY, *LEAN, *options)
        if options == WAYS[OWN]:
            yield from _search(made)
        sides = [FilesSide(name, tuple(_joined(made, workplace.plots / f"{NAME}-renditions")))]
        got = measured(reel, sides, SECONDS)
        rate, size = got.film.plan.rate, (got.film.picture.width, got.film.picture.height)
        found = found or Reeled(reel, rate, got.parts, {}, _peers(reel, rate, size))
        found.ours[name] = got.sides[0].encodes
        for peer in found.peers:
            yield from beside(found, name, peer)
    if found:
        for name, rungs in (*found.ours.items(), *found.peers.items()):
            workplace.note(f"{NAME}, {name}: {told(rungs, found.rate)}")
        frames = sum(len(part.frames) for part in found.parts)
        workplace.note(
            f"{NAME}: {frames} frames of {film.name} scored, in {len(found.parts)} shots"
        )


def _search(made: Publish) -> Iterator[Figure]:
    """What finding rungs and settings took beside the encodes."""
    search, encodes = made.stages["search"], made.stages["encode"]
    yield Figure(
        NAME, "CPU of the search, in CPU of the final encodes", "", search / encodes,
        bar=Bar(1.0, "ours"),
    )  # fmt: skip


def _peers(reel: Reel, rate: Fraction, size: tuple[int, int]) -> dict[str, Sequence[Encode]]:
    found: dict[str, Sequence[Encode]] = {}
    for ladder in (SHAKA, AWS):
        tell(f"{NAME}: {ladder.name}")
        made = make_ladder(reel.path, fitting(ladder, *size), rate)
        [side] = measured(reel, [FilesSide(ladder.name, made.files)], SECONDS).sides
        found[ladder.name] = side.encodes
    return found


def _joined(made: Publish, folder: Path) -> Iterator[Path]:
    """Each picture's init segment and segments as one file, named by its package."""
    package = Path(made.document["package"])
    for one in made.document["renditions"]:
        if one["type"] == "video":
            name = one["name"]
            file = folder / package.name / f"{name}.mp4"
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                playlist = (package / f"{name}.m3u8").read_text().splitlines()
                begin = next(line for line in playlist if line.startswith("#EXT-X-MAP:"))
                names = [
                    begin.split('"')[1],
                    *(one for one in playlist if one and not one.startswith("#")),
                ]
                part = file.with_suffix(".part")
                part.write_bytes(b"".join((package / one).read_bytes() for one in names))
                part.rename(file)
            yield file
