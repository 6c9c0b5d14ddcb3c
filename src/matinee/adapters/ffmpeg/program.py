"""Runs ``ffmpeg`` as encoder, scanner and meter: translates values, calls and failures only."""

import json
import os
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from matinee.adapters.ffmpeg import (
    commands,
    copy_commands,
    preview_commands,
    sample_commands,
    sound_commands,
)
from matinee.adapters.process import Finished, Job, run_program
from matinee.adapters.sandbox.rules import Sandbox
from matinee.core.errors import EncoderFailed, SourceDamaged, ToolError
from matinee.media.grain import Luma, window_of
from matinee.media.ladder import Rung
from matinee.media.loudness import Loudness, gain_db, read_loudness
from matinee.media.signature import FRAME_BYTES, Signature, read_signature
from matinee.media.sound import SoundRendition
from matinee.media.source import Crop, Picture, SourceInfo, Track
from matinee.media.timeline import Timeline
from matinee.ports.tools import (
    Clip,
    Encoder,
    Measured,
    Meter,
    OnFrames,
    Scan,
    Scanner,
    Spent,
    ThumbnailPlan,
)


class Ffmpeg:
    """The program at ``path``, inside its walls."""

    def __init__(self, path: Path, sandbox: Sandbox | None = None) -> None:
        self._path, self._sandbox = str(path), sandbox or Sandbox()

    async def run(
        self, doing: str, command: Sequence[str], folder: Path,
        on_frames: OnFrames = lambda _: None,
    ) -> Finished:  # fmt: skip
        """Run a command line that reads its inputs and writes in ``folder`` alone.

        ``on_frames`` hears the count of frames as it grows; errors begin with ``doing``.
        """
        inputs = [folder / name for option, name in pairwise(command) if option == "-i"]
        job = Job(command, folder, inputs, doing=doing, tool="ffmpeg")
        return await run_program(self._sandbox, job, _frame_listener(on_frames))

    @property
    def path(self) -> str:
        """What a command line begins with."""
        return self._path


def _frame_listener(on_frames: OnFrames) -> Callable[[str], None]:
    def hear(line: str) -> None:
        name, _, value = line.partition("=")
        if name == "frame" and value.strip().isdigit():
            on_frames(int(value))

    return hear


