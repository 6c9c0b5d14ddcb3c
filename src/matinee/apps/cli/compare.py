"""``matinee compare``."""

import asyncio
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from matinee.apps.cli.main import library_options, print_json, printable
from matinee.core.errors import UsageError

VIDEOS = frozenset(
    ".mp4 .m4v .mov .mkv .webm .ts .m2ts .mpg .mpeg .avi .flv .ogv .mxf".split()  # noqa: SIM905
)
"""Suffixes of the files that are taken out of a folder."""


def crfs_of(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, ...]:
    """``18,23,28``."""
    try:
        return tuple(float(part) for part in value.split(",")) if value else ()
    except ValueError as error:
        raise click.BadParameter("give numbers, such as 18,23,28") from error


@click.command("compare", epilog="The same command again measures nothing that is measured.")
@click.argument("a")
@click.argument("b")
@click.option(
    "--film", metavar="FILM", required=True, type=click.Path(readable=False),
    help="The film that both are encodes of, or are to be.",
)  # fmt: skip
@click.option(
    "--seconds", metavar="N", type=click.FloatRange(min=0), default=60, show_default=True,
    help="How much of the film is compared, in pieces spread over it; 0: all of it.",
)  # fmt: skip
@click.option(
    "--crfs", metavar="N,N...", callback=crfs_of,
    help="The CRFs of a ladder's curves. Default: its own, 5 below, 5 and 10 above.",
)  # fmt: skip
@click.option(
    "--capped/--uncapped", default=True, show_default=True,
    help="Encode with the bit rate caps of the ladders, or without.",
)  # fmt: skip
@click.option(
    "--shots", metavar="N", type=click.IntRange(0, 24), default=6, show_default=True,
    help="How many shots the page shows side by side.",
)  # fmt: skip
@click.option(
    "--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True,
    help="Which pieces of the film are taken.",
)  # fmt: skip
@click.option(
    "--page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page is written. Default: compare.html here; with --json, none.",
)  # fmt: skip
@library_options
@click.option("--workers", type=click.IntRange(1, 256), help="Tools at once. Default: the cores.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def compare_command(a: str, b: str, **options: Any) -> None:
    """Compare A and B on one film: quality, bits, processor time.

    \b
    Each is a ladder (standard, fast or a ladder file), which is encoded here at
    several CRFs; or an encoded file; or a folder of encoded files.

    \b
    matinee compare standard fast --film film.mp4
    matinee compare mine.toml standard --film film.mp4 --crfs 18,23,28,33
    matinee compare x264.mp4 x265.mp4 --film film.mp4
    """  # noqa: D301  # the backspace is click's mark for text to leave as it is
    from matinee.apps.cli.compare_page import page_of, require_pages, write_page

    page = options["page"] or (None if options["as_json"] else Path("compare.html"))
    if page is not None:
        require_pages(page)
    document, pictures = _compared(a, b, options)
    if page is not None:
        write_page(page, page_of(document, pictures))
    if options["as_json"]:
        print_json(document)
    else:
        tell(document)
        click.echo(f"\nsee {printable(str(page))}")


def _compared(a: str, b: str, options: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The comparison as JSON, and its pictures as bytes: of the film, of A, of B."""
    from matinee.apps.cli.display import display
    from matinee.config import read_settings
    from matinee.flows.compare import Asked, compare
    from matinee.flows.compare_report import comparison_json
    from matinee.wiring.comparing import open_stand

    names = (a, b) if Path(a).stem == Path(b).stem else (Path(a).stem, Path(b).stem)
    film = Path(options["film"])
    asked = Asked(
        film=film,
        a=side_of(a, names[0], options["crfs"], capped=options["capped"]),
        b=side_of(b, names[1], options["crfs"], capped=options["capped"]),
        seconds=Fraction(options["seconds"]).limit_denominator(1000),
        seed=options["seed"],
        looked_at=options["shots"],
    )
    settings = read_settings(options["library"], options["workers"], options["database"])

    async def work(stand: Any, bench: Any) -> tuple[dict[str, Any], list[list[bytes]]]:
        compared = await compare(stand, bench, asked)
        pictures = [
            [await bench.read(asset) for asset in (each.source, each.a, each.b)]
            for each in compared.pictures
        ]
        return comparison_json(bench, asked, compared), pictures

    with display(film.name) as progress, open_stand(settings, progress) as (stand, bench):
        return asyncio.run(work(stand, bench))


def side_of(text: str, name: str, crfs: tuple[float, ...], *, capped: bool) -> Any:
    """What A or B names: a ladder, a file or a folder of files.

    Raises:
        UsageError: nothing of that name, or no film in the folder. LadderInvalid: not a ladder.
    """
    from matinee.flows.compare import FilesSide, LadderSide, check_crfs, crfs_around
    from matinee.ladders import SHIPPED, load_ladder

    path = Path(text)
    is_shipped = (SHIPPED / f"{text}.toml").is_file()
    if is_shipped or (path.suffix == ".toml" and path.is_file()):
        ladder = load_ladder(text)
        check_crfs(ladder, crfs)
        return LadderSide(name, ladder, crfs or crfs_around(ladder), capped)
    if path.is_dir():
        files = tuple(sorted(file for file in path.iterdir() if file.suffix.lower() in VIDEOS))
        if not files:
            raise UsageError(f"no encoded file in the folder {text}")
        return FilesSide(name, files)
    if path.exists():
        return FilesSide(name, (path,))
    known = ", ".join(sorted(ladder.stem for ladder in SHIPPED.glob("*.toml")))
    raise UsageError(
        f"no ladder, file or folder {text!r}", f"shipped ladders: {known}; or give a path"
    )


def tell(document: dict[str, Any]) -> None:
    """The comparison for people."""
    from rich.console import Console
    from rich.table import Table

    from matinee.apps.cli.report import as_it_is

    film, compared, a, b = (document[key] for key in ("film", "compared", "a", "b"))
    console = Console(highlight=False)
    console.print(
        f"A is {as_it_is(a['name'])}, B is {as_it_is(b['name'])}; on "
        f"{as_it_is(Path(film['file']).name)}: {compared['duration']:.1f} of "
        f"{film['duration']:.1f} s, {compared['shots']} shots\n"
    )
    encodes = Table("", "encode", "size", "kbit/s", "VMAF", "p5", "min", "CPU s", box=None)
    for letter, side in (("A", a), ("B", b)):
        for encode in side["encodes"]:
            cpu = "" if encode["cpu_s"] is None else f"{encode['cpu_s']:.1f}"
            scores = [f"{encode['vmaf'][key]:.2f}" for key in ("harmonic_mean", "p5", "min")]
            encodes.add_row(
                letter, as_it_is(encode["name"]), f"{encode['width']}x{encode['height']}",
                f"{encode['bits_per_second'] / 1000:.0f}", *scores, cpu,
                style="" if encode["own"] else "dim",
            )  # fmt: skip
    console.print(encodes, "")
    gains = Table("B beside A", "BD-rate", "95 %", "BD-VMAF", "VMAF from, to", box=None)
    for rung in (document["overall"], *document["rungs"]):
        gains.add_row(*_gain_row(rung))
    console.print(gains, "")
    for each in document["differences"]:
        bits, vmaf = each["bits"], each["vmaf"]
        console.print(
            f"{as_it_is(each['b'])} beside {as_it_is(each['a'])}: bits {bits['value']:+.1f} %"
            f"{_interval(bits)}, VMAF {vmaf['value']:+.2f}{_interval(vmaf)}"
        )
    for side in (a, b):
        _tell_headroom(console, side)
    cpu = document["cpu"]
    if cpu["ratio"] is not None:
        console.print(
            f"processor time of encoding: A {cpu['a']:.2f}, B {cpu['b']:.2f} s a second of film; "
            f"B takes {cpu['ratio']:.2f} of A's"
        )


def _tell_headroom(console: Any, side: dict[str, Any]) -> None:
    from matinee.apps.cli.report import as_it_is

    if found := side["headroom"]:
        console.print(
            f"{as_it_is(side['name'])} with a CRF for each shot: {found['crf_per_shot']:+.1f} % "
            f"bits; with a size as well: {found['size_per_shot']:+.1f} %; "
            f"rungs that the film needs: {len(found['rungs'])}"
        )


def _gain_row(rung: dict[str, Any]) -> list[str]:
    name = f"{rung['width']}x{rung['height']}" if rung["width"] else "overall"
    if rung["bd_rate"] is None:
        return [name, "-", "", "", rung["why"]]
    better = "" if rung["bd_vmaf"] is None else f"{rung['bd_vmaf']:+.2f}"
    reach = f"{rung['from_vmaf']:.1f}, {rung['to_vmaf']:.1f}"
    interval = _interval(rung["bd_rate"]).strip(" ()")
    return [name, f"{rung['bd_rate']['value']:+.2f} %", interval, better, reach]


def _interval(found: dict[str, float | None]) -> str:
    if found["low"] is None:
        return ""
    return f" ({found['low']:+.2f} to {found['high']:+.2f})"
