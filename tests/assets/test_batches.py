"""Steps divided among walks: each once, after what it needs, in as few walks as can be seen."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.assets.test_health import clinics

from matinee.assets.batches import batched
from matinee.assets.health import Clinic, plan_repair
from matinee.core.ids import Digest

PACKAGES = ("new", "old")


@settings(max_examples=100)
@given(clinics(), st.data())
def test_each_step_runs_once_after_all_that_it_needs(
    case: tuple[Clinic, list[Digest]], data: st.DataObject
) -> None:
    clinic, wanted = case
    plan = plan_repair(clinic, wanted)
    remakings = {step.key: step for step in clinic.remakings}
    some = st.lists(st.sampled_from(PACKAGES), min_size=1, unique=True)
    packages = {key: data.draw(some) for key in remakings}
    batches = batched(plan.mendings, remakings, packages)

    steps = [key for batch in batches for key in batch.steps]
    assert sorted(steps) == sorted(each.remake for each in plan.mendings if each.remake)
    assert all(batch.package in packages[key] for batch in batches for key in batch.steps)
    bad = {asset for each in plan.mendings if each.remake for asset in each.assets}
    gives = {each.remake: each.assets for each in plan.mendings}
    for key in steps:
        assert not bad & set(remakings[key].needs), "a step runs before what it needs"
        bad -= set(gives[key])


@given(clinics())
def test_what_is_on_one_path_is_one_walk(case: tuple[Clinic, list[Digest]]) -> None:
    clinic, wanted = case
    plan = plan_repair(clinic, wanted)
    remakings = {step.key: step for step in clinic.remakings}

    packages = dict.fromkeys(remakings, PACKAGES)
    batches = batched(plan.mendings, remakings, packages)
    assert [batch.package for batch in batches] == ["new"] * len(batches)
    assert len(batches) == any(each.remake for each in plan.mendings)
    assert batched(plan.mendings, remakings, dict.fromkeys(remakings, ())) == []