class FfmpegEncoder(Encoder):
    """All rungs of a chunk in one process, so that the source is decoded once."""

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        self._ffmpeg = ffmpeg

    async def encode(
        self,
        clip: Clip,
        picture: Picture,
        rungs: Sequence[Rung],
        starts: Sequence[int],
        outputs: Sequence[Path],
        on_frames: OnFrames,
    ) -> Spent:
        command = commands.encode_command(self._ffmpeg.path, clip, picture, rungs, starts, outputs)
        span = clip.plan.frames
        doing = f"encoding frames {span.start} to {span.end}"
        finished = await self._ffmpeg.run(doing, command, outputs[0].parent, on_frames)
        if finished.exit_code != 0:
            raise EncoderFailed(
                f"{doing}: ffmpeg exited with {finished.exit_code}: {finished.last_words}",
                "run the command again; what is finished is kept",
            )
        return Spent(finished.cpu_s)

    async def encode_sound(self, film: Path, rendition: SoundRendition, output: Path) -> Spent:
        path, gain, measured_s = self._ffmpeg.path, 0.0, 0.0
        if rendition.target:
            measure = sound_commands.wished_loudness_command(path, film, rendition)
            found, measured_s = await loudness_of(self._ffmpeg, measure, output.parent)
            gain = gain_db(found, rendition.target)
        command = sound_commands.sound_command(path, film, rendition, output, gain)
        doing = f"encoding sound track {rendition.track} as {rendition.name}"
        finished = await self._ffmpeg.run(doing, command, output.parent)
        if finished.exit_code != 0:
            raise SourceDamaged(
                f"sound track {rendition.track} cannot be decoded: {finished.last_words}",
                "try another copy of the film",
            )
        return Spent(finished.cpu_s + measured_s, finished.last_words)

    async def stream_sound(self, film: Path, rendition: SoundRendition, output: Path) -> Spent:
        command = preview_commands.stream_sound_command(self._ffmpeg.path, film, rendition, output)
        finished = await self._ffmpeg.run("encoding the preview's sound", command, output.parent)
        if finished.exit_code != 0:
            raise EncoderFailed(
                f"ffmpeg exited with {finished.exit_code} over the preview's sound: "
                f"{finished.last_words}"
            )
        return Spent(finished.cpu_s)

    async def copy(self, film: Path, info: SourceInfo, output: Path) -> Spent:
        path = self._ffmpeg.path
        if info.goes_back:
            command = commands.lay_out_command(path, film, info, output)
        else:
            command = commands.copy_command(path, film, output)
        finished = await self._ffmpeg.run("copying the film", command, output.parent)
        if finished.exit_code != 0:
            raise SourceDamaged(
                f"the film cannot be copied: {finished.last_words}", "try another copy of the film"
            )
        return Spent(finished.cpu_s)

    async def add_still(self, film: Path, info: SourceInfo, output: Path) -> Spent:
        still, held = output.with_name("still.png"), output.with_name("held.mkv")
        cover = next((track.index for track in info.tracks if track.is_cover), None)
        sound = next(track.index for track in info.of_type("audio") if not track.fault)
        path = self._ffmpeg.path
        draw = commands.still_command(path, film, cover, sound, still)
        hold = commands.hold_still_command(path, still, held)
        add = commands.add_still_command(path, film, info, held, output)
        cpu_s = 0.0
        for doing, command in (
            ("drawing a still", draw), ("coding a still", hold), ("adding a still", add),
        ):  # fmt: skip
            finished = await self._ffmpeg.run(doing, command, output.parent)
            cpu_s += finished.cpu_s
            if finished.exit_code != 0:
                raise SourceDamaged(
                    f"{doing} failed, as the sound is damaged or of a kind that Matroska cannot "
                    f"carry: {finished.last_words}",
                    "try another copy of the film",
                )
        return Spent(cpu_s)

    async def read_subtitles(
        self, film: Path, tracks: Sequence[Track], folder: Path
    ) -> list[bytes]:
        outputs = [folder / f"subtitles-{track.index}" for track in tracks]
        command = commands.subtitles_command(self._ffmpeg.path, film, tracks, outputs)
        names = f"subtitle track {', '.join(str(track.index) for track in tracks)}"
        finished = await self._ffmpeg.run(f"reading {names}", command, folder)
        if finished.exit_code != 0:
            raise ToolError(f"{names} of {film.name} cannot be read: {finished.last_words}")
        return [output.read_bytes() for output in outputs]


class FfmpegScanner(Scanner):
    """Cuts by ``scdet``, which agrees with TransNetV2 on the films that were measured.

    ``threads`` decode; more of them take more processor time in all, and change no byte.
    """

    def __init__(self, ffmpeg: Ffmpeg, threads: int = 1) -> None:
        self._ffmpeg, self._threads = ffmpeg, threads

    async def scan(
        self,
        film: Path,
        info: SourceInfo,
        timeline: Timeline,
        thumbnails: ThumbnailPlan,
        folder: Path,
        on_frames: OnFrames,
        *,
        lenient: bool = False,
    ) -> tuple[Scan, Spent]:
        cuts, signature = folder / "cuts.txt", folder / "source.sig"
        sheets, single = folder / "%05d.jpg", folder / "each-%05d.jpg"
        command = commands.scan_command(
            self._ffmpeg.path, film, info, timeline, thumbnails, cuts, signature,
            sheets if timeline.slots is None else single,
            threads=self._threads, lenient=lenient,
        )  # fmt: skip
        finished = await self._ffmpeg.run("looking for shots", command, folder, on_frames)
        complaints = finished.last_words
        if finished.exit_code != 0:
            complaints = f"ffmpeg exited with {finished.exit_code}: {complaints}"
        elif timeline.slots is not None:
            await self._tile(timeline, thumbnails, folder, single, sheets)
        return _read_scan(cuts, signature, folder, complaints), Spent(finished.cpu_s)

    async def _tile(
        self, timeline: Timeline, thumbnails: ThumbnailPlan, folder: Path, single: Path,
        sheets: Path,
    ) -> None:  # fmt: skip
        """Put thumbnails that were drawn once each where they are shown."""
        shown = thumbnails.shown(timeline)
        drawn = {frame: n for n, frame in enumerate(sorted(set(shown)), 1)}
        placed = folder / "placed-%05d.jpg"
        for place, frame in enumerate(shown, 1):
            picture = folder / (single.name % drawn[frame])
            if not picture.exists():  # fewer pictures came out: the count will tell
                return
            os.link(picture, folder / (placed.name % place))
        command = commands.tile_command(self._ffmpeg.path, thumbnails, placed, sheets)
        finished = await self._ffmpeg.run("drawing thumbnails", command, folder)
        if finished.exit_code != 0:
            raise ToolError(f"thumbnails cannot be drawn: {finished.last_words}")

    async def black_bars(
        self, film: Path, info: SourceInfo, folder: Path
    ) -> tuple[Crop | None, Spent]:
        found = folder / "bars.txt"
        command = commands.bars_command(self._ffmpeg.path, film, info, found)
        finished = await self._ffmpeg.run("looking for black bars", command, folder)
        if finished.exit_code != 0:
            raise ToolError(f"black bars cannot be measured: {finished.last_words}")
        return read_crop(found.read_text() if found.exists() else ""), Spent(finished.cpu_s)


