"""When a film in a folder is whole."""

import pytest

from matinee.core.settling import Patience, Still, followed, is_whole

PATIENCE = Patience(quiet_s=2, still_s=30)


def test_what_changes_begins_to_stand_still_anew() -> None:
    first = followed({}, {"a": 1, "b": 1}, now=10)
    second = followed(first, {"a": 1, "b": 2, "c": None}, now=11)

    assert second == {"a": Still(1, 10), "b": Still(2, 11), "c": Still(None, 11)}


@pytest.mark.parametrize(
    ("has_writer", "still_for", "whole"),
    [
        (False, 2, True),
        (False, 1.9, False),
        (None, 29, False),
        (None, 30, True),
        (True, 999, False),
    ],
)
def test_a_film_is_whole_when_nobody_writes_or_long_after_the_last_change(
    has_writer: bool | None, still_for: float, whole: bool
) -> None:
    assert is_whole(Still(1, 100), 100 + still_for, has_writer, PATIENCE) == whole
