"""Search: points of rate and quality of a rung's chunks, each a step of the ledger.

A point is what a chunk at a setting has in bits and in VMAF. Those by proxy are encoded fast, and
of few frames scored; those of what ships come out of the chunks and scores that are made anyway.
Points name the clip and the setting alone, so they outlive the chunks that they were measured on,
and any ladder with that setting finds them.
"""

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation, Step
from matinee.core.errors import ToolError
from matinee.core.folded import Folded
from matinee.core.ids import canonical_json
from matinee.core.progress import Stage
from matinee.media.clips import ClipPlan
from matinee.media.comparison import Part
from matinee.media.estimate import encode_cost, score_cost
from matinee.media.hull import harmonic_mean
from matinee.media.ladder import Rung
from matinee.media.shot_models import Measured
from matinee.media.signature import Signature
from matinee.media.source import display_size, picture_parameters
from matinee.ports.tools import Clip
from matinee.stages.attempts import Attempts
from matinee.stages.bench import Bench, Made
from matinee.stages.chunks import ChunkState, Film, Proofs
from matinee.stages.encode import Studio, encode
from matinee.stages.passing import each_clip
from matinee.stages.together import in_turn

EVERY = 7
"""Of a proxy's frames one in so many is scored: not what encoders' patterns repeat by."""

READERS = 8
"""Points that are read at once."""

STAGE = "search"


@dataclass(frozen=True, slots=True)
class Quest:
    """What a search works with. ``clips`` of the film are its shots, with the ``parts`` of each.

    ``tries`` is what encodes as they ship took, in processor seconds, by clip and CRF.
    """

    bench: Bench
    studio: Studio
    source: Path
    film: Film
    parts: tuple[tuple[Part, ...], ...]
    proofs: Proofs
    tries: dict[tuple[int, float], float] = field(default_factory=dict)


def point_step(bench: Bench, film: Film, clip: ClipPlan, rung: Rung, every: int) -> Step:
    """Bits and VMAF of a clip at a setting, one frame in ``every`` scored."""
    parameters = {
        "rung": rung.as_parameters(),
        "starts": list(film.starts(clip)),
        "picture": picture_parameters(film.picture),
        "metric": "vmaf",
        "size": list(display_size(film.picture)),
        "every": every,
    }
    return Step("measure_point", 1, {"clip": clip.digest}, parameters, bench.tool_ids("ffmpeg"))


async def measure_proxies(quest: Quest, rungs: Sequence[Rung], line: str) -> list[list[Measured]]:
    """A point of every clip (outer) at every proxy (inner); what the ledger lacks is measured.

    ``line`` is the name of its line of progress, which is there.
    """
    bench, film = quest.bench, quest.film
    found = [
        await _known(bench, [point_step(bench, film, clip, rung, EVERY) for clip in film.clips])
        for rung in rungs
    ]
    table = _Proxies(quest, rungs, [list(row) for row in zip(*found, strict=True)], line)
    await table.complete()
    return await table.points()


async def _known(bench: Bench, steps: Sequence[Step]) -> list[Derivation | None]:
    """What the ledger has of points of one rendition, as far as it can be read."""
    found = bench.find_all(steps)
    lost = await bench.lost([one.outputs["point"] for one in found if one])
    return [None if one is None or one.outputs["point"].digest in lost else one for one in found]


@dataclass(frozen=True, slots=True)
class _Proxies:
    """Points of clips by proxies; None: still to be measured."""

    quest: Quest
    rungs: Sequence[Rung]
    found: list[list[Derivation | None]]
    line: str

    async def complete(self) -> None:
        """Measure what is not there."""
        bench, film = self.quest.bench, self.quest.film
        open_rows = {}
        for number, row in enumerate(self.found):
            for known in row:
                if known is not None:
                    bench.reused(STAGE, known)
            if any(known is None for known in row):
                open_rows[film.clips[number].frames.start] = number
            else:
                bench.progress.advanced(self.line, len(film.clips[number].frames), reused=True)
        if not open_rows:
            return
        folder = bench.scratch / "search"
        folder.mkdir(exist_ok=True)
        await each_clip(
            bench, self.quest.studio.indexer, self.quest.source, film.info, film.timeline,
            [film.clips[number] for number in open_rows.values()], folder,
            lambda clip: self._measure(clip, open_rows[clip.plan.frames.start], folder),
        )  # fmt: skip

    async def _measure(self, clip: Clip, number: int, above: Path) -> None:
        """All points that one clip lacks. Holds a slot."""
        bench, film, studio = self.quest.bench, self.quest.film, self.quest.studio
        row = self.found[number]
        lacking = [place for place, known in enumerate(row) if known is None]
        rungs = [self.rungs[place] for place in lacking]
        folder = above / f"{clip.plan.frames.start:07d}"
        folder.mkdir(exist_ok=True)
        outputs = [folder / f"{place}.mp4" for place in lacking]
        steps = [point_step(bench, film, clip.plan, rung, EVERY) for rung in rungs]
        try:
            with Attempts(bench, STAGE, steps, [1] * len(steps)) as tries:
                coded = await studio.encoder.encode(
                    clip, film.picture, rungs, film.starts(clip.plan), outputs, lambda _: None
                )
                scores, spent = await studio.meter.sample(
                    clip, film.picture, rungs, outputs, EVERY, folder, lambda _: None
                )
                tries.spent(coded.cpu_s + spent.cpu_s)
                for n, (place, output) in enumerate(zip(lacking, outputs, strict=True)):
                    size = await _bytes(studio, output)
                    _check_count(clip.plan, scores[n], EVERY)
                    made = {"point": Made(_point_json(size, scores[n]), "application/json")}
                    row[place] = await tries.record(n, made)
        finally:
            clip.path.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
        bench.progress.advanced(self.line, len(clip.plan.frames))

    async def points(self) -> list[list[Measured]]:
        """All, read."""
        quest = self.quest

        async def read(place: tuple[int, int]) -> Measured:
            row, column = place
            known = self.found[row][column]
            assert known is not None
            return await _read(quest.bench, known, self.rungs[column].crf, quest.parts[row], EVERY)

        columns = len(self.rungs)
        places = [(row, column) for row in range(len(self.found)) for column in range(columns)]
        flat = await in_turn(read, places, READERS)
        return [list(flat[n : n + columns]) for n in range(0, len(flat), columns)]


