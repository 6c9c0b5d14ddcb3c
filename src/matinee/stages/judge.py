"""Judge: reads what was stored and lets the judges speak. "Done" means that all verdicts passed."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.errors import ObjectDamaged
from matinee.core.ids import Digest, canonical_json, digest_of, digest_of_value
from matinee.core.verdicts import Verdict
from matinee.media import judges
from matinee.media.cmaf import InitSegment, read_init, read_segment
from matinee.media.codecs import BY_ENTRY
from matinee.media.colour import Colours
from matinee.media.comparison import shots_in_chunks
from matinee.media.conformance import check_package
from matinee.media.conformance_report import (
    Expected,
    ExpectedAudio,
    ExpectedFlags,
    ExpectedVideo,
)
from matinee.media.judges import Promise, SegmentContent
from matinee.media.packaging import characteristics, is_autoselect, roles
from matinee.media.plan import shots
from matinee.media.quality import Scores
from matinee.media.signature import Signature, read_signature
from matinee.media.streams import PackagePlan, Stream
from matinee.ports.keys import Decrypter
from matinee.stages.ahead import Ahead
from matinee.stages.bench import Bench, Made
from matinee.stages.chunks import Proofs
from matinee.stages.encrypted import (
    LockedRendition,
    digest_of_samples,
    first_samples,
    judge_locked,
    segments_in,
)
from matinee.stages.package import Packaged, Renditions
from matinee.stages.sound import Sound
from matinee.stages.split import Split
from matinee.stages.unlock import Unlock

Read = Callable[[str], bytes]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the judges look at.

    ``choices`` are the documents of settings per shot, ``grain`` is that of the film's grain.
    """

    made: Renditions
    plan: PackagePlan
    packaged: Packaged
    split: Split
    proofs: Proofs
    choices: tuple[Mapping[str, Any], ...] = ()
    grain: Mapping[str, Any] | None = None

    @property
    def promises(self) -> list[Promise]:
        """What ladders promised of renditions."""
        return [
            Promise(one["rung"], one["target"], one["margin"])
            for one in self.choices
            if one["target"] is not None
        ]

    def present(self) -> list[Stream]:
        """The streams that the packager did write."""
        here = f"packages/{self.packaged.id}"
        return [s for s in self.plan.streams if f"{here}/{s.playlist}" in self.packaged.files]


async def judge(bench: Bench, evidence: Evidence, decrypter: Decrypter) -> list[Verdict]:
    """All verdicts over a package, from the ledger or found now, on the stored bytes.

    What is encrypted is decrypted for it.
    """
    step = _judge_step(evidence)

    async def look() -> tuple[dict[str, Made], float]:
        packaged = evidence.packaged
        files = Ahead(lambda path: bench.store.read(f"{packaged.folder}/{path}"), packaged.files)
        loop = asyncio.get_running_loop()
        examination = _Examination(bench, evidence, loop, files, decrypter)
        try:
            verdicts = await asyncio.to_thread(examination.verdicts)
        finally:
            files.close()
        document = canonical_json([verdict.as_json() for verdict in verdicts])
        return {"verdicts": Made(document.encode(), "application/json")}, 0.0

    derivation = await bench.derive("judge", step, look)
    stored = json.loads(await bench.read(derivation.outputs["verdicts"]))
    return [Verdict(v["judge"], v["subject"], v["evidence"], tuple(v["reasons"])) for v in stored]


def _judge_step(evidence: Evidence) -> Step:
    made, proofs = evidence.made, evidence.proofs
    states = [state for row in made.chunks for state in row]
    promised = [asdict(promise) for promise in evidence.promises]
    return Step(
        "judge", 2,
        {
            "package": digest_of_value({n: a.digest for n, a in evidence.packaged.files.items()}),
            "join": evidence.packaged.join.digest,
            "source": evidence.split.signature.digest,
            "signatures": _digest_of_all([s.signature for s in states if proofs.signed]),
            "scores": _digest_of_all([s.scores for s in states if proofs.scored]),
        },
        {
            "outcomes": [outcome.as_json() for outcome in made.tracks.outcomes],
            "sounds": {
                name: [sound.frames, list(sound.lags), *_loudness_asked(sound)]
                for name, sound in made.sounds.items()
            },
            "cuts": list(evidence.split.cuts),
            **({"encrypted": made.keyring.scheme} if made.keyring else {}),
            **({"promises": promised} if promised else {}),
        },
    )  # fmt: skip


def _loudness_asked(sound: Sound) -> list[Any]:
    """What decides a verdict of loudness: nothing, where nothing is wished."""
    target = sound.plan.target
    return [asdict(target), sound.loudness.as_json()] if target else []


