"""The report of a package: what came in, what was made, every verdict, what it cost.

Its form is documented in docs/formats/report.md and checked by tests; pages and ``--json`` read it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from matinee.assets.asset import Asset
from matinee.core.events import Fact
from matinee.core.ids import digest_of_value
from matinee.core.verdicts import Verdict, failed
from matinee.media.bit_rates import measured
from matinee.media.chapters import chapters_json
from matinee.media.cmaf import read_init
from matinee.media.grain import told_grain
from matinee.media.hls import read_media
from matinee.media.plan import shots
from matinee.media.quality import by_second, pool
from matinee.media.remarks import track_json
from matinee.media.source import SourceInfo
from matinee.media.streams import IMSC1, Sheets, Stream
from matinee.media.subtitle_lint import Remark, remarks_json, told_remarks
from matinee.media.tracks import DAMAGED
from matinee.ports.catalog import Package, Title
from matinee.stages.bench import Bench
from matinee.stages.judge import Evidence, read_scores

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Making:
    """What a report is built from."""

    title: Title
    film_name: str
    source: Asset
    evidence: Evidence
    verdicts: Sequence[Verdict]
    made_at: datetime


async def build_report(bench: Bench, making: Making) -> dict[str, Any]:
    """The report as JSON."""
    evidence = making.evidence
    film = evidence.made.film
    return {
        "schema": SCHEMA,
        "title": _title(making.title),
        "package": {
            "id": evidence.packaged.id,
            "state": "ready" if all(v.passed for v in making.verdicts) else "held",
            "made_at": making.made_at.isoformat(),
        },
        "hls": "main.m3u8",
        "dash": "main.mpd",
        "source": _source(film.info, making),
        "tracks": [outcome.as_json() for outcome in evidence.made.tracks.outcomes],
        "subtitle_remarks": remarks_json(_said(evidence)),
        "chapters": chapters_json(evidence.plan.chapters),
        "plan": {
            "frames": film.plan.frames,
            "frame_rate": str(film.plan.rate),
            "segments": [asdict(segment) for segment in film.plan.segments],
            "chunks": len(film.plan.chunks),
            "cuts": len(evidence.split.cuts),
        },
        "choices": list(evidence.choices),
        "film_grain": evidence.grain,
        "renditions": [await _rendition(bench, evidence, stream) for stream in evidence.present()],
        "verdicts": [verdict.as_json() for verdict in making.verdicts],
        "stages": _stages(bench),
        "tools": {tool.name: tool.version for tool in bench.tools.values()},
        "sandbox": list(bench.sandbox),
        "thumbnails": _thumbnails(evidence.plan.sheets),
        **_encryption(evidence),
    }


def failures(making: Making, entry: Package, cause: str | None) -> list[Fact]:
    """What failed, one fact a verdict, each told once."""
    return [
        Fact(
            "verdict.failed",
            f"title/{entry.title}",
            {
                "title": entry.title, "name": making.title.name, "package": entry.id,
                "judge": verdict.judge, "about": verdict.subject, "reasons": list(verdict.reasons),
            },
            cause,
            id=digest_of_value([entry.report, verdict.judge, verdict.subject])[:32],
        )
        for verdict in failed(making.verdicts)
    ]  # fmt: skip


def _encryption(evidence: Evidence) -> dict[str, Any]:
    """How it is encrypted: the scheme, where keys come from, their ids; never a key."""
    keyring = evidence.made.keyring
    if keyring is None:
        return {}
    ids = {label: key.id.hex() for label, key in keyring.keys.items()}
    told = {
        "scheme": keyring.scheme,
        "keys": keyring.encryption.kind_of_keys,
        "key_ids": ids,
        "generation": keyring.generation,
    }
    return {"encryption": told}


def _title(title: Title) -> dict[str, Any]:
    return {
        "id": title.id,
        "name": title.name,
        "credit": title.credit,
        "film": title.film,
        "source": title.source,
        "added_at": title.added_at.isoformat(),
    }


def _stages(bench: Bench) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "wall_s": round(tally.wall_s, 3),
            "cpu_s": round(tally.cpu_s, 3),
            "ran": tally.ran,
            "reused": tally.reused,
        }
        for name, tally in bench.tallies.items()
    ]


def _thumbnails(sheets: Sheets) -> dict[str, Any]:
    return {
        "uri": f"renditions/{sheets.folder}/00001.jpg",
        "columns": sheets.columns,
        "rows": sheets.rows,
        "width": sheets.width,
        "height": sheets.height,
        "interval_s": float(sheets.interval),
    }


def _source(info: SourceInfo, making: Making) -> dict[str, Any]:
    timeline = making.evidence.made.film.timeline
    return {
        "digest": making.source.digest,
        "size_bytes": making.source.size_bytes,
        "container": info.container,
        "duration": float(timeline.duration),
        "notes": [
            *timeline.notes,
            *_damage_notes(making.evidence),
            *_grain_notes(making.evidence),
            *told_remarks(_said(making.evidence)),
        ],
        "tracks": [
            track_json(track, info, timeline.frames, str(timeline.rate)) for track in info.tracks
        ],
    }


def _said(evidence: Evidence) -> dict[str, Sequence[Remark]]:
    """What is said of each text rendition's cues."""
    return {text.plan.name: text.remarks for text in evidence.made.texts.values()}


