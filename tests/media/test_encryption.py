"""Keys, vectors, and what packager and players are told of them."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.media.test_packaging import FILES, FULL

from matinee.media.boxes import boxes
from matinee.media.encryption import (
    SCHEMES,
    ContentKey,
    Encryption,
    Keyring,
    Lock,
    derived_key,
    key_line,
    lock_of,
    packager_flags,
    pssh_box,
)
from matinee.media.packaging import descriptors, secrets_of
from matinee.media.streams import PackagePlan

SECRET = bytes(range(32))
KEYS = {label: derived_key(SECRET, "film", label) for label in ("video", "audio")}
WORDS = st.text(st.characters(codec="utf-8"), max_size=12)


def locked(scheme: str = "cbcs") -> tuple[PackagePlan, Keyring]:
    keyring = Keyring(Encryption(scheme), KEYS)
    streams = [replace(one, lock=keyring.lock(one.kind)) for one in FULL.streams]
    return replace(FULL, streams=tuple(streams)), keyring


@given(st.lists(st.tuples(WORDS, WORDS), min_size=2, max_size=6, unique=True))
def test_every_title_and_label_has_a_key_of_its_own(asked: list[tuple[str, str]]) -> None:
    keys = [derived_key(SECRET, *each) for each in asked]

    assert len({key.key for key in keys} | {key.id for key in keys}) == 2 * len(asked)
    assert keys == [derived_key(SECRET, *each) for each in asked]
    assert derived_key(SECRET[::-1], *asked[0]).key != keys[0].key


def test_a_key_is_never_spelled() -> None:
    key = KEYS["video"]

    for shown in (repr(key), str(key), repr(lock_of("cbcs", key)), key.check):
        assert key.key.hex() not in shown
    assert key.key.hex() not in str(Keyring(Encryption("cbcs"), KEYS))


@pytest.mark.parametrize("wrong", [(b"", bytes(16)), (bytes(16), bytes(15)), (bytes(17), b"")])
def test_keys_of_another_length_are_none(wrong: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        ContentKey(*wrong)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_two_renditions_have_one_vector(scheme: str) -> None:
    plan, keyring = locked(scheme)

    secrets = secrets_of(plan, keyring)
    vectors = [iv for _, _, iv in secrets.values()]

    assert len(set(vectors)) == len(vectors) == len([s for s in plan.streams if s.lock])
    assert {len(bytes.fromhex(iv)) for iv in vectors} == {SCHEMES[scheme]}


def test_the_packager_is_told_a_label_and_a_vector_for_each_rendition() -> None:
    plan, keyring = locked()
    key, iv = KEYS["video"], Lock("cbcs", "", "").iv(KEYS["video"].key, "video-240p-0f")

    flags = dict(
        line.partition("=")[::2] for line in packager_flags("cbcs", secrets_of(plan, keyring))
    )

    infos = flags["--keys"].split(",")
    assert f"label=video-240p:key_id={key.id.hex()}:key={key.key.hex()}:iv={iv}" in infos
    assert flags["--protection_scheme"] == "cbcs" and flags["--clear_lead"] == "0"
    for told in descriptors(plan, FILES):
        label = told.get("drm_label")
        is_text = told["stream"] == "text"
        assert (label is None) == is_text == (told.get("skip_encryption") == "1")
        assert label is None or f"label={label}:" in flags["--keys"]


def test_in_the_clear_the_packager_is_told_nothing_of_it() -> None:
    assert not any({"drm_label", "skip_encryption"} & set(d) for d in descriptors(FULL, FILES))


def test_the_common_box_has_every_key_id_once() -> None:
    ids = [key.id.hex() for key in KEYS.values()]
    data = pssh_box([*ids, *ids])
    (box,) = boxes(data)

    assert box.kind == "pssh" and data[box.body : box.body + 4] == b"\x01\x00\x00\x00"
    assert UUID(bytes=data[box.body + 4 : box.body + 20]) == UUID(
        "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b"
    )
    assert data[box.body + 20 :] == (
        b"\0\0\0\2" + b"".join(sorted(map(bytes.fromhex, ids))) + bytes(4)
    )


@pytest.mark.parametrize(("scheme", "method"), [("cbcs", "SAMPLE-AES"), ("cenc", "SAMPLE-AES-CTR")])
def test_playlists_name_the_key_and_where_licences_are(scheme: str, method: str) -> None:
    key_id = "00112233445566778899aabbccddeeff"
    named = f'KEYID=0x{key_id.upper()},KEYFORMAT="org.w3.clearkey",KEYFORMATVERSIONS="1"'

    line = key_line(Lock(scheme, key_id, ""))

    assert line == f'#EXT-X-KEY:METHOD={method},URI="../../clearkey",{named}'
