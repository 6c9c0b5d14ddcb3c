"""``matinee scrub``."""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from matinee.apps.cli.main import library_options, print_json, printable
from matinee.apps.cli.titles import json_option, open_library
from matinee.core.errors import ObjectDamaged

TELL_EVERY_S = 5.0
UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
TIMES = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class _Rate(click.ParamType[float]):
    """Bytes a second, as 50M."""

    name = "rate"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?)b?(?:/s)?", str(value).lower())
        if found is None or float(found[1]) == 0:
            self.fail(f"{value!r} is no rate: give bytes a second, as 50M", param, ctx)
        return float(found[1]) * UNITS[found[2]]


class _Moment(click.ParamType[datetime]):
    """A time (RFC 3339), or how long ago, as 7d."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        if found := re.fullmatch(r"(\d+)([smhdw])", str(value)):
            return datetime.now(UTC) - timedelta(seconds=int(found[1]) * TIMES[found[2]])
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time: give one as 2026-03-01T12:00:00Z, or 7d", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Span(click.ParamType[float]):
    """So long, as 12h."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        found = re.fullmatch(r"(\d+)([smhdw])", str(value))
        if found is None or int(found[1]) == 0:
            self.fail(f"{value!r} is no length of time: give one as 12h or 7d", param, ctx)
        return float(found[1]) * TIMES[found[2]]


@click.command("scrub")
@click.argument("title", required=False)
@click.option("--since", type=_Moment(), help="Only what was made since then, or within: 7d.")
@click.option("--rate", type=_Rate(), help="Read at most so many bytes a second, as 50M.")
@click.option("--within", type=_Span(), help="Read just as fast as a pass in that time needs.")
@click.option(
    "--sample", default=2.0, show_default=True, type=click.FloatRange(0, 100),
    help="Decode so many percent of the video segments, chosen at random.",
)  # fmt: skip
@library_options
@json_option
def scrub_command(
    title: str | None, since: datetime | None, rate: float | None, within: float | None,
    sample: float, library: str | None, database: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Read all that is stored, or what belongs to TITLE, and prove that it is right.

    A pass that was broken off goes on where it was when it is called again in the same way.
    """
    from matinee.flows.scrub import Wanted, scrub
    from matinee.wiring.upkeep import open_ward

    opened = open_library(library, database)
    name = opened.titles.get(title).id if title else None
    with open_ward(opened, decodes=sample > 0) as ward:
        objects, size = ward.holdings.size()
        if within is not None and rate is None:
            rate = max(1.0, size / within)
        wanted = Wanted(rate, sample / 100, since, name)
        begun = time.monotonic()
        done = asyncio.run(scrub(ward, wanted, _telling(objects, size)))
        seconds = time.monotonic() - begun
        found = ward.findings.all_open(name)
    if as_json:
        print_json(scrub_json(done, found, seconds))
    else:
        _tell(done, found, seconds)
    if found:
        faults = "a fault" if len(found) == 1 else f"{len(found)} faults"
        raise ObjectDamaged(
            f"the library has {faults}: {found[0].fault.words}",
            "see what can be done, and its price, with: matinee repair --dry-run",
        )


def _telling(objects: int, size: int) -> Callable[[Any], None]:
    """Says every few seconds how far the pass came."""
    last = time.monotonic()

    def tell(state: Any) -> None:
        nonlocal last
        if time.monotonic() - last < TELL_EVERY_S:
            return
        last, counts = time.monotonic(), state.counts
        share = f"{counts.get('bytes', 0) / max(1, size):.0%}" if state.phase == "objects" else ""
        click.echo(
            f"{state.phase} {share} {counts.get('objects', 0)} of {objects} objects, "
            f"{counts.get('findings', 0)} findings",
            err=True,
        )

    return tell


def _tell(done: Any, found: Any, seconds: float) -> None:
    counts = done.counts
    read = counts.get("bytes", 0) / 1e6
    click.echo(
        f"{counts.get('objects', 0)} objects ({read:.1f} MB), {counts.get('titles', 0)} titles, "
        f"{counts.get('segments', 0)} segments decoded, {counts.get('rows', 0)} derivations, "
        f"{counts.get('events', 0)} sealed events: {len(found)} faults, {seconds:.1f} s"
    )
    if counts.get("unclaimed"):
        size = counts["unclaimed_bytes"] / 1e6
        click.echo(f"{counts['unclaimed']} objects ({size:.1f} MB) are named by nothing")
    if counts.get("locked"):
        click.echo(
            f"{counts['locked']} looks into encrypted titles were left out: their keys cannot be "
            "had (matinee verify TITLE says why)"
        )
    for each in found:
        click.echo(f"  {printable(each.fault.words)}")


def scrub_json(done: Any, found: Any, seconds: float) -> dict[str, Any]:
    """A pass in ``--json``."""
    from matinee.flows.findings_json import finding_json

    return {
        "scrub": done.id,
        "settings": dict(done.settings),
        "counts": dict(done.counts),
        "seconds": round(seconds, 3),
        "findings": [finding_json(each) for each in found],
    }
