"""The page of a comparison: one file with all that it needs, to be kept and sent."""

import base64
import json
import os
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from matinee.core.errors import LibraryError, UsageError
from matinee.core.ids import digest_of

STATIC = Path(__file__).resolve().parent.parent / "web" / "static"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="dark light">
<meta name="generator" content="Matinee">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body class="report compare">
<a class="skip" href="#main">Skip to content</a>
<header class="bar"><span class="brand"><svg viewBox="0 0 32 32" aria-hidden="true">\
<rect width="32" height="32" rx="8"/><path d="M8 23V9.6l8 7.2 8-7.2V23"/></svg>Matinee</span>
</header>
<main id="main">
<div class="report-head"><div><p class="eyebrow">Comparison</p><h1>{heading}</h1></div></div>
<div id="report-body" aria-busy="true"></div>
<noscript><p class="notice">The page needs JavaScript. Its data are in it as JSON, and
 <code>matinee compare --json</code> prints them.</p></noscript>
</main>
<script type="application/json" id="comparison">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def require_pages(page: Path) -> None:
    """Whether a page can be made and written; asked before hours of work.

    Raises:
        UsageError: its folder is not there or cannot be written; or Matinee was not built.
    """
    if not (STATIC / "compare.js").exists():
        raise UsageError(
            "this copy of Matinee was not built: the scripts of its pages are missing",
            "build it with `make web`, or ask for --json alone",
        )
    folder = page.absolute().parent
    if not os.access(folder, os.W_OK):
        raise UsageError(
            f"the page cannot be written into {folder}", "give another place with --page"
        )


def page_of(document: dict[str, Any], pictures: Sequence[Sequence[bytes]]) -> str:
    """The page as HTML. ``pictures`` are WebP files of each worst shot: film, A, B."""
    names = ("source", "a", "b")
    shown = [
        {name: _data_address(data) for name, data in zip(names, each, strict=True)}
        for each in pictures
    ]
    style = "\n".join((STATIC / name).read_text("utf-8") for name in ("site.css", "compare.css"))
    script = (STATIC / "compare.js").read_text("utf-8").replace("</script", "<\\/script")
    heading = f"{document['a']['name']} and {document['b']['name']}"
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src '{_hash(script)}'"
    )
    return _PAGE.format(
        title=escape(f"{heading} · Matinee"),
        heading=escape(heading),
        style=style.replace("</style", "<\\/style"),
        data=_inside_script({**document, "pictures": shown}),
        policy=escape(policy),
        script=script,
    )


def _inside_script(value: Any) -> str:
    """JSON that cannot end the element that it stands in, whatever names it holds."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(script: str) -> str:
    """A source of scripts for a page's policy: only this one runs."""
    digest = bytes.fromhex(digest_of(script.encode()))
    return f"sha256-{base64.b64encode(digest).decode()}"


def _data_address(picture: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"


def write_page(path: Path, text: str) -> None:
    """Write the page whole or not at all.

    Raises:
        LibraryError: there is no room, or the folder cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.absolute().parent, prefix=".compare-", delete=False
        ) as file:
            file.write(text)
        Path(file.name).chmod(0o644)
        os.replace(file.name, path)  # noqa: PTH105
    except OSError as error:
        raise LibraryError(
            f"the page {path} cannot be written: {error.strerror}",
            "give another place with --page: all that was measured is kept",
        ) from error
