"""Notices: signed, sent once, and only where an operator has nothing against it."""

import asyncio
import base64
import hmac
import json
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from tests.rules.stand import arrived, run, stand, until

from matinee.adapters.webhook import WebhookNotices, is_public
from matinee.flows.functions import SHIPPED, signed
from matinee.ports.notices import NoticeFailed, NoticeRefused
from matinee.rules.functions import registry

HERE = (ip_network("127.0.0.0/8"),)
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


async def listening(answer: bytes, work: Callable[[int, list[bytes]], Awaitable[None]]) -> None:
    """A server that gives one answer to whoever connects; ``work`` gets its port and what came."""
    heard: list[bytes] = []

    async def hear(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        head = await reading.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        heard.append(head + await reading.readexactly(size))
        writing.write(answer)
        await writing.drain()
        writing.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        await work(server.sockets[0].getsockname()[1], heard)


def test_a_rule_sends_the_event_signed_as_standard_webhooks_say(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")

    async def work(port: int, heard: list[bytes]) -> None:
        made = stand(tmp_path, WebhookNotices(None, HERE))
        (event,) = made.tell(arrived("a.mkv"))
        rules = (
            '[[rule]]\nname = "tell"\nwhen = { type = "film.arrived" }\ndo = "notify"\n'
            f'with.url = "http://127.0.0.1:{port}/hook?a=b"\n'
            f'with.secret = "file:{tmp_path}/secret"\n'
        )
        async with made.at_work(rules, registry(SHIPPED, ())):
            await until(lambda: {d.state for d in made.all()} == {"done"})
        (request,) = heard
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        assert lines[0] == "POST /hook?a=b HTTP/1.1"
        assert json.loads(body) == event.as_json()
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = hmac.digest(base64.b64decode(SECRET[6:]), content, "sha256")
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(right).decode()}"
        everything = json.dumps([e.as_json() for e in made.told("film.arrived")])
        assert SECRET[6:20] not in everything

    run(listening(b"HTTP/1.1 204 No Content\r\n\r\n", work))


def test_the_signature_is_that_of_the_specifications_example() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 No\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/x\r\n\r\n",
        b"SSH-2.0-server\r\n",
        b"",
        b"x" * 9000,
    ],
)
def test_what_is_no_success_is_a_failure_that_is_tried_again(answer: bytes) -> None:
    async def work(port: int, heard: list[bytes]) -> None:
        with pytest.raises(NoticeFailed) as caught:
            await WebhookNotices(None, HERE).post(f"http://127.0.0.1:{port}/", {}, b"{}")
        assert caught.value.retryable
        assert len(heard) == 1

    run(listening(answer, work))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost:{port}/",
        "https://[::1]:{port}/", "https://[::ffff:127.0.0.1]:{port}/", "https://2130706433:{port}/",
        "https://0x7f.1:{port}/", "https://10.0.0.1/", "https://169.254.169.254/latest/",
        "ftp://example.com/", "https://user:word@example.com/", "https:///x", "file:///etc/passwd",
        "https://example.com:99999/", "https://example.com/a b", "https://a\r\nb/", "http://[::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_never_connected_to(url: str) -> None:
    async def work(port: int, heard: list[bytes]) -> None:
        with pytest.raises(NoticeRefused):
            await WebhookNotices().post(url.format(port=port), {}, b"{}")
        assert heard == []

    run(listening(b"HTTP/1.1 200 OK\r\n\r\n", work))


def test_what_is_allowed_by_plain_http_is_allowed_only_there() -> None:
    async def work(port: int, heard: list[bytes]) -> None:
        allowed = WebhookNotices(None, (ip_network("127.0.0.2/32"),))
        with pytest.raises(NoticeRefused, match=r"127\.0\.0\.1, which is not a public address"):
            await allowed.post(f"http://127.0.0.1:{port}/", {}, b"{}")
        assert heard == []

    run(listening(b"HTTP/1.1 200 OK\r\n\r\n", work))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("64:ff9b::5db8:d822", True),
        ("0.0.0.1", False), ("100.64.0.1", False), ("172.16.0.1", False), ("192.168.0.1", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("::", False), ("fe80::1", False),
        ("fc00::1", False), ("fec0::1", False), ("ff02::1", False), ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False), ("::ffff:10.0.0.1", False), ("2001:0:7f00:1::", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


def test_secrets_come_from_files_and_variables_and_are_long_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = WebhookNotices()
    monkeypatch.setenv("BELL_SECRET", SECRET)
    assert notices.secret("env:BELL_SECRET") == b"0123456789abcdef0123456789abcdef"
    (tmp_path / "plain").write_text("a" * 24)
    assert notices.secret(f"file:{tmp_path}/plain") == b"a" * 24
    monkeypatch.setenv("BELL_SECRET", "short")
    for where in (
        "env:BELL_SECRET",
        "env:NOBODY_SET_THIS",
        f"file:{tmp_path}/none",
        "word",
        SECRET,
    ):
        with pytest.raises(NoticeRefused) as caught:
            notices.secret(where)
        assert "short" not in str(caught.value)
