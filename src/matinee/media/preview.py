"""The preview: a film that plays while it is being made. Fixed segments, and manifests that grow.

- Segments are ``SEGMENT`` seconds long, wherever the shots are cut: nothing need be known of the
  film but its index.
- An HLS EVENT playlist (RFC 8216bis section 4.4.3.5) and a dynamic MPD (ISO/IEC 23009-1 clause
  5.3.1.2) over the same CMAF segments; both get their end when the last segment is there.
- It lies at an address of its own: the title's manifests never name it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil
from xml.sax.saxutils import quoteattr

from matinee.core.ids import Digest, canonical_json
from matinee.core.time import FrameSpan
from matinee.media.bit_rates import measured
from matinee.media.boxes import Fields, boxes, children, require
from matinee.media.dash import NAMESPACE
from matinee.media.hls import MediaPlaylist, Segment, write_media
from matinee.media.plan import SegmentPlan

SEGMENT = Fraction(4)
EARLY_CHUNKS = 2
"""So many chunks of one segment come first, so that the picture is soon there; then of two."""

FOLDER = "preview"
HLS, DASH = f"{FOLDER}/main.m3u8", f"{FOLDER}/main.mpd"
UPDATE_S = 2


def plan_preview(frames: int, rate: Fraction) -> SegmentPlan:
    """Segments of equal length; a rest shorter than half of one joins the last."""
    step = max(1, round(SEGMENT * rate))
    starts = list(range(0, frames, step))
    if len(starts) > 1 and frames - starts[-1] < step / 2:
        starts.pop()
    segments = [FrameSpan(a, b) for a, b in zip(starts, [*starts[1:], frames], strict=True)]
    early, rest = segments[:EARLY_CHUNKS], segments[EARLY_CHUNKS:]
    pairs = [FrameSpan(rest[n].start, rest[min(n + 1, len(rest) - 1)].end)
             for n in range(0, len(rest), 2)]  # fmt: skip
    return SegmentPlan(rate, tuple(segments), (*early, *pairs))


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment: its length in ticks of its track's timescale, and its bytes' count."""

    ticks: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PreviewTrack:
    """Picture or sound of a preview as far as it is. ``kind`` is ``video`` or ``audio``."""

    kind: str
    codec: str
    timescale: int
    pieces: tuple[Piece, ...]
    width: int = 0
    height: int = 0
    rate: Fraction = Fraction(0)
    channels: int = 0
    language: str = "und"

    @property
    def durations(self) -> list[Fraction]:
        """Of the segments, in seconds."""
        return [Fraction(piece.ticks, self.timescale) for piece in self.pieces]

    @property
    def peak(self) -> int:
        """The most bits a second of any segment, an upper bound while more come."""
        sizes = [piece.size_bytes for piece in self.pieces]
        rates = measured(list(zip(sizes, self.durations, strict=True)), self.target)
        return rates.peak

    @property
    def target(self) -> int:
        """EXT-X-TARGETDURATION: fixed from the first segment on (section 4.4.3.1)."""
        return ceil(SEGMENT * Fraction(3, 2))

    def uri(self, number: int) -> str:
        """Of the segment of that number, from 1, from the preview's folder."""
        return f"{self.kind}-{number:05d}.m4s"

    @property
    def init_uri(self) -> str:
        """Of its CMAF header."""
        return f"{self.kind}-init.mp4"


@dataclass(frozen=True, slots=True)
class Part:
    """Segments in a row as they are stored, each with its digest.

    ``header`` is their track's: its digest and how many bytes it has.
    """

    header: tuple[Digest, int]
    segments: tuple[tuple[Digest, Piece], ...]


def part_as_json(part: Part) -> bytes:
    """What the ledger keeps of a part; ``part_from_json`` reads it back."""
    segments = [[digest, piece.size_bytes, piece.ticks] for digest, piece in part.segments]
    return canonical_json({"header": list(part.header), "segments": segments}).encode()


def part_from_json(text: bytes) -> Part:
    """Read what ``part_as_json`` wrote."""
    document = json.loads(text)
    segments = tuple((digest, Piece(ticks, size)) for digest, size, ticks in document["segments"])
    digest, size = document["header"]
    return Part((digest, size), segments)


def preview_playlists(tracks: Sequence[PreviewTrack], *, has_end: bool) -> dict[str, str]:
    """The HLS playlists by name within the preview's folder."""
    playlists = {f"{track.kind}.m3u8": _media(track, has_end) for track in tracks}
    return {**playlists, "main.m3u8": _multivariant(tracks)}


def _media(track: PreviewTrack, has_end: bool) -> str:
    init = f'URI="{track.init_uri}"'
    segments = tuple(
        Segment(track.uri(number), duration, tags=(f"#EXT-X-MAP:{init}",) if number == 1 else ())
        for number, duration in enumerate(track.durations, 1)
    )
    return write_media(
        MediaPlaylist(
            track.target, segments, version=7, kind="EVENT", has_end=has_end,
            tags=("#EXT-X-INDEPENDENT-SEGMENTS",),
        )
    )  # fmt: skip


