"""Plots of VMAF over bits per second, as SVG, by the package ``leather``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

TICKS = (100, 200, 400, 800, 1600, 3200, 6400)
"""Kilobits per second, on a scale of their logarithm."""

COLOURS = (
    "#d7263d", "#f46036", "#8d6b94", "#1b998b", "#2e294e", "#3d7dca", "#7cb518", "#b08900",
    "#00707f",
)  # fmt: skip
WIDTH, HEIGHT = 1000, 640


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a plot: bits per second and VMAF of its points, of growing rate."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(file: Path, title: str, of: str, lines: Sequence[Line]) -> str:
    """Draw the lines; gives the file's name, or why there is none. ``of`` is whose rate it is."""
    if find_spec("leather") is None:
        return "no plot, as leather is not installed; `make bench` installs it"
    import leather  # noqa: PLC0415  # only `make bench` installs it

    chart = leather.Chart(title)
    rates = [rate for line in lines for rate, _ in line.points]
    low, high = (_place(edge(rates)) for edge in (min, max))
    chart.add_x_scale(low - 0.03, high + 0.03)
    ticks = [_place(1000 * kbps) for kbps in TICKS if low <= _place(1000 * kbps) <= high]
    chart.add_x_axis(
        ticks=ticks, tick_formatter=lambda value, _number, _count: f"{10**value / 1000:.0f}",
        name=f"kbit/s of the {of}",
    )  # fmt: skip
    chart.add_y_scale(0, 100)
    chart.add_y_axis(name="VMAF, harmonic mean")
    for line, colour in zip(lines, COLOURS, strict=False):
        points = [(_place(rate), quality) for rate, quality in line.points]
        chart.add_line(points, name=line.name, stroke_color=colour, width=2)
    file.parent.mkdir(parents=True, exist_ok=True)
    chart.to_svg(str(file), width=WIDTH, height=HEIGHT)
    return file.name


def _place(rate: float) -> float:
    return math.log10(rate)
