"""One chunk of one rung: how it was made, how good it is, and every try at it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from anyio import to_thread

from matinee.apps.web.service import Service
from matinee.assets.asset import object_key
from matinee.assets.derivation import Derivation, Step
from matinee.core.errors import NotFound, ObjectMissing
from matinee.core.ids import Digest
from matinee.ports.runs import Run
from matinee.stages.cells import step_of_cell


@dataclass(frozen=True, slots=True)
class _Made:
    """What the ledger has of a cell."""

    recipe: Digest | None
    key: Digest | None
    encoded: Derivation | None
    scored: Derivation | None


async def cell_json(service: Service, run: Run, rung: str, chunk: int) -> dict[str, Any]:
    """A cell of a run's grid.

    Raises:
        NotFound: the grid is not known yet, or has no such cell.
    """
    grid: Mapping[str, Any] = run.progress.get("grid") or {}
    letters = grid.get("cells", {}).get(rung, "")
    if not 0 <= chunk < len(letters):
        raise NotFound(f"run {run.id!r} has no cell {rung}/{chunk}", "see the grid of the run")
    step = await _step(service, grid, rung, chunk)
    made = await to_thread.run_sync(_look, service, run, rung, chunk, step)
    keys = [each.step.key for each in (made.encoded, made.scored) if each is not None]
    if made.encoded is None and made.key is not None:
        keys.append(made.key)
    tries = await to_thread.run_sync(service.lineage.tries, run.id, keys)
    return {
        "rung": rung,
        "chunk": chunk,
        "state": letters[chunk],
        "frames": list(grid["chunks"][chunk]),
        "key": made.key,
        "recipe": made.recipe,
        "encoded": made.encoded and derivation_json(made.encoded),
        "scored": made.scored and derivation_json(made.scored),
        "score": made.scored and await _score(service, made.scored),
        "log": [
            {
                "function": each.function,
                "started_at": each.started_at.isoformat(),
                "ended_at": each.ended_at and each.ended_at.isoformat(),
                "outcome": each.outcome,
                "reason": each.reason,
            }
            for each in tries
        ],
    }


def derivation_json(derivation: Derivation) -> dict[str, Any]:
    """How something was made."""
    step, cost = derivation.step, derivation.cost
    return {
        "function": step.function,
        "version": step.version,
        "key": step.key,
        "inputs": dict(step.inputs),
        "parameters": dict(step.parameters),
        "tools": dict(step.tools),
        "host": cost.host,
        "started_at": cost.started_at.isoformat(),
        "wall_s": cost.wall_s,
        "cpu_s": cost.cpu_s,
        "outputs": {role: asset.digest for role, asset in derivation.outputs.items()},
    }


async def _step(service: Service, grid: Mapping[str, Any], rung: str, chunk: int) -> Step | None:
    """The step of a cell, where the worker kept what names the cells."""
    sheet = grid.get("sheet")
    if sheet is None:
        return None
    try:
        document = json.loads(await service.store.read(object_key(sheet)))
    except ObjectMissing:
        return None
    return step_of_cell(document, rung, chunk)


def _look(service: Service, run: Run, rung: str, chunk: int, step: Step | None) -> _Made:
    """What the ledger has of a cell; without its step, by the package that the run made."""
    if step is not None:
        encoded = service.lineage.of_recipe(step.recipe)
    else:
        encoded = _packaged(service, run, rung, chunk)
        step = encoded.step if encoded else None
    scored = None
    if encoded is not None:
        made = encoded.outputs["chunk"].digest
        scored = service.lineage.that_used(made, "score_chunk", "chunk")
    tried = encoded.step if encoded else step
    if tried is None:
        return _Made(None, None, None, None)
    return _Made(tried.recipe, tried.key, encoded, scored)


def _packaged(service: Service, run: Run, rung: str, chunk: int) -> Derivation | None:
    """What made the chunk that the run's package has there, if it has a package."""
    result = run.result or {}
    title, package_id = result.get("title"), result.get("package")
    if title is None or package_id is None:
        return None
    try:
        package = service.catalog.packages.get(title, package_id)
    except NotFound:
        return None
    own = next((d for path, d in package.files.items() if path.startswith("packages/")), None)
    packaged = own and service.lineage.that_made(own, "package")
    made = packaged and packaged.step.inputs.get(f"video/{rung}/{chunk:05d}")
    return service.lineage.that_made(made, "encode_chunk") if made else None


async def _score(service: Service, scored: Derivation) -> dict[str, float] | None:
    try:
        content = await service.store.read(object_key(scored.outputs["scores"].digest))
    except ObjectMissing:
        return None
    scores = np.frombuffer(content, dtype="<f4").astype(float)
    if len(scores) == 0:
        return None
    return {
        "mean": round(float(scores.mean()), 3),
        "min": round(float(scores.min()), 3),
        "p5": round(float(np.percentile(scores, 5)), 3),
    }
