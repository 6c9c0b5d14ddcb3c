"""New keys for a title: nothing is encoded, who watches goes on, and old keys never come back."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Ended
from tests.docs.test_schemas import faults
from tests.encrypted import Encrypted

from matinee.apps.web.licences import KeyDesk
from matinee.config import read_settings
from matinee.core.errors import NotFound
from matinee.flows.board import Board
from matinee.media.encryption import derived_key
from matinee.ports.runs import Wish
from matinee.wiring.keys import open_keys
from matinee.wiring.library import Library, open_library
from matinee.wiring.worker import open_worker

pytestmark = [pytest.mark.tools, pytest.mark.slow]

Run = Callable[..., Ended]
LABELS = ("video", "audio")


@pytest.fixture(scope="module")
def rekeyed(
    encrypted: Encrypted, matinee: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Encrypted, dict[str, Any]]:
    """A copy of the encrypted library whose title has new keys, and what was printed."""
    copy = encrypted.copied_to(tmp_path_factory.mktemp("rekeyed") / "library")
    ended = matinee("rekey", copy.title, "--library", copy.library, "--json")
    assert ended.exit_code == 0, ended.err
    return copy, ended.json


@contextmanager
def opened(copy: Encrypted) -> Iterator[Library]:
    library = open_library(read_settings(str(copy.library), 1))
    try:
        yield library
    finally:
        library.engine.dispose()


def show(copy: Encrypted, package: str) -> None:
    with opened(copy) as library:
        library.packages.point(copy.title, package)


def ids_of(copy: Encrypted, generation: int) -> list[str]:
    secret = (copy.library / "encryption.key").read_bytes()
    return [derived_key(secret, copy.title, label, generation).id.hex() for label in LABELS]


def test_the_new_package_is_proved_and_shown_and_nothing_is_encoded(
    rekeyed: tuple[Encrypted, dict[str, Any]], matinee: Run
) -> None:
    copy, document = rekeyed
    before = Path(copy.by_scheme["cbcs"]["package"]).name
    shown = matinee("show", copy.title, "--library", copy.library, "--json").json
    judged = {(v["judge"], v["subject"]) for v in copy.by_scheme["cbcs"]["verdicts"]}

    assert faults("rekey", document) == []
    assert (document["state"], document["generation"], document["before"]) == (
        "published", 2, before,
    )  # fmt: skip
    assert document["derivations"]["ran"] == 2  # package, judge
    assert all(verdict["passed"] for verdict in document["verdicts"])
    assert {(v["judge"], v["subject"]) for v in document["verdicts"]} == judged
    assert shown["package"] == document["package"] != before
    assert shown["report"]["encryption"]["generation"] == 2
    assert sorted(shown["report"]["encryption"]["key_ids"].values()) == sorted(ids_of(copy, 2))
    assert not set(ids_of(copy, 2)) & set(ids_of(copy, 1))
    assert matinee("verify", copy.title, "--library", copy.library).exit_code == 0


def test_who_watches_the_package_before_gets_its_keys(
    rekeyed: tuple[Encrypted, dict[str, Any]],
) -> None:
    copy, document = rekeyed
    with opened(copy) as library:
        desk = KeyDesk(
            lambda address: open_keys(library.settings, address),
            lambda name: (library.titles.get(name), library.packages.of_title(name)),
        )

        both = desk.keys(copy.title, [*ids_of(copy, 1), *ids_of(copy, 2)])
        assert set(both) == {*ids_of(copy, 1), *ids_of(copy, 2)}
        assert len(set(both.values())) == 4
        with pytest.raises(NotFound):
            desk.keys(copy.title, ids_of(copy, 3))
        folder = copy.library / "titles" / copy.title
        for name in library.packages.get(copy.title, document["before"]).files:
            assert (folder / name).exists()


def test_a_rollback_brings_no_old_key_back_but_publishing_again_keeps_the_new_one(
    rekeyed: tuple[Encrypted, dict[str, Any]], matinee: Run, film: Path, tmp_path: Path
) -> None:
    copy = rekeyed[0].copied_to(tmp_path / "library")
    library = ("--library", copy.library)
    back = matinee("rollback", copy.title, *library)
    again = matinee(
        "publish", film, "--profile", copy.profiles["cbcs"], "--no-scores", "--json", *library
    )

    assert back.exit_code == 2 and "[keys.outdated]" in back.err
    assert again.json["derivations"]["ran"] == 0
    assert Path(again.json["package"]).name == rekeyed[1]["package"]

    # In the clear it keeps in mind that keys were given up.
    show(copy, Path(copy.clear["package"]).name)
    refused = matinee("rekey", copy.title, *library)
    assert refused.exit_code == 2 and "[title.clear]" in refused.err


def test_a_run_of_the_service_does_the_same_to_a_title_that_is_off_the_screen(
    encrypted: Encrypted, tmp_path: Path
) -> None:
    copy = encrypted.copied_to(tmp_path / "library")
    with opened(copy) as library:
        library.packages.point(copy.title, None)
        worker, _ = open_worker(library.settings)
        library.runs.submit(Wish("run-1", "rekey", "film.mp4", {"title": copy.title}))
        run = library.runs.claim(worker.owner)
        assert run is not None

        async def carried_out() -> Any:
            return await worker.execute(run, Board("film.mp4"))

        outcome = asyncio.run(carried_out())

        assert outcome.state == "done"
        assert outcome.result["generation"] == 2
        assert library.titles.get(copy.title).current is None
        made = library.packages.get(copy.title, outcome.result["package"])
        assert (made.state, made.settings["encryption"]["generation"]) == ("ready", 2)


def test_one_that_was_cut_off_before_it_was_shown_is_finished(
    rekeyed: tuple[Encrypted, dict[str, Any]], matinee: Run, tmp_path: Path
) -> None:
    copy = rekeyed[0].copied_to(tmp_path / "library")
    show(copy, rekeyed[1]["before"])

    again = matinee("rekey", copy.title, "--library", copy.library, "--json").json

    assert (again["generation"], again["package"]) == (2, rekeyed[1]["package"])
    assert again["derivations"]["ran"] == 0


def test_keys_that_are_not_new_are_told_before_any_work(
    encrypted: Encrypted, matinee: Run, film: Path, tmp_path: Path
) -> None:
    copy = encrypted.copied_to(tmp_path / "library")
    keys, profile = tmp_path / "keys.toml", tmp_path / "file.toml"
    entry = '[[key]]\nlabel = "{}"\nid = "{}"\nkey = "{}"\n'
    first = "".join(
        entry.format(label, f"{n}" * 32, f"a{n}" * 16) for n, label in enumerate(LABELS, 1)
    )
    keys.write_text(first)
    keys.chmod(0o600)
    profile.write_text(copy.profiles["cbcs"].read_text() + f'keys = "file:{keys}"\n')
    options = ("--library", copy.library, "--json")
    made = matinee("publish", film, "--profile", profile, "--no-scores", *options)
    assert made.exit_code == 0, made.err

    later = first.replace("\nid", "\ngeneration = 2\nid")
    lacking = matinee("rekey", copy.title, *options)
    keys.write_text(first + later)
    old = matinee("rekey", copy.title, *options)
    keys.write_text(first + later.replace("1" * 32, "3" * 32).replace("2" * 32, "4" * 32))
    renamed = matinee("rekey", copy.title, *options)
    new = "".join(entry.format(one, f"{n + 5}" * 32, f"c{n}" * 16) for n, one in enumerate(LABELS))
    keys.write_text(first + new.replace("\nid", "\ngeneration = 2\nid"))
    done = matinee("rekey", copy.title, *options)

    assert lacking.exit_code == 7 and "[key.missing]" in lacking.err
    assert "of generation 2" in lacking.err
    for refused in (old, renamed):
        assert refused.exit_code == 2 and "are not all new [keys.invalid]" in refused.err
    assert (done.exit_code, done.json["generation"]) == (0, 2), done.err
