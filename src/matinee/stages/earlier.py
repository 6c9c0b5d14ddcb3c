"""Earlier titles in the ledger: what a search of rungs learns of them.

What a search began with is one of its parameters. So the same film has the same rungs when it comes
again, however many titles came between; and no title needs another one's documents.
"""

import json
from typing import Any

from matinee.assets.derivation import Derivation, Step
from matinee.core.ids import canonical_json
from matinee.media.foretold import Lesson, Start, read_lesson, start_of
from matinee.ports.ledger import RUNGS
from matinee.stages.bench import Bench

ASKED = 32
"""So many of the newest searches are looked at."""

OWN = 8
"""So many of a film's own: one for each ladder, and of each ladder the newest."""

ANY = {"rate", "level"}
"""What rungs of two titles that teach each other may differ in."""


def known_start(bench: Bench, step: Step) -> tuple[bool, Start | None]:
    """Whether this search was made before, and what it began with then.

    ``step`` is that of a search that begins with nothing.
    """
    for known in bench.ledger.newest(RUNGS, OWN, next(iter(step.inputs.values()))):
        parameters = dict(known.step.parameters)
        start = parameters.pop("start", None)
        if known.step.inputs == step.inputs and parameters == dict(step.parameters):
            return True, start and start_of(start)
    return False, None


async def lessons_for(bench: Bench, step: Step) -> list[Lesson]:
    """What the newest titles teach that were searched as this one is to be, each title once."""
    found: dict[str, Lesson] = {}
    wanted = _kind(step)
    for known in bench.ledger.newest(RUNGS, ASKED):
        film = canonical_json(dict(known.step.inputs))
        if film not in found and _kind(known.step) == wanted:
            lesson = await _lesson(bench, known)
            found |= {film: lesson} if lesson else {}
    return list(found.values())


def _kind(step: Step) -> dict[str, Any]:
    """What two searches have in common that teach each other."""
    told = step.parameters
    rungs = [{name: one[name] for name in one.keys() - ANY} for one in told["rungs"]]
    return {
        "version": step.version,
        "rungs": rungs,
        **{name: told.get(name) for name in ("proxies", "every", "base", "shown")},
    }


async def _lesson(bench: Bench, known: Derivation) -> Lesson | None:
    """Of a search that measured its curves; None: it did not, or its document is gone."""
    asset = known.outputs.get("lesson")
    if asset is None or await bench.lost([asset]):
        return None
    return read_lesson(json.loads(await bench.read(asset)))