def read_crop(text: str) -> Crop | None:
    """The last word of ffmpeg's ``cropdetect``; None where it saw nothing that is not black."""
    said = dict(re.findall(r"^lavfi\.cropdetect\.([xywh])=(-?\d+)", text, re.MULTILINE))
    if len(said) < 4 or int(said["w"]) <= 0 or int(said["h"]) <= 0:
        return None
    return Crop(int(said["x"]), int(said["y"]), int(said["w"]), int(said["h"]))


def _read_scan(cuts: Path, signature: Path, folder: Path, complaints: str) -> Scan:
    """What ffmpeg wrote; a file of which it had nothing to write is not there."""
    return Scan(
        complaints=complaints,
        frames=signature.stat().st_size // FRAME_BYTES if signature.exists() else 0,
        cuts=tuple(read_cuts(cuts.read_text() if cuts.exists() else "")),
        signature=signature,
        thumbnails=tuple(sorted(folder.glob("[0-9]*.jpg"))),
    )


def read_cuts(text: str) -> list[int]:
    """First frames of the shots, from what ffmpeg's ``metadata`` filter prints."""
    return [int(frame) for frame in re.findall(r"^frame:(\d+)", text, re.MULTILINE)]


class FfmpegMeter(Meter):
    """Signatures by ``scale``, scores by ``libvmaf``, in one decode of each side."""

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        self._ffmpeg = ffmpeg

    async def measure(
        self,
        clip: Clip | None,
        picture: Picture,
        rungs: Sequence[Rung],
        chunks: Sequence[Path],
        folder: Path,
        on_frames: OnFrames,
    ) -> tuple[list[Measured], Spent]:
        names = [f"measure{n}" for n in range(len(chunks))]
        command = commands.measure_command(self._ffmpeg.path, clip, picture, rungs, chunks, names)
        finished = await self._ffmpeg.run("measuring a chunk", command, folder, on_frames)
        _check(finished, "a chunk cannot be decoded")
        reference = _signature(folder / "reference.sig") if clip else None
        measured = [
            Measured(
                signature=_signature(folder / f"{name}.sig"),
                reference=reference,
                scores=read_scores((folder / f"{name}.json").read_text()) if clip else None,
            )
            for name in names
        ]
        return measured, Spent(finished.cpu_s)

    async def sample(
        self, clip: Clip, picture: Picture, rungs: Sequence[Rung], chunks: Sequence[Path],
        every: int, folder: Path, on_frames: OnFrames,
    ) -> tuple[list[tuple[float, ...]], Spent]:  # fmt: skip
        names = [f"sample{n}" for n in range(len(chunks))]
        command = sample_commands.sample_command(
            self._ffmpeg.path, clip, picture, rungs, chunks, names, every
        )
        finished = await self._ffmpeg.run("sampling a chunk", command, folder, on_frames)
        _check(finished, "a chunk cannot be decoded")
        texts = [(folder / f"{name}.json").read_text() for name in names]
        return [read_scores(text, 2) for text in texts], Spent(finished.cpu_s)

    async def luma(
        self, clip: Clip, picture: Picture, rate: Fraction, frames: range, folder: Path
    ) -> tuple[Luma, Spent]:
        name = f"{clip.plan.frames.start:07d}.luma"
        command = preview_commands.luma_command(
            self._ffmpeg.path, clip, picture, rate, frames, name
        )
        finished = await self._ffmpeg.run("looking at a clip", command, folder)
        _check(finished, "a clip cannot be decoded")
        (width, height), file = window_of(picture), folder / name
        pixels = np.frombuffer(file.read_bytes() if file.exists() else b"", "<u2")
        file.unlink(missing_ok=True)
        luma = np.asarray(pixels.reshape(-1, height, width) / 256, np.float32)
        return luma, Spent(finished.cpu_s)

    async def loudness(self, sound: Path, folder: Path) -> tuple[Loudness, Spent]:
        command = sound_commands.loudness_command(self._ffmpeg.path, sound)
        found, cpu_s = await loudness_of(self._ffmpeg, command, folder)
        return found, Spent(cpu_s)

    async def sign_part(self, part: Path, folder: Path) -> tuple[Signature, Spent]:
        command = preview_commands.sign_part_command(self._ffmpeg.path, part, "part.sig")
        finished = await self._ffmpeg.run("signing a part", command, folder)
        _check(finished, "a part cannot be decoded")
        return _signature(folder / "part.sig"), Spent(finished.cpu_s)

    async def measure_copy(
        self,
        clip: Clip,
        picture: Picture,
        copy: Clip,
        copied: Picture,
        rate: Fraction,
        folder: Path,
        on_frames: OnFrames,
    ) -> tuple[Measured, Spent]:
        command = copy_commands.measure_copy_command(
            self._ffmpeg.path, clip, picture, copy, copied, rate
        )
        finished = await self._ffmpeg.run("measuring a copy", command, folder, on_frames)
        _check(finished, "a copy cannot be measured")
        measured = Measured(
            signature=_signature(folder / "copy.sig"),
            reference=_signature(folder / "reference.sig"),
            scores=read_scores((folder / "copy.json").read_text()),
        )
        return measured, Spent(finished.cpu_s)

    async def sign(
        self, clip: Clip, picture: Picture, rate: Fraction, folder: Path
    ) -> tuple[Signature, Spent]:
        command = preview_commands.sign_command(self._ffmpeg.path, clip, picture, rate, "clip.sig")
        finished = await self._ffmpeg.run("signing a clip", command, folder)
        _check(finished, "a clip cannot be decoded")
        return _signature(folder / "clip.sig"), Spent(finished.cpu_s)


