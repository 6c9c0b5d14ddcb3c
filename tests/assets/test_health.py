"""The cheapest way to good bytes, compared with every way there is."""

from itertools import chain, combinations
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.assets import health
from matinee.assets.health import Clinic, Remaking, RepairPlan, plan_repair
from matinee.core.ids import Digest

PRICES = st.integers(min_value=0, max_value=9).map(float)


def name(number: int) -> Digest:
    return Digest(f"a{number}")


@st.composite
def clinics(draw: st.DrawFn, most: int = 7) -> tuple[Clinic, list[Digest]]:
    """Assets in order; a step needs earlier ones only, and gives one or more later ones."""
    count = draw(st.integers(1, most))
    every = [name(number) for number in range(count)]
    steps = []
    for number in range(draw(st.integers(0, most))):
        border = draw(st.integers(0, count - 1))
        needs = draw(st.lists(st.sampled_from(every[:border]), max_size=3)) if border else []
        gives = draw(st.lists(st.sampled_from(every[border:]), min_size=1, max_size=3))
        steps.append(Remaking(Digest(f"s{number}"), tuple(needs), tuple(gives), draw(PRICES)))
    copies = draw(st.dictionaries(st.sampled_from(every), PRICES))
    bad = frozenset(draw(st.lists(st.sampled_from(every))))
    return Clinic(bad, copies, steps), draw(st.lists(st.sampled_from(every)))


def by_brute_force(clinic: Clinic, wanted: list[Digest]) -> tuple[float, frozenset[Digest]]:
    """The price of having what can be had of the wanted, and what cannot be had."""
    reach = {d for d in clinic.bad if d in clinic.copies}
    while more := {
        d for step in clinic.remakings
        if all(n in reach or n not in clinic.bad for n in step.needs)
        for d in step.gives if d in clinic.bad
    } - reach:  # fmt: skip
        reach |= more
    lost = frozenset(d for d in wanted if d in clinic.bad and d not in reach)
    target = {d for d in wanted if d in reach and d in clinic.bad}
    best = inf
    choices = chain.from_iterable(
        combinations(clinic.remakings, n) for n in range(len(clinic.remakings) + 1)
    )
    for chosen in choices:
        given = {d for step in chosen for d in step.gives}
        needed = target | {n for step in chosen for n in step.needs if n in clinic.bad}
        price = sum(step.cost_s for step in chosen)
        price += sum(clinic.copies.get(d, inf) for d in needed - given)
        best = min(best, price)
    return best, lost


def followed(clinic: Clinic, plan: RepairPlan) -> set[Digest]:
    """The assets that are bad after the plan; fails where it needs what is not good yet."""
    bad = set(clinic.bad)
    steps = {step.key: step for step in clinic.remakings}
    for mending in plan.mendings:
        assert set(mending.assets) <= bad, "a good asset is touched"
        if mending.remake is None:
            assert all(asset in clinic.copies for asset in mending.assets)
        else:
            step = steps[mending.remake]
            assert not set(step.needs) & bad, "a bad input is needed"
            assert set(mending.assets) <= set(step.gives)
        bad -= set(mending.assets)
    return bad


@settings(max_examples=150)
@given(clinics())
def test_a_plan_is_the_cheapest_and_touches_and_needs_nothing_it_may_not(
    case: tuple[Clinic, list[Digest]],
) -> None:
    clinic, wanted = case
    plan = plan_repair(clinic, wanted)
    price, lost = by_brute_force(clinic, wanted)

    assert (plan.cost_s, plan.lost) == (price, lost)
    assert followed(clinic, plan) & set(wanted) == lost


@settings(max_examples=100)
@given(clinics(most=20))
def test_a_plan_over_many_steps_keeps_to_the_same_rules(
    case: tuple[Clinic, list[Digest]],
) -> None:
    clinic, wanted = case
    exact, health.EXACT = health.EXACT, 0
    try:
        plan = plan_repair(clinic, wanted)
    finally:
        health.EXACT = exact

    assert plan.cost_s < inf
    assert followed(clinic, plan) & set(wanted) == plan.lost