def _multivariant(tracks: Sequence[PreviewTrack]) -> str:
    video, *sounds = tracks
    codecs = ",".join(track.codec for track in tracks)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="preview",DEFAULT=YES,AUTOSELECT=YES,'
        f'LANGUAGE="{sound.language}",CHANNELS="{sound.channels}",URI="audio.m3u8"'
        for sound in sounds
    ]
    lines.append(
        f"#EXT-X-STREAM-INF:BANDWIDTH={sum(track.peak for track in tracks)},"
        f'CODECS="{codecs}",RESOLUTION={video.width}x{video.height},'
        f"FRAME-RATE={float(video.rate):.3f}" + (',AUDIO="sound"' if sounds else "")
    )
    return "\n".join([*lines, "video.m3u8"]) + "\n"


def preview_mpd(tracks: Sequence[PreviewTrack], begun: datetime, *, has_end: bool) -> str:
    """The MPD: dynamic while it grows, static when it has its end.

    Args:
        tracks: Picture first.
        begun: When the preview's first segment was there.
        has_end: Whether the last segment is there.
    """
    duration = max(sum(track.durations, Fraction(0)) for track in tracks)
    zulu = begun.isoformat().replace("+00:00", "Z")
    kind = (
        f'type="static" mediaPresentationDuration="PT{float(duration):.3f}S"'
        if has_end
        else f'type="dynamic" availabilityStartTime="{zulu}" publishTime="{zulu}" '
        f'minimumUpdatePeriod="PT{UPDATE_S}S" timeShiftBufferDepth="PT100H" '
        f'suggestedPresentationDelay="PT{2 * int(SEGMENT)}S"'
    )
    sets = "".join(_adaptation_set(track) for track in tracks)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<MPD xmlns="{NAMESPACE}" profiles="urn:mpeg:dash:profile:isoff-live:2011" '
        f'minBufferTime="PT{int(SEGMENT)}S" {kind}>\n'
        f'  <Period id="0" start="PT0S">\n{sets}  </Period>\n</MPD>\n'
    )


def begun_of(mpd: str) -> datetime | None:
    """When the first segment of a dynamic MPD's preview was there; None of one that has its end."""
    found = re.search(r'availabilityStartTime="([^"]+)"', mpd)
    return datetime.fromisoformat(found[1]) if found else None


def _adaptation_set(track: PreviewTrack) -> str:
    if track.kind == "video":
        rate = f"{track.rate.numerator}/{track.rate.denominator}"
        of_kind = f'width="{track.width}" height="{track.height}" frameRate="{rate}"'
        language = ""
    else:
        of_kind = 'audioSamplingRate="48000"'
        language = f" lang={quoteattr(track.language)}"
    timeline = "".join(f'            <S d="{piece.ticks}"/>\n' for piece in track.pieces)
    return (
        f'    <AdaptationSet contentType="{track.kind}" segmentAlignment="true"{language}>\n'
        f'      <Representation id="{track.kind}" mimeType="{track.kind}/mp4" '
        f'codecs="{track.codec}" bandwidth="{track.peak}" {of_kind}>\n'
        f'        <SegmentTemplate timescale="{track.timescale}" startNumber="1" '
        f'initialization="{track.init_uri}" media="{track.kind}-$Number%05d$.m4s">\n'
        f"          <SegmentTimeline>\n{timeline}          </SegmentTimeline>\n"
        "        </SegmentTemplate>\n      </Representation>\n    </AdaptationSet>\n"
    )


def moved_segment(segment: bytes, ticks: int) -> bytes:
    """A CMAF segment whose media times begin so much later (``tfdt``, clause 8.8.12).

    Raises:
        BoxError: it is none.
    """
    moved = bytearray(segment)
    for box in boxes(segment):
        if box.kind != "moof":
            continue
        for traf in (child for child in children(segment, box) if child.kind == "traf"):
            tfdt = require(segment, traf, "tfdt")
            fields = Fields(segment, tfdt)
            version, _ = fields.full_box()
            width = 8 if version else 4
            begin = fields.unsigned(width)
            at = tfdt.body + 4
            moved[at : at + width] = (begin + ticks).to_bytes(width, "big")
    return bytes(moved)


def split_fragments(data: bytes) -> tuple[bytes, list[bytes], int]:
    """A fragmented file, or what there is of one: header, whole fragments, bytes that were used.

    The header is ``ftyp`` and ``moov``, a fragment ``moof`` and ``mdat``. What comes after the last
    whole fragment is left for later.
    """
    header, fragments, at, pending = b"", list[bytes](), 0, b""
    while len(data) - at >= 8:
        size = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if size < 8 or at + size > len(data):
            break
        box = data[at : at + size]
        if kind in (b"ftyp", b"moov"):
            header += box
        elif kind == b"moof":
            pending = box
        elif kind == b"mdat" and pending:
            fragments.append(pending + box)
            pending = b""
        at += size
    used = at - len(pending)
    return header, fragments, used
