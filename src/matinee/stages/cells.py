"""What names each cell of a film's grid, kept so that people can ask after it while it is made.

One small document for the whole grid: the clips, the rungs and the tools. The step of a cell is put
together from it when somebody asks.
"""

from collections.abc import Mapping
from typing import Any

from matinee.assets.asset import object_key
from matinee.assets.derivation import Step
from matinee.core.ids import Digest, canonical_json, digest_of
from matinee.media.source import picture_parameters
from matinee.stages.bench import Bench
from matinee.stages.chunks import Film, encode_step_of


async def keep_cells(bench: Bench, film: Film) -> Digest:
    """Store what names the cells; gives the document's digest."""
    document = {
        "tools": dict(bench.tool_ids("ffmpeg")),
        "picture": picture_parameters(film.picture),
        "rungs": {rung.name: rung.as_parameters() for rung in film.rungs},
        "clips": [[clip.digest, list(film.starts(clip))] for clip in film.clips],
        **({"crfs": {name: list(crfs) for name, crfs in film.crfs.items()}} if film.crfs else {}),
    }
    body = canonical_json(document).encode()
    digest = digest_of(body)
    key = object_key(digest)
    if await bench.store.size(key) is None:
        await bench.store.write(key, body)
    return digest


def step_of_cell(document: Mapping[str, Any], rung: str, chunk: int) -> Step:
    """The step that codes a chunk (from 0) for a rung."""
    clip, starts = document["clips"][chunk]
    told = document["rungs"][rung]
    if rung in document.get("crfs", {}):
        told = {**told, "crf": document["crfs"][rung][chunk]}
    return encode_step_of(clip, told, starts, document["picture"], document["tools"])
