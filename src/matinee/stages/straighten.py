"""Straighten: a film that cannot be worked on as it is becomes one that can, nothing lost.

- One whose clock jumps is copied to one whose clock does not.
- Sound whose times make no sense is laid out sample by sample, without loss.
- One of sound alone gets a still: its cover, or the shape of its sound.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.media.source import SourceInfo
from matinee.ports.tools import Encoder, Spent
from matinee.stages.bench import Bench, Made


async def straighten(
    bench: Bench, encoder: Encoder, film: Path, info: SourceInfo, source: Asset
) -> tuple[Path, Asset]:
    """The copy as a file and as an asset, from the ledger or made now."""
    return await _copied(
        bench, "straighten", source, "film.mkv" if info.goes_back else "film.ts",
        lambda output: encoder.copy(film, info, output),
    )  # fmt: skip


def named_as_before(copy: SourceInfo, info: SourceInfo) -> SourceInfo:
    """The copy's tracks; sound that was decoded for it is called by the codec that the film has."""
    before = iter([track for track in info.of_type("audio") if not track.fault])
    return replace(
        copy,
        tracks=tuple(
            replace(track, codec=next(before).codec) if track.type == "audio" else track
            for track in copy.tracks
        ),
    )


async def add_still(
    bench: Bench, encoder: Encoder, film: Path, info: SourceInfo, source: Asset
) -> tuple[Path, Asset]:
    """The film with a picture, as a file and as an asset, from the ledger or made now."""
    return await _copied(
        bench, "add_still", source, "film.mkv",
        lambda output: encoder.add_still(film, info, output),
    )  # fmt: skip


async def _copied(
    bench: Bench, function: str, source: Asset, name: str, make: Callable[[Path], Awaitable[Spent]]
) -> tuple[Path, Asset]:
    async def copy() -> tuple[dict[str, Made], float]:
        folder = bench.scratch / function
        folder.mkdir()
        async with bench.slots:
            spent = await make(folder / name)
        return {"film": Made(folder / name, "video/*")}, spent.cpu_s

    step = Step(function, 1, {"film": source.digest}, {}, bench.tool_ids("ffmpeg"))
    made = (await bench.derive(function, step, copy)).outputs["film"]
    at_hand = bench.scratch / function / name
    if at_hand.exists() and not bench.store.is_local:  # what was just stored need not be fetched
        return at_hand, made
    return await bench.file(made), made
