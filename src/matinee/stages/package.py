"""Package: join the chunks, write segments and manifests, and mend what the packager leaves open.

- Publishing again with another subtitle writes no video segment twice.
- The same inputs give the same bytes: no creation time, no packager's version, no publish time.
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation, Step
from matinee.assets.files import digest_of_file
from matinee.core.ids import Digest, canonical_json, digest_of_value
from matinee.core.progress import Stage
from matinee.core.time import as_text
from matinee.media.chapters import chapters_webvtt, placed_chapters
from matinee.media.cmaf import read_init, read_segment, zero_times
from matinee.media.colour_boxes import with_colours
from matinee.media.encryption import FIRST, Keyring, Lock, packager_flags
from matinee.media.imsc1 import imsc1_document, with_document
from matinee.media.media_types import MEDIA_TYPES
from matinee.media.packaging import DASH, HLS, descriptors, finish, secrets_of
from matinee.media.streams import IMSC1, PackagePlan, Sheets, Stream
from matinee.media.subtitles import Cue, parse_webvtt, write_webvtt
from matinee.media.tracks import TrackPlan
from matinee.ports.tools import Indexer, Packager
from matinee.stages.bench import Bench, Made
from matinee.stages.chunks import ChunkState, Film
from matinee.stages.sound import Sound
from matinee.stages.split import Thumbnails
from matinee.stages.text import Text

JOIN = "join"
"""The one output that is no file of the package: the proof of the joins."""

JOINED = "../../../joined"
"""The packager's inputs, from its folder: no name from outside is on its command line."""

PENDING = "packages/pending"
"""Where manifests lie until the package's id is known."""


@dataclass(frozen=True, slots=True)
class Renditions:
    """Everything that goes into a package; sounds and texts by name.

    ``keyring`` has the keys that it is encrypted with; None: it is not. ``generation`` is that of
    the title's keys either way.
    """

    film: Film
    tracks: TrackPlan
    chunks: Sequence[Sequence[ChunkState]]
    sounds: Mapping[str, Sound]
    texts: Mapping[str, Text]
    thumbnails: Thumbnails
    keyring: Keyring | None = field(default=None, repr=False)
    generation: int = FIRST

    def chunks_of(self, rung: int) -> list[Asset]:
        """The chunks of one rung, in order."""
        return [chunk for row in self.chunks if (chunk := row[rung].chunk) is not None]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A package: its id, the title's folder in the store, and its files by path below that."""

    id: str
    folder: str
    files: Mapping[str, Asset]
    join: Asset

    @property
    def hls(self) -> str:
        """The multivariant playlist's path."""
        return f"packages/{self.id}/{HLS}"

    @property
    def dash(self) -> str:
        """The MPD's path."""
        return f"packages/{self.id}/{DASH}"


def plan_package(made: Renditions) -> PackagePlan:
    """Name every stream; a rendition's folder is named by what it is made from."""
    film, layout = made.film, made.thumbnails.plan
    starts = [segment.start for segment in film.plan.segments]
    streams = []
    for number, rung in enumerate(film.rungs):
        chunks = [chunk.digest for chunk in made.chunks_of(number)]
        lock = _lock(made, "video")
        folder = _folder(f"video-{rung.name}", digest_of_value([starts, chunks]), lock)
        family, coding = _named(rung.family, rung.shown_codec)
        streams.append(
            Stream(
                "video", f"video-{rung.name}", folder,
                family=family, coding=coding, hdr=rung.hdr, lock=lock,
            )
        )  # fmt: skip
    for track in made.tracks.sounds:
        for rendition in track.renditions:
            asset, lock = made.sounds[rendition.name].asset, _lock(made, "audio")
            streams.append(
                Stream(
                    "audio", rendition.name, _folder(rendition.name, asset.digest, lock),
                    track.labels, rendition.group, rendition.channels,
                    *_named(rendition.family, rendition.coding.label), rendition.pictures,
                    lock=lock,
                )
            )  # fmt: skip
    for text in made.tracks.texts:
        folder = _folder(text.name, made.texts[text.name].asset.digest)
        streams.append(Stream("text", text.name, folder, text.labels))
        if IMSC1 in made.tracks.text_forms:
            streams.append(_as_imsc1(streams[-1]))
    sheets = made.thumbnails.sheets
    return PackagePlan(
        streams=tuple(streams),
        sheets=Sheets(
            folder=_folder("thumbnails", digest_of_value([sheet.digest for sheet in sheets])),
            sizes=tuple(sheet.size_bytes for sheet in sheets),
            width=layout.width,
            height=layout.height,
            columns=layout.columns,
            rows=layout.rows,
            interval=made.thumbnails.interval,
        ),
        duration=film.timeline.duration,
        segments=len(film.plan.segments),
        chapters=placed_chapters(film.info.chapters, film.timeline.start, film.timeline.duration),
    )