async def loudness_of(
    ffmpeg: Ffmpeg, command: Sequence[str], folder: Path
) -> tuple[Loudness, float]:
    """What a command line tells of loudness, and the processor seconds that it took."""
    finished = await ffmpeg.run("measuring loudness", command, folder)
    found = read_loudness(finished.last_words)
    if finished.exit_code != 0 or found is None:
        raise ToolError(
            f"loudness cannot be measured: ffmpeg exited with {finished.exit_code}: "
            f"{finished.last_words}"
        )
    return found, finished.cpu_s


def _check(finished: Finished, what: str) -> None:
    """Raise ``ToolError`` where ffmpeg failed."""
    if finished.exit_code != 0:
        raise ToolError(f"{what}: ffmpeg exited with {finished.exit_code}: {finished.last_words}")


def _signature(path: Path) -> Signature:
    data = path.read_bytes()
    path.unlink()
    return read_signature(data)


def read_scores(text: str, every: int = 1) -> tuple[float, ...]:
    """VMAF of one frame in ``every``, in order, from libvmaf's log.

    Raises:
        ToolError: a frame is missing in the log or out of order.
    """
    frames = json.loads(text)["frames"]
    if [frame["frameNum"] for frame in frames] != list(range(0, len(frames) * every, every)):
        raise ToolError("libvmaf's log is not in order")
    return tuple(frame["metrics"]["vmaf"] for frame in frames)
