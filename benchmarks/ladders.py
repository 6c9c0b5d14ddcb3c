"""What ladders give for their bits: ours beside fixed ones that others ship, on the same frames.

Every rung of every ladder is encoded whole, and every frame of it scored. The title's own rungs in
place of each peer's are placed by the grid of ``optimise`` and then encoded like the others.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

from benchmarks.fixed_ladders import AWS, SHAKA, TWO_PASSES, FixedLadder, fitting, make_ladder
from benchmarks.grid import grid_side, measured
from benchmarks.plots import Line, draw
from benchmarks.ratios import Ratio
from benchmarks.reels import Reel, mix_reel, shots_reel
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.flows.compare import FilesSide, LadderSide
from matinee.ladders import load_ladder
from matinee.media.comparison import Encode, Part
from matinee.media.curves import CurvesApart
from matinee.media.headroom import Placed, every_rung, rungs_instead
from matinee.media.ladder import Box, Ladder
from matinee.media.viewers import (
    Offer,
    bits_at_equal_quality,
    fewest_instead,
    lines,
    mean_offers,
    peak_offers,
    seen,
    spent_cpu_s,
    stored_bytes,
    views,
)

NAME = "ladders"
LINES = lines(200e3, 8e6, 33)
"""Of viewers: bits per second."""

PEAK_S = 4.0
"""A rung's peak is that of any so many seconds."""

FEWER, AV1_FEWER, AV1_CPU = Bar(-15, "ours"), Bar(-45, "ours"), Bar(1.5, "ratio")
STORED = Bar(0.6, "ratio")
NONE_LOWER = Bar(0, "ours")


OWN = "the title's own rungs"
AV1_CRFS = (27.0, 39.0, 53.0)
"""From the best that anyone sees to a slow line's."""


@dataclass(frozen=True, slots=True)
class Reeled:
    """A reel's ladders, by name, as far as they are measured; ``rate`` is frames a second."""

    reel: Reel
    rate: Fraction
    parts: tuple[Part, ...]
    ours: dict[str, Sequence[Encode]]
    peers: dict[str, Sequence[Encode]]


def run(workplace: Workplace) -> Iterator[Figure]:
    """Both reels; the mix without AWS's ladder, which is for films of 720 lines or more."""
    for reel, peers in ((shots_reel(workplace), (SHAKA, AWS)), (mix_reel(workplace), (SHAKA,))):
        workplace.note(f"{NAME} {reel.name}: {reel.words}")
        yield from _of_reel(workplace, reel, peers)
    for peer in (SHAKA, TWO_PASSES, AWS):
        workplace.note(f"{NAME}, {peer.name}: {peer.words}")


def _of_reel(workplace: Workplace, reel: Reel, ladders: Sequence[FixedLadder]) -> Iterator[Figure]:
    """Each figure as soon as it is known, so that a run that is cut off has told what it found."""
    tell(f"{NAME} {reel.name}: standard, as it ships")
    standard, av1 = (load_ladder(name) for name in ("standard", "av1"))
    first = measured(reel, [LadderSide("standard", standard, ())])
    ours: dict[str, Sequence[Encode]] = {"standard": first.sides[0].encodes}
    found = Reeled(reel, first.film.plan.rate, first.parts, ours, {})
    size = first.film.picture.width, first.film.picture.height
    for ladder in ladders:
        tell(f"{NAME} {reel.name}: {ladder.name}")
        found.peers[ladder.name] = _peer(found, fitting(ladder, *size))
        yield from beside(found, "standard", ladder.name)
    tell(f"{NAME} {reel.name}: av1, as it ships")
    [side] = measured(reel, [LadderSide("av1", av1, ())]).sides
    found.ours["av1"] = side.encodes
    yield from _av1(found, "av1", ladders[0].name)
    yield from _own(found, grid_side(standard), standard, [ladder.name for ladder in ladders])
    yield from _own_av1(found, av1, ladders[0].name)
    tell(f"{NAME} {reel.name}: {TWO_PASSES.name}")
    found.peers[TWO_PASSES.name] = _peer(found, fitting(TWO_PASSES, *size))
    for name in ("standard", f"{OWN} for {SHAKA.name}"):  # the rates are the same
        yield from beside(found, name, TWO_PASSES.name)
    for name, rungs in (*found.ours.items(), *found.peers.items()):
        workplace.note(f"{NAME} {reel.name}, {name}: {told(rungs, found.rate)}")
    for file in _drawn(workplace, found):
        workplace.note(f"{NAME} {reel.name}: {file}")


