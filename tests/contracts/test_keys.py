"""What everyone who has keys promises; and how each of them fails."""

import json
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from matinee.adapters.key_service import ServiceKeys
from matinee.adapters.keys import SECRET_FILE, FileKeys, LibraryKeys
from matinee.config import read_settings
from matinee.core.errors import LibraryError
from matinee.media.encryption import derived_key
from matinee.ports.keys import KeyMissing, Keys, KeysInvalid, KeysUnreachable, keys_of
from matinee.wiring.keys import open_keys

TITLES, LABELS = ("one", "other"), ("video", "audio")


@dataclass
class Service:
    """A key service as docs/guide/encryption.md tells it; ``answer`` takes the place of its own."""

    address: str = ""
    answer: tuple[int, bytes] | None = None
    heard: list[tuple[dict[str, str], Any]] = field(default_factory=list)

    def reply(self, headers: dict[str, str], asked: Any) -> tuple[int, bytes]:
        self.heard.append((headers, asked))
        if self.answer is not None:
            return self.answer
        if asked["title"] not in TITLES or asked["label"] not in LABELS:
            return 404, b""
        generation = asked.get("generation", 1)
        key = derived_key(b"a service's secret", asked["title"], asked["label"], generation)
        return 200, json.dumps({"id": key.id.hex(), "key": key.key.hex()}).encode()


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = found.reply(headers, json.loads(body))
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.address = f"http://127.0.0.1:{server.server_port}/keys"
        yield found
        server.shutdown()
        thread.join()


def key_file(folder: Path, text: str | None = None) -> Path:
    path = folder / "keys.toml"
    if text is None:
        text = "".join(
            f'[[key]]\ntitle = "{title}"\nlabel = "{label}"\n{spelled}'
            f'id = "{key.id.hex()}"\nkey = "{key.key.hex().upper()}"\n'
            for title in TITLES
            for label in LABELS
            for generation, spelled in ((1, ""), (2, "generation = 2\n"))
            for key in [derived_key(b"a file", title, label, generation)]
        )
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.fixture(params=["library", "file", "service"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Keys]:
    """Opens the same keys anew, as every process does."""
    address = "library"
    if request.param == "file":
        address = f"file:{key_file(tmp_path)}"
    if request.param == "service":
        address = request.getfixturevalue("service").address
    settings = read_settings(str(tmp_path), 1)
    return lambda: open_keys(settings, address)


def test_the_same_question_has_the_same_answer(opened: Callable[[], Keys]) -> None:
    opened().prepare()
    first = [opened().key(title, label) for title in TITLES for label in LABELS]
    again = [opened().key(title, label) for title in TITLES for label in LABELS]

    assert first == again
    assert len({key.id for key in first}) == len({key.key for key in first}) == 4
    assert set(keys_of(opened(), "one", LABELS)) == set(LABELS)


def test_another_generation_has_other_keys_under_other_ids(opened: Callable[[], Keys]) -> None:
    opened().prepare()
    first, second = (keys_of(opened(), "one", LABELS, generation) for generation in (1, 2))

    assert first == keys_of(opened(), "one", LABELS)
    every = [*first.values(), *second.values()]
    assert len({key.id for key in every}) == len({key.key for key in every}) == 4


def test_who_has_keys_does_not_show_them(opened: Callable[[], Keys]) -> None:
    opened().prepare()
    assert opened().key("one", "video").key.hex() not in repr(
        (opened(), opened().key("one", "video"))
    )


@pytest.mark.parametrize("who", ["file", "service"])
def test_a_title_without_a_key_is_told(who: str, tmp_path: Path, service: Service) -> None:
    keys = FileKeys(key_file(tmp_path)) if who == "file" else ServiceKeys(service.address)

    with pytest.raises(KeyMissing, match="has no video key for third"):
        keys.key("third", "video")


# The library's own secret


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / SECRET_FILE
    with pytest.raises(KeyMissing, match="is gone"):
        LibraryKeys(tmp_path).key("one", "video")
    keys = []
    for _ in range(2):
        LibraryKeys(tmp_path).prepare()
        keys.append(LibraryKeys(tmp_path).key("one", "video"))

    assert keys[0] == keys[1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.stat().st_size == 32
    assert [entry.name for entry in tmp_path.iterdir()] == [SECRET_FILE]


def test_processes_that_begin_together_have_one_secret(tmp_path: Path) -> None:
    found: list[bytes] = []
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait()
        LibraryKeys(tmp_path).prepare()
        found.append(LibraryKeys(tmp_path).key("one", "video").key)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8 and len(set(found)) == 1


def test_a_secret_that_others_may_read_or_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / SECRET_FILE
    path.write_bytes(bytes(32))
    path.chmod(0o640)
    with pytest.raises(KeysInvalid, match="others may read"):
        LibraryKeys(tmp_path).key("one", "video")
    path.chmod(0o600)
    path.write_bytes(bytes(31))
    with pytest.raises(KeysInvalid, match="has 31 bytes"):
        LibraryKeys(tmp_path).key("one", "video")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="cannot be made"):
        LibraryKeys(tmp_path / "nowhere").prepare()


# Key files

GOOD = '[[key]]\nlabel = "video"\nid = "' + "a" * 32 + '"\nkey = "' + "f" * 32 + '"\n'


def test_a_key_for_a_title_goes_before_one_for_all(tmp_path: Path) -> None:
    own = GOOD.replace("a" * 32, "1" * 32) + 'title = "one"\n'
    keys = FileKeys(key_file(tmp_path, GOOD + own))

    assert keys.key("one", "video").id.hex() == "1" * 32
    assert keys.key("other", "video").id.hex() == "a" * 32


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD.replace("f" * 32, "f" * 30), "key has 30 characters, not 32 hexadecimal digits"),
        (GOOD.replace("a" * 32, "x" * 32), "id has 32 characters"),
        (GOOD.replace("a" * 32, "0" * 32), "other than 0 throughout"),
        (GOOD.replace("label", "lable"), "its fields are label, id, key"),
        (GOOD.replace('"video"', "7"), "every other field is a text"),
        (f"{GOOD}generation = 0\n", "generation is not a whole number from 1 on"),
        (f"{GOOD}generation = true\n", "generation is not a whole number"),
        (GOOD.replace("[[key]]", "[[keys]]"), "tables [[key]] and nothing else"),
        ("key = 7", "tables [[key]] and nothing else"),
        ('[[key]]\nkey = "' + "f" * 32, "no TOML"),
    ],
)
def test_a_key_file_that_is_none_is_refused_without_a_word_of_its_keys(
    tmp_path: Path, text: str, fault: str
) -> None:
    with pytest.raises(KeysInvalid) as raised:
        FileKeys(key_file(tmp_path, text)).key("one", "video")

    assert fault in str(raised.value) and "ffff" not in str(raised.value)


