"""``matinee inspect``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from matinee.apps.cli.main import print_json, printable
from matinee.core.errors import SourceRefused


@click.command("inspect")
@click.argument("film", type=click.Path(readable=False))
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def inspect_command(film: str, as_json: bool) -> None:
    """Tell the tracks of FILM and whether it can be published."""
    from matinee.stages.given import check_is_file
    from matinee.wiring.reading import begin_to_inspect

    path = Path(film)
    check_is_file(path)
    reading = begin_to_inspect(path.absolute())

    from matinee.media.chapters import chapters_json, placed_chapters
    from matinee.media.remarks import told_source, track_json
    from matinee.media.source import source_as_json
    from matinee.media.source_timeline import timeline_of
    from matinee.media.subtitle_lint import remarks_json
    from matinee.media.tracks import plan_texts

    info, packets, time_base = reading.result()
    refusal: SourceRefused | None = None
    timeline = None
    try:
        timeline = timeline_of(info, packets, time_base)
    except SourceRefused as error:
        refusal = error
    texts = plan_texts(info, timeline, ()) if timeline else []
    said, words = _look_at(path, timeline, texts)
    frames, rate = (timeline.frames, str(timeline.rate)) if timeline else (len(packets), None)
    document = {
        "film": film,
        "container": info.container,
        "size_bytes": info.size_bytes,
        "duration": float(timeline.duration) if timeline else None,
        "frames": frames,
        "frame_rate": rate,
        "start": float(timeline.start) if timeline else None,
        "notes": [
            *told_source(info),
            *(timeline.notes if timeline else ()),
            *words,
        ],
        "subtitle_remarks": remarks_json(said),
        "picture": source_as_json(info)["picture"],
        "tracks": [track_json(t, info, frames, rate) for t in info.tracks],
        "chapters": chapters_json(
            placed_chapters(info.chapters, timeline.start, timeline.duration) if timeline else ()
        ),
        "captions": info.has_captions,
    }
    if as_json:
        print_json(document)
    else:
        tell_tracks(film, info, document)
    if refusal:
        raise refusal


def _look_at(film: Path, timeline: Any, texts: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
    """What is said of subtitles; a film without any needs nothing that looks at them."""
    if not texts:
        return {}, []
    from matinee.apps.cli.planning import look_at_subtitles

    return look_at_subtitles(film, timeline, texts, accept_damage=True)


def tell_tracks(film: str, info: Any, document: dict[str, Any]) -> None:
    """The tracks for people."""
    pace = f" at {document['frame_rate']} a second" if document["frame_rate"] else ""
    lasts = f", {document['duration']:.3f} s" if document["duration"] else ""
    click.echo(f"{printable(film)}: {info.container}, {document['frames']} frames{pace}{lasts}")
    for note in document["notes"]:
        click.echo(f"  {note}")
    for track in info.tracks:
        detail = (
            f"{info.picture.width}x{info.picture.height} {info.picture.pixel_format}"
            if track.index == info.video
            else f"{track.channels} channels at {track.sample_rate} Hz"
            if track.channels
            else ""
        )
        label = " ".join(part for part in (track.language or "", track.title) if part)
        line = f"  {track.index} {track.type:<10} {track.codec:<12} {detail} {label}"
        click.echo(printable(line.rstrip()))
    if info.has_captions:
        click.echo("  captions (CEA-608/708) inside the pictures")
    for chapter in document["chapters"]:
        click.echo(printable(f"  chapter at {chapter['start']:.3f} s: {chapter['title']}"))
