"""What keys and recipes of derivations promise."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.assets.asset import object_key
from matinee.assets.derivation import Shared, Step
from matinee.assets.files import BLOCK, digest_of_file
from matinee.core.ids import Digest, digest_of, digest_of_value

NAMES = st.text('abcxyz_é"\\', min_size=1, max_size=6)
DIGESTS = st.binary(max_size=4).map(digest_of)
PARAMETERS = st.dictionaries(
    NAMES, st.integers() | st.text("ab/1") | st.lists(st.integers(), max_size=3), max_size=4
)


def steps() -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        function=NAMES,
        version=st.integers(1, 9),
        inputs=st.dictionaries(NAMES, DIGESTS, max_size=4),
        parameters=PARAMETERS,
        tools=st.dictionaries(NAMES, NAMES, max_size=3),
    )


STEP = Step("encode", 1, {"clip": digest_of(b"clip")}, {"crf": 23}, {"ffmpeg": "a"})


def changed(step: Step, **fields: Any) -> Step:
    return replace(step, **fields)


@given(step=steps())
def test_a_step_made_again_has_the_same_key(step: Step) -> None:
    again = Step(
        step.function,
        step.version,
        dict(reversed(list(step.inputs.items()))),
        dict(reversed(list(step.parameters.items()))),
        dict(reversed(list(step.tools.items()))),
    )

    assert (again.key, again.recipe) == (step.key, step.recipe)


@given(step=steps())
def test_keys_are_digests_of_the_canonical_json_of_what_they_name(step: Step) -> None:
    told = {
        "function": step.function,
        "version": step.version,
        "inputs": dict(step.inputs),
        "parameters": dict(step.parameters),
    }

    assert step.recipe == digest_of_value(told)
    assert step.key == digest_of_value({"recipe": step.recipe, "tools": dict(step.tools)})


@given(step=steps())
def test_what_steps_share_changes_no_key(step: Step) -> None:
    other = changed(step, parameters=Shared(step.parameters), tools=Shared(step.tools))

    assert (other.recipe, other.key) == (step.recipe, step.key)
    assert other == step


@given(step=steps(), tools=st.dictionaries(NAMES, NAMES, max_size=3))
def test_other_tools_change_the_key_and_never_the_recipe(step: Step, tools: dict[str, str]) -> None:
    other = changed(step, tools=tools)

    assert other.recipe == step.recipe
    assert (other.key == step.key) == (tools == step.tools)


@given(one=steps(), two=steps())
def test_steps_with_one_recipe_do_the_same(one: Step, two: Step) -> None:
    same = (one.function, one.version, one.inputs, one.parameters) == (
        two.function, two.version, two.inputs, two.parameters,
    )  # fmt: skip

    assert (one.recipe == two.recipe) == same


@pytest.mark.parametrize(
    "fields",
    [
        {"function": "encode_chunk"},
        {"version": 2},
        {"inputs": {"clip": digest_of(b"other")}},
        {"inputs": {"film": digest_of(b"clip")}},
        {"inputs": {}},
        {"parameters": {"crf": 24}},
        {"parameters": {"crf": "23"}},
        {"parameters": {"crf": 23, "preset": "slow"}},
        {"parameters": {}},
    ],
    ids=str,
)
def test_everything_that_decides_the_outputs_is_in_recipe_and_key(fields: dict[str, Any]) -> None:
    other = changed(STEP, **fields)

    assert other.recipe != STEP.recipe
    assert other.key != STEP.key


def test_roles_cannot_be_exchanged() -> None:
    one, two = digest_of(b"one"), digest_of(b"two")

    straight = changed(STEP, inputs={"chunk": one, "clip": two})
    crossed = changed(STEP, inputs={"chunk": two, "clip": one})

    assert straight.recipe != crossed.recipe


def test_an_input_is_no_parameter() -> None:
    digest = digest_of(b"one")

    assert Step("f", 1, {"a": digest}, {}).recipe != Step("f", 1, {}, {"a": digest}).recipe


def test_a_parameter_without_a_json_form_has_no_key() -> None:
    with pytest.raises(TypeError):
        _ = changed(STEP, parameters={"path": Path("film.mp4")}).key


@given(data=st.binary())
def test_an_object_lies_where_its_digest_says(data: bytes) -> None:
    digest = digest_of(data)

    assert object_key(digest) == f"objects/{digest[:2]}/{digest}"


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 7])
def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path, size: int) -> None:
    path = tmp_path / "film"
    data = (b"matinee" * (size // 7 + 1))[:size]
    path.write_bytes(data)

    assert digest_of_file(path) == (Digest(digest_of(data)), size)
