"""``python -m benchmarks``: runs the benchmarks, prints their figures in one table."""

import argparse
import compileall
import json
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import matinee
from benchmarks.film import CACHE, get_film
from benchmarks.machine import this_machine
from benchmarks.table import Figure, render
from benchmarks.workplace import Workplace, tell

NAMES = (
    "startup", "inspect", "bookkeeping", "resume", "events", "dispatch", "idle", "scrub",
    "repair_plan", "preview", "second_run", "bucket", "pipeline", "shaka_streamer", "chunking",
    "ladders", "optimise", "budget", "target", "per_title", "series", "whole",
)  # fmt: skip
"""The quick ones first."""

GROUPS = {"bits": ("ladders", "optimise", "budget", "target", "per_title", "series", "whole")}
"""Names for several: ``bits`` is all that is said of bits and quality."""


def main() -> int:
    """Figures are reported, not asserted: only a benchmark that breaks makes the exit code 1."""
    options = _options(sys.argv[1:])
    compileall.compile_dir(Path(matinee.__file__).parent, quiet=2)  # as pip does at installing
    machine = this_machine()
    film = get_film(options.seconds)
    lines = [*machine.lines(), f"film: {film.words}; {options.repeats} repeats, taking turns"]
    print("\n".join(lines), flush=True)
    figures: list[Figure] = []
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="matinee-benchmarks-") as root:
        place = Workplace(
            film,
            options.repeats,
            tuple(options.rungs),
            options.derivations,
            Path(root),
            options.seconds,
            options.shots,
            options.json.parent if options.json else CACHE,
        )
        for name in chosen(options.only):
            tell(name)
            try:
                for figure in import_module(f"benchmarks.{name}").run(place):
                    figures.append(figure)
                    tell(" | ".join(figure.cells()))  # so that an interrupted run has told it
            except Exception:  # noqa: BLE001  # the others are still worth running
                traceback.print_exc()
                broken.append(name)
    print(f"\n{render(figures)}\n")
    print("\n".join(place.notes))
    if options.json:
        document = {
            "machine": machine.as_json(),
            "film": film.words,
            "repeats": options.repeats,
            "figures": [figure.as_json() for figure in figures],
            "notes": place.notes,
            "broken": broken,
        }
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    if broken:
        print(f"broken: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


def chosen(names: Sequence[str]) -> list[str]:
    """The benchmarks of those names and groups, each once."""
    return list(dict.fromkeys(one for name in names for one in GROUPS.get(name, (name,))))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure Matinee against its peers, in one run."
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=(*NAMES, *GROUPS), default=NAMES,
        help=f"which benchmarks (default: all): {', '.join(NAMES)}; several: {', '.join(GROUPS)}",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=_whole, default=60, help="length of the film's cut (default: 60)"
    )
    parser.add_argument(
        "--repeats", type=_whole, default=3, help="how often each pair takes turns (default: 3)"
    )
    parser.add_argument(
        "--rungs", nargs="+", metavar="RUNG", default=["480p"],
        help="the rungs of chunking (default: 480p)",
    )  # fmt: skip
    parser.add_argument(
        "--derivations", type=_whole, default=10_000,
        help="how many bookkeeping writes and looks up (default: 10000)",
    )  # fmt: skip
    parser.add_argument(
        "--shots", type=_whole, default=20,
        help="how many shots of the whole film ladders and optimise measure (default: 20)",
    )  # fmt: skip
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write all figures as JSON too, plots beside it",
    )
    return parser.parse_args(arguments)


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
