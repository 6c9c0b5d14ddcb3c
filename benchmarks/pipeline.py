"""What the pipeline costs beside one plain ffmpeg command that makes the same renditions."""

from collections.abc import Callable, Iterator, Sequence

from benchmarks import plain
from benchmarks.ours import LEAN, Publish, plan_of, publishing
from benchmarks.plain import Encoded
from benchmarks.ratios import Ratio
from benchmarks.table import Bar, Figure, paired
from benchmarks.workplace import Workplace, tell

NAME = "pipeline"
BARS = {"standard": 1.10, "fast": 1.25}
MEGABYTE = 1e6

Run = Publish | Encoded


def run(workplace: Workplace) -> Iterator[Figure]:
    """Wall, processor and memory by ladder; then the price of the proofs, each beside encoding."""
    for ladder, most in BARS.items():
        plan = plan_of(workplace.film.cut, ladder)
        preset = plan.ladder.preset
        arms: dict[str, Callable[[], Run]] = {
            "matinee": publishing(workplace, "--ladder", ladder, *LEAN),
            "plain": plain.encoding(workplace, plan, same_threads=True),
            "plain, default threads": plain.encoding(workplace, plan, same_threads=False),
        }
        runs = workplace.alternate(f"{NAME} {preset}", arms)
        mine, peer, free = runs.values()
        ours = [one for one in mine if isinstance(one, Publish)]
        _note_others(workplace, preset, [*ours, *peer, *free])
        yield from _against(preset, ours, peer, Bar(most, "ratio"))
        yield from _against(f"{preset}, peer's default threads", ours, free, None)
        yield from _parts(preset, ours, peer)
    yield from _proofs(workplace)


def _against(
    label: str, ours: Sequence[Run], peer: Sequence[Run], bar: Bar | None
) -> Iterator[Figure]:
    for name, unit, of in (("wall", "s", _wall), ("CPU", "s", _cpu)):
        yield paired(NAME, f"{label}: {name}", unit, [*map(of, ours)], [*map(of, peer)], bar)


def _wall(one: Run) -> float:
    return one.spent.wall_s


def _cpu(one: Run) -> float:
    return one.spent.cpu_s


def _parts(label: str, ours: Sequence[Publish], peer: Sequence[Run]) -> Iterator[Figure]:
    """Where the processor time goes: each part beside the whole of the plain command."""
    whole = [r.spent.cpu_s for r in peer]
    for stage in ("scan", "encode", "sound"):
        spent = [r.stages.get(stage, 0.0) for r in ours]
        yield paired(NAME, f"{label}: CPU of {stage}", "s", spent, whole)
    controller = [r.controller_cpu_s for r in ours]
    yield paired(NAME, f"{label}: CPU of the controller", "s", controller, whole)
    yield paired(
        NAME, f"{label}: bytes of the renditions", "MB",
        [r.rendition_bytes / MEGABYTE for r in ours], [r.rendition_bytes / MEGABYTE for r in peer],
    )  # fmt: skip
    yield Figure(
        NAME, f"{label}: peak memory of the controller", "MB",
        max(r.controller_peak_bytes for r in ours) / MEGABYTE,
    )  # fmt: skip
    yield paired(
        NAME, f"{label}: peak memory of the largest process", "MB",
        [max(r.controller_peak_bytes, r.tool_peak_bytes) / MEGABYTE for r in ours],
        [r.spent.peak_bytes / MEGABYTE for r in peer],
    )  # fmt: skip


def _proofs(workplace: Workplace) -> Iterator[Figure]:
    """One run with everything on, its stages beside each other."""
    tell(f"{NAME} medium: matinee with all proofs")
    full = publishing(workplace, "--ladder", "standard", "--proofs", "decode", "--scores")()
    encode = full.stages["encode"]
    for stage, name in (("prove", "decode proofs"), ("score", "VMAF of all frames")):
        spent = full.stages.get(stage, 0.0)
        share = spent / encode
        yield Figure(
            NAME, f"medium: CPU of {name}, beside encode", "s", spent, encode,
            Ratio(share, share, share),
        )  # fmt: skip


def _note_others(workplace: Workplace, label: str, runs: Sequence[Run]) -> None:
    most = max(one.spent.others for one in runs)
    workplace.note(f"{NAME} {label}: work of others took up to {most:.0%} of the cores in a run")
