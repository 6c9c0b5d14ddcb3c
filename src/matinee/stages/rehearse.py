"""Rehearse: a second of the film through every encoder and the packager, before the long work.

What cannot be made is told in seconds. H.264 High with AAC-LC, which every film gets, is not tried,
unless its cap leaves hardly a bit.
"""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from pathlib import Path

from matinee.assets.derivation import Step
from matinee.core.ids import Digest, canonical_json
from matinee.core.progress import Stage
from matinee.core.time import FrameSpan
from matinee.media.clips import plan_clip
from matinee.media.encryption import (
    LABELS,
    Encryption,
    Keyring,
    derived_key,
    packager_flags,
)
from matinee.media.ladder import Rung
from matinee.media.packaging import descriptors, secrets_of
from matinee.media.sound import SoundRendition
from matinee.media.source import SourceInfo, picture_parameters
from matinee.media.streams import PackagePlan, Sheets, Stream
from matinee.media.timeline import Timeline
from matinee.media.tracks import Labels, TrackPlan
from matinee.ports.tools import Clip, Packager
from matinee.stages.bench import Bench, Made
from matinee.stages.checks import blamed_on_caps, check_frames
from matinee.stages.encode import Studio

LENGTH = Fraction(1)
"""Seconds of the film that are tried."""

FOLDER = "rehearsal"


@dataclass(frozen=True, slots=True)
class Programme:
    """What is tried, as long as ``LENGTH``: sounds, and the rungs that are most likely to fail.

    Of each family that is the smallest; and those that have hardly a bit.
    """

    rungs: tuple[Rung, ...]
    sounds: tuple[SoundRendition, ...]


def programme_of(tracks: TrackPlan, timeline: Timeline) -> Programme:
    """What of a film is worth trying; empty for what every film gets."""
    smallest: dict[str, Rung] = {}
    for rung in tracks.rungs:
        smallest.setdefault(rung.family, rung)
    named = {rung.name for family, rung in smallest.items() if family}
    length = min(LENGTH, timeline.duration)
    sounds = [
        replace(one, duration=length)
        for track in tracks.sounds
        for one in track.renditions
        if one.family
    ]
    rungs = [rung for rung in tracks.rungs if rung.name in named or rung.is_starved]
    return Programme(tuple(rungs), tuple(sounds))


async def rehearse(
    bench: Bench, studio: Studio, packager: Packager, film: Path, info: SourceInfo,
    timeline: Timeline, tracks: TrackPlan, scheme: str | None = None,
) -> None:  # fmt: skip
    """Try what is planned, unless the ledger says that it was tried.

    With a ``scheme`` it is encrypted, with a key that is thrown away.

    Raises:
        RungStarved: a rung's cap is too low. EncoderFailed: an encoder failed, or shows other
            frames. SourceDamaged: a sound cannot be made. PackagerFailed: what was made cannot be
            packaged. JoinRefused: or not joined.
    """
    programme = programme_of(tracks, timeline)
    if not programme.rungs and not programme.sounds:
        return
    bench.progress.started(Stage("rehearse", 0))
    span = FrameSpan(0, min(timeline.frames, ceil(LENGTH * timeline.rate)))
    plan = plan_clip(timeline, span, info.picture.configuration)
    step = _step(bench, programme, plan.digest, info, scheme)

    async def make() -> tuple[dict[str, Made], float]:
        trial = _Trial(bench, studio, info, timeline, programme)
        folder = bench.scratch / FOLDER
        (folder / "package").mkdir(parents=True)
        clips: list[Clip] = []

        def take(clip: Clip) -> bool:
            clips.append(clip)
            return True

        async with bench.slots:
            await asyncio.to_thread(
                studio.indexer.cut, film, info, timeline, [plan], folder, take
            )  # fmt: skip
            files = await trial.pictures(clips[0], folder)
            files |= await trial.sounds(film, folder)
            keyring = trial_keyring(scheme) if scheme else None
            planned = _plan_of(programme, timeline, keyring)
            flags = packager_flags(keyring.scheme, secrets_of(planned, keyring)) if keyring else ()
            spent = await packager.package(
                descriptors(planned, files), folder / "package", list(flags)
            )  # fmt: skip
        shutil.rmtree(folder)
        tried = canonical_json({"streams": sorted(files)}).encode()
        return {"tried": Made(tried, "application/json")}, trial.cpu_s + spent.cpu_s

    await bench.derive("rehearse", step, make)
    bench.progress.finished("rehearse")


