"""The steps of every (chunk, rung), and what the ledger has of them already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation, Shared, Step
from matinee.core.ids import Digest
from matinee.core.time import as_text
from matinee.media.clips import ClipPlan, clip_plans
from matinee.media.colour import Hdr
from matinee.media.ladder import Rung
from matinee.media.plan import SegmentPlan
from matinee.media.source import Picture, SourceInfo, display_size, picture_parameters
from matinee.media.timeline import Timeline
from matinee.stages.bench import Bench


@dataclass(frozen=True, slots=True)
class Proofs:
    """How much is proved: ``signed`` decodes every chunk again, ``scored`` measures its quality."""

    signed: bool = True
    scored: bool = True


@dataclass(frozen=True, slots=True)
class Film:
    """A film as the stages after split see it.

    ``crfs`` has the CRF of every clip of the rungs whose chunks do not all have the rung's own.
    """

    info: SourceInfo
    timeline: Timeline
    plan: SegmentPlan
    clips: tuple[ClipPlan, ...]
    rungs: tuple[Rung, ...]
    crfs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def picture(self) -> Picture:
        """The main video track's picture."""
        return self.info.picture

    def starts(self, clip: ClipPlan) -> tuple[int, ...]:
        """The first frames of the clip's segments, from the clip's first frame."""
        return tuple(self.plan.starts_in(clip.frames))

    def setting(self, clip: int, rung: Rung) -> Rung:
        """The rung with what its encoder is told of a clip, by the clip's number."""
        crfs = self.crfs.get(rung.name)
        return rung if crfs is None else replace(rung, crf=crfs[clip])


def film_of(info: SourceInfo, timeline: Timeline, plan: SegmentPlan, rungs: Sequence[Rung]) -> Film:
    """Plan the clips, one for each chunk."""
    clips = clip_plans(timeline, plan.chunks, info.picture.configuration)
    return Film(info, timeline, plan, tuple(clips), tuple(rungs))


SHARED = 1024
"""Different parameters that are kept at hand: chunks of one rung differ in starts and CRF alone."""


def encode_step(bench: Bench, film: Film, clip: ClipPlan, rung: Rung) -> Step:
    """Packets and settings decide a chunk; where they lie and how many workers there are do not."""
    parameters = _encoding(rung, film.starts(clip), film.picture)
    return Step("encode_chunk", 2, {"clip": clip.digest}, parameters, bench.tool_ids("ffmpeg"))


@lru_cache(SHARED)
def _encoding(rung: Rung, starts: tuple[int, ...], picture: Picture) -> Shared:
    return encoding(rung.as_parameters(), starts, picture_parameters(picture))


def encoding(rung: Mapping[str, Any], starts: Sequence[int], picture: Mapping[str, Any]) -> Shared:
    """What decides a chunk beside its clip, from the parameters of rung and picture."""
    return Shared({**rung, "starts": list(starts), "picture": picture})


def encode_step_of(
    clip: Digest, rung: Mapping[str, Any], starts: Sequence[int], picture: Mapping[str, Any],
    tools: Mapping[str, str],
) -> Step:  # fmt: skip
    """The same as ``encode_step``, from a clip's digest and the parameters of rung and picture."""
    return Step("encode_chunk", 2, {"clip": clip}, encoding(rung, starts, picture), tools)


def sign_step(bench: Bench, chunk: Digest, rung: Rung) -> Step:
    """The signature of a chunk's decoded frames."""
    parameters = _signing(rung.hdr, has_grain=bool(rung.film_grain))
    return Step("sign_chunk", 2, {"chunk": chunk}, parameters, bench.tool_ids("ffmpeg"))


@lru_cache(SHARED)
def _signing(hdr: Hdr | None, *, has_grain: bool) -> Shared:
    return Shared(_looked_at(hdr, has_grain=has_grain))


