"""The pages, rendered as plain HTML; the player and the report are filled by their scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse

from matinee.apps.web.library import Library, TitleCard, TitleView
from matinee.apps.web.titles_json import poster_uri
from matinee.ports.catalog import TitleSearch

STATIC = Path(__file__).parent / "static"
"""Scripts and style sheets, bundled by ``web/build.mjs``."""

NAMES_OF_SHELVES = {"published": "Now showing", "hidden": "Not on screen"}
ON_A_SHELF = 120
"""Titles that one page shows of a state."""

_NOT_BUILT = (
    "This copy of Matinee was not built: its player and style are missing. In the source folder, "
    "run <code>npm ci --ignore-scripts --prefix web</code>, then <code>node web/build.mjs</code>."
)

_PREVIEW_NOTE = (
    '<p id="preview-note" class="notice" role="status">This is a preview: small and quickly made, '
    "while the film itself is still being made.</p>\n"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="dark light">
<title>{title}</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/site.css">
<script src="/static/theme.js"></script>
{head}</head>
<body class="{kind}">
<a class="skip" href="#main">Skip to content</a>
<header class="bar">
<a class="brand" href="/"><svg viewBox="0 0 32 32" aria-hidden="true">\
<rect width="32" height="32" rx="8"/><path d="M8 23V9.6l8 7.2 8-7.2V23"/></svg>Matinee</a>
{bar}</header>
<main id="main">
{main}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class ShownShelf:
    """Titles of one state on one page; ``count`` is of all of them."""

    state: str
    cards: Sequence[TitleCard]
    count: int
    has_more: bool


async def get_home(request: Request) -> HTMLResponse:
    """``GET /``: the titles, as posters; ``state`` and ``after`` turn the pages."""
    library: Library = request.app.state.library
    asked, after = request.query_params.get("state"), request.query_params.get("after")
    shelves = []
    for state in (asked,) if asked in NAMES_OF_SHELVES else NAMES_OF_SHELVES:
        which = TitleSearch(state=state)
        cards, more = await library.cards(which, after if asked else None, ON_A_SHELF)
        shelves.append(ShownShelf(state, cards, await library.count(which), has_more=more))
    return _html(home_page(shelves, has_studio=hasattr(request.app.state, "service")))


async def get_watch(request: Request) -> HTMLResponse:
    """``GET /watch/{title}``: the player; 404 when unknown. ``?preview``: of its preview."""
    library: Library = request.app.state.library
    view = await library.view(request.path_params["title"])
    return _html(watch_page(view, is_preview="preview" in request.query_params))


async def get_report(request: Request) -> HTMLResponse:
    """``GET /titles/{title}``: what came in, what was made and how it was judged."""
    library: Library = request.app.state.library
    package = request.query_params.get("package")
    return _html(report_page(await library.view(request.path_params["title"], package)))


async def get_studio(_request: Request) -> HTMLResponse:
    """``GET /studio`` and below: one page, filled by ``studio.js`` from ``/v1``."""
    return _html(studio_page())


def home_page(shelves: Sequence[ShownShelf], *, has_studio: bool = False) -> str:
    """The list of titles."""
    bar = '<nav aria-label="Service"><a href="/studio">Studio</a></nav>\n' if has_studio else ""
    if not any(shelf.cards for shelf in shelves):
        main = (
            '<section class="empty"><h1>No films yet</h1>'
            "<p>Publish one and it appears here:</p>"
            "<pre><code>matinee publish film.mp4</code></pre></section>"
        )
        return _page("Matinee", "home", main, bar=bar)
    main = "" if shelves[0].cards else "<h1>Nothing on screen</h1>"
    for shelf in shelves:
        if shelf.cards:
            main += _shelf("h2" if main else "h1", shelf)
    return _page("Matinee", "home", main, bar=bar)


def studio_page() -> str:
    """The shell of the studio."""
    main = (
        '<div id="studio" aria-busy="true"></div>'
        '<noscript><p class="notice">The studio needs JavaScript. All that it shows is at'
        " <code>/v1</code>; the commands <code>matinee runs</code> and"
        " <code>matinee events</code> show it too.</p></noscript>"
    )
    head = (
        '<link rel="stylesheet" href="/static/studio.css">\n'
        '<script type="module" src="/static/studio.js"></script>\n'
    )
    return _page("Studio · Matinee", "studio", main, head=head)


def watch_page(view: TitleView, *, is_preview: bool = False) -> str:
    """The shell of the player; ``player.js`` fills it from ``/v1/titles/{id}``.

    ``is_preview``: the preview is asked for; a title that is on screen is shown itself.
    """
    title = view.title
    path, name = quote(title.id), escape(title.name)
    bar = f'<nav aria-label="Title"><a href="/titles/{path}">Report</a></nav>\n'
    media, told = view.media, ""
    if media is None and is_preview and view.preview is not None:
        media, told = view.preview, " data-preview"
    if media is None:
        peek = (
            f'<p><a class="button" href="/watch/{path}?preview">Watch the preview</a></p>'
            if view.preview
            else ""
        )
        main = (
            f'<section class="empty"><h1>{name}</h1><p>This title is not on screen.</p>{peek}'
            f'<p><a class="button" href="/titles/{path}">See its report</a></p></section>'
        )
        return _page(f"{title.name} · Matinee", "home", main, bar=bar)
    main = f"""<div id="app" data-title="{escape(title.id)}"{told}>
{_PREVIEW_NOTE if told else ""}<div id="stage" class="stage"><div id="player" class="player">
<video id="video" playsinline></video></div></div>
<div class="about">
<div class="about-words"><h1>{name}</h1>
<p id="facts" class="facts"></p>
{_credit(view)}</div>
<div class="about-tools">
<div class="toggle" role="group" aria-label="Streaming format">
<button type="button" data-format="hls" aria-pressed="false">HLS</button>
<button type="button" data-format="dash" aria-pressed="false">DASH</button></div>
<button type="button" id="nerd-button" class="button quiet" aria-pressed="false"
 aria-keyshortcuts="i">Stats <kbd>i</kbd></button>
