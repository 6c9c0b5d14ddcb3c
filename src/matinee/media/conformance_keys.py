"""Checks of what manifests say of encryption: players look there for the key that they need."""

from collections.abc import Iterator

from matinee.media.conformance_dash import ReadDash
from matinee.media.conformance_hls import ReadHls
from matinee.media.conformance_report import Expected, Finding
from matinee.media.encryption import key_line
from matinee.media.hls_edits import KEY_TAG


def key_findings(hls: ReadHls, dash: ReadDash, expected: Expected) -> Iterator[Finding]:
    """Each rendition's key is named where its segments are, and no other rendition names one."""
    for listed in hls.lists.values():
        lock = expected.locks.get(listed.name)
        wanted = (key_line(lock),) if lock else ()
        found = [
            tuple(tag for tag in segment.tags if tag.startswith(KEY_TAG))
            for segment in listed.playlist.segments
        ]
        if any(found[1:]) or found[:1] != [wanted][: len(found)]:
            said = f"{sum(map(len, found))} EXT-X-KEY, planned {len(wanted)} before the first"
            yield Finding("hls.key", listed.path, said)
    for representation in dash.representations:
        name = representation.name.removesuffix("-trick")
        lock = expected.locks.get(name)
        told = (lock.scheme, lock.key_id) if lock else None
        if representation.value.protection != told:
            said = f"{representation.name}: {representation.value.protection}, planned {told}"
            yield Finding("dash.protection", dash.path, said)