def _looked_at(hdr: Hdr | None, *, has_grain: bool) -> dict[str, Any]:
    """How a chunk is brought to what the film is seen as; nothing where it is so already."""
    return {
        **({"tone_mapped": [hdr.primaries, hdr.transfer, hdr.matrix]} if hdr else {}),
        **({"without_grain": True} if has_grain else {}),
    }


def score_step(bench: Bench, film: Film, clip: ClipPlan, chunk: Digest, rung: Rung) -> Step:
    """VMAF of a chunk's frames at the film's own size."""
    parameters = _scoring(film.picture, film.plan.rate, rung.hdr, has_grain=bool(rung.film_grain))
    inputs = {"chunk": chunk, "clip": clip.digest}
    return Step("score_chunk", 2, inputs, parameters, bench.tool_ids("ffmpeg"))


@lru_cache(SHARED)
def _scoring(picture: Picture, rate: Fraction, hdr: Hdr | None, *, has_grain: bool) -> Shared:
    return Shared(
        {
            "metric": "vmaf",
            "size": list(display_size(picture)),
            "rate": as_text(rate),
            "picture": picture_parameters(picture),
            **_looked_at(hdr, has_grain=has_grain),
        }
    )


@dataclass
class ChunkState:
    """What there is of one (chunk, rung). None: still to be made."""

    clip: ClipPlan
    rung: Rung
    encoded: Derivation | None = None
    signed: Derivation | None = None
    scored: Derivation | None = None

    @property
    def chunk(self) -> Asset | None:
        """The coded chunk."""
        return self.encoded.outputs["chunk"] if self.encoded else None

    @property
    def signature(self) -> Asset | None:
        """The signature of its decoded frames."""
        return self.signed.outputs["signature"] if self.signed else None

    @property
    def scores(self) -> Asset | None:
        """Its frames' scores."""
        return self.scored.outputs["scores"] if self.scored else None

    def lacks(self, proofs: Proofs) -> bool:
        """Whether something of it is still to be made."""
        return (
            self.encoded is None
            or (proofs.signed and self.signed is None)
            or (proofs.scored and self.scored is None)
        )


Table = list[list[ChunkState]]
"""The states of every clip (outer) and rung (inner)."""


def look_up(bench: Bench, film: Film, proofs: Proofs) -> Table:
    """What the ledger has; whether the bytes are there as well is not asked."""
    table = [
        [ChunkState(clip, film.setting(number, rung)) for rung in film.rungs]
        for number, clip in enumerate(film.clips)
    ]
    for column in range(len(film.rungs)):
        states = [row[column] for row in table]
        steps = [encode_step(bench, film, state.clip, state.rung) for state in states]
        for state, derivation in zip(states, bench.find_all(steps), strict=True):
            state.encoded = derivation
        coded = [(state, state.chunk.digest) for state in states if state.chunk]
        if proofs.signed:
            steps = [sign_step(bench, chunk, state.rung) for state, chunk in coded]
            for (state, _), derivation in zip(coded, bench.find_each(steps), strict=True):
                state.signed = derivation
        if proofs.scored:
            steps = [
                score_step(bench, film, state.clip, chunk, state.rung) for state, chunk in coded
            ]
            for (state, _), derivation in zip(coded, bench.find_each(steps), strict=True):
                state.scored = derivation
    return table


def is_complete(table: Table, proofs: Proofs) -> bool:
    """Whether nothing is to be made."""
    return not any(state.lacks(proofs) for row in table for state in row)


async def drop_lost(bench: Bench, table: Table) -> None:
    """Forget chunks whose bytes are gone or damaged, so that they are made again."""
    made = [(state, state.chunk) for row in table for state in row if state.chunk is not None]
    lost = await bench.lost([chunk for _, chunk in made])
    for state, chunk in made:
        if chunk.digest in lost:
            state.encoded = None


def count_reused(bench: Bench, table: Table) -> None:
    """Note in the tallies what need not be made."""
    for row in table:
        for state in row:
            for stage, derivation in (
                ("encode", state.encoded), ("prove", state.signed), ("score", state.scored),
            ):  # fmt: skip
                if derivation is not None:
                    bench.reused(stage, derivation)
