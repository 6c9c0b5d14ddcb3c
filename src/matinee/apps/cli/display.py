"""The progress of a publish: a live table on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from matinee.apps.cli.main import printable
from matinee.core.progress import Progress
from matinee.flows.board import Board, Line

PLAIN_EVERY_S = 10.0


@dataclass
class SpokenBoard(Board):
    """Says notes at once."""

    def note(self, text: str) -> None:
        """One sentence on standard error."""
        super().note(text)
        click.echo(f"matinee: {text}", err=True)


@dataclass
class PlainBoard(SpokenBoard):
    """Lines on standard error, for logs."""

    spoken: float = field(default_factory=time.monotonic)

    def advanced(self, stage: str, frames: int, *, reused: bool = False) -> None:
        """Tell where things stand every ten seconds."""
        super().advanced(stage, frames, reused=reused)
        now = time.monotonic()
        if now - self.spoken >= PLAIN_EVERY_S:
            self.spoken = now
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

    board = SpokenBoard(film)
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
