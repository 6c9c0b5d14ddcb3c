"""Checks a published package: CMAF segments, HLS and DASH manifests, each against the others.

Every file is read once and one segment is held at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from matinee.media.conformance_cmaf import (
    MeasuredRendition,
    audio_findings,
    duration_finding,
    measure_rendition,
    video_findings,
)
from matinee.media.conformance_dash import (
    ReadDash,
    dash_findings,
    read_representations,
)
from matinee.media.conformance_hls import ReadHls, ReadPlaylist, hls_findings, read_playlists
from matinee.media.conformance_keys import key_findings
from matinee.media.conformance_report import (
    Expected,
    ExpectedAudio,
    ExpectedVideo,
    Finding,
    Library,
    Read,
    rendition_name,
)
from matinee.media.conformance_text import check_sheets, check_webvtt
from matinee.media.dash import MpdInvalid, read_mpd
from matinee.media.hls import read_multivariant
from matinee.media.hls_attributes import Attributes, PlaylistInvalid

__all__ = ["Expected", "ExpectedAudio", "ExpectedVideo", "Finding", "Read", "check_package"]


@dataclass(frozen=True, slots=True)
class _Manifests:
    """Both manifests as read."""

    hls: ReadHls
    dash: ReadDash


def check_package(read: Read, hls: str, dash: str, expected: Expected) -> list[Finding]:
    """Every fault of a package, in the order in which it is read; none means that it may ship.

    Args:
        read: Gives a file's bytes by its path below the title's folder.
        hls: Path of the multivariant playlist.
        dash: Path of the MPD.
        expected: What the package must hold.
    """
    library = Library(read)
    manifests = _read_manifests(library, hls, dash)
    if manifests is None:
        return library.findings
    tracks = _measure(library, manifests, expected)
    sizes = _check_text(library, manifests.hls) | _check_thumbnails(library, manifests, tracks)
    library.findings += _plan_findings(tracks, manifests, expected)
    library.findings += _alignment_findings(manifests.hls, tracks)
    library.findings += hls_findings(manifests.hls, tracks, expected, sizes)
    library.findings += key_findings(manifests.hls, manifests.dash, expected)
    targets = [listed.playlist.target_duration for listed in manifests.hls.lists.values()]
    library.findings += dash_findings(
        manifests.dash,
        tracks,
        expected,
        max(targets[: len(manifests.hls.playlist.variants)], default=1),
    )
    return library.findings


def _read_manifests(library: Library, hls: str, dash: str) -> _Manifests | None:
    hls_text, dash_text = library.text_of(hls), library.text_of(dash)
    if hls_text is None or dash_text is None:
        return None
    try:
        playlist = read_multivariant(hls_text)
    except PlaylistInvalid as error:
        library.note("playlist.invalid", hls, str(error))
        return None
    try:
        mpd = read_mpd(dash_text)
    except MpdInvalid as error:
        library.note("mpd.invalid", dash, str(error))
        return None
    listed = read_playlists(library, hls, playlist)
    return _Manifests(listed, read_representations(library, dash, mpd))


def _measure(
    library: Library, manifests: _Manifests, expected: Expected
) -> dict[str, MeasuredRendition]:
    """Read every rendition once, by the path of its init segment."""
    in_hls = {
        listed.init_path: listed.paths
        for listed in manifests.hls.lists.values()
        if listed.init_path is not None and not listed.playlist.is_i_frames_only
    }
    in_dash = {
        r.init_path: r.paths for r in manifests.dash.representations if r.init_path is not None
    }
    library.findings += _difference_findings(manifests, in_hls, in_dash)
    tracks = {}
    for init_path in dict.fromkeys((*in_hls, *in_dash)):
        paths = dict.fromkeys((*in_hls.get(init_path, ()), *in_dash.get(init_path, ())))
        name = rendition_name(init_path)
        existing = [path for path in paths if path]
        track = measure_rendition(library, init_path, existing, expected.video.get(name))
        if track is not None:
            tracks[init_path] = track
    return tracks


def _difference_findings(
    manifests: _Manifests,
    in_hls: Mapping[str, Sequence[str]],
    in_dash: Mapping[str, Sequence[str]],
) -> Iterator[Finding]:
    """The same segments of every video and audio rendition in both manifests."""
    trick = {r.init_path for r in manifests.dash.trick_modes}
    text = {
        r.init_path for r in manifests.dash.representations if r.value.codecs in ("wvtt", "stpp")
    }
    for init_path in sorted((in_hls.keys() | in_dash.keys()) - trick - text):
        first, second = in_hls.get(init_path), in_dash.get(init_path)
        if first is None or second is None:
            where = "the MPD" if first is None else "HLS"
            yield Finding("manifests.differ", init_path, f"only in {where}")
        elif tuple(first) != tuple(second):
            yield Finding(
                "manifests.differ",
                init_path,
                f"{len(first)} segments in HLS and {len(second)} in the MPD, not the same",
            )


def _plan_findings(
    tracks: Mapping[str, MeasuredRendition], manifests: _Manifests, expected: Expected
) -> Iterator[Finding]:
    """Renditions against the plan: none missing, none more, each as planned."""
    trick = {r.name for r in manifests.dash.trick_modes}
    texts = {m.uri for m in manifests.hls.playlist.media if m.kind == "SUBTITLES"}
    lists = manifests.hls.lists
    found = {track.name for track in tracks.values()}
    found |= {lists[uri].name for uri in texts if uri is not None and uri in lists}
    planned = expected.video.keys() | expected.audio.keys() | expected.text.keys()
    for name in sorted(planned - found):
        yield Finding("rendition.missing", name, "planned, not in the package")
    for name in sorted(found - planned - trick):
        yield Finding("rendition.unexpected", name, "in the package, not planned")
    for track in tracks.values():
        video, audio = expected.video.get(track.name), expected.audio.get(track.name)
        if video is not None:
            yield from video_findings(track, video)
            end = video.frames / video.frame_rate
            yield from duration_finding(track, end, expected.duration_tolerance)
        if audio is not None:
            yield from audio_findings(track, audio)
            yield from duration_finding(track, audio.duration, expected.duration_tolerance)


def _alignment_findings(hls: ReadHls, tracks: Mapping[str, MeasuredRendition]) -> Iterator[Finding]:
    """Segments of all video renditions begin and end together (RFC 8216bis section 6.2.4)."""
    variants = [hls.lists[v.uri] for v in hls.playlist.variants if v.uri in hls.lists]
    found = [tracks[init] for init in (v.init_path or "" for v in variants) if init in tracks]
    for track in found[1:]:
        first = [(segment.start, segment.end) for segment in found[0].segments]
        if [(segment.start, segment.end) for segment in track.segments] != first:
            yield Finding(
                "video.alignment", track.init_path, f"segments are not those of {found[0].name}"
            )


def _check_text(library: Library, hls: ReadHls) -> dict[str, int]:
    """WebVTT segments; gives their sizes."""
    sizes: dict[str, int] = {}
    for uri in dict.fromkeys(m.uri for m in hls.playlist.media if m.kind == "SUBTITLES"):
        listed = hls.lists.get(uri or "")
        if listed is None or listed.init_path is not None:
            continue
        start = Fraction(0)
        for segment, path in zip(listed.playlist.segments, listed.paths, strict=True):
            end = start + segment.duration
            size = check_webvtt(library, path, start, end) if path and path not in sizes else None
            sizes |= {} if size is None else {path: size}
            start = end
    return sizes


def _check_thumbnails(
    library: Library, manifests: _Manifests, tracks: Mapping[str, MeasuredRendition]
) -> dict[str, int]:
    """Thumbnail sheets of both manifests; gives their sizes."""
    end = max((t.end for t in tracks.values() if t.init.handler == "vide"), default=Fraction(0))
    sizes: dict[str, int] = {}
    wanted: list[tuple[str, Fraction, Sequence[str], tuple[int, int] | None]] = []
    uris = dict.fromkeys(image.uri or "" for image in manifests.hls.playlist.images)
    wanted += [
        (listed.path, listed.playlist.duration, listed.paths, _sheet_size(listed))
        for listed in (manifests.hls.lists[uri] for uri in uris if uri in manifests.hls.lists)
    ]
    wanted += [
        (
            manifests.dash.path,
            sum((segment.duration for segment in r.value.segments), Fraction(0)),
            r.paths,
            (r.value.width or 0, r.value.height or 0),
        )
        for r in manifests.dash.images
    ]
    for where, covered, paths, size in wanted:
        if covered < end - Fraction(1, 20):
            library.note(
                "thumbnails.coverage", where, f"{float(covered)} of {float(end)} s are covered"
            )
        sizes |= check_sheets(library, [p for p in paths if p and p not in sizes], size)
    named = {tuple(paths) for _, _, paths, _ in wanted}
    if len(named) > 1:
        library.note("manifests.differ", manifests.dash.path, "thumbnails differ from those in HLS")
    return sizes


def _sheet_size(listed: ReadPlaylist) -> tuple[int, int] | None:
    """Width and height of a whole sheet, from EXT-X-TILES."""
    tiles = listed.playlist.segments[0].tiles if listed.playlist.segments else None
    size, grid = (_pair(tiles, name) for name in ("RESOLUTION", "LAYOUT"))
    return (size[0] * grid[0], size[1] * grid[1]) if size and grid else None


def _pair(tiles: Attributes | None, name: str) -> tuple[int, int] | None:
    first, _, second = ((tiles.text(name) if tiles else None) or "").partition("x")
    both = first + second
    return (int(first), int(second)) if first and second and both.isdecimal() else None
