"""A library in a bucket beside one in a folder: SeaweedFS on this machine, the same film."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.s3_server import S3Server

from benchmarks.film import ROOT
from benchmarks.measure import run as measured
from benchmarks.ours import LEAN, matinee
from benchmarks.table import Figure, paired
from benchmarks.workplace import Workplace

NAME = "bucket"
OPTIONS = ("--ladder", "fast", *LEAN)


def run(workplace: Workplace) -> Iterator[Figure]:
    """Publish in a new library, publish again, verify: in turns."""
    with tempfile.TemporaryDirectory(prefix="s3-") as kept, S3Server.started(Path(kept)) as server:

        def in_folder() -> list[float]:
            with workplace.folder() as folder:
                return _walls(workplace.film.cut, str(folder / "library"), {})

        def in_bucket() -> list[float]:
            with workplace.folder() as folder:
                variables = {**server.variables, "MATINEE_STATE": str(folder)}
                return _walls(workplace.film.cut, f"s3://{server.bucket()}/library", variables)

        walls = workplace.alternate(NAME, {"bucket": in_bucket, "folder": in_folder})
    for place, what in enumerate(("publish", "publish again", "verify")):
        ours, peer = ([turn[place] for turn in walls[arm]] for arm in ("bucket", "folder"))
        yield paired(NAME, f"wall of {what}, beside a folder", "s", ours, peer)


def _walls(film: Path, library: str, variables: Mapping[str, str]) -> list[float]:
    """Seconds of the three commands."""
    publish = matinee("publish", str(film), "--library", library, "--title", "Film", *OPTIONS)
    verify = matinee("verify", "film", "--library", library)
    return [measured(command, ROOT, variables)[0].wall_s for command in (publish, publish, verify)]
