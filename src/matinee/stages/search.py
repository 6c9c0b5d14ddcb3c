"""Search: points of rate and quality of a rung's chunks, each a step of the ledger.

A point is what a chunk at a setting has in bits and in VMAF. Those by proxy are encoded fast, and
of few frames scored; those of what ships come out of the chunks and scores that are made anyway.
Points name the clip and the setting alone, so they outlive the chunks that they were measured on,
and any ladder with that setting finds them.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
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
from matinee.core.progress import Silent, Stage
from matinee.media.clips import ClipPlan
from matinee.media.comparison import Part
from matinee.media.estimate import encode_cost, score_cost
from matinee.media.hull import harmonic_mean, loss_of
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
    return await _sampled(quest, rungs, line, await _found(quest, rungs))


async def measure_anchors(
    quest: Quest, rungs: Sequence[Rung], reference: Signature, line: str
) -> tuple[list[list[Measured]], list[list[float]]]:
    """The same of chunks as they ship, encoded if need be; and the seconds that each encode took.

    ``line`` is the name of its line of progress.
    """
    bench, film = quest.bench, quest.film
    frames = sum(len(clip.frames) for clip in film.clips)
    bench.progress.started(Stage(line, frames, sum(map(encode_cost, rungs))))
    table = await encode(
        replace(bench, progress=Folded(Silent(), line, line)), quest.studio, quest.source,
        replace(film, rungs=tuple(rungs), crfs={}), reference, replace(quest.proofs, scored=False),
    )  # fmt: skip
    coded = [[state.chunk for state in row if state.chunk] for row in table]
    points = await _sampled(quest, rungs, line, await _found(quest, rungs), coded)
    bench.progress.finished(line)
    return points, [[_cpu_s(state) for state in row] for row in table]


def _cpu_s(state: ChunkState) -> float:
    """What all that there is of a chunk took."""
    return sum(one.cost.cpu_s for one in (state.encoded, state.signed, state.scored) if one)


async def _found(quest: Quest, rungs: Sequence[Rung]) -> list[list[Derivation | None]]:
    """What the ledger has, by rung."""
    bench, film = quest.bench, quest.film
    return [
        await _known(bench, [point_step(bench, film, clip, rung, EVERY) for clip in film.clips])
        for rung in rungs
    ]


async def _sampled(
    quest: Quest, rungs: Sequence[Rung], line: str,
    found: Sequence[Sequence[Derivation | None]], coded: Sequence[Sequence[Asset]] = (),
) -> list[list[Measured]]:  # fmt: skip
    rows = [list(row) for row in zip(*found, strict=True)]
    table = _Proxies(quest, rungs, rows, line, coded)
    await table.complete()
    return await table.points()


async def _known(bench: Bench, steps: Sequence[Step]) -> list[Derivation | None]:
    """What the ledger has of points of one rendition, as far as it can be read."""
    found = bench.find_all(steps)
    lost = await bench.lost([one.outputs["point"] for one in found if one])
    return [None if one is None or one.outputs["point"].digest in lost else one for one in found]


@dataclass(frozen=True, slots=True)
class _Proxies:
    """Points of clips by proxies; None: still to be measured.

    ``coded`` has the chunks where they are there already.
    """

    quest: Quest
    rungs: Sequence[Rung]
    found: list[list[Derivation | None]]
    line: str
    coded: Sequence[Sequence[Asset]] = ()

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
                async with self._chunks(clip, number, lacking, outputs) as (files, cpu_s):
                    scores, spent = await studio.meter.sample(
                        clip, film.picture, rungs, files, EVERY, folder, lambda _: None
                    )
                    sizes = [await _bytes(studio, file) for file in files]
                tries.spent(cpu_s + spent.cpu_s)
                for n, place in enumerate(lacking):
                    _check_count(clip.plan, scores[n], EVERY)
                    made = {"point": Made(_point_json(sizes[n], scores[n]), "application/json")}
                    row[place] = await tries.record(n, made)
        finally:
            clip.path.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
        bench.progress.advanced(self.line, len(clip.plan.frames))

    @asynccontextmanager
    async def _chunks(
        self, clip: Clip, number: int, lacking: Sequence[int], outputs: Sequence[Path]
    ) -> AsyncIterator[tuple[Sequence[Path], float]]:
        """The chunks of what a clip lacks, as files; and the seconds that it took to make them."""
        bench, film, studio = self.quest.bench, self.quest.film, self.quest.studio
        if self.coded:
            async with bench.files([self.coded[number][place] for place in lacking]) as files:
                yield files, 0.0
        else:
            rungs = [self.rungs[place] for place in lacking]
            spent = await studio.encoder.encode(
                clip, film.picture, rungs, film.starts(clip.plan), outputs, lambda _: None
            )
            yield outputs, spent.cpu_s

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
            quest.tries[number, crfs[number]] = _cpu_s(state)
            known[number] = await _note(quest, steps[number], state)

    async def read(number: int) -> Measured:
        derivation = known[number]
        assert derivation is not None
        return await _read(bench, derivation, crfs[number], quest.parts[number], 1)

    points = await in_turn(read, list(crfs), READERS)
    return dict(zip(crfs, points, strict=True))


async def measure_whole(
    quest: Quest, rungs: Sequence[Rung], crfs: Mapping[str, tuple[float, ...]],
    reference: Signature, line: str,
) -> list[tuple[Measured, float]]:  # fmt: skip
    """Rungs as they ship, over the whole film, encoded and scored if need be; and what each took.

    ``crfs`` are those of the chunks, by rung, where a rung has not one for all. ``line`` is the
    name of its line of progress.
    """
    bench, film = quest.bench, quest.film
    part = replace(film, rungs=tuple(rungs), crfs=dict(crfs))
    frames = 2 * len(rungs) * sum(len(clip.frames) for clip in film.clips)  # encoded, and scored
    cost = sum(map(encode_cost, rungs)) / len(rungs) + score_cost(*display_size(film.picture))
    bench.progress.started(Stage(line, frames, cost / 2))
    table = await encode(
        replace(bench, progress=Folded(bench.progress, line, line)), quest.studio, quest.source,
        part, reference, replace(quest.proofs, scored=True),
    )  # fmt: skip
    bench.progress.finished(line)
    found = []
    for number, rung in enumerate(rungs):
        states = [row[number] for row in table]
        points = await in_turn(lambda one: _whole_chunk(quest, *one), enumerate(states), READERS)
        loss = sum(
            loss_of(one.quality, len(state.clip.frames))
            for one, state in zip(points, states, strict=True)
        )
        mean = harmonic_mean(loss, film.plan.frames)
        bits, worst = sum(one.bits for one in points), min(one.worst for one in points)
        cpu_s = sum(_cpu_s(state) for state in states)
        found.append((Measured(rung.crf, bits, mean, worst), cpu_s))
    return found


async def _whole_chunk(quest: Quest, number: int, state: ChunkState) -> Measured:
    document = json.loads(await _point_of(quest, state))
    return measured_of(document, state.rung.crf, quest.parts[number], 1)


async def _note(quest: Quest, step: Step, state: ChunkState) -> Derivation:
    """Keep the point of a chunk that was encoded and scored."""

    async def look() -> tuple[dict[str, Made], float]:
        return {"point": Made(await _point_of(quest, state), "application/json")}, 0.0

    return await quest.bench.derive(STAGE, step, look)


async def _point_of(quest: Quest, state: ChunkState) -> bytes:
    """The document of a chunk that was encoded and scored."""
    bench = quest.bench
    assert state.chunk is not None and state.scores is not None  # noqa: PT018
    chunk: Asset = state.chunk
    scores: NDArray[np.float32] = np.frombuffer(await bench.read(state.scores), "<f4")
    async with bench.files([chunk]) as (file,):
        size = await _bytes(quest.studio, file)
    return _point_json(size, scores.tolist())


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
