"""Straighten: a film whose clock jumps is copied, undecoded, to one whose clock does not."""

from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.ports.tools import Encoder
from matinee.stages.bench import Bench, Made


async def straighten(
    bench: Bench, encoder: Encoder, film: Path, source: Asset
) -> tuple[Path, Asset]:
    """The copy as a file and as an asset, from the ledger or made now."""

    async def copy() -> tuple[dict[str, Made], float]:
        output = bench.scratch / "straight.ts"
        async with bench.slots:
            spent = await encoder.copy(film, output)
        return {"film": Made(output, "video/mp2t")}, spent.cpu_s

    step = Step("straighten", 1, {"film": source.digest}, {}, bench.tool_ids("ffmpeg"))
    straight = (await bench.derive("straighten", step, copy)).outputs["film"]
    return await bench.file(straight), straight
