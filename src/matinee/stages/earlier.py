"""Earlier titles in the ledger: what a search of rungs learns of them.

What a search began with is one of its parameters. So the same film has the same rungs when it comes
again, however many titles came between; and no title needs another one's documents.
"""

import json
from dataclasses import replace
from typing import Any

from matinee.assets.derivation import Derivation, Step
from matinee.core.errors import ObjectDamaged, ObjectMissing
from matinee.media.foretold import Lesson, Start, read_lesson, start_of
from matinee.ports.ledger import RUNGS
from matinee.stages.bench import Bench

ASKED = 32
"""So many of the newest lessons are looked at."""

OWN = 1000
"""So many searches of a film are looked through: one for each wish that there ever was."""

ANY = {"rate", "level"}
"""What rungs of two titles that teach each other may differ in."""

NEWER = ("base", "shown")
"""Parameters that older searches do not have."""


def known_search(bench: Bench, step: Step) -> Step | None:
    """The step of this search as the ledger has it, whatever it began with; None: it has none.

    ``step`` is that of a search that begins with nothing.
    """
    clips = list(step.inputs.values())
    # Films begin and end with the same logos and black; hardly two have the same in the middle.
    for known in bench.ledger.newest(RUNGS, OWN, of=clips[len(clips) // 2]):
        newer = {name: step.parameters[name] for name in NEWER}
        parameters = {**newer, **known.step.parameters}
        parameters.pop("start", None)
        if known.step.inputs == step.inputs and parameters == dict(step.parameters):
            return replace(step, parameters=known.step.parameters)
    return None


def start_in(step: Step) -> Start | None:
    """What a search began with."""
    start = step.parameters.get("start")
    return start and start_of(start)


async def lessons_for(bench: Bench, step: Step) -> list[Lesson]:
    """What the newest titles teach that were searched as this one is to be, each title once.

    Nothing where this film is one of them: then all its points are known.
    """
    found: dict[tuple[str, ...], Lesson] = {}
    wanted = _kind(step)
    for known in bench.ledger.newest(RUNGS, ASKED, giving="lesson"):
        film = tuple(known.step.inputs.values())
        if _kind(known.step) != wanted or film in found:
            continue
        if known.step.inputs == step.inputs:
            return []
        lesson = await _lesson(bench, known)
        found |= {film: lesson} if lesson else {}
    return list(found.values())


def _kind(step: Step) -> dict[str, Any]:
    """What two searches have in common that teach each other."""
    told = step.parameters
    lists = {
        name: [{key: one[key] for key in one.keys() - ANY} for one in told.get(name, ())]
        for name in ("rungs", "base")
    }
    return {**lists, **{name: told.get(name) for name in ("proxies", "every", "shown")}}


async def _lesson(bench: Bench, known: Derivation) -> Lesson | None:
    """What a search that measured every size tells; None: its document is gone or damaged."""
    asset = known.outputs["lesson"]
    try:
        return read_lesson(json.loads(await bench.read(asset)))
    except (ObjectDamaged, ObjectMissing):
        return None
