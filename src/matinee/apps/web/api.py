"""The JSON of ``/v1``, and errors as problem documents (RFC 9457)."""

import math
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from matinee.apps.web.library import Library, TitleView

PROBLEM = "application/problem+json"
FRESH = {"cache-control": "no-cache"}


async def get_titles(request: Request) -> JSONResponse:
    """``GET /v1/titles``: every title, by name."""
    library: Library = request.app.state.library
    return JSONResponse([title_summary(view) for view in await library.views()], headers=FRESH)


async def get_title(request: Request) -> JSONResponse:
    """``GET /v1/titles/{id}``: one title, its packages and a report; 404 when unknown.

    ``?package=`` chooses the package whose report is given.
    """
    library: Library = request.app.state.library
    view = await library.view(request.path_params["id"], request.query_params.get("package"))
    return JSONResponse(title_details(view), headers=FRESH)


async def get_health(_request: Request) -> Response:
    """``GET /healthz``: the process answers."""
    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


def title_summary(view: TitleView) -> dict[str, Any]:
    """A title as the list shows it; ``poster`` names one picture of the thumbnail sheet."""
    return {
        "id": view.title.id,
        "name": view.title.name,
        "state": view.title.state,
        "credit": view.title.credit,
        "poster": poster_uri(view),
        "duration": duration_of(view),
    }


def title_details(view: TitleView) -> dict[str, Any]:
    """A title whole: what plays, what was made, and the packages, newest first."""
    media = view.media
    return {
        **title_summary(view),
        "film": view.title.film,
        "source": view.title.source,
        "added_at": view.title.added_at.isoformat(),
        "current": view.title.current,
        "media": {"hls": f"{media}main.m3u8", "dash": f"{media}main.mpd"} if media else None,
        "package": view.shown.id if view.shown else None,
        "packages": [
            {
                "id": package.id,
                "state": package.state,
                "made_at": package.made_at.isoformat(),
                "current": package.id == view.title.current,
            }
            for package in reversed(view.packages)
        ],
        "report": view.report,
    }


def duration_of(view: TitleView) -> float | None:
    """Seconds the title plays, from its report."""
    source = (view.report or {}).get("source") or {}
    duration = source.get("duration")
    return float(duration) if duration is not None else None


def poster_uri(view: TitleView) -> str | None:
    """The thumbnail a fifth into the sheet, as a media fragment; None without thumbnails.

    Films begin in black, so the first picture would say nothing. ``#xywh=`` is of W3C Media
    Fragments 1.0, section 4.2.2.
    """
    sheet: Mapping[str, Any] | None = (view.report or {}).get("thumbnails")
    if view.media is None or not sheet:
        return None
    pictures = sheet["columns"] * sheet["rows"]
    if duration := duration_of(view):
        pictures = max(1, min(pictures, math.ceil(duration / sheet["interval_s"])))
    row, column = divmod(pictures // 5, sheet["columns"])
    width, height = sheet["width"], sheet["height"]
    return f"{view.media}{sheet['uri']}#xywh={column * width},{row * height},{width},{height}"


def problem(status: int, code: str, title: str, detail: str, hint: str = "") -> JSONResponse:
    """An error document; ``code`` is stable, ``type`` needs no address of ours."""
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    if hint:
        body["hint"] = hint
    return JSONResponse(body, status, media_type=PROBLEM, headers={"cache-control": "no-store"})
