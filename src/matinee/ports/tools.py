"""The media tools, in our words. Each only does; whether it is good is for a judge to say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matinee.core.errors import Held
from matinee.core.ids import Digest
from matinee.media.clips import ClipPlan
from matinee.media.codecs.sound import SoundCodec
from matinee.media.damage import Damage
from matinee.media.grain import Luma
from matinee.media.ladder import Rung
from matinee.media.loudness import Loudness
from matinee.media.posters import Picture as Pixels
from matinee.media.signature import Signature
from matinee.media.sound import Samples, SoundRendition
from matinee.media.source import Crop, Picture, SourceInfo, Track
from matinee.media.timeline import Packets, Timeline

OnFrames = Callable[[int], None]
"""Called with the count of frames done so far."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds that a tool took, and what it complained of."""

    cpu_s: float
    complaints: str = ""


@dataclass(frozen=True, slots=True)
class Clip:
    """A chunk's own piece of the source: a file that decodes to its frames, and a few before.

    Frames shown before ``skip_s`` seconds of the file's clock are not wanted.
    """

    path: Path
    plan: ClipPlan
    skip_s: Fraction


@dataclass(frozen=True, slots=True)
class Scan:
    """What one decode of the whole film tells, by field frames (see ``media.timeline``).

    ``cuts`` are the first of the shots, ascending. ``complaints`` are what the decoder said of
    packets that it did not like: a reason to look closer, no proof of damage.
    """

    frames: int
    cuts: tuple[int, ...]
    signature: Path
    thumbnails: tuple[Path, ...]
    complaints: str = ""


@dataclass(frozen=True, slots=True)
class ThumbnailPlan:
    """Thumbnails in sheets of ``columns`` x ``rows``, one for every ``every`` frames."""

    every: int
    width: int
    height: int
    columns: int
    rows: int

    def shown(self, timeline: Timeline) -> list[int]:
        """The field frame on each thumbnail, in order."""
        shown: list[int] = timeline.shown(0, timeline.frames)[:: self.every].tolist()
        return shown


@dataclass(frozen=True, slots=True)
class SegmentProof:
    """What a joined rendition holds between two IDR frames, packet by packet."""

    frames: int
    size_bytes: int
    payload: Digest


@dataclass(frozen=True, slots=True)
class Joined:
    """A joined rendition: ``configuration`` is the one decoder configuration of all its chunks."""

    path: Path
    segments: tuple[SegmentProof, ...]
    configuration: Digest


@dataclass(frozen=True, slots=True)
class Measured:
    """A chunk as decoded. ``scores`` are VMAF per frame, None where they were not asked for.

    ``reference`` is the signature of the frames it was scored against.
    """

    signature: Signature
    reference: Signature | None
    scores: tuple[float, ...] | None


class JoinRefused(Held):
    """Chunks that do not make one rendition: joining them would be wrong."""

    code = "join.refused"