def trial_keyring(scheme: str) -> Keyring:
    """Keys that are no secret: what they encrypt is thrown away."""
    keys = {label: derived_key(b"trial", "rehearsal", label) for label in LABELS.values()}
    return Keyring(Encryption(scheme), keys)


def _step(
    bench: Bench, programme: Programme, clip: Digest, info: SourceInfo, scheme: str | None
) -> Step:
    """Packets and settings decide what is tried."""
    sounds = {f"sound/{one.name}": info.track(one.track).packets for one in programme.sounds}
    parameters = {
        "rungs": [rung.as_parameters() for rung in programme.rungs],
        "sounds": [sound.as_parameters() for sound in programme.sounds],
        "picture": picture_parameters(info.picture),
        **({"encrypted": scheme} if scheme else {}),
    }
    tools = bench.tool_ids("ffmpeg", "packager", "pyav")
    return Step("rehearse", 1, {"clip": clip, **sounds}, parameters, tools)


def _plan_of(programme: Programme, timeline: Timeline, keyring: Keyring | None) -> PackagePlan:
    """The streams as the packager is told them; one segment, and no thumbnails."""
    locks = {kind: keyring.lock(kind) if keyring else None for kind in ("video", "audio")}
    streams = [
        Stream(
            "video",
            f"video-{rung.name}",
            rung.name,
            family=rung.family,
            coding=rung.family,
            lock=locks["video"],
        )
        for rung in programme.rungs
    ]
    labels = Labels("und", "Sound", is_default=False)
    streams += [
        Stream(
            "audio",
            one.name,
            one.name,
            labels,
            one.group,
            one.channels,
            one.family,
            lock=locks["audio"],
        )
        for one in programme.sounds
    ]
    nothing = Sheets("", (), 0, 0, 1, 1, Fraction(1))
    return PackagePlan(tuple(streams), nothing, timeline.duration, segments=1)


@dataclass
class _Trial:
    """One rehearsal's work. ``cpu_s`` grows."""

    bench: Bench
    studio: Studio
    info: SourceInfo
    timeline: Timeline
    programme: Programme
    cpu_s: float = 0.0

    async def pictures(self, clip: Clip, folder: Path) -> dict[str, str]:
        """A joined file of each rung, every frame of it proved; by stream name."""
        codecs: dict[str, list[Rung]] = {}
        for rung in self.programme.rungs:
            codecs.setdefault(rung.codec, []).append(rung)
        files: dict[str, str] = {}
        for rungs in codecs.values():
            with blamed_on_caps(rungs):
                files |= await self._pictures_of(rungs, clip, folder)
        return files

    async def _pictures_of(self, rungs: Sequence[Rung], clip: Clip, folder: Path) -> dict[str, str]:
        picture, rate, span = self.info.picture, self.timeline.rate, clip.plan.frames
        chunks = [folder / f"{rung.name}.mp4" for rung in rungs]
        spent = await self.studio.encoder.encode(
            clip, picture, rungs, [0], chunks, lambda _: None
        )  # fmt: skip
        source, signed = await self.studio.meter.sign(clip, picture, rate, folder)
        measured, decoded = await self.studio.meter.measure(
            None, picture, rungs, chunks, folder, lambda _: None
        )
        self.cpu_s += spent.cpu_s + signed.cpu_s + decoded.cpu_s
        files = {}
        for rung, chunk, one in zip(rungs, chunks, measured, strict=True):
            check_frames(source, one.signature, span.start, rung.name)
            joined = folder / f"{rung.name}-joined.mp4"
            await asyncio.to_thread(
                self.studio.indexer.join, [chunk], [len(span)], [0], rate, joined, rung.level
            )
            files[f"video-{rung.name}"] = f"../{joined.name}"
        return files

    async def sounds(self, film: Path, folder: Path) -> dict[str, str]:
        """A placed file of each sound, by stream name."""
        files = {}
        for one in self.programme.sounds:
            encoded, placed = folder / f"{one.name}.mp4", folder / f"{one.name}-placed.mp4"
            spent = await self.studio.encoder.encode_sound(film, one, encoded)
            self.cpu_s += spent.cpu_s
            await asyncio.to_thread(
                self.studio.indexer.place_sound, encoded, one.coding, one.lead, placed
            )
            files[one.name] = f"../{placed.name}"
        return files
