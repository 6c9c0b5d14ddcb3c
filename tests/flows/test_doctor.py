"""What a look at a library tells."""

from datetime import UTC, datetime, timedelta

from matinee.assets.health import Fault
from matinee.flows.doctor import health_of
from matinee.ports.upkeep import Finding, Scrub

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def scrub(days_ago: int, title: str | None = None) -> Scrub:
    at = NOON - timedelta(days=days_ago)
    settings = {"sample": 0.02, "since": None, "title": title}
    return Scrub(1, settings, "done", "", "", {}, at, at, at)


def finding(state: str, title: str | None) -> Finding:
    fault = Fault("changed", f"objects/{state}", None, title)
    return Finding(1, fault, state, NOON, None, None)


def test_a_library_that_is_well_needs_nothing() -> None:
    health = health_of([], [scrub(3)], NOON)
    assert (health.advice, health.open, health.lost) == ((), 0, 0)
    assert health.scrubbed_at == NOON - timedelta(days=3)


def test_what_is_to_be_done_is_said_the_most_urgent_first() -> None:
    found = [finding("open", "b"), finding("lost", "a"), finding("open", None)]
    health = health_of(found, [scrub(20), scrub(1, "a")], NOON)

    assert (health.open, health.lost, health.titles) == (2, 1, ("a", "b"))
    first, second, third = health.advice
    assert first.startswith("2 faults") and second.startswith("1 things are lost")
    assert "20 days ago" in third


def test_a_library_that_was_never_proved_is_told_so() -> None:
    assert health_of([], [scrub(1, "only a title")], NOON).advice == (
        "nothing was ever proved: matinee scrub",
    )
