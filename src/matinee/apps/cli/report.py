"""A title's report for people, on the terminal."""

from typing import Any

import click

from matinee.apps.cli.main import printable
from matinee.apps.cli.planning import KEYS


def tell_report(
    title: dict[str, Any], packages: list[dict[str, Any]], report: dict[str, Any] | None
) -> None:
    """What came in, what was made, every verdict, what it cost."""
    from rich.console import Console
    from rich.table import Table

    click.echo(f"{title['title']}: {printable(title['name'])} ({title['state']})")
    for package in packages:
        mark = "*" if package["id"] == title["package"] else " "
        click.echo(f" {mark} package {package['id']} {package['state']} {package['made_at']}")
    if report is None:
        click.echo("nothing was made of it yet; publish the film again")
        return
    source = report["source"]
    click.echo(
        f"\nfrom {printable(report['title']['film'])}: {source['container']}, "
        f"{source['duration']:.3f} s, "
        f"{report['plan']['frames']} frames at {report['plan']['frame_rate']} a second, "
        f"{len(report['plan']['segments'])} segments in {report['plan']['chunks']} chunks"
    )
    console = Console()
    tracks = Table("track", "becomes", box=None, pad_edge=False)
    for outcome in report["tracks"]:
        made = ", ".join(outcome["renditions"]) or f"left out: {outcome['reason']}"
        tracks.add_row(*map(as_it_is, (outcome["source"], made)))
    console.print(tracks)
    console.print(_renditions(report), "")
    if locked := report.get("encryption"):
        ids = ", ".join(f"{label} {key_id}" for label, key_id in locked["key_ids"].items())
        later = "" if locked.get("generation", 1) == 1 else f" (generation {locked['generation']})"
        click.echo(
            f"encrypted: {locked['scheme']}, keys from {KEYS[locked['keys']]}{later}: {ids}\n"
        )
    verdicts = Table("verdict", "of", "", box=None, pad_edge=False)
    for verdict in report["verdicts"]:
        state = "[green]passed[/green]" if verdict["passed"] else "[red]failed[/red]"
        verdicts.add_row(verdict["judge"], as_it_is(verdict["subject"]), state)
        for reason in verdict["reasons"]:
            verdicts.add_row("", "", f"[red]{as_it_is(reason)}[/red]")
    console.print(verdicts, "")
    costs = Table("stage", "wall s", "cpu s", "ran", "reused", box=None, pad_edge=False)
    for stage in report["stages"]:
        costs.add_row(
            stage["name"], f"{stage['wall_s']:.1f}", f"{stage['cpu_s']:.1f}",
            str(stage["ran"]), str(stage["reused"]),
        )  # fmt: skip
    console.print(costs)
    click.echo(f"\ntools were confined by: {', '.join(report['sandbox'])}")


def as_it_is(text: str) -> str:
    """Text of a film's maker: no sign of it is markup, and none moves the cursor."""
    from rich.markup import escape

    return escape(printable(text))


def _renditions(report: dict[str, Any]) -> Any:
    from rich.table import Table

    heads = ("rendition", "codec", "", "kbit/s", "VMAF", "p5", "min", "LUFS")
    table = Table(*heads, box=None, pad_edge=False)
    for rendition in report["renditions"]:
        vmaf = rendition["vmaf"]
        size = f"{rendition['width']}x{rendition['height']}" if rendition["width"] else ""
        channels = f"{rendition['channels']} ch" if rendition["channels"] else ""
        scores = [f"{vmaf[key]:.1f}" for key in ("mean", "p5", "min")] if vmaf else ["", "", ""]
        loudness = (rendition.get("loudness") or {}).get("integrated_lufs")
        table.add_row(
            rendition["name"], rendition["codec"], size or channels,
            str(rendition["bits_per_second"] // 1000), *scores,
            "" if loudness is None else f"{loudness:.1f}",
        )  # fmt: skip
    return table
