"""``matinee explain``."""

import asyncio
from fractions import Fraction
from typing import Any

import click

from matinee.apps.cli.main import library_options, print_json
from matinee.apps.cli.titles import json_option, open_library, read_report
from matinee.core.errors import NotFound


@click.command("explain")
@click.argument("title")
@click.option("--rung", metavar="NAME", help="Only this rung, such as 720p: all of its shots.")
@click.option(
    "--shot", metavar="N", type=click.IntRange(1), help="Only this shot: all that was measured."
)
@library_options
@json_option
def explain_command(
    title: str, rung: str | None, shot: int | None, library: str | None, database: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Tell which settings the shots of TITLE have, why, and what others would cost."""
    from matinee.flows.explain import explanation_json

    opened = open_library(library, database)
    found = opened.titles.get(title)
    packages = opened.packages.of_title(found.id)
    if not packages:
        raise NotFound(f"nothing was made of {found.id} yet", "publish the film again")
    package = next((p for p in packages if p.id == found.current), packages[-1])
    report = asyncio.run(read_report(opened, package))
    document = explanation_json(package, report, rung, shot)
    if as_json:
        print_json(document)
        return
    for line in explanation_lines(document, every=rung is not None, one=shot is not None):
        click.echo(line)


def explanation_lines(document: dict[str, Any], *, every: bool, one: bool) -> list[str]:
    """An explanation for people: with ``every``, a line for each shot; with ``one``, all of it."""
    rate = Fraction(document["frame_rate"])
    lines = [f"{document['title']}, package {document['package']}"]
    for fixed in document["fixed"]:
        told = "one CRF"
        if fixed["crf"] is not None:
            told = f"CRF {fixed['crf']:g}, preset {fixed['preset']}, by ladder {fixed['ladder']}"
        lines.append(f"{fixed['rung']}: every shot has {told}; nothing was searched")
    lines += _grain_lines(document["film_grain"])
    for hull in document["hulls"]:
        rows = [_rung_row(rung, hull) for rung in hull["rungs"]]
        lines += [*_hull_lines(hull), "", *_table([_RUNG_HEADS, *rows])]
        if every:
            lines += ["", *_table([_SIZE_HEADS, *_size_rows(hull["rungs"][0])])]
    own = {hull["ladder"] for hull in document["hulls"]}
    for choice in document["choices"]:
        lines += _choice_lines(choice, has_own_rungs=choice["ladder"] in own)
        if every or one:
            lines += ["", *_table([_HEADS, *(_shot_row(shot, rate) for shot in choice["shots"])])]
        if one:
            lines += ["", *_table([_POINT_HEADS, *_point_rows(choice["shots"][0])])]
    return lines


_RUNG_HEADS = (
    "rung", "size", "preset", "CRF", "bit rate", "VMAF", "CRF 2 lower", "higher", "other sizes",
)  # fmt: skip
_SIZE_HEADS = ("as good", "CRF", "bit rate", "VMAF", "bits")


def _hull_lines(hull: dict[str, Any]) -> list[str]:
    proxy, target = hull["proxy"], hull["target"]
    top = f"VMAF {target:g}" if target else f"CRF {hull['fixed_crf']:g} at the film's own size"
    rounds = hull["rounds"]
    shipped = f", then all in {rounds} round{'s' * (rounds > 1)}" if rounds else ""
    down = f"down to {hull['slowest'] / 1000:g} kbit/s"
    apart = f"a VMAF of {hull['apart']:g} or {hull['closest']:g} times the bits apart"
    few = f"{proxy['chunks']} chunks, 1 frame in {proxy['every']} scored"
    return [
        f"ladder {hull['ladder']}: rungs from the title, preset {hull['preset']}",
        f"  goal: from {top} {down}, {apart}",
        f"  searched: {_searched(hull.get('start'), proxy['preset'])} over {few}",
        f"  as it ships: {hull['anchors']} of them{shipped}",
    ]


def _searched(start: dict[str, Any] | None, preset: str) -> str:
    """By what; older reports do not know what earlier titles foretold."""
    if start is None:
        return f"preset {preset}"
    told = f"{start['titles']} earlier titles"
    if start["held"]:
        return f"one size, the others as {told} foretell them,"
    return f"preset {preset}, as this film is unlike {told},"


def _rung_row(rung: dict[str, Any], hull: dict[str, Any]) -> tuple[str, ...]:
    is_aimed, preset = hull["target"] is not None, rung.get("preset", hull["preset"])
    by_steps = f"{rung['crf']:g}, by steps" if rung["per_shot"] else f"{rung['crf']:g}"
    steps = {one["crf"] - rung["crf"]: one for one in rung["beside"]}
    others = [
        f"{one['width']}x{one['height']} {_share(one['bits_per_second'], rung):+.1f} %"
        for one in rung["instead"][:2]
    ]
    return (
        rung["rung"], f"{rung['width']}x{rung['height']}", preset,
        "per shot" if rung["per_shot"] and is_aimed else by_steps,
        f"{_bits(rung['bits_per_second'])}/s", f"{rung['vmaf']:.2f}",
        *(_step_beside(steps.get(step), rung) for step in (-2.0, 2.0)),
        ", ".join(others) or "-",
    )  # fmt: skip


def _step_beside(other: dict[str, Any] | None, rung: dict[str, Any]) -> str:
    if other is None:
        return "-"
    more = _share(other["bits_per_second"], rung)
    return f"{more:+.1f} %, VMAF {other['vmaf'] - rung['vmaf']:+.2f}"


def _share(bits: int, rung: dict[str, Any]) -> float:
    """Percent of bits more than a rung has."""
    return 100 * (bits / rung["bits_per_second"] - 1) if rung["bits_per_second"] else 0.0


def _size_rows(rung: dict[str, Any]) -> list[tuple[str, ...]]:
    """A rung, and what the other sizes need to be as good."""
    return [
        (
            f"{one['width']}x{one['height']}", f"{one['crf']:g}",
            f"{_bits(one['bits_per_second'])}/s", f"{one['vmaf']:.2f}",
            f"{_share(one['bits_per_second'], rung):+.1f} %",
        )
        for one in (rung, *rung["instead"])
    ]  # fmt: skip


def _grain_lines(grain: dict[str, Any] | None) -> list[str]:
    if grain is None:
        return []
    strengths: dict[int, list[str]] = {}
    for name, strength in grain["rungs"].items():
        strengths.setdefault(strength, []).append(name)
    lines = []
    if grain["places"]:
        told = "none that can be told" if grain["noise"] is None else f"{grain['noise']:.2f} steps"
        places = len(grain["places"])
        where = "1 place" if places == 1 else f"{places} places"
        lines.append(f"film grain: {told}, by {where} of the film")
    for strength, names in sorted(strengths.items(), reverse=True):
        told = f"made anew, strength {strength}" if strength else "coded as it is: too little"
        lines.append(f"  {', '.join(names)}: {told}")
    return lines


def _choice_lines(choice: dict[str, Any], *, has_own_rungs: bool) -> list[str]:
    """A ladder's choice; rungs that come from the title have CRFs of their own to begin with."""
    crfs = [shot["crf"] for shot in choice["shots"]]
    by = "by proxies " if choice["target"] is None else ""
    if choice["target"] is None:
        goal = f"as good as CRF {choice['fixed_crf']:g} for all: {by}VMAF {choice['goal']:.2f}"
    else:
        goal = f"VMAF {choice['target']:g}, no shot below {choice['target'] - choice['margin']:g}"
    met = f"; in {choice['rounds']} rounds" if choice["rounds"] > 1 else ""
    slope = "" if choice["slope"] is None else (
        f"slope: the next point of VMAF costs {_bits(choice['slope'])}"
    )  # fmt: skip
    reach = f"CRF {min(crfs):g} to {max(crfs):g} over {len(crfs)} shots"
    name = choice["rung"]
    lines = [
        f"{name}: settings per shot, ladder {choice['ladder']}, preset {choice['preset']}",
        f"  goal: {goal}",
        f"  found: {by}VMAF {choice['vmaf']:.2f} in {_bits(choice['bits'])}{met}; {reach}",
        f"  searched: {_how(choice)}",
    ]
    if slope:
        lines.append(f"  {slope}")
    if choice["target"] is None:
        lines.append("  bits and VMAF of shots are those of the proxies")
    if choice["followers"]:
        same = "steps from their own CRFs" if has_own_rungs else "CRFs"
        lines.append(f"  the same {same}: {', '.join(choice['followers'])}")
    return lines


def _how(choice: dict[str, Any]) -> str:
    """By proxies, or by encodes as they ship."""
    proxy = choice["proxy"]
    if proxy is None:
        shots = choice["shots"]
        encodes = sum(len(shot["finals"]) for shot in shots)
        return f"encodes as they ship: {encodes}, of chunks: {len(shots)}"
    tried = ", ".join(f"{crf:g}" for crf in proxy["crfs"])
    size = f"{proxy['width']}x{proxy['height']}, " if "width" in proxy else ""
    return f"preset {proxy['preset']} at {size}CRF {tried}, 1 frame in {proxy['every']} scored"


_HEADS = ("shot", "from", "to", "CRF", "bits", "VMAF", "worst", "floor", "CRF 1 lower", "higher")
_POINT_HEADS = ("CRF", "bits", "VMAF", "worst", "known by")


def _shot_row(shot: dict[str, Any], rate: Fraction) -> tuple[str, ...]:
    likely = shot["likely"]
    beside = {one["crf"] - likely["crf"]: one for one in shot["neighbours"]}
    return (
        str(shot["shot"]), _clock(shot["start"] / rate), _clock(shot["end"] / rate),
        f"{shot['crf']:g}", _bits(likely["bits"]), f"{likely['vmaf']:.2f}",
        f"{likely['worst']:.2f}", f"{shot['floor']:.2f}",
        *(_beside(beside.get(step), likely) for step in (-1.0, 1.0)),
    )  # fmt: skip


def _beside(other: dict[str, Any] | None, taken: dict[str, Any]) -> str:
    """What a neighbour costs beside what was taken."""
    if other is None:
        return "-"
    more = 100 * (other["bits"] / taken["bits"] - 1) if taken["bits"] else 0.0
    return f"{more:+.1f} %, VMAF {other['vmaf'] - taken['vmaf']:+.2f}"


def _point_rows(shot: dict[str, Any]) -> list[tuple[str, ...]]:
    kinds = (
        ("finals", "an encode as it ships"),
        ("proxies", "a proxy"),
        ("neighbours", "the curve"),
    )
    rows = [
        (one["crf"], one["bits"], one["vmaf"], one.get("worst"), told)
        for kind, told in kinds
        for one in shot[kind]
    ]
    return [
        (f"{crf:g}", _bits(bits), f"{vmaf:.2f}", "" if worst is None else f"{worst:.2f}", told)
        for crf, bits, vmaf, worst, told in sorted(rows, key=lambda row: (row[0], row[4]))
    ]


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _bits(bits: int) -> str:
    """Bits by people's units."""
    if bits >= 1e9:
        return f"{bits / 1e9:.2f} Gbit"
    return f"{bits / 1e6:.2f} Mbit" if bits >= 1e6 else f"{bits / 1e3:.1f} kbit"


def _clock(seconds: Fraction) -> str:
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
