"""``matinee publish --plan``: what would be made, in seconds, without making anything."""

import asyncio
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from matinee.apps.cli.main import printable

FORMS = {"webvtt": "", "imsc1": "-imsc1"}
"""Forms of subtitles, and what the names of their renditions end with."""

KEYS = {
    "library": "the library's own secret",
    "file": "a file",
    "service": "a key service",
}
"""Where keys come from, for people."""

FORM_NAMES = {"webvtt": "WebVTT", "imsc1": "IMSC1"}


def plan_film_json(film: Path, sidecars: Sequence[Any], profile: Any, wish: Any) -> dict[str, Any]:
    """Rungs, tracks, waivers, bytes and time."""
    from matinee.stages.damage import check_whole, look_first
    from matinee.stages.given import check_is_file
    from matinee.wiring.reading import begin_to_inspect, indexer

    check_is_file(film)
    look_first(indexer(), film.absolute(), accept_damage=wish.accept_damage)
    reading = begin_to_inspect(film.absolute())

    from matinee.config import read_settings
    from matinee.media import estimate
    from matinee.media.remarks import told_range, told_source
    from matinee.media.source import display_size
    from matinee.media.source_timeline import timeline_of
    from matinee.media.subtitle_lint import remarks_json
    from matinee.media.tracks import plan_tracks
    from matinee.stages.crop import told_crop

    info, packets, time_base = reading.result()
    timeline = timeline_of(info, packets, time_base)
    pace = check_whole(indexer(), film.absolute(), info, timeline, accept_damage=wish.accept_damage)
    if wish.crop:
        info = _cropped(film, info)
    profile = profile.for_film(timeline.duration, has_time=wish.scores)
    tracks = plan_tracks(info, timeline, profile, sidecars)
    said, words = look_at_subtitles(
        film, timeline, tracks.texts, accept_damage=wish.accept_damage
    )  # fmt: skip
    size, frames = display_size(info.picture), timeline.frames
    per_frame = _cost_of_frame(tracks.rungs, size, is_scored=wish.scores)
    sounds = [rendition for track in tracks.sounds for rendition in track.renditions]
    cpu_s = per_frame * frames + estimate.SOUND_COST * len(sounds) * float(timeline.duration)
    searches = _searches_json(profile, tracks.rungs, size, frames, wish)
    hulls = _hulls_json(profile, tracks.rungs, size, timeline)
    cpu_s += sum(search["cpu_seconds"] for search in (*searches, *hulls))
    workers = read_settings(wish.library, wish.workers, wish.database).workers
    return {
        **_made_json(tracks, sounds, timeline.duration),
        "film": str(film),
        "duration": float(timeline.duration),
        "frames": frames,
        "frame_rate": str(timeline.rate),
        "notes": [
            *told_source(info, pace),
            *told_range(tracks.rungs),
            *timeline.notes,
            *told_crop(info.picture),
            *words,
        ],
        "subtitle_remarks": remarks_json(said),
        "tracks": [outcome.as_json() for outcome in tracks.outcomes],
        "searches": searches,
        "hulls": hulls,
        "waivers": [o.as_json() for o in tracks.outcomes if o.waiver],
        "encryption": _encryption_json(profile.encryption),
        "cpu_seconds": round(cpu_s, 1),
        "seconds": round(cpu_s / workers, 1),
    }


def _cost_of_frame(rungs: Sequence[Any], size: tuple[int, int], *, is_scored: bool) -> float:
    """Processor seconds for a frame of the film: to look at it, encode it and score it."""
    from matinee.media import estimate

    scores = len(rungs) * estimate.score_cost(*size) if is_scored else 0.0
    return sum(map(estimate.encode_cost, rungs)) + estimate.scan_cost(*size) + scores


