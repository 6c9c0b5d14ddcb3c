"""A processor budget beside the same preset for all rungs: bits, at what processor time.

The ladder ``standard`` over the reel of shots, every frame scored. All are compared with the ladder
as it ships.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.grid import measured
from benchmarks.ratios import Ratio
from benchmarks.reels import shots_reel
from benchmarks.table import Figure
from benchmarks.workplace import Workplace, tell
from matinee.flows.compare import LadderSide
from matinee.ladders import load_ladder
from matinee.media.comparison import Encode
from matinee.media.ladder import Ladder
from matinee.media.viewers import bits_at_equal_quality, spent_cpu_s

NAME = "budget"
PRESETS = ("fast", "slow", "slower", "veryslow")
BUDGETS = (0.8, 1.25, 1.5, 1.8)


def run(workplace: Workplace) -> Iterator[Figure]:
    """Each preset for all rungs, then each budget."""
    reel, standard = shots_reel(workplace), load_ladder("standard")
    ways = {f"preset {name} for all": replace(standard, preset=name) for name in PRESETS}
    ways |= {f"a budget of {budget:g}": standard.with_budget(budget) for budget in BUDGETS}
    ways = {"as it ships": standard, **ways}
    found: dict[str, Sequence[Encode]] = {}
    for name, ladder in ways.items():
        tell(f"{NAME}: {name}")
        [side] = measured(reel, [_side(name, ladder)]).sides
        found[name] = side.encodes
        if len(found) > 1:
            yield from _beside(name, side.encodes, found["as it ships"])
            workplace.note(f"{NAME}: {name}: {_told(side.encodes)}")


def _side(name: str, ladder: Ladder) -> LadderSide:
    return LadderSide(name, ladder, ())


def _beside(name: str, ours: Sequence[Encode], as_it_ships: Sequence[Encode]) -> Iterator[Figure]:
    gain = bits_at_equal_quality(ours, as_it_ships)
    yield Figure(NAME, f"{name}: bits at equal VMAF", "%", gain)
    mine, other = spent_cpu_s(ours), spent_cpu_s(as_it_ships)
    share = mine / other
    yield Figure(NAME, f"{name}: CPU", "s", mine, other, Ratio(share, share, share))


def _told(encodes: Sequence[Encode]) -> str:
    return ", ".join(f"{one.height}p VMAF {one.quality:.1f}" for one in encodes)