def _as_imsc1(webvtt: Stream) -> Stream:
    """The same subtitles in another form; a player's default stays WebVTT."""
    assert webvtt.labels is not None
    labels = replace(webvtt.labels, name=f"{webvtt.labels.name} (IMSC1)", is_default=False)
    return replace(
        webvtt,
        name=f"{webvtt.name}-{IMSC1}",
        folder=webvtt.folder.replace(webvtt.name, f"{webvtt.name}-{IMSC1}", 1),
        labels=labels,
        family=IMSC1,
        coding="IMSC1",
    )


def _named(family: str, coding: str) -> tuple[str, str]:
    """The codec of the main family goes without saying, in keys too."""
    return family, coding if family else ""


def _lock(made: Renditions, kind: str) -> Lock | None:
    return made.keyring.lock(kind) if made.keyring else None


def _folder(name: str, origin: Digest, lock: Lock | None = None) -> str:
    """Named by what is in it: under another key, other bytes."""
    whole = digest_of_value([origin, asdict(lock)]) if lock else origin
    return f"{name}-{whole[:12]}"


def package_step(bench: Bench, made: Renditions, plan: PackagePlan) -> Step:
    """Chunks, sounds, texts and thumbnails decide a package, with the names that players show."""
    inputs: dict[str, Digest] = {}
    for number, rung in enumerate(made.film.rungs):
        for place, chunk in enumerate(made.chunks_of(number)):
            inputs[f"video/{rung.name}/{place:05d}"] = chunk.digest
    inputs |= {f"audio/{name}": sound.asset.digest for name, sound in made.sounds.items()}
    inputs |= {f"text/{name}": text.asset.digest for name, text in made.texts.items()}
    for number, sheet in enumerate(made.thumbnails.sheets):
        inputs[f"thumbnails/{number:05d}"] = sheet.digest
    parameters: dict[str, Any] = {
        "rate": as_text(made.film.plan.rate),
        "frames": made.film.plan.frames,
        "segments": [segment.start for segment in made.film.plan.segments],
        "streams": [stream.as_parameters() for stream in plan.streams],
        "thumbnails": asdict(made.thumbnails.plan),
        "chapters": chapters_webvtt(plan.chapters),
        **({"trick": smallest} if (smallest := plan.of_kind("video")[0].coding) else {}),
    }
    return Step("package", 3, inputs, parameters, bench.tool_ids("packager", "pyav"))


async def package(
    bench: Bench, indexer: Indexer, packager: Packager, title: str, made: Renditions,
    plan: PackagePlan,
) -> Packaged:  # fmt: skip
    """The package, from the ledger or written now below ``titles/<title>``."""
    bench.progress.started(Stage("package", 0))

    async def make() -> tuple[dict[str, Made], float]:
        folder = bench.scratch / "package"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / PENDING).mkdir(parents=True)
        files, proof = await _inputs(bench, indexer, made, plan)
        async with bench.slots:
            spent = await packager.package(
                descriptors(plan, files), folder / PENDING, _secrets(made, plan)
            )  # fmt: skip
        await asyncio.to_thread(_write_imsc1, folder, plan)
        await asyncio.to_thread(_finish_files, folder, plan)
        for number, sheet in enumerate(made.thumbnails.sheets, 1):
            target = folder / "renditions" / plan.sheets.folder / f"{number:05d}.jpg"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(await bench.read(sheet))
        outputs = await asyncio.to_thread(_outputs, folder)
        outputs[JOIN] = Made(canonical_json(proof).encode(), "application/json")
        return outputs, spent.cpu_s

    step = package_step(bench, made, plan)
    derivation = await bench.derive("package", step, make, folder=f"titles/{title}")
    bench.progress.finished("package")
    return packaged_of(derivation, f"titles/{title}")


def _secrets(made: Renditions, plan: PackagePlan) -> list[str]:
    """What the packager is told of keys."""
    if made.keyring is None:
        return []
    return list(packager_flags(made.keyring.scheme, secrets_of(plan, made.keyring)))


async def has_package(bench: Bench, title: str, made: Renditions, plan: PackagePlan) -> bool:
    """Whether the ledger has the package and all its files are in their places."""
    known = bench.find(package_step(bench, made, plan))
    return known is not None and await bench.holds(known, f"titles/{title}")


