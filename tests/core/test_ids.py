"""Digests, canonical JSON and slugs."""

import hashlib
import json
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.ids import canonical_json, digest_of, digest_of_value, slug

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def reordered(value: object) -> object:
    """An equal value, its dictionaries filled in the other order and its lists as tuples."""
    if isinstance(value, dict):
        return {key: reordered(item) for key, item in reversed(value.items())}
    if isinstance(value, list):
        return tuple(reordered(item) for item in value)
    return value


@given(data=st.binary())
def test_a_digest_is_the_sha_256_in_lower_case_hexadecimal(data: bytes) -> None:
    assert digest_of(data) == hashlib.sha256(data).hexdigest()
    assert digest_of(memoryview(data)) == digest_of(data)


@given(value=JSON)
def test_canonical_json_is_json_of_the_same_value(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


@given(value=JSON)
def test_equal_values_have_one_spelling(value: object) -> None:
    assert canonical_json(reordered(value)) == canonical_json(value)
    assert digest_of_value(reordered(value)) == digest_of_value(value)


@given(one=JSON, two=JSON)
def test_unequal_values_have_unequal_digests(one: object, two: object) -> None:
    if canonical_json(one) != canonical_json(two):
        assert digest_of_value(one) != digest_of_value(two)


@given(value=JSON)
def test_canonical_json_has_no_white_space_outside_of_text(value: object) -> None:
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", canonical_json(value))

    assert not re.search(r"\s", outside)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_in_json_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"score": value})


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}, 1j, {"inner": [object()]}])
def test_a_value_without_a_json_form_has_no_key(value: object) -> None:
    with pytest.raises(TypeError):
        digest_of_value(value)


def test_known_digests_stay_what_they_are() -> None:
    """Keys in every library depend on this spelling."""
    value = {"b": [1, 2.5, None, True], "a": "käse", "c": {}}

    assert canonical_json(value) == '{"a":"käse","b":[1,2.5,null,true],"c":{}}'
    assert digest_of_value(value) == hashlib.sha256(canonical_json(value).encode()).hexdigest()
    assert digest_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(text=st.text(), longest=st.integers(min_value=1, max_value=80))
def test_a_slug_is_safe_in_an_address_and_in_a_path(text: str, longest: int) -> None:
    name = slug(text, max(longest, len("film")))

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert len(name) <= max(longest, len("film"))


@given(text=st.text())
def test_a_slug_of_a_slug_is_itself(text: str) -> None:
    assert slug(slug(text)) == slug(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Big Buck Bunny", "big-buck-bunny"),
        ("Amélie: le film", "amelie-le-film"),
        ("../../etc/passwd", "etc-passwd"),
        ("七人の侍", "film"),
        ("", "film"),
        ("-" * 90, "film"),
        ("a" * 47 + "-b", "a" * 47),
        ("Ⅻ ﬁlms", "xii-films"),
        ("name\udce9.mp4", "name-mp4"),
    ],
)
def test_slugs(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_slugs_of_letters_and_digits_are_the_same_in_lower_case() -> None:
    text = string.ascii_letters[:30] + "09"

    assert slug(text) == text.lower()