async def measure_finals(
    quest: Quest, rung: Rung, crfs: Mapping[int, float], reference: Signature, line: str
) -> dict[int, Measured]:
    """The points of clips (by number) as they ship, at those CRFs; each is encoded if need be.

    ``line`` is the name of its line of progress.
    """
    bench, film = quest.bench, quest.film
    rungs = {number: replace(rung, crf=crf) for number, crf in crfs.items()}
    steps = {n: point_step(bench, film, film.clips[n], one, 1) for n, one in rungs.items()}
    known = dict(zip(steps, await _known(bench, list(steps.values())), strict=True))
    lacking = [number for number, derivation in known.items() if derivation is None]
    if lacking:
        part = replace(
            film,
            clips=tuple(film.clips[number] for number in lacking),
            rungs=(rung,),
            crfs={rung.name: tuple(crfs[number] for number in lacking)},
        )
        progress = Folded(bench.progress, line, line)
        frames = 2 * sum(len(clip.frames) for clip in part.clips)  # encoded, and scored
        cost = encode_cost(rung) + score_cost(*display_size(film.picture))
        bench.progress.started(Stage(line, frames, cost / 2))
        table = await encode(
            replace(bench, progress=progress), quest.studio, quest.source, part, reference,
            replace(quest.proofs, scored=True),
        )  # fmt: skip
        bench.progress.finished(line)
        for number, (state,) in zip(lacking, table, strict=True):
            steps_of_it = (state.encoded, state.signed, state.scored)
            quest.tries[number, crfs[number]] = sum(one.cost.cpu_s for one in steps_of_it if one)
            known[number] = await _note(quest, steps[number], state)

    async def read(number: int) -> Measured:
        derivation = known[number]
        assert derivation is not None
        return await _read(bench, derivation, crfs[number], quest.parts[number], 1)

    points = await in_turn(read, list(crfs), READERS)
    return dict(zip(crfs, points, strict=True))


async def _note(quest: Quest, step: Step, state: ChunkState) -> Derivation:
    """Keep the point of a chunk that was encoded and scored."""
    bench = quest.bench
    assert state.chunk is not None and state.scores is not None  # noqa: PT018
    chunk: Asset = state.chunk

    async def look() -> tuple[dict[str, Made], float]:
        assert state.scores is not None
        scores: NDArray[np.float32] = np.frombuffer(await bench.read(state.scores), "<f4")
        async with bench.files([chunk]) as (file,):
            size = await _bytes(quest.studio, file)
        return {"point": Made(_point_json(size, scores.tolist()), "application/json")}, 0.0

    return await bench.derive(STAGE, step, look)


async def _bytes(studio: Studio, chunk: Path) -> int:
    """Of all coded frames, without the container."""
    return int((await asyncio.to_thread(studio.indexer.frame_bytes, chunk)).sum())


def _point_json(size_bytes: int, scores: Sequence[float]) -> bytes:
    document = {"bytes": size_bytes, "scores": [round(score, 3) for score in scores]}
    return canonical_json(document).encode()


def _check_count(clip: ClipPlan, scores: Sequence[float], every: int) -> None:
    """Whether every frame that was to be scored was.

    Raises:
        ToolError: it was not.
    """
    wanted = -(-len(clip.frames) // every)
    if len(scores) != wanted:
        raise ToolError(f"{len(scores)} of {wanted} frames were scored in a search")


async def _read(
    bench: Bench, derivation: Derivation, crf: float, parts: Sequence[Part], every: int
) -> Measured:
    document: Mapping[str, Any] = json.loads(await bench.read(derivation.outputs["point"]))
    return measured_of(document, crf, parts, every)


def measured_of(
    document: Mapping[str, Any], crf: float, parts: Sequence[Part], every: int
) -> Measured:
    """A point of a clip as its document has it; ``parts`` are the shots in the clip, from 0."""
    scores = np.asarray(document["scores"], np.float64)
    numbers = np.arange(len(scores)) * every
    inside = [scores[(numbers >= part.among.start) & (numbers < part.among.stop)] for part in parts]
    means = [float(part.mean()) for part in inside if len(part)]
    loss = float(np.sum(1 / (scores + 1)))
    assert loss > 0
    return Measured(crf, 8.0 * document["bytes"], harmonic_mean(loss, len(scores)), min(means))
