"""Titles as JSON and as posters; read by pages and API alike."""

import math
from typing import Any

from matinee.apps.web.library import TitleCard, TitleView
from matinee.media.encryption import LICENCES


def title_summary(card: TitleCard) -> dict[str, Any]:
    """A title as the list shows it; ``poster`` names one picture of the thumbnail sheet."""
    return {
        "id": card.title.id,
        "name": card.title.name,
        "state": card.title.state,
        "credit": card.title.credit,
        "poster": poster_uri(card),
        "duration": card.sketch.duration,
    }


def title_details(view: TitleView) -> dict[str, Any]:
    """A title whole: what plays, what was made, and the packages, newest first."""
    title = view.title
    return {
        **title_summary(view.card),
        "film": title.film,
        "source": title.source,
        "added_at": title.added_at.isoformat(),
        "current": title.current,
        "media": _media(view),
        "preview": _manifests(view.preview),
        "package": view.shown.id if view.shown else None,
        "packages": [
            {
                "id": package.id,
                "state": package.state,
                "made_at": package.made_at.isoformat(),
                "current": package.id == title.current,
            }
            for package in reversed(view.packages)
        ],
        "report": view.report,
        "public": title.is_public,
        "opens_at": title.opens_at and title.opens_at.isoformat(),
        "closes_at": title.closes_at and title.closes_at.isoformat(),
        "removes_at": title.removes_at and title.removes_at.isoformat(),
    }


def _media(view: TitleView) -> dict[str, Any] | None:
    """Where it plays; ``licence`` is where its keys are asked for, where it is encrypted."""
    shown = next((p for p in view.packages if p.id == view.title.current), None)
    is_encrypted = shown is not None and "encryption" in shown.settings
    manifests = _manifests(view.media)
    if manifests is None:
        return None
    return {**manifests, "licence": f"{view.media}{LICENCES}" if is_encrypted else None}


def _manifests(folder: str | None) -> dict[str, str] | None:
    return {"hls": f"{folder}main.m3u8", "dash": f"{folder}main.mpd"} if folder else None


def poster_uri(card: TitleCard) -> str | None:
    """The thumbnail a fifth into the sheet, as a media fragment; None without thumbnails.

    Films begin in black, so the first picture would say nothing. ``#xywh=`` is of W3C Media
    Fragments 1.0, section 4.2.2.
    """
    sheet = card.sketch.sheet
    if card.media is None or not sheet:
        return None
    pictures = sheet["columns"] * sheet["rows"]
    if duration := card.sketch.duration:
        pictures = max(1, min(pictures, math.ceil(duration / sheet["interval_s"])))
    row, column = divmod(pictures // 5, sheet["columns"])
    width, height = sheet["width"], sheet["height"]
    return f"{card.media}{sheet['uri']}#xywh={column * width},{row * height},{width},{height}"