def _peer(found: Reeled, ladder: FixedLadder) -> list[Encode]:
    made = make_ladder(found.reel.path, ladder, found.rate)
    [side] = measured(found.reel, [FilesSide(ladder.name, made.files)]).sides
    return [replace(one, cpu_s=made.cpu_s / len(made.files)) for one in side.encodes]


def _own(found: Reeled, grid: LadderSide, ladder: Ladder, peers: Sequence[str]) -> Iterator[Figure]:
    """The title's own rungs, in each peer's place."""
    every = _every_rung(found, grid)
    for peer in peers:
        name = f"{OWN} for {peer}"
        tell(f"{NAME} {found.reel.name}: {name}")
        found.ours[name] = _encoded(found, ladder, load_ladder("main"), every, peer)
        yield from beside(found, name, peer)
        yield _fewest(found, every, peer)


def _own_av1(found: Reeled, ladder: Ladder, peer: str) -> Iterator[Figure]:
    """The same by AV1, in the place of a ladder of H.264."""
    ladder = replace(ladder, film_grain=0)
    name = f"{OWN} of AV1 for {peer}"
    tell(f"{NAME} {found.reel.name}: {name}")
    every = _every_rung(found, grid_side(ladder, AV1_CRFS))
    found.ours[name] = _encoded(found, ladder, ladder, every, peer)
    yield from _av1(found, name, peer)
    yield from _seen_and_stored(
        f"{found.reel.name}: {name}", found.ours[name], found.peers[peer], found.rate
    )


def _every_rung(found: Reeled, grid: LadderSide) -> list[Placed]:
    [side] = measured(found.reel, [grid]).sides
    return every_rung(side.encodes, found.parts)


def _encoded(
    found: Reeled, ladder: Ladder, caps: Ladder, every: Sequence[Placed], peer: str
) -> list[Encode]:
    """The rungs in a peer's place as they ship, with the caps of a ladder of all sizes."""
    placed = rungs_instead(every, found.peers[peer])
    own = measured(found.reel, [_side_of(ladder, caps, one) for one in placed])
    return [rung for side in own.sides for rung in side.encodes]


def _side_of(ladder: Ladder, caps: Ladder, placed: Placed) -> LadderSide:
    """The side that has this rung alone."""
    width, height = placed.size
    boxes = [box for box in caps.boxes if box.width >= width and box.height >= height]
    cap = (boxes or caps.boxes[-1:])[0].maxrate_kbps
    name = f"{height}p"
    alone = replace(ladder, boxes=(Box(name, width, height, cap),), crf=placed.crf, own_size=False)
    return LadderSide(f"{name} at CRF {placed.crf:g}", alone, ())


def _fewest(found: Reeled, every: Sequence[Placed], peer: str) -> Figure:
    """The least bytes that rungs of one CRF each can have, and be lower on no line."""
    ladder = found.peers[peer]
    a_second = float(found.rate) / len(ladder[0].sizes)
    candidates = [Offer(one.bits * a_second, one.quality) for one in every]
    offers = mean_offers(ladder, found.rate)
    share = math.fsum(o.rate for o in fewest_instead(candidates, offers)) / math.fsum(
        o.rate for o in offers
    )
    return Figure(
        NAME, f"{found.reel.name}: bytes of the fewest rungs that are lower on no line than {peer}",
        "", share,
    )  # fmt: skip


