"""What choosing per shot gains, and what is lost when a cheap proxy chooses.

Every (shot, size, CRF) of the reel of shots is encoded and scored: that is the exhaustive search.
The same is done with a faster preset; what it would choose is looked up in the exhaustive search.
Points are steps of a library that is kept, so a run that was cut off goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.grid import CRFS, grid_side, measured, measured_with_price
from benchmarks.ratios import Ratio
from benchmarks.reels import shots_reel
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.flows.compare import Sides
from matinee.ladders import load_ladder
from matinee.media.comparison import Encode
from matinee.media.headroom import cost_of_search, headroom

NAME = "optimise"
PROXY = "ultrafast"
FEW = (CRFS[0], CRFS[2], CRFS[-1])
"""CRFs of the cheap search: its curves begin and end where those of the exhaustive search do."""

SAMPLED = (1, 7)
"""Scores of one frame in so many count; the search of ``publish`` takes one in 7."""

BITS, CPU = Bar(2.0, "ours"), Bar(1.0, "ratio")


def run(workplace: Workplace) -> Iterator[Figure]:
    """The gain of a choice per shot; then the proxy: the bits that it loses, the CPU it takes."""
    reel, final = shots_reel(workplace), load_ladder("standard")
    workplace.note(f"{NAME}: {reel.words}")
    tell(f"{NAME}: {final.preset}, every size at {len(CRFS)} CRFs")
    found = measured(reel, [grid_side(final)])
    own = found.sides[0].encodes
    yield from _gains(workplace, found)
    tell(f"{NAME}: {PROXY}, every size at {len(FEW)} CRFs")
    cheap, score_s = measured_with_price(reel, [grid_side(replace(final, preset=PROXY), FEW)])
    proxy = cheap.sides[0].encodes
    once = _cpu([e for e in own if e.crf == final.crf])
    for every in SAMPLED:
        how = f"{PROXY}, {len(FEW)} CRFs, 1 frame in {every}"
        lost = cost_of_search(own, proxy, found.parts, every)
        if lost is not None:
            yield Figure(NAME, f"bits over exhaustive: {how}", "%", lost, bar=BITS)
        spent = _cpu(proxy) + score_s / every
        share = spent / once
        yield Figure(
            NAME, f"CPU beside encoding all sizes once: {how}", "s", spent, once,
            Ratio(share, share, share), CPU,
        )  # fmt: skip


def _gains(workplace: Workplace, measured_: Sides) -> Iterator[Figure]:
    own, parts = measured_.sides[0].encodes, measured_.parts
    found = headroom(own, parts)
    frames = sum(len(part.frames) for part in parts)
    sizes = sorted({encode.size for encode in own})
    told = ", ".join(f"{width}x{height}" for width, height in sizes)
    workplace.note(f"{NAME}: {frames} frames in {len(parts)} shots, at {told}")
    if found is None:
        return
    best = found.crf_per_shot
    yield Figure(
        NAME, "bits over exhaustive: one CRF per rung, no search", "%",
        100 * (1 / (1 + best / 100) - 1), bar=BITS,
    )  # fmt: skip
    yield Figure(NAME, "bits of a CRF per shot over one CRF per rung", "%", best)
    yield Figure(NAME, "headroom: a size per shot over one CRF per rung", "%", found.free)
    places = ", ".join(f"{p.size[0]}x{p.size[1]} at {p.quality:.1f}" for p in found.places)
    workplace.note(f"{NAME}: rungs that the film needs: {places}")


def _cpu(encodes: Sequence[Encode]) -> float:
    return sum(encode.cpu_s or 0 for encode in encodes)
