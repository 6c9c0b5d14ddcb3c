"""Chapters on the film's own clock, as WebVTT: one cue a chapter, its text the title."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from html import escape
from typing import Any

from matinee.media.source import Chapter
from matinee.media.subtitles import Cue, Subtitles, write_webvtt

LONGEST = 200
"""Characters of a title that are kept."""


def placed_chapters(
    chapters: Sequence[Chapter], start: Fraction, duration: Fraction
) -> tuple[Chapter, ...]:
    """Chapters within the film, counted from its first frame; one without a title has a number.

    Args:
        chapters: On the container's clock, in order.
        start: The first frame's time on that clock, in seconds.
        duration: Of the pictures, in seconds.
    """
    moved = (
        replace(
            chapter,
            start=max(Fraction(0), chapter.start - start),
            end=min(duration, chapter.end - start),
        )
        for chapter in chapters
    )
    within = [chapter for chapter in moved if chapter.end - chapter.start >= Fraction(1, 1000)]
    return tuple(
        replace(chapter, title=" ".join(chapter.title.split())[:LONGEST] or f"Chapter {number}")
        for number, chapter in enumerate(within, 1)
    )


def chapters_webvtt(chapters: Sequence[Chapter]) -> str:
    """The file that players read."""
    cues = (Cue(one.start, one.end, escape(one.title, quote=False)) for one in chapters)
    return write_webvtt(Subtitles(tuple(cues)))


def chapters_json(chapters: Sequence[Chapter]) -> list[dict[str, Any]]:
    """Chapters as reports and ``inspect`` show them."""
    return [
        {
            "start": round(float(chapter.start), 3),
            "end": round(float(chapter.end), 3),
            "title": chapter.title,
        }
        for chapter in chapters
    ]
