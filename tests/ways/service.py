"""The ways in that answer HTTP, as one process that tests start, kill and start again.

``python -m tests.ways.service LIBRARY PORT [LIMIT=BYTES ...]`` prints its address. A request says
who it is with ``Authorization: Bearer NAME``.
"""

import asyncio
import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request

from matinee.adapters.foreign_buckets import foreign_bucket
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.uploads import DiskUploads
from matinee.apps.web.bucket_events import BucketEvents
from matinee.apps.web.server import serve_app
from matinee.apps.web.tus import Tus
from matinee.config import read_film_buckets
from matinee.core.errors import UsageError
from matinee.core.limits import UploadLimits
from matinee.flows.hear_bucket import HeardBucket, hear


def now() -> datetime:
    return datetime.now(UTC)


async def may(request: Request, scope: str) -> str:
    who = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not who or scope != "upload":
        raise UsageError("nobody asks")
    return who


async def main(folder: Path, limits: UploadLimits) -> None:
    log = SqlEventLog(open_database(f"sqlite:///{folder / 'matinee.db'}"), now)
    uploads = DiskUploads(folder / "uploads", log, limits, now)
    await uploads.start()
    buckets = [
        HeardBucket(
            one.name, one.prefix, foreign_bucket(one.name), log, folder / f"{one.name}.json", note
        )
        for one in read_film_buckets()
    ]
    events = BucketEvents(lambda notices: hear(buckets, notices), note, may)
    app = Starlette(routes=[*Tus(uploads, limits, may).routes(), *events.routes()])
    tending = asyncio.create_task(uploads.tend())

    def told(address: str, port: int) -> None:
        print(f"http://{address}:{port}", flush=True)

    await serve_app(app, "127.0.0.1", int(sys.argv[2]), told, asyncio.Event())
    tending.cancel()


def note(told: str) -> None:
    print(told, file=sys.stderr, flush=True)


if __name__ == "__main__":
    chosen = {name: int(value) for name, value in (one.split("=") for one in sys.argv[3:])}
    library = Path(sys.argv[1])
    library.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(library, UploadLimits(**{"floor": 0, **chosen})))
