"""Which files are films, which are not whole by their name, and what lies beside a film.

Paths are relative, with ``/`` between their parts: of files below a folder or keys of a bucket.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from matinee.media.subtitle_formats import FORMATS
from matinee.media.tracks import SAID_BESIDE, language_tag

FILMS = frozenset({
    ".3g2", ".3gp", ".aac", ".ac3", ".asf", ".avi", ".dv", ".eac3", ".f4v", ".flac", ".flv", ".m2t",
    ".m2ts", ".m2v", ".m4a", ".m4v", ".mj2", ".mka", ".mkv", ".mov", ".mp3", ".mp4", ".mpeg",
    ".mpg", ".mts", ".mxf", ".oga", ".ogg", ".ogv", ".opus", ".qt", ".ts", ".vob", ".wav", ".webm",
    ".wma", ".wmv", ".y4m",
})  # fmt: skip
"""Endings of films; other files in a folder or a bucket are nobody's business."""

UNFINISHED = (
    ".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".aria2",
    ".!qb", ".!ut", "~",
)  # fmt: skip
"""How programs end the names of files that they have not finished."""

TITLE_FILE = ".title.toml"

_PICTURES = (".idx",)


@dataclass(frozen=True, slots=True)
class Company:
    """A film and the files that belong to it. ``subtitles`` are (path, language) in order."""

    film: str
    subtitles: tuple[tuple[str, str], ...] = ()
    title_file: str | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """All its files, the film first."""
        beside = [path for path, _ in self.subtitles]
        return (self.film, *beside, *([self.title_file] if self.title_file else []))


def is_passed_over(path: str) -> bool:
    """Whether a name says that its file is hidden or not finished."""
    parts = path.split("/")
    return any(part.startswith(".") for part in parts) or parts[-1].lower().endswith(UNFINISHED)


def is_film(path: str) -> bool:
    """Whether a name is that of a film."""
    return _ending(path) in FILMS and not is_passed_over(path)


def is_beside(path: str) -> bool:
    """Whether a name may be that of a file that belongs to a film."""
    return not is_passed_over(path) and (
        path.endswith((TITLE_FILE, *_PICTURES)) or _ending(path) in FORMATS
    )


def companies(paths: Iterable[str]) -> list[Company]:
    """Every film with what belongs to it; what belongs to none is left out."""
    there = sorted(path for path in paths if not is_passed_over(path))
    found = []
    for folder, inside in groupby(sorted(there, key=_folder), key=_folder):
        names = [path[len(folder) :] for path in inside]
        films = [name for name in names if _ending(name) in FILMS]
        stems = {_stem(name) for name in films}
        owners = {name: _owner(name, stems) for name in names if name not in films}
        for film in films:
            stem = _stem(film)
            own = [name for name, owner in owners.items() if owner == stem]
            found.append(_company(folder, film, stem, own))
    return sorted(found, key=lambda company: company.film)


def _company(folder: str, film: str, stem: str, own: list[str]) -> Company:
    title_file = stem + TITLE_FILE
    return Company(
        film=folder + film,
        subtitles=tuple(
            (folder + name, _language(stem, name)) for name in own if _is_text(stem, name, own)
        ),
        title_file=folder + title_file if title_file in own else None,
    )


def _owner(name: str, stems: set[str]) -> str | None:
    """The longest stem of a film that the name goes on from."""
    if not is_beside(name):
        return None
    at = len(name)
    while (at := name.rfind(".", 0, at)) > 0:
        if name[:at] in stems:
            return name[:at]
    return None


def _is_text(stem: str, name: str, own: list[str]) -> bool:
    """Whether it holds subtitles as text: cameras and disc rippers write files of the same endings.

    XML counts where its name has a language. A ``.sub`` beside an ``.idx`` holds pictures.
    """
    ending = _ending(name)
    if ending == ".xml":
        return _language(stem, name) != "und"
    if ending == ".sub":
        return not any(_stem(name) == _stem(one) and one.endswith(_PICTURES) for one in own)
    return ending in FORMATS


def _language(stem: str, name: str) -> str:
    """What a subtitle file's name says after the film's: ``de`` in ``film.de.forced.srt``."""
    words = [word for word in name[len(stem) :].split(".")[1:-1] if word.lower() not in SAID_BESIDE]
    return language_tag(words[-1]) if words else "und"


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _stem(name: str) -> str:
    return name[: name.rfind(".")]


def _ending(path: str) -> str:
    name = path[path.rfind("/") + 1 :]
    at = name.rfind(".")
    return name[at:].lower() if at > 0 else ""
