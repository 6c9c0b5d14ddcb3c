"""New keys by HTTP: a run is queued, and no act brings a package with old keys back."""

import asyncio
from dataclasses import replace
from pathlib import Path

from tests.apps.live_service import LOOPBACK, LiveService, live_service
from tests.apps.test_licences import FILM, LABELS, stocked

from matinee.assets.asset import object_key
from matinee.core.ids import digest_of
from matinee.media.encryption import Encryption, Keyring, generation_of
from matinee.ports.keys import keys_of
from matinee.wiring.keys import open_keys


def stocked_with_reports(live: LiveService) -> None:
    stocked(live)
    key = object_key(digest_of(b"{}"))
    asyncio.run(live.library.store.write(key, b"{}", media_type="application/json"))


def test_new_keys_are_a_run(tmp_path: Path) -> None:
    with live_service(tmp_path, LOOPBACK) as live:
        stocked_with_reports(live)
        queued = live.ask(f"/v1/titles/{FILM}/rekey", "POST", {})
        unknown = live.ask("/v1/titles/nothing/rekey", "POST", {})
        run = live.library.runs.get(queued.json["id"])

    assert (queued.status, queued.json["flow"], queued.json["state"]) == (202, "rekey", "queued")
    assert run.wish.request == {"title": FILM}
    assert unknown.status == 404


def test_what_has_old_keys_is_not_shown_again(tmp_path: Path) -> None:
    with live_service(tmp_path, LOOPBACK) as live:
        stocked_with_reports(live)
        library = live.library
        (old,) = library.packages.of_title(FILM)
        keys = keys_of(open_keys(library.settings, "library"), FILM, LABELS, 2)
        ring = Keyring(Encryption("cbcs"), keys, 2)
        library.packages.add(replace(old, id="b" * 16, settings={"encryption": ring.as_json()}))
        library.packages.point(FILM, "b" * 16)
        back = live.ask(f"/v1/titles/{FILM}/rollback", "POST", {})
        shown = live.ask(f"/v1/titles/{FILM}/show", "POST", {"package": old.id})
        current = library.titles.get(FILM).current

    assert generation_of(old.settings) == 1
    for refused in (back, shown):
        assert (refused.status, refused.json["code"]) == (409, "keys.outdated")
    assert current == "b" * 16
