"""``matinee publish``."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from matinee.apps.cli.main import error_json, library_options, one_line, print_json, tell_error
from matinee.core.errors import MatineeError, UsageError

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Wish:
    """The options of one ``publish`` command."""

    title: str | None
    credit: str | None
    subtitles: tuple[str, ...]
    profile: str | None
    ladder: str | None
    target_vmaf: float | None
    cpu_budget: float | None
    per_title: bool
    fixed: bool
    library: str | None
    database: str | None
    refresh: bool
    scores: bool
    proofs: str
    workers: int | None
    accept_damage: bool
    crop: bool
    plan: bool
    as_json: bool


@click.command("publish", epilog="The same command again runs nothing that is made already.")
@click.argument(
    "films", metavar="FILM...", nargs=-1, required=True, type=click.Path(readable=False)
)
@click.option("--title", metavar="TEXT", help="The title's name. Default: the file's name.")
@click.option("--credit", metavar="TEXT", help="Whom the title's page credits.")
@click.option(
    "--subtitles",
    metavar="FILE[:LANG]",
    multiple=True,
    help="A subtitle file (SRT, WebVTT, ASS, TTML ...) and its language, such as film.srt:de.",
)
@click.option(
    "--profile",
    metavar="NAME|FILE",
    help="Which streams: a shipped profile (standard, quick, web, devices, download, archive) "
    "or a profile file. Default: standard.",
)
@click.option(
    "--ladder",
    metavar="NAME|FILE",
    help="Which pictures, instead of the profile's: a shipped ladder (standard, fast, hevc, vp9, "
    "av1 ...) or a ladder file.",
)
@click.option(
    "--target-vmaf",
    metavar="N",
    type=click.FloatRange(20, 99),
    help="Choose each shot's settings so that the largest picture of every ladder has a VMAF of N, "
    "and no shot is much below it.",
)
@click.option(
    "--cpu-budget",
    metavar="N",
    type=click.FloatRange(0.5, 10),
    help="Spend N times the processor time of the ladders' own presets on encoding, by presets "
    "that are slower or faster where bits gain the most.",
)
@click.option(
    "--per-title",
    is_flag=True,
    help="Choose each ladder's rungs from the film: as few sizes and qualities as it needs.",
)
@click.option(
    "--fixed",
    is_flag=True,
    help="The ladder's own rungs and settings, whatever ladder or profile say.",
)
@library_options
@click.option("--refresh", is_flag=True, help="Make again what older tools made.")
@click.option(
    "--scores/--no-scores",
    default=True,
    show_default=True,
    help="Measure VMAF over all frames of every rendition.",
)
@click.option(
    "--proofs",
    type=click.Choice(["decode", "packets"]),
    default="decode",
    show_default=True,
    help="Prove frames by decoding every rendition again, or by packets alone.",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Tools at once. Default: the cores.")
@click.option(
    "--accept-damage",
    is_flag=True,
    help="Publish a film of which a part cannot be decoded: the picture stands still there.",
)
@click.option("--crop", is_flag=True, help="Cut off black bars, as measured.")
@click.option("--plan", is_flag=True, help="Show what would be made, and make nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a film on standard output.")
def publish_command(films: tuple[str, ...], **options: Any) -> None:
    """Make every stream of FILM, prove it, and put it on screen."""
    wish = Wish(**options)
    if len(films) > 1 and (wish.title or wish.subtitles):
        raise UsageError("--title and --subtitles are for one film at a time")
    if wish.fixed and (wish.per_title or wish.target_vmaf is not None):
        other = "--per-title" if wish.per_title else "--target-vmaf"
        raise UsageError(f"--fixed and {other} exclude each other")
    exit_codes = [_one(Path(film), wish) for film in films]
    raise SystemExit(max(exit_codes))


def _one(film: Path, wish: Wish) -> int:
    """Plan or publish one film; gives its exit code."""
    from matinee.apps.cli.planning import plan_film_json, tell_plan
    from matinee.profiles import load_wished

    try:
        profile = load_wished(wish.profile, wish.ladder, wish.target_vmaf, wish.cpu_budget)
        if wish.fixed or wish.per_title:
            profile = profile.with_settings("fixed" if wish.fixed else "per-title")
        if wish.plan:
            plan = plan_film_json(film, read_sidecars(wish.subtitles), profile, wish)
            print_json(plan) if wish.as_json else tell_plan(plan)
            return 0
        document, code = _publish(film, wish, profile)
    except MatineeError as error:
        tell_error(error, film)
        document, code = _failure(film, error), error.exit_code
    if wish.as_json:
        print_json(document)
    return code


def _failure(film: Path, error: MatineeError) -> dict[str, Any]:
    state = {3: "refused", 4: "held"}.get(error.exit_code, "failed")
    return {
        "film": str(film), "title": None, "name": None, "state": state, "package": None,
        "hls": None, "dash": None, "renditions": [], "tracks": [], "notes": [], "verdicts": [],
        "derivations": {"ran": 0, "reused": 0}, "seconds": 0.0, "error": error_json(error),
    }  # fmt: skip


def _publish(film: Path, wish: Wish, profile: Any) -> tuple[dict[str, Any], int]:
    from matinee.apps.cli.display import display
    from matinee.config import read_settings
    from matinee.flows.publish_title import publish_title
    from matinee.flows.request import Request
    from matinee.stages.chunks import Proofs
    from matinee.stages.ingest import shown_name
    from matinee.wiring.publishing import open_house

    request = Request(
        film=film,
        name=wish.title and shown_name(wish.title),
        credit=wish.credit and shown_name(wish.credit),
        sidecars=read_sidecars(wish.subtitles),
        profile=profile,
        proofs=Proofs(signed=wish.proofs == "decode", scored=wish.scores),
        accept_damage=wish.accept_damage,
        crop=wish.crop,
    )
    settings = read_settings(wish.library, wish.workers, wish.database)
    with (
        display(film.name) as progress,
        open_house(settings, progress, refresh=wish.refresh) as (house, bench),
    ):
        published = asyncio.run(publish_title(house, bench, request))
    document = published_json(film, published, bench.tallies.values(), settings)
    tell_published(document, wish)
    return document, 0 if document["state"] == "published" else 4


def published_json(film: Path, published: Any, tallies: Any, settings: Any) -> dict[str, Any]:
    """What ``--json`` prints for a film; its form is docs/reference/json.md."""
    report, title = published.report, published.title
    folder = settings.place(f"titles/{title.id}")
    is_shown = published.package.state == "ready"
    failed = [verdict for verdict in report["verdicts"] if not verdict["passed"]]
    document = {
        "film": str(film),
        "title": title.id,
        "name": title.name,
        "state": "published" if is_shown else "held",
        "package": f"{folder}/packages/{published.package.id}",
        "hls": f"{folder}/main.m3u8" if is_shown else None,
        "dash": f"{folder}/main.mpd" if is_shown else None,
        "renditions": [
            {
                key: rendition[key]
                for key in (
                    "name", "type", "codec", "width", "height", "language", "channels", "frames",
                    "duration", "bits_per_second", "vmaf",
                )
            }
            for rendition in report["renditions"]
        ],
        "tracks": report["tracks"],
        "notes": report["source"]["notes"],
        "verdicts": report["verdicts"],
        "derivations": {
            "ran": sum(tally.ran for tally in tallies),
            "reused": sum(tally.reused for tally in tallies),
        },
        "seconds": round(published.seconds, 3),
    }  # fmt: skip
    if failed:
        reasons = "; ".join(f"{v['judge']} {v['subject']}: {v['reasons'][0]}" for v in failed)
        document["error"] = {
            "code": "verdict.failed",
            "message": f"not shown, because a verdict failed: {reasons}",
            "hint": f"see all with: matinee show {title.id}; {_mending(failed)}",
        }
    return document


def _mending(failed: Sequence[dict[str, Any]]) -> str:
    """What to do about failed verdicts."""
    if all(verdict["judge"] == "promise" for verdict in failed):
        return "raise the caps of the ladder, lower the target, or allow a larger shot_margin"
    return "with mended tools, publish --refresh"


def tell_published(document: dict[str, Any], wish: Wish) -> None:
    """A few lines for the person who waited."""
    ran, reused = document["derivations"]["ran"], document["derivations"]["reused"]
    if error := document.get("error"):
        click.echo(f"matinee: {one_line(error['message'])} [{error['code']}]", err=True)
        click.echo(f"  {error['hint']}", err=True)
        return
    videos = [r for r in document["renditions"] if r["type"] == "video"]
    sizes = ", ".join(r["name"].removeprefix("video-") for r in videos)
    click.echo(
        f"published {document['title']}: {sizes}; {len(document['verdicts'])} verdicts passed; "
        f"{ran} steps ran, {reused} reused, {document['seconds']:.1f} s",
        err=True,
    )
    for note in document["notes"]:
        click.echo(f"  {note}", err=True)
    library = f" --library {wish.library}" if wish.library else ""
    database = " --database ..." if wish.database else ""  # it may hold a password
    click.echo(f"  watch it with: matinee serve{library}{database}", err=True)


def read_sidecars(values: Sequence[str]) -> tuple[Any, ...]:
    """``FILE[:LANG]``; without a language, the one in a name such as film.de.srt, else none."""
    from matinee.stages.text import sidecar_of

    sidecars = []
    for value in values:
        file, _, language = value.rpartition(":")
        if not file or not LANGUAGE.fullmatch(language):
            file, language = value, ""
        sidecars.append(sidecar_of(Path(file), language))
    return tuple(sidecars)
