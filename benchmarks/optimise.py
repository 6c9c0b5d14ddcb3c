"""What choosing per shot gains, and what is lost when a cheap proxy chooses.

Every (shot, rung, CRF) of the film's pieces is encoded and scored: that is the exhaustive search.
The same is done with faster presets; what they would choose is looked up in the exhaustive search.
Points are steps of a library that is kept, so a run that was cut off goes on.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from benchmarks.film import CACHE
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.config import Settings
from matinee.core.progress import Silent
from matinee.flows.compare import Asked, Compared, LadderSide, compare
from matinee.ladders import load_ladder
from matinee.media.comparison import Encode
from matinee.media.headroom import cost_of_search, headroom
from matinee.wiring.comparing import open_stand

NAME = "optimise"
CRFS = (18.0, 23.0, 28.0, 33.0, 38.0, 43.0)
PROXIES = ("veryfast", "ultrafast")
FEW, EVERY = (18.0, 28.0, 43.0), 5
"""The cheap search: some of the CRFs, and the scores of one frame in so many."""

BAR = Bar(2.0, "ours")


def run(workplace: Workplace) -> Iterator[Figure]:
    """The gain of a choice per shot; then each proxy: the bits that it loses, the CPU it takes."""
    final = load_ladder("standard")
    for number, preset in enumerate(PROXIES):
        tell(f"{NAME}: {final.preset} and {preset}, every rung at {len(CRFS)} CRFs")
        compared, score_s = asyncio.run(_measured(workplace, preset))
        parts, own, proxy = compared.comparison.parts, compared.a.encodes, compared.b.encodes
        if number == 0:
            yield from _gains(workplace, compared)
        once = _cpu([e for e in own if e.is_own])
        for crfs, every in ((CRFS, 1), (FEW, EVERY)):
            some = [e for e in proxy if e.crf in crfs]
            how = f"{preset}, {len(crfs)} CRFs, 1 frame in {every}"
            lost = cost_of_search(own, some, parts, every)
            if lost is not None:
                yield Figure(NAME, f"BD-rate over exhaustive: {how}", "%", lost, bar=BAR)
            scored = score_s * len(some) / len(proxy) / every
            yield Figure(NAME, f"CPU beside final encodes: {how}", "s", _cpu(some) + scored, once)


def _gains(workplace: Workplace, compared: Compared) -> Iterator[Figure]:
    found = headroom(compared.a.encodes, compared.comparison.parts)
    workplace.note(
        f"{NAME}: {compared.frames} frames in {len(compared.comparison.parts)} shots; no arm is a "
        "fixed bit rate: that needs another kind of rung"
    )
    if found is None:
        return
    yield Figure(NAME, "BD-rate of a CRF per shot over one CRF per rung", "%", found.crf_per_shot)
    yield Figure(NAME, "BD-rate of a size per shot over one CRF per rung", "%", found.free)
    places = ", ".join(f"{p.size[0]}x{p.size[1]} at {p.quality:.1f}" for p in found.places)
    workplace.note(f"{NAME}: rungs one just-noticeable difference apart: {places}")


async def _measured(workplace: Workplace, preset: str) -> tuple[Compared, float]:
    """The standard ladder beside itself with another preset, and the CPU of the latter's scores."""
    final = load_ladder("standard")
    asked = Asked(
        film=workplace.film.whole,
        a=LadderSide(final.preset, final, CRFS, capped=False),
        b=LadderSide(preset, replace(final, preset=preset), CRFS, capped=False),
        seconds=Fraction(workplace.seconds),
        seed=1,
        looked_at=0,
    )
    settings = Settings(CACHE / "optimise", workers=2)
    with open_stand(settings, Silent()) as (stand, bench):
        compared = await compare(stand, bench, asked)
        return compared, bench.tallies["score"].cpu_s / 2


def _cpu(encodes: list[Encode] | tuple[Encode, ...]) -> float:
    return sum(encode.cpu_s or 0 for encode in encodes)