<button type="button" id="help-button" class="button quiet" aria-haspopup="dialog"
 aria-keyshortcuts="?">Keys <kbd>?</kbd></button>
</div></div>
</div>
<noscript><p class="notice">The player needs JavaScript. The streams are
 at <code>{escape(media)}main.m3u8</code>.</p></noscript>"""
    head = (
        '<link rel="stylesheet" href="/static/player.css">\n'
        '<script type="module" src="/static/player.js"></script>\n'
    )
    return _page(f"{title.name} · Matinee", "watch", main, head=head, bar=bar)


def report_page(view: TitleView) -> str:
    """The shell of the report; ``report.js`` fills it from ``/v1/titles/{id}``."""
    title = view.title
    play = f'<a href="/watch/{quote(title.id)}">Watch</a>' if view.media else ""
    shown = f' data-package="{escape(view.shown.id)}"' if view.shown else ""
    main = f"""<div id="report" data-title="{escape(title.id)}"{shown}>
<div class="report-head"><div><p class="eyebrow">Report</p><h1>{escape(title.name)}</h1>
{_credit(view)}</div><div id="verdict-badge"></div></div>
<div id="report-body" aria-busy="true"></div>
</div>
<noscript><p class="notice">The report needs JavaScript. Its data are at
 <code>/v1/titles/{escape(title.id)}</code>.</p></noscript>"""
    head = (
        '<link rel="stylesheet" href="/static/report.css">\n'
        '<script type="module" src="/static/report.js"></script>\n'
    )
    bar = f'<nav aria-label="Title">{play}</nav>\n'
    return _page(f"Report: {title.name} · Matinee", "report", main, head=head, bar=bar)


def error_page(status: int, title: str, detail: str, hint: str = "") -> str:
    """A page for an error, with a way back."""
    sentence = detail[:1].upper() + detail[1:]
    main = (
        f'<section class="empty"><p class="eyebrow">{status}</p><h1>{escape(title)}</h1>'
        f"<p>{escape(sentence)}.</p>{f'<p>{escape(hint)}</p>' if hint else ''}"
        '<p><a class="button" href="/">All titles</a></p></section>'
    )
    return _page(f"{title} · Matinee", "home", main)


def _shelf(level: str, shelf: ShownShelf) -> str:
    cards = "\n".join(_card(card) for card in shelf.cards)
    count = f"{shelf.count} title{'s' if shelf.count != 1 else ''}"
    more = ""
    if shelf.has_more:
        query = urlencode({"state": shelf.state, "after": shelf.cards[-1].title.id})
        more = (
            f'<p class="turn"><a class="button quiet" href="/?{escape(query)}">More titles</a></p>'
        )
    return (
        f'<div class="home-head"><{level}>{NAMES_OF_SHELVES[shelf.state]}</{level}>'
        f'<p>{count}</p></div>\n<ul class="cards">\n{cards}\n</ul>\n{more}'
    )


def _card(card: TitleCard) -> str:
    title, path = card.title, quote(card.title.id)
    seconds = card.sketch.duration
    length = f'<span class="length">{clock_text(seconds)}</span>' if seconds else ""
    target = f"/watch/{path}" if card.media else f"/titles/{path}"
    credit = f'<p class="credit">{escape(title.credit)}</p>' if title.credit else ""
    return (
        f'<li class="card"><a class="card-link" href="{target}">'
        f'<span class="poster">{_poster(card)}{length}</span>'
        f"<h3>{escape(title.name)}</h3></a>{credit}"
        f'<a class="more" href="/titles/{path}" aria-label="Report of {escape(title.name)}">'
        "Report</a></li>"
    )


def _poster(card: TitleCard) -> str:
    """One picture of the thumbnail sheet, cut out by an SVG view box (no inline style needed)."""
    poster, sheet = poster_uri(card), card.sketch.sheet
    if poster is None or sheet is None:
        return (
            '<svg viewBox="-56 -24.3 144 81" class="no-poster" aria-hidden="true">'
            '<path d="M8 23V9.6l8 7.2 8-7.2V23"/></svg>'
        )
    uri, _, fragment = poster.partition("#xywh=")
    x, y, width, height = (int(number) for number in fragment.split(","))
    return (
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="xMidYMid slice"'
        f' role="img" aria-label=""><image href="{escape(uri)}" x="-{x}" y="-{y}"'
        f' width="{width * sheet["columns"]}" height="{height * sheet["rows"]}"'
        ' preserveAspectRatio="none"/></svg>'
    )


def clock_text(seconds: float) -> str:
    """``h:mm:ss`` or ``m:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _credit(view: TitleView) -> str:
    return f'<p class="credit">{escape(view.title.credit)}</p>' if view.title.credit else ""


def _page(title: str, kind: str, main: str, head: str = "", bar: str = "") -> str:
    if not (STATIC / "site.css").exists():
        main = f'<p class="notice">{_NOT_BUILT}</p>\n{main}'
    return _PAGE.format(title=escape(title), kind=kind, head=head, bar=bar, main=main)


def _html(page: str) -> HTMLResponse:
    return HTMLResponse(page, headers={"cache-control": "no-cache"})
