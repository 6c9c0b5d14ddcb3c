"""``matinee inspect``."""

from pathlib import Path
from typing import Any

import click

from matinee.apps.cli.main import print_json
from matinee.core.errors import SourceRefused, SourceUnreadable


@click.command("inspect")
@click.argument("film", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def inspect_command(film: str, as_json: bool) -> None:
    """Tell the tracks of FILM and whether it can be published."""
    from matinee.flows.report import track_json
    from matinee.media.source import source_as_json
    from matinee.stages.inspect import timeline_of
    from matinee.wiring import indexer

    path = Path(film)
    if not path.is_file():
        raise SourceUnreadable(f"{film} is not a file", "give the path of a film")
    info, packets, time_base = indexer().inspect(path)
    refusal: SourceRefused | None = None
    timeline = None
    try:
        timeline = timeline_of(info, packets, time_base)
    except SourceRefused as error:
        refusal = error
    frames, rate = (timeline.frames, str(timeline.rate)) if timeline else (len(packets), None)
    document = {
        "film": film,
        "container": info.container,
        "size_bytes": info.size_bytes,
        "duration": float(timeline.duration) if timeline else None,
        "frames": frames,
        "frame_rate": rate,
        "start": float(timeline.start) if timeline else None,
        "picture": source_as_json(info)["picture"],
        "tracks": [track_json(t, info, frames, rate) for t in info.tracks],
    }
    if as_json:
        print_json(document)
    else:
        tell_tracks(film, info, document)
    if refusal:
        raise refusal


def tell_tracks(film: str, info: Any, document: dict[str, Any]) -> None:
    """The tracks for people."""
    pace = f" at {document['frame_rate']} a second" if document["frame_rate"] else ""
    lasts = f", {document['duration']:.3f} s" if document["duration"] else ""
    click.echo(f"{film}: {info.container}, {document['frames']} frames{pace}{lasts}")
    for track in info.tracks:
        detail = (
            f"{info.picture.width}x{info.picture.height} {info.picture.pixel_format}"
            if track.index == info.video
            else f"{track.channels} channels at {track.sample_rate} Hz"
            if track.channels
            else ""
        )
        label = " ".join(part for part in (track.language or "", track.title) if part)
        click.echo(f"  {track.index} {track.type:<10} {track.codec:<12} {detail} {label}".rstrip())
