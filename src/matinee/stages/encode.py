"""Encode: every chunk to every rung, each (chunk, rung) a derivation of its own.

- One process makes all missing rungs of a chunk and codec, so that the source is decoded once.
- A chunk enters the ledger only after it was decoded again and every frame of it shows the frame of
  the source that it should.
- Then its quality is measured, all frames, against the same frames of the source.
"""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from matinee.core.errors import MatineeError
from matinee.core.ids import Digest
from matinee.core.progress import CellState, Stage
from matinee.core.time import FrameSpan
from matinee.media.estimate import encode_cost, score_cost
from matinee.media.ladder import Rung
from matinee.media.signature import Signature
from matinee.media.source import display_size
from matinee.ports.tools import Clip, Encoder, Indexer, Measured, Meter
from matinee.stages.attempts import Attempts
from matinee.stages.bench import Bench, Made
from matinee.stages.cells import keep_cells
from matinee.stages.checks import blamed_on_caps, check_frames, check_pairing
from matinee.stages.chunks import (
    ChunkState,
    Film,
    Proofs,
    Table,
    count_reused,
    drop_lost,
    encode_step,
    look_up,
    score_step,
    sign_step,
)
from matinee.stages.counting import Counter
from matinee.stages.passing import each_clip


@dataclass(frozen=True, slots=True)
class Studio:
    """The tools that encoding needs."""

    indexer: Indexer
    encoder: Encoder
    meter: Meter


async def encode(
    bench: Bench, studio: Studio, source: Path, film: Film, reference: Signature, proofs: Proofs,
    table: Table | None = None,
) -> Table:  # fmt: skip
    """Make what the ledger lacks and what of its chunks is lost; gives the complete table.

    ``table`` is what ``look_up`` gave, where it was asked just now.

    Raises:
        EncoderFailed: an encoder failed, or a chunk's frames are not those of the source.
    """
    table = look_up(bench, film, proofs) if table is None else table
    await drop_lost(bench, table)
    count_reused(bench, table)
    open_rows = [row for row in table if any(state.lacks(proofs) for state in row)]
    is_kept = bench.progress.is_asked and open_rows
    cells = await keep_cells(bench, film) if is_kept else None
    tell_stages(bench, film, table, proofs, cells)
    if open_rows:
        line = _Line(bench, studio, film, reference, proofs)
        await line.run(source, open_rows)
    tell_finished(bench, film, proofs)
    return table


def tell_stages(
    bench: Bench, film: Film, table: Table, proofs: Proofs, cells: Digest | None = None
) -> None:
    """Open a line of progress for each rung, with what need not be made.

    ``cells`` is the document that names them; see ``keep_cells``.
    """
    frames = sum(len(clip.frames) for clip in film.clips)
    spans = [(clip.frames.start, clip.frames.end) for clip in film.clips]
    bench.progress.planned([rung.name for rung in film.rungs], spans, cells)
    for rung in film.rungs:
        bench.progress.started(Stage(f"encode {rung.name}", frames, encode_cost(rung)))
    for rung in film.rungs if proofs.scored else ():
        cost = score_cost(*display_size(film.picture))
        bench.progress.started(Stage(f"score {rung.name}", frames, cost))
    for row in table:
        for state in row:
            count = len(state.clip.frames)
            if state.encoded:
                bench.progress.advanced(f"encode {state.rung.name}", count, reused=True)
            if state.scored:
                bench.progress.advanced(f"score {state.rung.name}", count, reused=True)
            if not state.lacks(proofs):
                bench.progress.cell(state.rung.name, state.clip.frames.start, "reused")


def tell_finished(bench: Bench, film: Film, proofs: Proofs) -> None:
    """Close the lines of progress."""
    for rung in film.rungs:
        bench.progress.finished(f"encode {rung.name}")
        if proofs.scored:
            bench.progress.finished(f"score {rung.name}")


def of_one_codec(row: Sequence[ChunkState]) -> list[list[ChunkState]]:
    """The states by codec: what one process makes, so that its memory does not grow with them."""
    groups: dict[str, list[ChunkState]] = {}
    for state in row:
        groups.setdefault(state.rung.codec, []).append(state)
    return list(groups.values())