class Indexer(Protocol):
    """Reads films packet by packet."""

    def look(self, film: Path) -> str:
        """A glance at the film's begin, soon over however large it is.

        Gives where it is cut off, by its index or header; "" where those tell nothing of it.

        Raises:
            SourceRefused: it is no film, or of a kind that is not handled.
        """
        ...

    def inspect(self, film: Path) -> tuple[SourceInfo, Packets, Fraction]:
        """Tracks, the main video track's packets in decode order, and their time base.

        Raises:
            SourceUnreadable: not a film. SourceHasNoVideo: no moving picture in it.
        """
        ...

    def cut(
        self, film: Path, info: SourceInfo, timeline: Timeline, clips: Sequence[ClipPlan],
        folder: Path, take: Callable[[Clip], bool],
    ) -> None:  # fmt: skip
        """Copy each clip's packets to a file of its own, in one pass, in order.

        ``take`` is called in this thread as each is ready; False stops the pass.

        Raises:
            SourceChanged: a packet is not the one that the index names.
        """
        ...

    def find_damage(self, film: Path, info: SourceInfo, timeline: Timeline) -> Damage | None:
        """Decode every packet of the main video track: which pictures are lost or damaged."""
        ...

    def find_sound_damage(self, film: Path, track: int) -> list[tuple[Fraction, Fraction]]:
        """Decode a whole sound track: from when to when it cannot be, on the film's clock."""
        ...

    def sound_pace(self, film: Path, track: int) -> Fraction | None:
        """How many seconds of its time stamps a second of a track's samples takes, at its begin.

        None where they do not lie evenly, or too few tell.
        """
        ...

    def join(
        self, chunks: Sequence[Path], frames: Sequence[int], starts: Sequence[int],
        rate: Fraction, output: Path, level: str = "",
    ) -> Joined:  # fmt: skip
        """Put encoded chunks together, packet-exact, frame i shown at i / rate.

        ``frames`` are the chunks' planned counts, ``starts`` the segments' first frames, ``level``
        is the rung's, for codecs whose frames do not tell it.

        Raises:
            JoinRefused: a chunk is not what the plan says: its count of frames, its first frames,
            its decoder configuration; names the chunk.
        """
        ...

    def fragment(
        self, chunk: Path, frames: int, starts: Sequence[int], rate: Fraction, output: Path
    ) -> Joined:
        """One encoded chunk as a fragmented file, a fragment for each segment, from time 0 on.

        Raises:
            JoinRefused: as ``join``.
        """
        ...

    def frame_bytes(self, chunk: Path) -> NDArray[np.int64]:
        """The coded bytes of every frame of a chunk, in order of showing."""
        ...

    def place_sound(self, encoded: Path, codec: SoundCodec, lead: int, output: Path) -> int:
        """Copy coded sound so that sample ``lead`` of it is presented at 0; gives its packets."""
        ...

    def listen(
        self, film: Path, track: int, times: Sequence[Fraction], duration: Fraction
    ) -> list[Samples]:
        """Pieces of a sound track, ``duration`` long, as mono at ``sound.PROBE_RATE``.

        Each begins at one of ``times`` on the file's clock. Every sample lies where its own time
        stamp puts it; where the track has none there is silence.
        """
        ...


class Encoder(Protocol):
    """Makes coded pictures and sound."""

    async def encode(
        self, clip: Clip, picture: Picture, rungs: Sequence[Rung], starts: Sequence[int],
        outputs: Sequence[Path], on_frames: OnFrames,
    ) -> Spent:  # fmt: skip
        """Encode one chunk to every rung, IDR frames exactly at ``starts``."""
        ...

    async def encode_sound(self, film: Path, rendition: SoundRendition, output: Path) -> Spent:
        """Encode a sound track whole, behind as much silence as its codec leaves of ``lead``.

        As loud as is wished, where something is.

        Damaged places are passed over.
        """
        ...

    async def stream_sound(self, film: Path, rendition: SoundRendition, output: Path) -> Spent:
        """Encode a sound track to a fragmented file that grows, in step without an edit list.

        What the encoder holds back, a 47th of a second, is missing at the begin.
        """
        ...

    async def copy(self, film: Path, info: SourceInfo, output: Path) -> Spent:
        """Copy a film to one whose clock does not jump: every track, to a transport stream.

        One with sound that goes back: what can be published of it, to Matroska; that sound alone is
        decoded, and kept without loss.
        """
        ...

    async def add_still(self, film: Path, info: SourceInfo, output: Path) -> Spent:
        """Copy sound and text under a still: the film's cover, or the shape of its sound."""
        ...

    async def read_subtitles(
        self, film: Path, tracks: Sequence[Track], folder: Path
    ) -> list[bytes]:
        """Text subtitle tracks as files, times on the container's clock, in one pass of the film.

        A format is the one that ``subtitle_formats.CARRIED`` names for the codec, else ``srt``.
        """
        ...


