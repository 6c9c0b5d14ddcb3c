"""A published package, as tests look at it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee.media.dash import read_mpd
from matinee.media.hls import read_multivariant
from matinee.media.subtitles import parse_webvtt


@dataclass(frozen=True)
class Package:
    """A published film: the JSON of ``publish --json`` and its manifests."""

    document: dict[str, Any]

    @property
    def outcomes(self) -> list[tuple[str, list[str], str, str]]:
        return [
            (one["source"], one["renditions"], one["reason"], one["note"])
            for one in self.document["tracks"]
        ]

    def media(self, kind: str) -> list[dict[str, str]]:
        """EXT-X-MEDIA of the first group of one kind, as attributes without quotes."""
        found = read_multivariant(Path(self.document["hls"]).read_text()).media
        names = ("NAME", "LANGUAGE", "DEFAULT", "AUTOSELECT", "FORCED", "CHARACTERISTICS")
        return [
            {name: value for name in names if (value := media.attributes.text(name))}
            for media in found
            if media.kind == kind and media.group_id in ("audio", "text")
        ]

    def sets(self, kind: str) -> list[tuple[str | None, tuple[str, ...], str | None]]:
        """Label, roles and accessibility of the MPD's adaptation sets of one kind."""
        (period,) = read_mpd(Path(self.document["dash"]).read_text()).periods
        return [
            (one.label, one.roles, one.accessibility)
            for one in period.adaptation_sets
            if one.content_type == kind
        ]

    def cues(self, rendition: str) -> list[tuple[float, float, str]]:
        """All cues of a subtitle rendition, from its segments."""
        title = Path(self.document["hls"]).parent
        found = {}
        for path in sorted(title.glob(f"renditions/{rendition}-????????????/*.vtt")):
            for cue in parse_webvtt(path.read_text(), path.name).cues:
                found[float(cue.start), float(cue.end), cue.text] = cue
        return [key for key in sorted(found) if key[2] != "\u200b"]