def _digest_of_all(assets: Sequence[Asset | None]) -> Digest:
    return digest_of_value([asset.digest for asset in assets if asset])


async def read_scores(bench: Bench, made: Renditions, rung: int) -> Scores:
    """VMAF of every frame of a rung, in order."""
    parts = [row[rung].scores for row in made.chunks]
    return np.concatenate(
        [np.frombuffer(await bench.read(asset), dtype="<f4") for asset in parts if asset]
    ).astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Examination:
    """Runs in a worker thread; reads one rendition's evidence at a time, so memory is bounded."""

    bench: Bench
    evidence: Evidence
    loop: asyncio.AbstractEventLoop
    files: Ahead
    decrypter: Decrypter

    def verdicts(self) -> list[Verdict]:
        """All judges over all subjects."""
        evidence, made = self.evidence, self.evidence.made
        verdicts: list[Verdict] = []
        media_times: dict[str, Fraction] = {}
        present = evidence.present()
        for number, stream in enumerate(evidence.plan.of_kind("video")):
            if stream in present:
                verdicts += self._video(number, stream, media_times)
        for stream in evidence.plan.of_kind("audio"):
            if stream in present:
                init = read_init(self.read(f"renditions/{stream.folder}/init.mp4"))
                media_times[stream.name] = Fraction(init.media_time, init.timescale)
                sound = made.sounds[stream.name]
                verdicts.append(
                    judges.judge_sound(sound.plan, sound.frames, sound.lags, sound.loudness)
                )
        names = {stream.name for stream in present}
        packaged = evidence.packaged
        findings = check_package(
            self.clear(), packaged.hls, packaged.dash, expected(made, evidence.plan)
        )
        return [
            *verdicts,
            *self._locked(present),
            judges.judge_presentation(media_times),
            judges.judge_tracks(made.tracks.outcomes, names),
            judges.judge_conformance(findings, len(packaged.files)),
        ]

    def read(self, path: str) -> bytes:
        """A file of the package as it is stored."""
        data = self.files(path)
        if digest_of(data) != self.evidence.packaged.files[path].digest:
            raise ObjectDamaged(
                f"{path} is not the file that was written", "publish the film again"
            )
        return data

    def clear(self) -> Read:
        """Files of the package as they are without encryption."""
        return Unlock(self.decrypter, self.evidence.made.keyring).over(self.read)

    def _locked(self, present: Sequence[Stream]) -> Iterator[Verdict]:
        """What is encrypted, and the trick mode, which is of the smallest picture."""
        made, packaged, plan = self.evidence.made, self.evidence.packaged, self.evidence.plan
        if made.keyring is None:
            return
        clear = self.clear()
        for stream in present:
            if stream.lock is None:
                continue
            content = None
            if stream.kind == "audio":
                file = self._wait(self.bench.file(made.sounds[stream.name].asset))
                content = digest_of_samples(self.decrypter.samples_of(file))
            segments = segments_in(stream.folder, packaged.files)
            whole = stream.kind == "audio"
            iv = made.keyring.iv(stream.lock, stream.folder)
            one = LockedRendition(
                stream.name, stream.folder, stream.lock, iv, segments, whole, content,
                "samples" if content else "join",
            )  # fmt: skip
            yield judge_locked(one, self.read, clear)
        smallest = plan.of_kind("video")[0]
        folder = f"{smallest.folder}-trick"
        if smallest.lock and f"renditions/{folder}/init.mp4" in packaged.files:
            pictures = segments_in(smallest.folder, packaged.files)
            content = digest_of_samples(first_samples(smallest.folder, pictures, clear))
            segments = segments_in(folder, packaged.files)
            iv, name = made.keyring.iv(smallest.lock, smallest.folder), f"{smallest.name}-trick"
            one = LockedRendition(name, folder, smallest.lock, iv, segments, False, content)
            yield judge_locked(one, self.read, clear)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def _video(
        self, number: int, stream: Stream, media_times: dict[str, Fraction]
    ) -> list[Verdict]:
        evidence, film = self.evidence, self.evidence.made.film
        init, contents, header, told = _video_contents(evidence.packaged, stream, self.clear())
        media_times[stream.name] = Fraction(init.media_time, init.timescale)
        counted = sum(content.frames for content in contents)
        source, signature = self._signatures(number)
        verdicts = [
            judges.judge_frames(stream.name, film.plan.frames, counted, source, signature),
            self._join(stream, header, contents),
        ]
        if stream.hdr is not None:
            verdicts.append(
                judges.judge_colour(stream.name, stream.hdr.colours, init.entry.colours, told)
            )
        if evidence.proofs.scored:
            scores = self._wait(read_scores(self.bench, evidence.made, number))
            film_shots = shots(evidence.split.cuts, film.plan.frames, film.plan.rate)
            verdicts.append(
                judges.judge_quality(
                    stream.name, film.plan.frames, scores, film_shots,
                    tone_mapped=stream.hdr is not None,
                    without_grain=film.rungs[number].film_grain > 0,
                )
            )  # fmt: skip
            for promise in evidence.promises:
                if promise.rendition == stream.name:
                    pieces = shots_in_chunks(film_shots, film.plan)
                    verdicts.append(judges.judge_promise(promise, scores, pieces))
        return verdicts

    def _signatures(self, number: int) -> tuple[Signature, Signature | None]:
        """Those of the source and of a rung; None where chunks were not decoded."""
        source = read_signature(self._wait(self.bench.read(self.evidence.split.signature)))
        if not self.evidence.proofs.signed:
            return source, None
        signed = [row[number].signature for row in self.evidence.made.chunks]
        parts = [self._wait(self.bench.read(asset)) for asset in signed if asset]
        return source, read_signature(b"".join(parts))

    def _join(self, stream: Stream, header: bytes, contents: Sequence[SegmentContent]) -> Verdict:
        proof = json.loads(self._wait(self.bench.read(self.evidence.packaged.join)))[stream.name]
        joined = [SegmentContent(**segment) for segment in proof["segments"]]
        configurations = [proof["configuration"], digest_of(header)]
        planned = self.evidence.made.film.plan.segments
        return judges.judge_join(stream.name, planned, joined, contents, configurations)


