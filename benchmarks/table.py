"""Figures and the table that shows them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

from benchmarks.ratios import Ratio, ratio_of

COLUMNS = ("benchmark", "figure", "ours", "peer", "ratio", "bar", "held")


@dataclass(frozen=True, slots=True)
class Bar:
    """The most that a figure may be: its own value, or its ratio to the peer."""

    most: float
    of: Literal["ours", "ratio"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: what was measured, ours and the peer's in ``unit``."""

    benchmark: str
    name: str
    unit: str
    ours: float
    peer: float | None = None
    ratio: Ratio | None = None
    bar: Bar | None = None

    @property
    def held(self) -> bool | None:
        """Whether the bar is held; None without a bar."""
        if self.bar is None:
            return None
        value = self.ours if self.bar.of == "ours" else self._middle
        return value is not None and value <= self.bar.most

    @property
    def _middle(self) -> float | None:
        return self.ratio.middle if self.ratio else None

    def as_json(self) -> dict[str, Any]:
        """The form of a figure in ``--json``."""
        return {**asdict(self), "held": self.held}

    def cells(self) -> tuple[str, ...]:
        """What the table's columns show."""
        return (
            self.benchmark,
            self.name,
            quantity(self.ours, self.unit),
            "" if self.peer is None else quantity(self.peer, self.unit),
            _ratio(self.ratio),
            _bar(self.bar, self.unit),
            {None: "", True: "yes", False: "NO"}[self.held],
        )


def paired(
    benchmark: str,
    name: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float],
    bar: Bar | None = None,
) -> Figure:
    """A figure of runs in pairs: the median of each side, and the median of the pairs' ratios."""
    return Figure(benchmark, name, unit, median(ours), median(peer), ratio_of(ours, peer), bar)


def quantity(value: float, unit: str) -> str:
    """A number of three digits or so, and its unit."""
    size = abs(value)
    digits = 0 if size >= 100 or not size else 1 if size >= 10 else 2 if size >= 0.1 else 4
    return f"{value:.{digits}f} {unit}".rstrip()


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return ""
    if ratio.lowest == ratio.highest:
        return f"{ratio.middle:.3f}"
    return f"{ratio.middle:.3f} ({ratio.lowest:.3f} to {ratio.highest:.3f})"


def _bar(bar: Bar | None, unit: str) -> str:
    if bar is None:
        return ""
    return f"<= {bar.most:g}{'' if bar.of == 'ratio' else f' {unit}'}"


def render(figures: Sequence[Figure]) -> str:
    """The table as text."""
    rows = [COLUMNS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-+-".join("-" * width for width in widths), *lines[1:]])
