"""``/v1/titles``: reading them, for all; changing them, for who operates the service."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from matinee.apps.web.access import Person
from matinee.apps.web.errors import Changed, Conflict
from matinee.apps.web.library import Library, TitleView
from matinee.apps.web.once import OnceRoute
from matinee.apps.web.runs_json import run_summary
from matinee.apps.web.service import Service
from matinee.apps.web.titles_json import title_details, title_summary
from matinee.apps.web.v1.common import (
    FRESH,
    Operator,
    Ports,
    act,
    acted,
    check_unchanged,
    paged,
    place_of,
    refusals,
    tag_of,
    tagged,
)
from matinee.apps.web.v1.shapes import (
    Deletion,
    RunSummary,
    Showing,
    TitleChange,
    TitleSummary,
    TitleWhole,
)
from matinee.core.errors import NotFound, UsageError
from matinee.ports.catalog import Title, TitleSearch
from matinee.ports.keys import KeysOutdated
from matinee.ports.runs import Wish
from matinee.stages.ingest import shown_name
from matinee.stages.publish import check_generation, delete, hide, show, undelete

reading = APIRouter(prefix="/v1/titles", tags=["titles"])
acting = APIRouter(prefix="/v1/titles", tags=["titles"], route_class=OnceRoute)


def library_of(request: Request) -> Library:
    """The titles."""
    library: Library = request.app.state.library
    return library


Titles = Annotated[Library, Depends(library_of)]


@reading.get("", response_model=list[TitleSummary], responses=refusals(UsageError, NotFound))
async def get_titles(
    request: Request,
    library: Titles,
    search: Annotated[str | None, Query(max_length=200)] = None,
    state: Literal["published", "hidden", "deleted"] | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """Titles that have a package, by name; deleted ones where they are asked for."""
    place = place_of(cursor, [str])
    which = TitleSearch(search or None, state)
    cards, more = await library.cards(which, place[0] if place else None, limit)
    following = [cards[-1].title.id] if more else None
    return paged(request, [title_summary(card) for card in cards], following)


@reading.get("/{title}", response_model=TitleWhole, responses=refusals(NotFound))
async def get_title(
    request: Request,
    library: Titles,
    title: str,
    package: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """One title, its packages and a report."""
    view = await library.view(title, package)
    return tagged(request, title_details(view), _tag(view))


@acting.patch(
    "/{title}", response_model=TitleWhole, responses=refusals(NotFound, UsageError, Changed)
)
async def change_title(
    request: Request, service: Ports, library: Titles, person: Operator, title: str,
    change: TitleChange,
) -> Response:  # fmt: skip
    """Change what is said of a title, who may fetch it, and when it may be shown."""
    view = await library.view(title)
    check_unchanged(request, _tag(view))
    given = change.model_dump(exclude_unset=True)
    opens_at, closes_at = _window(view.title, given)
    one, catalog = view.title.id, service.catalog

    def work() -> None:
        cause = _told(service, person, "change", one)
        if given.keys() & {"name", "credit"}:
            catalog.titles.describe(one, _text(given, "name"), _text(given, "credit"), cause)
        if given.get("public") is not None:
            catalog.desk.open_to_all(one, given["public"], cause)
        if given.keys() & {"opens_at", "closes_at"}:
            catalog.desk.set_window(one, opens_at, closes_at, cause)

    if given:
        await act(service, work)
    return await _now(library, one)


@acting.post(
    "/{title}/show", response_model=TitleWhole,
    responses=refusals(NotFound, Conflict, KeysOutdated),
)  # fmt: skip
async def show_title(
    service: Ports, library: Titles, person: Operator, title: str,
    showing: Showing,
) -> Response:  # fmt: skip
    """Put a package on screen."""
    view = await library.view(title, showing.package)
    ready = [package for package in view.packages if package.state == "ready"]
    chosen = view.shown if showing.package else next(reversed(ready), None)
    if chosen is None or chosen.state != "ready":
        raise Conflict("this package did not pass all verdicts", "see its report")
    packages = service.catalog.packages
    await to_thread.run_sync(check_generation, packages, view.title.id, chosen.id)
    await _point(service, person, "show", view.title.id, chosen.id)
    return await _now(library, view.title.id)


@acting.post("/{title}/hide", response_model=TitleWhole, responses=refusals(NotFound))
async def hide_title(service: Ports, library: Titles, person: Operator, title: str) -> Response:
    """Take a title off the screen; its packages stay."""
    view = await library.view(title)
    await _point(service, person, "hide", view.title.id, None)
    return await _now(library, view.title.id)


@acting.post(
    "/{title}/rollback", response_model=TitleWhole,
    responses=refusals(NotFound, Conflict, KeysOutdated),
)  # fmt: skip
async def roll_title_back(
    service: Ports, library: Titles, person: Operator, title: str
) -> Response:
    """Put the package before the current one on screen."""
    view = await library.view(title)
    one = view.title.id
    before = await to_thread.run_sync(service.catalog.packages.previous, one)
    if before is None:
        raise Conflict("no package of this title was on screen before the current one")
    await to_thread.run_sync(check_generation, service.catalog.packages, one, before)
    await _point(service, person, "roll back", one, before)
    return await _now(library, one)


@acting.post(
    "/{title}/rekey", response_model=RunSummary, status_code=202, responses=refusals(NotFound)
)
async def rekey_title(service: Ports, library: Titles, person: Operator, title: str) -> Response:
    """Queue a run that makes the package again with new keys."""
    view = await library.view(title)
    one, film = view.title.id, view.title.film

    def work() -> Any:
        cause = _told(service, person, "rekey", one)
        name = f"rekey-{secrets.token_hex(16)}"
        return service.submit(Wish(name, "rekey", film, {"title": one}, 10, None, cause), one)

    run = await act(service, work)
    return JSONResponse(run_summary(run), status_code=202, headers=FRESH)


@acting.post("/{title}/delete", response_model=TitleWhole, responses=refusals(NotFound))
async def delete_title(
    service: Ports, library: Titles, person: Operator, title: str, deletion: Deletion
) -> Response:
    """Take a title off the screen; when its time is over it is removed for good."""
    view = await library.view(title)
    one, removes_at = view.title.id, service.now() + timedelta(days=deletion.days)
    store, packages = service.store, service.catalog.packages
    await _done(
        service, person, "delete", one,
        lambda cause: delete(store, packages, one, removes_at, cause),
    )  # fmt: skip
    return await _now(library, one)


@acting.post("/{title}/undelete", response_model=TitleWhole, responses=refusals(NotFound))
async def undelete_title(service: Ports, library: Titles, person: Operator, title: str) -> Response:
    """Bring a deleted title back, on screen where it was."""
    view = await library.view(title)
    one, store, packages = view.title.id, service.store, service.catalog.packages
    await _done(
        service, person, "undelete", one, lambda cause: undelete(store, packages, one, cause)
    )
    return await _now(library, one)


async def _point(
    service: Service, person: Person, what: str, title: str, package: str | None
) -> None:
    """Change which package is on screen."""
    store, packages = service.store, service.catalog.packages

    def point(cause: str) -> Coroutine[Any, Any, Title]:
        if package is None:
            return hide(store, packages, title, cause)
        return show(store, packages, title, package, cause)

    await _done(service, person, what, title, point)


async def _done(
    service: Service, person: Person, what: str, title: str,
    change: Callable[[str], Coroutine[Any, Any, Title]],
) -> None:  # fmt: skip
    """Tell of an act and do it, in a thread: the catalog's calls wait for the database."""
    await act(service, lambda: asyncio.run(change(_told(service, person, what, title))))


def _told(service: Service, person: Person, what: str, title: str) -> str:
    """Tell of an act; gives the event's id, which what follows names as its cause."""
    (event,) = service.log.append(acted(person, what, f"title/{title}"))
    return event.id


def _text(given: dict[str, Any], field: str) -> str | None:
    """A text that people see, as it can be shown; None: as it is."""
    text = given.get(field)
    return None if text is None else shown_name(text)


def _window(title: Title, given: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    """The rights window that a change leads to.

    Raises:
        UsageError: it ends before it begins.
    """
    opens_at = given.get("opens_at", title.opens_at)
    closes_at = given.get("closes_at", title.closes_at)
    if opens_at and closes_at and closes_at <= opens_at:
        raise UsageError("the window closes before it opens")
    return opens_at, closes_at


def _tag(view: TitleView) -> str:
    """Changes with what is said of the title, its packages, and which one is looked at."""
    packages = [[package.id, package.state, package.report] for package in view.packages]
    title = title_details(view) | {"report": None}
    return tag_of([title, packages])


async def _now(library: Library, title: str) -> Response:
    view = await library.view(title)
    return JSONResponse(title_details(view), headers={**FRESH, "etag": _tag(view)})