def look_at_subtitles(
    film: Path, timeline: Any, texts: Sequence[Any], *, accept_damage: bool
) -> tuple[dict[str, Any], list[str]]:
    """What is said of each text rendition's cues; and the same in words, a line for each.

    Of what is damaged, if it may be, a line says so.

    Raises:
        SourceDamaged: a subtitle track cannot be read.
    """
    if not texts:
        return {}, []
    from matinee.core.errors import SourceDamaged
    from matinee.media.subtitle_lint import told_remarks
    from matinee.stages.text import look_at_texts
    from matinee.wiring.tools import text_reader

    said: dict[str, Any] = {}
    faults = []
    with tempfile.TemporaryDirectory(prefix="matinee-plan-") as folder:

        def look(some: Sequence[Any]) -> dict[str, Any]:
            looking = look_at_texts(text_reader(), film.absolute(), timeline, some, Path(folder))
            return asyncio.run(looking)

        try:
            said = look(texts)
        except SourceDamaged:
            if not accept_damage:
                raise
            for text in texts:
                try:
                    said |= look([text])
                except SourceDamaged as error:
                    faults.append(f"{text.name}: {error}")
    return said, [*told_remarks(said), *faults]


def _encryption_json(encryption: Any) -> dict[str, str] | None:
    """What would be encrypted; keys are not asked for."""
    return encryption and {"scheme": encryption.scheme, "keys": encryption.kind_of_keys}


def _searches_json(
    profile: Any, rungs: Sequence[Any], size: tuple[int, int], frames: int, wish: Any
) -> list[dict[str, Any]]:
    """What would be searched for settings per shot: one rung of each ladder that asks for it."""
    if not any(ladder.is_searched for ladder in profile.ladders):
        return []
    from matinee.stages.chunks import Proofs
    from matinee.stages.search import EVERY
    from matinee.stages.settings import check_wishes, search_cost, wanted_of

    check_wishes(profile.ladders, Proofs(scored=wish.scores))
    return [
        {
            "rung": f"video-{wanted.rung.name}",
            "ladder": wanted.ladder.name,
            "target": wanted.ladder.target_vmaf,
            "crf": wanted.ladder.crf,
            "margin": None if wanted.ladder.target_vmaf is None else wanted.ladder.shot_margin,
            "sample": f"video-{wanted.sample.name}" if wanted.proxies else None,
            "preset": wanted.proxies[0].preset if wanted.proxies else None,
            "crfs": [proxy.crf for proxy in wanted.proxies],
            "every": EVERY if wanted.proxies else None,
            "cpu_seconds": round(frames * search_cost(wanted, size), 1),
        }
        for wanted in wanted_of(profile.ladders, rungs)
    ]


def _hulls_json(
    profile: Any, rungs: Sequence[Any], size: tuple[int, int], timeline: Any
) -> list[dict[str, Any]]:
    """What would be searched for rungs that come from the title."""
    if not any(ladder.is_per_title for ladder in profile.ladders):
        return []
    from matinee.media.hull import CLOSEST, JND
    from matinee.media.plan import CHUNK
    from matinee.stages.search import EVERY
    from matinee.stages.title_wish import NEAR, title_cost, title_wishes

    chunks = max(1, int(timeline.duration / CHUNK))
    return [
        {
            "ladder": wish.ladder.name,
            "sizes": [f"video-{rung.name}" for rung in wish.rungs],
            "target": wish.ladder.target_vmaf,
            "fixed_crf": wish.ladder.crf,
            "apart": JND,
            "closest": CLOSEST,
            "slowest": wish.ladder.slowest,
            "cpu_budget": wish.ladder.cpu_budget,
            "preset": wish.preset,
            "crfs": [wish.proxies(step)[0].crf for step in NEAR],
            "every": EVERY,
            "cpu_seconds": round(title_cost(wish, size, timeline.frames, chunks), 1),
        }
        for wish in title_wishes(profile.ladders, rungs)
    ]


def _cropped(film: Path, info: Any) -> Any:
    """The film without its black bars."""
    from matinee.stages.crop import cropped
    from matinee.wiring.tools import scanner

    with tempfile.TemporaryDirectory(prefix="matinee-plan-") as folder:
        crop, _ = asyncio.run(scanner().black_bars(film.absolute(), info, Path(folder)))
    return cropped(info, crop)


