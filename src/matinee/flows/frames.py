"""What a digest cannot tell: whether coded pictures still show the frames of the film.

Segments and chunks are decoded and their signatures compared with the source's, frame by frame.
"""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation, Step
from matinee.assets.health import Fault
from matinee.assets.lineage import frames_of_chunks
from matinee.core.errors import LibraryError, ToolError
from matinee.core.ids import Digest
from matinee.flows.lineage import Records, TitleGraph
from matinee.media.colour import hdr_from_json
from matinee.media.ladder import Rung
from matinee.media.signature import Signature, compare, read_signature
from matinee.media.source import Picture
from matinee.ports.tools import Meter
from matinee.stages.checks import describe
from matinee.stages.publish import title_key
from matinee.stages.unlock import Locksmith, Unlock


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a rendition to look at: ``digests`` are the assets that make a file of it.

    It should show the frames ``[start, end)``.
    """

    key: str
    digests: tuple[Digest, ...]
    rung: Rung
    start: int
    end: int


@dataclass(frozen=True)
class Eye:
    """What looks: ``meter`` decodes, below ``folder``. ``read`` gives an asset's proved bytes.

    ``locksmith`` has the keys of what is encrypted.
    """

    meter: Meter
    folder: Path
    read: Callable[[Asset], Awaitable[bytes]]
    locksmith: Locksmith


def segments_of(made: TitleGraph) -> Iterator[Part]:
    """Every video segment of a title's package, rung by rung."""
    package, shown = made.package, made.shown
    if package is None or shown is None:
        return
    starts = [*package.step.parameters["segments"], package.step.parameters["frames"]]
    for stream in package.step.parameters["streams"]:
        rung = _rung_of(made, package.step, stream)
        folder = f"renditions/{stream['folder']}"
        init = shown.files.get(f"{folder}/init.mp4")
        if rung is None or init is None:
            continue
        for number, (start, end) in enumerate(pairwise(starts), 1):
            path = f"{folder}/{number:05d}.m4s"
            if path in shown.files:
                key = title_key(made.title.id, path)
                yield Part(key, (init, shown.files[path]), rung, start, end)


def chunks_of(made: TitleGraph) -> Iterator[Part]:
    """Every chunk of a title's package."""
    if made.package is None:
        return
    step = made.package.step
    frames = frames_of_chunks(step, made.graph.lengths(step))
    for role, digest in step.inputs.items():
        maker = made.graph.maker(digest)
        if role.startswith("video/") and maker is not None and digest in frames:
            rung = rung_of(role.split("/")[1], maker.step.parameters)
            yield Part(digest, (digest,), rung, *frames[digest])


def _rung_of(made: TitleGraph, package: Step, stream: Mapping[str, Any]) -> Rung | None:
    name = stream["name"].removeprefix("video-")
    chunk = package.inputs.get(f"video/{name}/00000")
    maker = chunk and made.graph.maker(chunk)
    return rung_of(name, maker.step.parameters) if maker else None


def rung_of(name: str, parameters: Mapping[str, Any]) -> Rung:
    """The rung that a chunk was coded for, from its step's parameters."""
    own = {key: value for key, value in parameters.items() if key not in ("starts", "picture")}
    changed = {"rate": Fraction(own["rate"]), "hdr": hdr_from_json(own.get("hdr"))}
    return Rung(name, **{**own, **changed})


def chosen(parts: Sequence[Part], share: float, seed: str) -> list[Part]:
    """A random share of them; the same for the same seed, at least one of some."""
    if not parts or share <= 0:
        return []
    count = min(len(parts), max(1, round(share * len(parts))))
    return random.Random(seed).sample(list(parts), count)  # noqa: S311  # no secret


async def source_signature(eye: Eye, made: TitleGraph) -> Signature | None:
    """The signature of the film that the package was made of; None where it cannot be had."""
    scan = scan_of(made)
    if scan is None:
        return None
    try:
        return read_signature(await eye.read(scan.outputs["signature"]))
    except (LibraryError, ValueError):
        return None  # a finding of its own


def scan_of(made: TitleGraph) -> Derivation | None:
    """The scan whose thumbnails are in the package."""
    sheet = made.package.step.inputs.get("thumbnails/00000") if made.package else None
    scan = made.graph.maker(sheet) if sheet else None
    return scan if scan is not None and scan.step.function == "scan" else None


async def look(
    eye: Eye, records: Records, picture: Picture, part: Part, source: Signature,
    unlock: Unlock | None = None,
) -> str:  # fmt: skip
    """What is wrong with a piece, in words; "" when it shows its frames.

    ``unlock`` decrypts it, where it is a segment with its init segment.

    Raises:
        LibraryError: its bytes cannot be had.
    """
    assets = records.ancestry.assets(part.digests)
    with tempfile.TemporaryDirectory(dir=eye.folder) as name:
        folder = Path(name)
        file = folder / "part.mp4"
        pieces = [await eye.read(assets[digest]) for digest in part.digests]
        try:
            whole = unlock.part(*pieces) if unlock else b"".join(pieces)
            await asyncio.to_thread(file.write_bytes, whole)
            (measured,), _ = await eye.meter.measure(
                None, picture, [part.rung], [file], folder, lambda _: None
            )
        except ToolError as error:
            return f"it cannot be decoded: {error}"
    expected = source[part.start : part.end]
    copy = measured.signature
    if len(copy) != len(expected):
        return f"it decodes to {len(copy)} frames, not {len(expected)}"
    wrong = compare(expected, copy, part.start)
    return describe(wrong) if wrong else ""


async def check_frames_of(
    eye: Eye, records: Records, made: TitleGraph, share: float, seed: str
) -> tuple[int, list[Fault]]:
    """Look at a random share of a title's segments; gives how many, and what is wrong.

    Raises:
        KeyMissing, KeyChanged, KeysUnreachable, KeysInvalid: it is encrypted, and its keys cannot
            be had.
    """
    parts = chosen(list(segments_of(made)), share, seed)
    source = await source_signature(eye, made) if parts else None
    if source is None or made.info is None:
        return 0, []
    assert made.shown is not None
    unlock = await asyncio.to_thread(eye.locksmith.unlock, made.shown)
    picture, faults = made.info.picture, []
    looked = 0
    for part in parts:
        try:
            said = await look(eye, records, picture, part, source, unlock)
        except LibraryError:
            continue  # its bytes are a finding of their own
        looked += 1
        if said:
            detail = {"said": said, "frames": [part.start, part.end]}
            faults.append(Fault("frames", part.key, part.digests[-1], made.title.id, detail))
    return looked, faults