def _video_contents(
    packaged: Packaged, stream: Stream, read: Read
) -> tuple[InitSegment, list[SegmentContent], bytes, list[Colours]]:
    """Every segment's samples, one segment in memory at a time, and what all chunks share.

    And of high dynamic range, what each segment's bitstream tells of its colours.
    """
    folder = f"renditions/{stream.folder}/"
    init = read_init(read(f"{folder}init.mp4"))
    codec, header = BY_ENTRY[init.entry.kind], b""
    contents: list[SegmentContent] = []
    told: list[Colours] = []
    for path in sorted(p for p in packaged.files if p.startswith(folder) and p.endswith(".m4s")):
        data = read(path)
        segment = read_segment(data, init)
        first = segment.samples[0]
        key = data[first.start : first.end]
        if not contents:
            header = codec.header(init.entry.configuration, key)
        if stream.hdr is not None and codec.colours is not None:
            told.append(codec.colours(init.entry.configuration, key))
        payload, size = hashlib.sha256(), 0
        for sample in segment.samples:
            payload.update(data[sample.start : sample.end])
            size += sample.size
        contents.append(SegmentContent(len(segment.samples), size, Digest(payload.hexdigest())))
    return init, contents, header, told


def expected(made: Renditions, plan: PackagePlan) -> Expected:
    """What the checker must find in the package."""
    film = made.film
    starts = tuple(segment.start for segment in film.plan.segments)
    videos = zip(plan.of_kind("video"), film.rungs, strict=True)
    text = {
        folder: _named_language(stream)
        for stream in plan.of_kind("text")
        for folder in (stream.folder, stream.dash_folder)
    }
    return Expected(
        video={
            stream.folder: ExpectedVideo(
                rung.width,
                rung.height,
                film.plan.frames,
                film.plan.rate,
                starts,
                codec=rung.codec,
                level=rung.level,
                depth=rung.depth,
                video_range=rung.hdr.video_range if rung.hdr else "SDR",
                colours=rung.hdr.colours if rung.hdr else None,
                film_grain=rung.film_grain > 0,
            )
            for stream, rung in videos
        },
        audio={
            stream.folder: ExpectedAudio(
                _named_language(stream),
                stream.channels,
                plan.duration,
                made.sounds[stream.name].plan.coding.entry,
            )
            for stream in plan.of_kind("audio")
        },
        text=text,
        locks={stream.folder: stream.lock for stream in plan.streams if stream.lock},
        flags={
            folder: _flags(stream)
            for stream in plan.streams
            if stream.labels
            for folder in (stream.folder, stream.dash_folder)
        },
    )


def _flags(stream: Stream) -> ExpectedFlags:
    labels, told = stream.labels, roles(stream)
    assert labels is not None
    return ExpectedFlags(
        is_default=labels.is_default,
        is_autoselect=is_autoselect(labels),
        is_forced=labels.is_forced,
        characteristics=characteristics(stream),
        roles=told.roles,
        accessibility=told.accessibility,
    )


def _named_language(stream: Stream) -> str | None:
    known = stream.labels and stream.labels.language != "und"
    return stream.labels.language if stream.labels and known else None
