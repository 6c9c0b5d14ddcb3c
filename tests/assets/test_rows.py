"""A damaged row is told again where its key proves it, and never otherwise."""

from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.assets.derivation import Step
from matinee.assets.rows import restored
from matinee.core.ids import Digest, digest_of

DIGESTS = st.integers(0, 5).map(lambda number: digest_of(bytes([number])))
ROLES = st.text("abc/", min_size=1, max_size=4)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    inputs = draw(st.dictionaries(ROLES, DIGESTS, min_size=1, max_size=4))
    return Step("encode_chunk", 2, inputs, {"crf": draw(st.integers(0, 51))}, {"ffmpeg": "f"})


@settings(max_examples=100)
@given(steps(), st.data())
def test_a_digit_of_an_input_is_told_by_the_links(step: Step, data: st.DataObject) -> None:
    role = data.draw(st.sampled_from(sorted(step.inputs)))
    place, other = data.draw(st.integers(0, 63)), data.draw(st.sampled_from("0123456789abcdef"))
    was = step.inputs[role]
    changed = {**step.inputs, role: Digest(f"{was[:place]}{other}{was[place + 1 :]}")}
    damaged = Step(step.function, step.version, changed, step.parameters, step.tools)

    assert restored(step.key, damaged, set(step.inputs.values())) == step
    if damaged != step:
        assert restored(step.key, damaged, []) is None


@given(steps(), st.integers(0, 51))
def test_what_the_key_does_not_prove_is_not_told(step: Step, crf: int) -> None:
    links = set(step.inputs.values())
    damaged = Step(step.function, step.version, step.inputs, {"crf": crf}, step.tools)

    found = restored(step.key, damaged, links)
    assert found == (step if crf == step.parameters["crf"] else None)