def beside(found: Reeled, name: str, peer: str) -> Iterator[Figure]:
    """One of our ladders beside a peer's."""
    ours, theirs = found.ours[name], found.peers[peer]
    what = f"{found.reel.name}: {name} over {peer}"
    yield from _gain(what, ours, theirs, FEWER)
    yield from _seen_and_stored(what, ours, theirs, found.rate)


def _gain(
    what: str, ours: Sequence[Encode], theirs: Sequence[Encode], bar: Bar
) -> Iterator[Figure]:
    """Nothing where they have no quality in common, as when one of them is a single rung."""
    with suppress(CurvesApart):
        gain = bits_at_equal_quality(ours, theirs)
        yield Figure(NAME, f"{what}: bits at equal VMAF", "%", gain, bar=bar)


def _seen_and_stored(
    what: str, ours: Sequence[Encode], theirs: Sequence[Encode], rate: Fraction
) -> Iterator[Figure]:
    share = stored_bytes(ours) / stored_bytes(theirs)
    yield Figure(
        NAME, f"{what}: bytes stored", "MB", stored_bytes(ours) / 1e6, stored_bytes(theirs) / 1e6,
        Ratio(share, share, share), STORED,
    )  # fmt: skip
    found = views(mean_offers(ours, rate), mean_offers(theirs, rate), LINES)
    yield Figure(NAME, f"{what}: VMAF seen, rungs by their mean rate", "", found.ours, found.peer)
    yield Figure(
        NAME, f"{what}: of {found.lines} lines, those where ours is lower", "", found.lower,
        bar=NONE_LOWER,
    )  # fmt: skip
    yield Figure(NAME, f"{what}: lower by, at most", "VMAF", found.deficit)
    peaks = views(peak_offers(ours, rate, PEAK_S), peak_offers(theirs, rate, PEAK_S), LINES)
    yield Figure(NAME, f"{what}: VMAF seen, rungs by their peak", "", peaks.ours, peaks.peer)


def _av1(found: Reeled, name: str, peer: str) -> Iterator[Figure]:
    """A ladder of AV1 beside a fixed one of H.264."""
    ours, theirs = found.ours[name], found.peers[peer]
    what = f"{found.reel.name}: {name} over {peer} (H.264)"
    yield from _gain(what, ours, theirs, AV1_FEWER)
    mine, other = spent_cpu_s(ours), spent_cpu_s(theirs)
    share = mine / other
    yield Figure(
        NAME, f"{what}: CPU of the ladder", "s", mine, other, Ratio(share, share, share), AV1_CPU
    )


def told(ladder: Sequence[Encode], rate: Fraction) -> str:
    return ", ".join(
        f"{e.width}x{e.height} {offer.rate / 1000:.0f} kbit/s VMAF {e.quality:.1f}"
        for e, offer in zip(ladder, mean_offers(ladder, rate), strict=True)
    )


def _drawn(workplace: Workplace, found: Reeled) -> Iterator[str]:
    """Two plots: the rungs of every ladder, and what viewers see on every line."""
    ladders = {**found.peers, **found.ours}
    offers = {name: mean_offers(ladder, found.rate) for name, ladder in ladders.items()}
    where = found.reel.name
    rungs = [Line(name, _curve(each)) for name, each in offers.items()]
    yield draw(workplace.plots / f"{NAME}-{where}-rungs.svg", f"Rungs ({where})", "rung", rungs)
    watched = [
        Line(name, [(line, seen(each, line)) for line in LINES]) for name, each in offers.items()
    ]
    yield draw(
        workplace.plots / f"{NAME}-{where}-seen.svg", f"What a viewer gets ({where})", "line",
        watched,
    )  # fmt: skip


def _curve(offers: Sequence[Offer]) -> list[tuple[float, float]]:
    return sorted((offer.rate, offer.quality) for offer in offers)
