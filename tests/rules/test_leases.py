"""Leases are let go by what an observer saw, never by the time on a wall."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from matinee.ports.leases import Lease
from matinee.rules.leases import LeaseWatch

LEASE = Lease("run-1", "worker-1", token=1, counter=0)


def test_a_lease_that_stands_still_for_ten_seconds_is_let_go() -> None:
    watch = LeaseWatch()
    assert [watch.look([LEASE], second) for second in range(10)] == [[]] * 10
    assert watch.look([LEASE], 10) == [LEASE]


@given(st.lists(st.sampled_from(["token", "counter", "owner"]), min_size=1, max_size=30))
def test_a_lease_that_moves_is_kept(moves: list[str]) -> None:
    watch, lease, now_s = LeaseWatch(), LEASE, 0.0
    for move in moves:
        for _ in range(10):
            assert watch.look([lease], now_s) == []
            now_s += 0.99
        value = getattr(lease, move)
        lease = replace(lease, **{move: value + ("x" if move == "owner" else 1)})


def test_an_observer_that_was_asleep_gives_everyone_time() -> None:
    watch = LeaseWatch()
    watch.look([LEASE], 0)
    assert watch.look([LEASE], 3600) == []
    assert watch.look([replace(LEASE, counter=1)], 3601) == []


def test_each_lease_is_judged_alone() -> None:
    watch, gone = LeaseWatch(), list[Lease]()
    for second in range(11):
        alive = Lease("run-2", "worker-2", 1, counter=second)
        gone = watch.look([LEASE, alive], second)
    assert gone == [LEASE]


def test_a_lease_that_came_back_starts_anew() -> None:
    watch = LeaseWatch()
    for second in range(9):
        watch.look([LEASE], second)
    watch.look([], 9)
    assert watch.look([LEASE], 10) == []
    assert watch.look([LEASE], 11) == []