def _made_json(tracks: Any, sounds: Sequence[Any], duration: Fraction) -> dict[str, Any]:
    """What would be made, and how many bytes it is likely to take."""
    from matinee.media import estimate

    likely = [estimate.likely_bytes(rung, duration) for rung in tracks.rungs]
    return {
        "rungs": [
            {
                "name": f"video-{rung.name}",
                "width": rung.width,
                "height": rung.height,
                "codec": rung.codec,
                "depth": rung.depth,
                "profile": rung.profile,
                "coding": rung.shown_codec,
                "preset": rung.preset,
                "level": rung.level,
                "maxrate": rung.maxrate,
                "bytes": size_bytes,
            }
            for rung, size_bytes in zip(tracks.rungs, likely, strict=True)
        ],
        "sounds": [
            {
                "name": sound.name,
                "channels": sound.channels,
                "codec": sound.codec,
                "bits_per_second": estimate.likely_rate(sound),
            }
            for sound in sounds
        ],
        "subtitles": [
            {"name": f"{text.name}{ending}", "language": text.labels.language, "form": form}
            for text in tracks.texts
            for form, ending in FORMS.items()
            if form in tracks.text_forms
        ],
        "bytes": sum(likely)
        + sum(int(estimate.likely_rate(sound) * duration / 8) for sound in sounds),
    }


def tell_plan(plan: dict[str, Any]) -> None:
    """The plan for people."""
    from matinee.media.codecs.sound import SOUND_CODECS

    click.echo(
        f"{printable(plan['film'])}: {plan['duration']:.2f} s, {plan['frames']} frames at "
        f"{plan['frame_rate']} a second"
    )
    streams = [*plan["rungs"], *plan["sounds"], *plan["subtitles"]]
    width = max(len(stream["name"]) for stream in streams)
    for rung in plan["rungs"]:
        click.echo(
            f"  {rung['name']:<{width}} {rung['width']}x{rung['height']}  {rung['coding']} "
            f"level {rung['level']}, preset {rung['preset']}, "
            f"at most {rung['maxrate'] // 1000} kbit/s, about {rung['bytes'] / 1e6:.1f} MB"
        )
    for sound in plan["sounds"]:
        click.echo(
            f"  {sound['name']:<{width}} {sound['channels']} channels, "
            f"{SOUND_CODECS[sound['codec']].label}, {sound['bits_per_second'] // 1000} kbit/s"
        )
    for text in plan["subtitles"]:
        click.echo(f"  {text['name']:<{width}} {FORM_NAMES[text['form']]}")
    if locked := plan["encryption"]:
        click.echo(
            f"  pictures and sound encrypted: {locked['scheme']}, keys from {KEYS[locked['keys']]}"
        )
    click.echo(f"  {len(streams)} streams")
    for line in (*map(_hull_line, plan["hulls"]), *map(_search_line, plan["searches"])):
        click.echo(f"  {line}")
    for note in plan["notes"]:
        click.echo(f"  {note}")
    for waiver in plan["waivers"]:
        click.echo(f"  left out: {printable(waiver['source'])}: {printable(waiver['reason'])}")
    for outcome in plan["tracks"]:
        if outcome["note"]:
            click.echo(f"  note: {printable(outcome['source'])}: {printable(outcome['note'])}")
    minutes = plan["seconds"] / 60
    click.echo(f"about {plan['bytes'] / 1e6:.1f} MB, about {minutes:.1f} minutes here")


def _hull_line(hull: dict[str, Any]) -> str:
    crfs = ", ".join(f"{crf:g}" for crf in hull["crfs"])
    top = (
        f"CRF {hull['fixed_crf']:g} at the largest"
        if hull["target"] is None
        else f"VMAF {hull['target']:g}"
    )
    apart = f"VMAF {hull['apart']:g} or {hull['closest']:g} times the bits apart"
    budget = hull["cpu_budget"]
    spent = f"; presets by a budget of {budget:g}" if budget else ""
    return (
        f"rungs from the title, ladder {hull['ladder']}: sizes of these, as many as it takes from "
        f"{top} down to {hull['slowest'] / 1000:g} kbit/s, {apart}{spent}; by preset "
        f"{hull['preset']} at CRF {crfs} of some chunks, 1 frame in {hull['every']} scored"
    )


def _search_line(search: dict[str, Any]) -> str:
    if search["target"] is not None:
        floor = search["target"] - search["margin"]
        return (
            f"settings per shot: {search['rung']} as it ships, a few chunks first; VMAF "
            f"{search['target']:g}, no shot below {floor:g}"
        )
    crfs = ", ".join(f"{crf:g}" for crf in search["crfs"])
    return (
        f"settings per shot: {search['sample']} by preset {search['preset']} at CRF {crfs}, "
        f"1 frame in {search['every']} scored; as good as CRF {search['crf']:g} for all"
    )
