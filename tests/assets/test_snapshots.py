from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.assets.snapshots import (
    PIECE,
    Copy,
    ListPiece,
    Snapshot,
    SnapshotInvalid,
    copy_names,
    list_document,
    prefix_width,
    read_list,
    read_snapshot,
    snapshot_name,
)
from matinee.core.ids import Digest, digest_of

digests = st.binary(min_size=32, max_size=32).map(lambda data: Digest(data.hex()))
copies = st.builds(Copy, digests, st.integers(0)) | st.builds(
    Copy, digests, st.integers(0), digests, st.integers(0)
)
TAKEN = datetime(2026, 11, 28, 3, 40, 0, 5, tzinfo=UTC)
SNAPSHOT = Snapshot(
    TAKEN, "0.1.0", "0002", False, 2, 0,
    {"asset": [digest_of(b"a piece")]}, [ListPiece(digest_of(b"a list"), 3, 700)],
)  # fmt: skip


@given(copies)
def test_the_name_of_a_copy_says_what_its_bytes_must_be(copy: Copy) -> None:
    assert copy_names(copy.key) == (copy.digest, copy.sealed)


@given(st.lists(copies))
def test_a_list_is_read_as_it_was_written(listed: list[Copy]) -> None:
    body = list_document(listed)
    piece = ListPiece(digest_of(body), len(listed), sum(copy.size_bytes for copy in listed))

    assert read_list(piece, body) == listed
    assert list_document(listed) == body


def test_a_snapshot_is_read_as_it_was_written() -> None:
    name = snapshot_name(SNAPSHOT.key)

    assert name is not None
    assert name.taken_at == TAKEN
    assert read_snapshot(name, SNAPSHOT.document()) == SNAPSHOT
    assert (SNAPSHOT.objects, SNAPSHOT.size_bytes) == (3, 700)


def test_a_snapshot_with_another_byte_is_refused() -> None:
    name = snapshot_name(SNAPSHOT.key)
    assert name is not None

    with pytest.raises(SnapshotInvalid):
        read_snapshot(name, SNAPSHOT.document().replace(b"0.1.0", b"0.1.1"))
    with pytest.raises(SnapshotInvalid):
        read_list(SNAPSHOT.lists[0], list_document([]))


def test_the_document_of_a_snapshot_is_as_the_page_of_the_format_says() -> None:
    assert SNAPSHOT.document().decode() == (
        '{"encryption":null,"format":1,"lacking":0,"lists":[["'
        + digest_of(b"a list")
        + '",3,700]],"matinee":"0.1.0","revision":"0002","tables":{"asset":["'
        + digest_of(b"a piece")
        + '"]},"taken_at":"2026-11-28T03:40:00.000005Z","titles":2}\n'
    )
    assert SNAPSHOT.key.startswith("snapshots/20261128T034000.000005Z-")


@given(st.integers(0, 10**9))
def test_pieces_have_about_the_same_size_whatever_the_library_has(count: int) -> None:
    width = prefix_width(count)

    assert count / 16**width <= PIECE
    assert width == 0 or count / 16 ** (width - 1) > PIECE