class _Line:
    """All work on the clips of a film."""

    def __init__(
        self, bench: Bench, studio: Studio, film: Film, reference: Signature, proofs: Proofs
    ) -> None:
        self._bench, self._studio, self._film = bench, studio, film
        self._reference, self._proofs = reference, proofs
        self._folder = bench.scratch / "chunks"
        self._folder.mkdir(exist_ok=True)

    async def run(self, source: Path, rows: Sequence[list[ChunkState]]) -> None:
        by_start = {row[0].clip.frames.start: row for row in rows}
        film = self._film
        await each_clip(
            self._bench, self._studio.indexer, source, film.info, film.timeline,
            [row[0].clip for row in rows], self._folder,
            lambda clip: self._chunk(clip, by_start[clip.plan.frames.start]),
        )  # fmt: skip

    async def _chunk(self, clip: Clip, row: list[ChunkState]) -> None:
        """Everything that one clip lacks. Holds a slot."""
        folder = self._folder / f"{clip.plan.frames.start:07d}"
        folder.mkdir(exist_ok=True)
        open_states = [state for state in row if state.lacks(self._proofs)]
        self._tell(open_states, "running")
        try:
            for states in of_one_codec(row):
                await self._encode(clip, [one for one in states if one.encoded is None], folder)
                if self._proofs.signed:
                    await self._sign([one for one in states if one.signed is None], folder)
                if self._proofs.scored:
                    await self._score(clip, [one for one in states if one.scored is None], folder)
        except MatineeError:
            self._tell(open_states, "failed")
            raise
        finally:
            clip.path.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
        self._tell(open_states, "done")

    def _tell(self, states: Sequence[ChunkState], how: CellState) -> None:
        for state in states:
            self._bench.progress.cell(state.rung.name, state.clip.frames.start, how)

    async def _encode(self, clip: Clip, states: Sequence[ChunkState], folder: Path) -> None:
        if not states:
            return
        bench, film = self._bench, self._film
        steps = [encode_step(bench, film, clip.plan, state.rung) for state in states]
        counter = Counter(bench.progress, *(f"encode {state.rung.name}" for state in states))
        outputs = [folder / f"{state.rung.name}.mp4" for state in states]
        rungs = [state.rung for state in states]
        with Attempts(
            bench, "encode", steps, [r.width * r.height for r in rungs], counter
        ) as tries:
            with blamed_on_caps(rungs):
                spent = await self._studio.encoder.encode(
                    clip, film.picture, rungs, film.starts(clip.plan), outputs, counter.reached
                )
                tries.spent(spent.cpu_s)
                counter.reached(len(clip.plan.frames))
                signatures = await self._signatures(clip.plan.frames, rungs, outputs, folder)
            for number, state in enumerate(states):
                made = {"chunk": Made(outputs[number], "video/mp4")}
                state.encoded = await tries.record(number, made)
                if signatures:
                    await self._record_signature(state, signatures[number])
            self._tell(states, "encoded")

    async def _signatures(
        self, span: FrameSpan, rungs: Sequence[Rung], chunks: Sequence[Path], folder: Path
    ) -> list[tuple[Measured, float]]:
        if not self._proofs.signed:
            return []
        measured, spent = await self._studio.meter.measure(
            None, self._film.picture, rungs, chunks, folder, lambda _: None
        )
        for rung, one in zip(rungs, measured, strict=True):
            check_frames(
                self._reference[span.start : span.end], one.signature, span.start, rung.name
            )
        return [(one, spent.cpu_s / len(measured)) for one in measured]

    async def _record_signature(self, state: ChunkState, signed: tuple[Measured, float]) -> None:
        assert state.chunk is not None
        measured, cpu_s = signed
        step = sign_step(self._bench, state.chunk.digest, state.rung)
        made = {"signature": Made(measured.signature.tobytes(), "application/x-matinee-signature")}
        with Attempts(self._bench, "prove", [step], [1]) as tries:
            tries.spent(cpu_s)
            state.signed = await tries.record(0, made)

    async def _sign(self, states: Sequence[ChunkState], folder: Path) -> None:
        """Sign chunks that the ledger has without a signature."""
        if not states:
            return
        rungs = [state.rung for state in states]
        async with self._files(states, folder) as chunks:
            signatures = await self._signatures(states[0].clip.frames, rungs, chunks, folder)
        for state, signature in zip(states, signatures, strict=True):
            await self._record_signature(state, signature)

    async def _score(self, clip: Clip, states: Sequence[ChunkState], folder: Path) -> None:
        if not states:
            return
        bench, film = self._bench, self._film
        pairs = [(state.chunk, state.rung) for state in states if state.chunk]
        steps = [score_step(bench, film, clip.plan, chunk.digest, rung) for chunk, rung in pairs]
        counter = Counter(bench.progress, *(f"score {state.rung.name}" for state in states))
        rungs = [state.rung for state in states]
        async with self._files(states, folder) as files:
            with Attempts(bench, "score", steps, [1] * len(steps), counter) as tries:
                measured, spent = await self._studio.meter.measure(
                    clip, film.picture, rungs, files, folder, counter.reached
                )
                tries.spent(spent.cpu_s)
                counter.reached(len(clip.plan.frames))
                for number, (state, one) in enumerate(zip(states, measured, strict=True)):
                    scores = self._paired(one, clip, state)
                    made = {"scores": Made(scores, "application/x-matinee-scores")}
                    state.scored = await tries.record(number, made)

    @asynccontextmanager
    async def _files(self, states: Sequence[ChunkState], folder: Path) -> AsyncIterator[list[Path]]:
        """The chunks as files; those that were just made are at hand and need not be fetched."""
        made = [folder / f"{state.rung.name}.mp4" for state in states]
        chunks = [state.chunk for state in states if state.chunk]
        pairs = list(zip(chunks, made, strict=True))
        async with self._bench.files([c for c, path in pairs if not path.exists()]) as fetched:
            others = iter(fetched)
            yield [path if path.exists() else next(others) for _, path in pairs]

    def _paired(self, measured: Measured, clip: Clip, state: ChunkState) -> bytes:
        """The scores as bytes, after proof that both sides were the frames they should be."""
        span = clip.plan.frames
        reference = self._reference[span.start : span.end]
        assert measured.reference is not None and measured.scores is not None  # noqa: PT018
        with blamed_on_caps([state.rung]):
            check_pairing(reference, measured, span.start, state.rung.name)
        return np.asarray(measured.scores, dtype="<f4").tobytes()
