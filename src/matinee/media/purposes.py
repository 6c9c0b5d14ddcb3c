"""Whom a track is for, beside all."""

import re
from typing import Literal

from matinee.media.source import Track

Purpose = Literal["commentary", "description", "captions", "clear speech"]
"""Whom a track is for, beside all: listeners of the makers' words, people who do not see, people
who do not hear (subtitles that name sounds; sound in which speech is easier to follow)."""

BY_TITLE: dict[Purpose, re.Pattern[str]] = {
    "commentary": re.compile(
        r"\b(commentar|kommentar|commentaire|comentario|commento)", re.IGNORECASE
    ),
    "description": re.compile(
        r"\b(audio[ -]?descri|descriptive|described video|DVS\b)", re.IGNORECASE
    ),
    "captions": re.compile(r"\bSDH\b|\bCC\b|hard of hearing|hearing[ -]impaired", re.IGNORECASE),
}
"""What titles say where the container has no flag for it, or nobody set it."""


def purpose_of(track: Track) -> Purpose | None:
    """Whom a track is for, by its flags, else by its title; None: for all."""
    if track.is_comment:
        return "commentary"
    if track.is_visual_impaired:
        return "description"
    if track.is_hearing_impaired:
        return "captions" if track.type == "subtitles" else "clear speech"
    for purpose, pattern in BY_TITLE.items():
        if pattern.search(track.title) and (purpose != "captions" or track.type == "subtitles"):
            return purpose
    return None
