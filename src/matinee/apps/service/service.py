"""The whole service on one machine: the web, the ways in, the rules, and the worker."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from matinee.apps.service.children import Child
from matinee.apps.service.desks import RuleBookDesk, UploadsDesk
from matinee.apps.service.parts import Part, every, run_parts
from matinee.apps.web.access import Access
from matinee.apps.web.app import create_app, feed_of
from matinee.apps.web.bucket_events import BucketEvents
from matinee.apps.web.credentials import administrator, make_token, write_private
from matinee.apps.web.guard import let_in
from matinee.apps.web.parts import catalog_of, service_of
from matinee.apps.web.server import Certificate, serve_app
from matinee.apps.web.tus import Tus
from matinee.config import FilmBucket, read_upload_limits
from matinee.core.errors import LibraryError
from matinee.core.ids import canonical_json
from matinee.flows.hear_bucket import Pace, hear
from matinee.flows.seal_events import seal_events
from matinee.ports.tokens import Token
from matinee.rules.automation import Automation
from matinee.rules.leases import LOOK_S, REST_S, LeaseWatch
from matinee.stages.together import both
from matinee.wiring.library import (
    Library,
    alone_on,
    now,
    release_all,
    sweep_scratch,
    wake_pipe,
)
from matinee.wiring.processes import is_dead, reached_by
from matinee.wiring.ways import disk_uploads, heard_bucket, watched_folder
from matinee.wiring.web import web_parts

log = logging.getLogger("matinee.service")

SEAL_EVERY_S = 60.0
FREE_EVERY_S = 10.0
UPLOADING_S = 30.0
"""An upload of which nothing came for so long does not go on."""

_PAGE = 200
LOCAL_TOKEN = "this machine"  # noqa: S105  # its name
LOCAL_TOKEN_DAYS = 30
"""A token for commands on this machine, made anew at each start, ends by itself after a crash."""


@dataclass(frozen=True, slots=True)
class Options:
    """What ``matinee up`` was told."""

    host: str
    port: int
    access: Access
    certificate: Certificate | None
    watched: Sequence[Path]
    buckets: Sequence[FilmBucket]
    worker_arguments: Sequence[str]
    worker_environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Welcome:
    """What is said once the service answers. ``secret`` is there on the first start alone.

    ``others`` are further addresses by which it is reached.
    """

    address: str
    others: Sequence[str]
    sign_in: str
    secret: str | None


@dataclass
class Up:
    """One running service over one library."""

    library: Library
    options: Options
    automation: Automation
    rules: RuleBookDesk
    _local: Token | None = None

    async def run(self, until: asyncio.Event, welcome: Callable[[Welcome], None]) -> None:
        """Serve until told to stop. ``welcome`` is called when connections are accepted.

        Raises:
            LibraryBusy: another service works on this library.
        """
        with alone_on(self.library.settings):
            await self._run(until, welcome)

    async def _run(self, until: asyncio.Event, welcome: Callable[[Welcome], None]) -> None:
        library, options, parts = self.library, self.options, web_parts(self.library)
        self._uploads = disk_uploads(library, limits := read_upload_limits())
        await self._uploads.start()
        self._tus = Tus(self._uploads, limits, self._may)
        self._heard = [heard_bucket(library, told, log.warning) for told in options.buckets]
        self._worker = Child(
            "matinee.apps.worker",
            options.worker_arguments,
            options.worker_environment,
            self._has_work,
            self._buried,
        )
        self._ahead = Child(
            "matinee.apps.ahead",
            options.worker_arguments,
            options.worker_environment,
            self._has_uploads,
            lambda _pid, _code: None,
        )
        self._service = service_of(
            library, parts, options.access, self.rules, UploadsDesk(self._uploads), self.stir
        )
        folder = library.settings.library
        app = create_app(catalog_of(library, parts), self._service, folder, self._ways())
        self._feed = feed_of(app)
        pipe = wake_pipe(library.settings)
        pipe.listen(self.stir)
        bound = asyncio.Event()
        try:
            await both(self._serve(app, bound, until, welcome), self._work(bound, until))
        finally:
            pipe.close()
            self._forget()

    async def _serve(
        self, app: ASGIApp, bound: asyncio.Event, until: asyncio.Event,
        welcome: Callable[[Welcome], None],
    ) -> None:  # fmt: skip
        def told(host: str, port: int) -> None:
            self._welcome(host, port, welcome)
            bound.set()

        options = self.options
        try:
            await serve_app(app, options.host, options.port, told, until, options.certificate)
        finally:
            until.set()
            bound.set()

    async def _work(self, bound: asyncio.Event, until: asyncio.Event) -> None:
        """Everything but the web, once the address is ours: two services do not work at once."""
        await bound.wait()
        if until.is_set():
            return  # it is not ours, and the library may be another's that works
        await asyncio.to_thread(sweep_scratch, self.library.settings)
        await run_parts(self._parts(), until)

    def _welcome(self, host: str, port: int, welcome: Callable[[Welcome], None]) -> None:
        """Say where we are: to who started us, and in a file to commands on this machine."""
        tokens, scheme = self.library.tokens, "https" if self.options.certificate else "http"
        address, *others = [f"{scheme}://{one}:{port}" for one in reached_by(host)]
        token, secret = administrator(tokens, now())
        self._local, local = make_token(
            tokens, LOCAL_TOKEN, ["operate"], LOCAL_TOKEN_DAYS, now(), "matinee"
        )
        chosen = self.options.certificate
        told = {
            "address": others[-1] if others else address,
            "token": local,
            "certificate": chosen and chosen.shown,
        }
        write_private(self.library.settings.service_file, canonical_json(told).encode())
        welcome(Welcome(address, others, self._service.links.make(token), secret))

    def _forget(self) -> None:
        """What was good for this one start ends with it."""
        if self._local is None:
            return
        self.library.settings.service_file.unlink(missing_ok=True)
        with suppress(LibraryError):
            self.library.tokens.revoke(self._local.id)

    def stir(self) -> None:
        """Something happened: whoever waits looks at once."""
        self.automation.wake()
        self._worker.stir()
        self._feed.poke()

    def _parts(self) -> list[Part]:
        library = self.library
        folders = [watched_folder(library, path, log.info) for path in self.options.watched]
        return [
            Part("worker", self._worker.keep),
            Part("head starts", self._ahead.keep),
            Part("rules", self.automation.run),
            Part("leases", self._watch_runs),
            Part("feed", self._feed.keep),
            Part("seals", self._seal),
            Part("uploads", self._uploads.tend),
            Part("room", self._free_uploads),
            *(Part(f"folder {folder.folder}", folder.watch) for folder in folders),
            *(
                Part(f"bucket {one.name}", partial(one.list_for_ever, Pace()))
                for one in self._heard
            ),
        ]

    def _ways(self) -> list[BaseRoute]:
        """The routes by which films come in."""
        told = BucketEvents(lambda notices: hear(self._heard, notices), log.warning, self._may)
        return [*self._tus.routes(), *told.routes()]

    async def _may(self, request: Request, scope: str) -> str:
        return let_in(request.state.person, scope).who

    def _has_work(self) -> bool:
        """Whether a worker is wanted."""
        return self.library.runs.has_open()

    def _has_uploads(self) -> bool:
        """Whether any upload goes on, so that a head start may be given."""
        lately = now() - timedelta(seconds=UPLOADING_S)
        return any(one.changed_at > lately for one in self._uploads.in_progress())

    def _buried(self, pid: int, code: int) -> None:
        """A worker ended: what it held is let go, as it is certainly dead."""
        if code != 0:
            log.warning("the worker %s ended with %s", pid, code)
        for lease in self.library.runs.held():
            if is_dead(lease.owner):
                release_all(self.library, lease.owner)

    async def _watch_runs(self) -> None:
        """Let go runs whose owners are dead, or stand still."""
        watch, runs = LeaseWatch(), self.library.runs
        clock = asyncio.get_running_loop().time

        def look() -> float:
            held = runs.held()
            for lease in watch.look(held, clock()):
                if runs.release(lease):
                    log.warning("run %s was let go: %s stood still", lease.id, lease.owner)
            for owner in {lease.owner for lease in held if is_dead(lease.owner)}:
                release_all(self.library, owner)
            return LOOK_S if held else REST_S

        await every(look)

    async def _free_uploads(self) -> None:
        """Let go the bytes of uploads that the library has by now: their runs are done."""
        while True:
            if kept := self._uploads.kept():
                for place in await asyncio.to_thread(self._done_of, kept):
                    await self._uploads.release(place)
            await asyncio.sleep(FREE_EVERY_S)

    def _done_of(self, places: frozenset[str]) -> set[str]:
        """Those of the places whose films are published."""
        done: set[str] = set()
        last: str | None = None
        while runs := self.library.runs.page(["done"], last, _PAGE):
            done |= places & {str(run.wish.request.get("place")) for run in runs}
            last = runs[-1].id
            if done == places:
                break
        return done

    async def _seal(self) -> None:
        while True:
            await seal_events(self.library.events, self.library.store, now)
            await asyncio.sleep(SEAL_EVERY_S)