class Scanner(Protocol):
    """Looks at the whole film once."""

    async def scan(
        self, film: Path, info: SourceInfo, timeline: Timeline, thumbnails: ThumbnailPlan,
        folder: Path, on_frames: OnFrames, *, lenient: bool = False,
    ) -> tuple[Scan, Spent]:  # fmt: skip
        """Decode every shown frame: shot cuts, signature, thumbnails.

        ``lenient``: packets that do not decode are passed over, the same ones at every scan.
        """
        ...

    async def black_bars(
        self, film: Path, info: SourceInfo, folder: Path
    ) -> tuple[Crop | None, Spent]:
        """What is not black in any of the key frames; None where all is."""
        ...


class Meter(Protocol):
    """Decodes what was made."""

    async def measure(
        self, clip: Clip | None, picture: Picture, rungs: Sequence[Rung], chunks: Sequence[Path],
        folder: Path, on_frames: OnFrames,
    ) -> tuple[list[Measured], Spent]:  # fmt: skip
        """Decode a chunk of every rung; with a clip, score each against the source's frames."""
        ...

    async def sample(
        self, clip: Clip, picture: Picture, rungs: Sequence[Rung], chunks: Sequence[Path],
        every: int, folder: Path, on_frames: OnFrames,
    ) -> tuple[list[tuple[float, ...]], Spent]:  # fmt: skip
        """VMAF of frames 0, ``every``, 2 ``every`` ... of a chunk of every rung; for searches.

        Frames are paired by their number alone: nothing proves that they are the right ones.
        """
        ...

    async def luma(
        self, clip: Clip, picture: Picture, rate: Fraction, frames: range, folder: Path
    ) -> tuple[Luma, Spent]:
        """Luma of some of a clip's frames as they are shown, in 8-bit steps with fractions.

        Of large pictures the middle alone, ``media.grain.window_of``; as many as decode.
        """
        ...

    async def loudness(self, sound: Path, folder: Path) -> tuple[Loudness, Spent]:
        """Decode a coded sound and measure it by EBU R 128."""
        ...

    async def sign_part(self, part: Path, folder: Path) -> tuple[Signature, Spent]:
        """The signature of every frame of a piece of a rendition, in order of showing."""
        ...

    async def measure_copy(
        self, clip: Clip, picture: Picture, copy: Clip, copied: Picture, rate: Fraction,
        folder: Path, on_frames: OnFrames,
    ) -> tuple[Measured, Spent]:  # fmt: skip
        """Score a clip of somebody's copy of a film against the film's own clip, as it is shown."""
        ...

    async def sign(
        self, clip: Clip, picture: Picture, rate: Fraction, folder: Path
    ) -> tuple[Signature, Spent]:
        """The signature of a clip's own frames."""
        ...


class Stills(Protocol):
    """Takes pictures out of what was made."""

    async def pixels(self, sheet: Path, width: int, height: int, folder: Path) -> Pixels:
        """The pixels of a picture file that has that size."""
        ...

    async def still(self, part: Path, frame: int, output: Path) -> Spent:
        """Draw one frame, counted from 0 in order of showing, as a JPEG file."""
        ...

    async def draw(
        self, clip: Clip, picture: Picture, rate: Fraction, size: tuple[int, int], output: Path
    ) -> Spent:
        """Draw a clip's first frame as it is shown, at that size, as a WebP file."""
        ...

    async def draw_coded(
        self, chunk: Path, frame: int, size: tuple[int, int], output: Path
    ) -> Spent:
        """Draw one frame of a chunk of ours, counted from 0, at that size, as a WebP file."""
        ...


class Packager(Protocol):
    """Writes segments and manifests."""

    async def package(
        self, streams: Sequence[Mapping[str, str]], folder: Path, secrets: Sequence[str] = ()
    ) -> Spent:
        """Write a package below ``folder``; a stream is a descriptor of the packager's fields.

        ``secrets`` are flags with keys in them, a line each, which nobody else gets to see.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A program or library that decides bytes: its version, and what names it in keys."""

    name: str
    version: str
    identity: str
    path: str
    licence: str
