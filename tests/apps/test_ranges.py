from hypothesis import given
from hypothesis import strategies as st

from matinee.apps.web.ranges import ByteSpan, RangeUnsatisfiable, entity_tag_matches, wanted_span


@given(
    size=st.integers(0, 300),
    first=st.none() | st.integers(0, 320),
    last=st.none() | st.integers(0, 320),
)
def test_a_span_is_what_slicing_gives(size: int, first: int | None, last: int | None) -> None:
    data = bytes(index % 256 for index in range(size))
    asked = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    if first is None:
        expected = data[-last:] if last else b""
    else:
        expected = data[first : size if last is None else last + 1]
    meaningless = (first is None and last is None) or (
        first is not None and last is not None and last < first
    )
    try:
        span = wanted_span(asked, None, '"tag"', size)
    except RangeUnsatisfiable:
        assert expected == b""
    else:
        assert (span is None) == meaningless
        assert span is None or data[span.start : span.end] == expected != b""


@given(st.text(max_size=40))
def test_any_range_header_is_understood_or_ignored(asked: str) -> None:
    try:
        span = wanted_span(asked, None, '"tag"', 100)
    except RangeUnsatisfiable:
        return
    assert span is None or 0 <= span.start < span.end <= 100


def test_a_star_matches_every_tag() -> None:
    assert entity_tag_matches("*", '"a"')
    assert not entity_tag_matches(None, '"a"')
    assert len(ByteSpan(2, 5)) == 3
