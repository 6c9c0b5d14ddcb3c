"""What choosing per shot gains, and what of it a cheap search finds.

Every (shot, size, CRF) of the reel of shots is encoded and scored: that is the exhaustive search.
The cheap one is that of ``publish``: proxies of one size at two CRFs, a step for each shot. Here a
shot is what there a chunk is. What it chooses is looked up in the exhaustive search. Points are
steps of a library that is kept, so a run that was cut off goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from benchmarks.grid import CRFS, grid_side, measured, measured_with_price
from benchmarks.ratios import Ratio
from benchmarks.reels import shots_reel
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.flows.compare import LadderSide, Sides
from matinee.ladders import load_ladder
from matinee.media.comparison import Encode
from matinee.media.headroom import cost_of_steps, headroom
from matinee.media.ladder import fit
from matinee.stages.search import EVERY
from matinee.stages.settings import wanted_of

NAME = "optimise"
BITS, CPU = Bar(2.0, "ours"), Bar(1.0, "ratio")


def run(workplace: Workplace) -> Iterator[Figure]:
    """The gain of a choice per shot; then the search: the bits that it loses, the CPU it takes."""
    reel, final = shots_reel(workplace), load_ladder("standard")
    workplace.note(f"{NAME}: {reel.words}")
    tell(f"{NAME}: {final.preset}, every size at {len(CRFS)} CRFs")
    found = measured(reel, [grid_side(final)])
    own = found.sides[0].encodes
    yield from _gains(workplace, found)
    searched = final.with_settings("per-shot")
    [wanted] = wanted_of(
        [searched], fit(searched, found.film.picture, Fraction(found.film.plan.rate))
    )
    crfs = [proxy.crf for proxy in wanted.proxies]
    sample, preset = wanted.sample, wanted.proxies[0].preset
    how = f"{preset} at {sample.width}x{sample.height}, CRF {', '.join(f'{c:g}' for c in crfs)}"
    tell(f"{NAME}: {how}")
    boxes = tuple(box for box in final.boxes if box.height == sample.height)
    ladder = replace(final, preset=preset, boxes=boxes, crf=crfs[0], own_size=False)
    side = LadderSide(f"proxies, {preset}", ladder, tuple(crfs), capped=False)
    cheap, score_s = measured_with_price(reel, [side])
    proxies = cheap.sides[0].encodes
    lost = cost_of_steps(own, proxies, found.parts, final.crf, wanted.bounds, EVERY)
    if lost is not None:
        yield Figure(NAME, f"bits over exhaustive: {how}, 1 frame in {EVERY}", "%", lost, bar=BITS)
    spent = _cpu(proxies) + score_s / EVERY
    once = _cpu([e for e in own if e.crf == final.crf])
    share = spent / once
    yield Figure(
        NAME, f"CPU beside encoding all sizes once: {how}, 1 frame in {EVERY}", "s", spent, once,
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
