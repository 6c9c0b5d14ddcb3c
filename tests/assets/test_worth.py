from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from matinee.assets.worth import GIB, Making, Worth, left_out
from matinee.core.ids import Digest, digest_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIB = 1 << 20


def name(number: int) -> Digest:
    return digest_of(str(number).encode())


@st.composite
def histories(draw: st.DrawFn) -> list[Making]:
    """Derivations in order; each is made from earlier outputs, or from what is no asset."""
    made: list[Making] = []
    for number in range(draw(st.integers(1, 12))):
        inputs = draw(st.lists(st.integers(0, number + 3), max_size=3))
        function = "ingest" if number == 0 else draw(st.sampled_from(["encode_chunk", "scan"]))
        age = timedelta(days=draw(st.integers(0, 50)))
        size, spent = draw(st.integers(0, 50 * MIB)), draw(st.floats(0, 100))
        made.append(
            Making(function, [name(i) for i in inputs], {name(number): size}, NOON - age, spent)
        )
    return made


worths = st.builds(
    Worth, st.sampled_from(["all", "price", "none"]), st.sampled_from(["all", "price", "none"]),
    st.floats(0, 1e5), st.integers(0, 40).map(lambda days: timedelta(days=days)),
)  # fmt: skip


@given(histories(), worths, st.sets(st.integers(0, 12)))
def test_what_comes_from_outside_is_never_left_out(
    made: list[Making], worth: Worth, published: set[int]
) -> None:
    assert name(0) not in set(left_out(made, {name(n) for n in published}, worth, NOON))


@given(histories(), worths, st.sets(st.integers(0, 12)))
def test_a_price_keeps_more_than_none_and_less_than_all(
    made: list[Making], worth: Worth, published: set[int]
) -> None:
    files = {name(n) for n in published}
    left = set(left_out(made, files, worth, NOON))

    assert not set(left_out(made, files, Worth("all", "all"), NOON))
    assert left <= set(left_out(made, files, Worth("none", "none"), NOON))
    if worth.published == "all":
        assert not left & files


def test_what_took_long_for_its_size_is_kept() -> None:
    worth = Worth(seconds_per_gib=1800)
    cheap = Making("scan", [name(0)], {name(1): GIB}, NOON, 1799)
    dear = Making("scan", [name(0)], {name(2): GIB}, NOON, 1800)

    assert list(left_out([cheap, dear], set(), worth, NOON)) == [name(1)]


def test_the_price_has_that_of_the_inputs_which_are_not_kept() -> None:
    worth = Worth(seconds_per_gib=1800)
    chunk = Making("encode_chunk", [name(0)], {name(1): GIB}, NOON, 1000)
    package = Making("package", [name(1)], {name(2): GIB}, NOON, 800)

    assert list(left_out([chunk, package], set(), worth, NOON)) == [name(1)]


def test_what_is_new_may_wait() -> None:
    worth = Worth(seconds_per_gib=1, age=timedelta(days=2))
    new = Making("scan", [], {name(1): 2 * MIB}, NOON - timedelta(days=1), 100)
    old = Making("scan", [], {name(2): 2 * MIB}, NOON - timedelta(days=2), 100)

    assert list(left_out([new, old], set(), worth, NOON)) == [name(1)]
