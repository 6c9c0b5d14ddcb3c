"""Permits in addresses: only what was signed opens, only until its end."""

from hypothesis import given
from hypothesis import strategies as st

from matinee.core.signing import KEY_BYTES, end_of, permit_title, permits, proof_of_page

keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
titles = st.text(max_size=60)
times = st.integers(0, 10**11)


@given(keys, titles, times, st.floats(0.001, 1e9))
def test_a_permit_opens_its_title_until_its_end(
    key: bytes, title: str, expires: int, before: float
) -> None:
    spelled = str(permit_title(key, title, expires))

    assert permits(key, title, spelled, expires - before)
    assert not permits(key, title, spelled, expires)
    assert not permits(key, title, spelled, expires + before)


@given(keys, keys, titles, titles, times, times)
def test_a_permit_opens_nothing_else(
    key: bytes, other_key: bytes, title: str, other: str, expires: int, later: int
) -> None:
    permit = permit_title(key, title, expires)

    assert permits(key, other, str(permit), 0) == (other == title and expires > 0)
    assert permits(other_key, title, str(permit), 0) == (other_key == key and expires > 0)
    forged = f"{later}.{permit.signature}"
    assert permits(key, title, forged, 0) == (later == expires and expires > 0)


@given(keys, titles, times, st.data())
def test_a_changed_sign_closes(key: bytes, title: str, expires: int, data: st.DataObject) -> None:
    spelled = str(permit_title(key, title, expires))
    place = data.draw(st.integers(0, len(spelled) - 1))
    sign = data.draw(st.characters(exclude_characters=spelled[place]))

    assert not permits(key, title, spelled[:place] + sign + spelled[place + 1 :], -1)


@given(keys, titles, st.text(max_size=50))
def test_no_text_breaks_the_check(key: bytes, title: str, spelled: str) -> None:
    assert permits(key, title, spelled, 0) in (True, False)


@given(st.floats(0, 1e10), st.floats(0, 1e6))
def test_an_end_is_late_enough_and_shared(now: float, valid_s: float) -> None:
    end = end_of(now, valid_s)

    assert now + valid_s <= end < now + valid_s + 3600 + 1
    assert end % 3600 == 0


@given(keys, st.text(max_size=64), st.text(max_size=64))
def test_a_page_proves_its_own_session_alone(key: bytes, session: str, other: str) -> None:
    same = proof_of_page(key, session) == proof_of_page(key, other)

    assert same == (session == other)
    assert proof_of_page(key, session) not in str(permit_title(key, session, 0))