def _grain_notes(evidence: Evidence) -> Sequence[str]:
    rungs = evidence.made.film.rungs
    noise = evidence.grain["noise"] if evidence.grain else None
    return told_grain(noise, {f"video-{rung.name}": rung.film_grain for rung in rungs})


def _damage_notes(evidence: Evidence) -> list[str]:
    """What was accepted of sound and text."""
    damaged = {s.plan.track: s.damage for s in evidence.made.sounds.values() if s.damage}
    outcomes = evidence.made.tracks.outcomes
    return [
        *(f"sound track {track} is damaged {damage}" for track, damage in damaged.items()),
        *(f"{o.source} is left out: {o.waiver}" for o in outcomes if o.waiver.startswith(DAMAGED)),
    ]


async def _rendition(bench: Bench, evidence: Evidence, stream: Stream) -> dict[str, Any]:
    packaged = evidence.packaged
    folder = f"renditions/{stream.folder}/"
    assets = {path: a for path, a in packaged.files.items() if path.startswith(folder)}
    playlist = read_media(
        (await bench.read(packaged.files[f"packages/{packaged.id}/{stream.playlist}"])).decode()
    )
    sizes = [assets[s.uri.removeprefix("../../")].size_bytes for s in playlist.segments]
    rate = measured(
        [(size, s.duration) for size, s in zip(sizes, playlist.segments, strict=True)],
        playlist.target_duration,
    )
    common = {
        "name": stream.name,
        "folder": stream.folder,
        "type": {"text": "subtitles"}.get(stream.kind, stream.kind),
        "language": stream.labels.language if stream.labels else None,
        "width": None,
        "height": None,
        "video_range": None,
        "film_grain": None,
        "channels": stream.channels or None,
        "frames": None,
        "duration": round(float(playlist.duration), 6),
        "bits_per_second": rate.average,
        "peak_bits_per_second": rate.peak,
        "bytes": sum(asset.size_bytes for asset in assets.values()),
        "vmaf": None,
        "vmaf_series": None,
        "loudness": None,
        "segment_bits": [8 * size for size in sizes],
    }
    if stream.kind == "text":
        return {**common, "codec": "stpp" if stream.family == IMSC1 else "wvtt"}
    codec = await _codec(bench, evidence, stream)
    if stream.kind == "audio":
        sound = evidence.made.sounds[stream.name]
        return {
            **common,
            "codec": codec,
            "frames": sound.frames,
            "duration": round(float(sound.plan.duration), 6),
            "loudness": sound.loudness.as_json(),
        }
    return {**common, "codec": codec, **await _video(bench, evidence, stream)}


async def _codec(bench: Bench, evidence: Evidence, stream: Stream) -> str:
    init = await bench.read(evidence.packaged.files[f"renditions/{stream.folder}/init.mp4"])
    return read_init(init).codec


async def _video(bench: Bench, evidence: Evidence, stream: Stream) -> dict[str, Any]:
    made = evidence.made
    number = evidence.plan.of_kind("video").index(stream)
    rung, plan = made.film.rungs[number], made.film.plan
    fields: dict[str, Any] = {
        "width": rung.width,
        "height": rung.height,
        "video_range": rung.hdr.video_range if rung.hdr else "SDR",
        "film_grain": rung.film_grain,
        "frames": plan.frames,
        "duration": round(float(plan.frames / plan.rate), 6),
    }
    if evidence.proofs.scored:
        scores = await read_scores(bench, made, number)
        fields["vmaf"] = pool(scores, shots(evidence.split.cuts, plan.frames, plan.rate)).as_json()
        fields["vmaf_series"] = by_second(scores, float(plan.rate))
    return fields