def test_a_key_file_that_is_not_there_or_open_to_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysInvalid, match="No such file"):
        FileKeys(tmp_path / "none.toml").key("one", "video")
    key_file(tmp_path).chmod(0o644)
    with pytest.raises(KeysInvalid, match="others may read"):
        FileKeys(tmp_path / "keys.toml").key("one", "video")


def test_one_id_cannot_stand_for_two_keys(tmp_path: Path) -> None:
    other = GOOD.replace("video", "audio").replace("f" * 32, "e" * 32)
    with pytest.raises(KeysInvalid, match="two keys of one have one id"):
        keys_of(FileKeys(key_file(tmp_path, GOOD + other)), "one", LABELS)


# Key services


def test_a_service_is_told_who_asks_and_for_what(service: Service) -> None:
    ServiceKeys(service.address, "a token").key("one", "audio")
    ServiceKeys(service.address).key("one", "audio")

    (first, asked), (second, _) = service.heard
    assert asked == {"title": "one", "label": "audio"}
    assert first["authorization"] == "Bearer a token" and "authorization" not in second


def test_a_service_is_told_of_a_later_generation(service: Service) -> None:
    ServiceKeys(service.address).key("one", "audio", 3)

    ((_, asked),) = service.heard
    assert asked == {"title": "one", "label": "audio", "generation": 3}


@pytest.mark.parametrize("status", [401, 403, 500, 301])
def test_a_service_that_answers_with_an_error_may_be_asked_again(
    service: Service, status: int
) -> None:
    service.answer = (status, b"")
    with pytest.raises(KeysUnreachable, match=str(status)) as raised:
        ServiceKeys(service.address).key("one", "video")
    assert raised.value.retryable


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"[" * 60_000,
        b'{"id": "00"}',
        json.dumps({"id": "a" * 32, "key": "f" * 31}).encode(),
    ],
)
def test_an_answer_that_is_no_key_is_refused_without_a_word_of_it(
    service: Service, answer: bytes
) -> None:
    service.answer = (200, answer)
    with pytest.raises(KeysInvalid, match="32 hexadecimal digits") as raised:
        ServiceKeys(service.address).key("one", "video")
    assert "fff" not in str(raised.value)


def test_a_service_that_is_not_there_may_be_asked_again(service: Service) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    with pytest.raises(KeysUnreachable, match="cannot be reached") as raised:
        ServiceKeys(f"http://127.0.0.1:{port}/").key("one", "video")
    assert raised.value.retryable


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("http://keys.example.org/", "in the clear"),
        ("https://user:secret@keys.example.org/", "no credentials"),
        ("https://keys.example.org/?token=1", "no credentials"),
        ("ftp://keys.example.org/", "no address"),
        ("https://", "no address"),
        ("https://keys.example.org:99999/", "no address"),
    ],
)
def test_an_address_that_would_give_keys_away_is_refused(
    tmp_path: Path, address: str, fault: str
) -> None:
    with pytest.raises(KeysInvalid, match=fault):
        open_keys(read_settings(str(tmp_path), 1), address)
