"""``matinee inspect``."""

from pathlib import Path

import click

from matinee.apps.cli.main import print_json
from matinee.core.errors import SourceUnreadable


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
    timeline = timeline_of(info, packets, time_base)
    document = {
        "film": film,
        "container": info.container,
        "size_bytes": info.size_bytes,
        "duration": float(timeline.duration),
        "frames": timeline.frames,
        "frame_rate": str(timeline.rate),
        "start": float(timeline.start),
        "picture": source_as_json(info)["picture"],
        "tracks": [track_json(t, info, timeline.frames, str(timeline.rate)) for t in info.tracks],
    }
    if as_json:
        print_json(document)
        return
    click.echo(
        f"{film}: {info.container}, {timeline.frames} frames at {timeline.rate} a second, "
        f"{float(timeline.duration):.3f} s"
    )
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
