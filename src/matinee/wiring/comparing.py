"""What comparing works with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matinee.adapters.ffmpeg.program import Ffmpeg
from matinee.adapters.ffmpeg.stills import FfmpegStills
from matinee.config import Settings
from matinee.core.progress import Progress
from matinee.flows.compare import Stand
from matinee.stages.bench import Bench
from matinee.wiring.publishing import open_house
from matinee.wiring.reading import sandbox_of


@contextmanager
def open_stand(settings: Settings, progress: Progress) -> Iterator[tuple[Stand, Bench]]:
    """Everything that one comparison needs."""
    with open_house(settings, progress, refresh=False) as (house, bench):
        ffmpeg = Ffmpeg(Path(bench.tools["ffmpeg"].path), sandbox_of(settings))
        stills = FfmpegStills(ffmpeg)
        yield Stand(house.studio, house.scanner, stills, house.exclusive, house.stop), bench
