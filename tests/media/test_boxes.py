import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.boxes import Box, BoxError, Fields, boxes, children, find, require


def box(kind: bytes, content: bytes = b"") -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def test_boxes_come_in_order_with_their_places() -> None:
    data = box(b"styp", b"cmfs") + box(b"free")

    assert list(boxes(data)) == [Box("styp", 0, 8, 12), Box("free", 12, 20, 20)]


def test_a_large_size_is_read() -> None:
    data = b"\0\0\0\1mdat" + (20).to_bytes(8, "big") + b"abcd"

    assert list(boxes(data)) == [Box("mdat", 0, 16, 20)]


def test_size_0_reaches_to_the_end_of_the_file_only() -> None:
    assert list(boxes(b"\0\0\0\0mdatabc")) == [Box("mdat", 0, 8, 11)]
    inside = box(b"moov", b"\0\0\0\0trak")
    with pytest.raises(BoxError, match="has no size"):
        find(inside, None, "moov", "trak")


@pytest.mark.parametrize(
    "data",
    [b"\0\0\0\x20moov", b"\0\0\0\7moov", b"\0\0\0", b"\0\0\0\1mdat", b"\0\0\0\1mdat" + bytes(8)],
)
def test_sizes_that_do_not_fit_are_refused(data: bytes) -> None:
    with pytest.raises(BoxError):
        list(boxes(data))


def test_a_child_may_not_outgrow_its_parent() -> None:
    data = box(b"moov", b"\0\0\0\x20trak") + bytes(40)

    with pytest.raises(BoxError):
        require(data, None, "moov", "trak")


def test_a_missing_box_is_named() -> None:
    with pytest.raises(BoxError, match="moov/trak"):
        require(box(b"moov"), None, "moov", "trak")


def test_fields_end_with_their_box() -> None:
    data = box(b"tfdt", b"\1\0\0\2\xff\xff") + b"more"
    fields = Fields(data, require(data, None, "tfdt"))

    assert fields.full_box() == (1, 2)
    assert fields.signed(2) == -1
    assert fields.left == 0
    with pytest.raises(BoxError):
        fields.unsigned(1)


@given(data=st.binary(max_size=200))
def test_any_bytes_give_boxes_or_a_box_error(data: bytes) -> None:
    try:
        found = list(boxes(data))
        for each in found:
            list(children(data, each, 4))
    except BoxError:
        return
    assert found == [] or found[-1].end == len(data)
