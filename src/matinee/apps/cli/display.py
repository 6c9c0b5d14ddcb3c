"""The progress of a publish: a live table on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from matinee.apps.cli.main import printable
from matinee.core.progress import Progress, Stage

PLAIN_EVERY_S = 10.0
SETTLED_S = 3.0
"""Before so many seconds of work, no time left is claimed."""


@dataclass
class Line:
    """One stage as it stands. ``fresh`` counts the frames that were made now, not reused."""

    stage: Stage
    begun: float
    done: int = 0
    fresh: int = 0
    is_finished: bool = False
    ended: float | None = None

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        if self.is_finished:
            return 1.0
        return min(1.0, self.done / self.stage.total) if self.stage.total else 0.0

    def speed(self, now: float) -> float:
        """Frames a second, of those made now."""
        return self.fresh / max(0.001, (self.ended or now) - self.begun)


@dataclass
class Board(Progress):
    """Keeps the lines; subclasses show them."""

    film: str
    lines: dict[str, Line] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    def started(self, stage: Stage) -> None:
        """A new line, or the same again."""
        self.lines.setdefault(stage.name, Line(stage, time.monotonic()))

    def advanced(self, stage: str, frames: int, *, reused: bool = False) -> None:
        """Frames more, or fewer."""
        line = self.lines[stage]
        line.done += frames
        line.fresh += 0 if reused else frames

    def finished(self, stage: str) -> None:
        """The stage is complete."""
        line = self.lines[stage]
        if not line.is_finished:
            line.is_finished, line.ended = True, time.monotonic()

    def note(self, text: str) -> None:
        """One sentence."""
        click.echo(f"matinee: {text}", err=True)

    def seconds_left(self) -> float | None:
        """By the likely costs of what is left and of what was done since the begin; None: too soon.

        The costs only weigh the stages against each other; the speed is this machine's, now.
        """
        spent = sum(line.fresh * line.stage.cost for line in self.lines.values())
        left = sum(
            max(0, line.stage.total - line.done) * line.stage.cost
            for line in self.lines.values()
            if not line.is_finished
        )
        elapsed = time.monotonic() - self.begun
        if elapsed < SETTLED_S or spent <= 0 or not any("encode" in name for name in self.lines):
            return None
        return elapsed * left / spent


@dataclass
class PlainBoard(Board):
    """Lines on standard error, for logs."""

    told: float = field(default_factory=time.monotonic)

    def advanced(self, stage: str, frames: int, *, reused: bool = False) -> None:
        """Tell where things stand every ten seconds."""
        super().advanced(stage, frames, reused=reused)
        now = time.monotonic()
        if now - self.told >= PLAIN_EVERY_S:
            self.told = now
            busy = [line for line in self.lines.values() if line.stage.total]
            done = ", ".join(f"{one.stage.name} {one.fraction:.0%}" for one in busy)
            left = self.seconds_left()
            click.echo(f"{done}{f'; about {duration(left)} left' if left else ''}", err=True)

    def finished(self, stage: str) -> None:
        """One line a stage."""
        line = self.lines[stage]
        if not line.is_finished:
            super().finished(stage)
            made = f", {line.speed(time.monotonic()):.1f} frames/s" if line.fresh else ""
            click.echo(f"{stage}: done{made}", err=True)


def duration(seconds: float) -> str:
    """Minutes and seconds."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


@contextmanager
def display(film: str) -> Iterator[Progress]:
    """The board that fits standard error."""
    if not sys.stderr.isatty():
        yield PlainBoard(film)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.markup import escape
    from rich.table import Table

    board = Board(film)
    name = escape(printable(film))

    def render() -> Table:
        now = time.monotonic()
        left = board.seconds_left()
        title = f"{name}  {duration(now - board.begun)}"
        table = Table(box=None, pad_edge=False, title_justify="left", title_style="bold")
        table.title = f"{title}{f'  about {duration(left)} left' if left is not None else ''}"
        for column, justify in (("", "left"), ("", "left"), ("frames", "right"), ("", "right")):
            table.add_column(column, justify=justify)  # type: ignore[arg-type]
        for line in list(board.lines.values()):
            table.add_row(*_row(line, now))
        return table

    console = Console(stderr=True)
    with Live(get_renderable=render, console=console, refresh_per_second=4) as live:
        yield board
        live.refresh()


def _row(line: Line, now: float) -> tuple[str, str, str, str]:
    width = 24
    filled = round(line.fraction * width)
    bar = f"[green]{'━' * filled}[/green][dim]{'─' * (width - filled)}[/dim]"
    if not line.stage.total:
        bar = "[green]done[/green]" if line.is_finished else "[dim]…[/dim]"
    counted = f"{line.done}/{line.stage.total}" if line.stage.total else ""
    if line.is_finished and not line.fresh:
        return line.stage.name, bar, counted, "[dim]reused[/dim]" if line.done else ""
    speed = f"{line.speed(now):.1f}/s" if line.fresh else ""
    return line.stage.name, bar, counted, speed