def packaged_of(derivation: Derivation, folder: str) -> Packaged:
    """A package from its derivation."""
    files = dict(derivation.outputs)
    join = files.pop(JOIN)
    package_id = next(path.split("/")[1] for path in files if path.startswith("packages/"))
    return Packaged(package_id, folder, files, join)


async def _inputs(
    bench: Bench, indexer: Indexer, made: Renditions, plan: PackagePlan
) -> tuple[dict[str, str], dict[str, Any]]:
    """A file for every stream, joined videos among them, and the proof of the joins."""
    folder = bench.scratch / "joined"
    folder.mkdir(exist_ok=True)
    files: dict[str, str] = {}
    proof: dict[str, Any] = {}
    film = made.film
    frames = [len(clip.frames) for clip in film.clips]
    starts = [segment.start for segment in film.plan.segments]
    for number, stream in enumerate(plan.of_kind("video")):
        async with bench.files(made.chunks_of(number)) as chunks:
            joined = await asyncio.to_thread(
                indexer.join, chunks, frames, starts, film.plan.rate,
                folder / f"{stream.name}.mp4", film.rungs[number].level,
            )  # fmt: skip
        files[stream.name] = f"{JOINED}/{joined.path.name}"
        proof[stream.name] = {
            "configuration": joined.configuration,
            "segments": [asdict(segment) for segment in joined.segments],
        }
    for stream in plan.of_kind("audio"):
        linked = folder / f"{stream.name}.mp4"
        linked.unlink(missing_ok=True)
        linked.symlink_to(await bench.file(made.sounds[stream.name].asset))
        files[stream.name] = f"{JOINED}/{linked.name}"
    for stream in plan.of_kind("text"):
        text = made.texts[stream.name.removesuffix(f"-{IMSC1}")]
        vtt = (await bench.read(text.asset)).decode()
        path = folder / f"{stream.name}.vtt"
        path.write_text(_to_the_end(vtt, plan.duration), encoding="utf-8")
        files[stream.name] = f"{JOINED}/{path.name}"
    return files, proof


def _to_the_end(vtt: str, duration: Fraction) -> str:
    """Subtitles with an invisible last cue: the packager stops at the last cue's end."""
    subtitles = parse_webvtt(vtt, "subtitles")
    last = Cue(max(Fraction(0), duration - Fraction(1, 100)), duration, "\u200b")
    if subtitles.cues and subtitles.cues[-1].end >= duration:
        return vtt
    return write_webvtt(type(subtitles)((*subtitles.cues, last), subtitles.header))


def _write_imsc1(folder: Path, plan: PackagePlan) -> None:
    """Our documents in the packager's segments: its own show tags as text."""
    for stream in plan.of_kind("text"):
        if stream.family != IMSC1 or stream.labels is None:
            continue
        joined = folder.parent / "joined" / f"{stream.name}.vtt"
        cues = parse_webvtt(joined.read_text(encoding="utf-8"), stream.name).cues
        place = folder / "renditions" / stream.folder
        init = read_init((place / "init.mp4").read_bytes())
        for path in place.glob("*.m4s"):
            data = path.read_bytes()
            start = read_segment(data, init)
            begin = Fraction(start.base_decode_time, init.timescale)
            end = begin + Fraction(start.duration, init.timescale)
            inside = [cue for cue in cues if cue.start < end and cue.end > begin]
            document = imsc1_document(inside, stream.labels.language)
            path.write_bytes(with_document(data, init, document.encode()))


def _finish_files(folder: Path, plan: PackagePlan) -> None:
    """Zero the init segments' times, have colours told, and finish the manifests, in place."""
    for init in (folder / "renditions").glob("*/init.mp4"):
        init.write_bytes(zero_times(init.read_bytes()))
    for stream in plan.of_kind("video"):
        if stream.hdr is not None:
            init = folder / "renditions" / stream.folder / "init.mp4"
            init.write_bytes(with_colours(init.read_bytes(), stream.hdr.colours))
    pending = folder / PENDING
    manifests = {path.name: path.read_text(encoding="utf-8") for path in pending.iterdir()}
    sizes = {
        f"../../{path.relative_to(folder).as_posix()}": path.stat().st_size
        for path in (folder / "renditions").rglob("*")
        if path.is_file()
    }
    for name, text in finish(plan, manifests, sizes).items():
        (pending / name).write_text(text, encoding="utf-8")


def _outputs(folder: Path) -> dict[str, Made]:
    """Every file by its place below the title; the package's id is the digest of all of them."""
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    digests = {name: digest_of_file(path)[0] for name, path in files.items()}
    final = f"packages/{digest_of_value(digests)[:16]}"
    return {
        name.replace(PENDING, final, 1): Made(path, MEDIA_TYPES[path.suffix])
        for name, path in files.items()
    }
