"""``matinee up`` as a process: what keeps it from starting, who is let in, what goes first."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from tests.conftest import TINY_LADDER, Ended
from tests.service.running import Up, eventually, is_alive, new_library, processes_below, put

pytestmark = [pytest.mark.slow, pytest.mark.tools]

Run = Callable[..., Ended]


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder


@pytest.fixture
def slow_ladder(tmp_path: Path) -> Path:
    path = tmp_path / "slow.toml"
    path.write_text(TINY_LADDER.replace('"veryfast"', '"veryslow"'))
    return path


def test_others_are_not_served_without_tls(matinee: Run, tmp_path: Path) -> None:
    ended = matinee("up", "--bind", "0.0.0.0:0", "--library", tmp_path / "library")

    assert ended.exit_code == 2
    assert "[serve.address_open]" in ended.err
    assert "--certificate" in ended.err


def test_a_wrong_rule_stops_the_start_and_is_told_with_its_line(
    matinee: Run, ladder: Path, tmp_path: Path
) -> None:
    rules = new_library(tmp_path, ladder) / "rules.toml"
    rules.write_text(rules.read_text() + 'atmost = "1/minute"\n')
    ended = matinee("up", "--bind", "127.0.0.1:0", "--library", rules.parent)

    assert ended.exit_code == 2
    assert "[rules.invalid]" in ended.err
    assert "rules.toml:4:" in ended.err and "at_most" in ended.err
    assert ended.out == ""


def test_a_second_service_is_told_what_is_taken_and_leaves_the_first_alone(
    matinee: Run, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    with Up(library).running() as up:
        bind = up.address.removeprefix("http://")
        elsewhere = matinee("up", "--bind", bind, "--library", tmp_path / "another")
        ended = matinee("up", "--bind", "127.0.0.1:0", "--library", library)
        asked = matinee("runs", "--library", library)

    assert (elsewhere.exit_code, elsewhere.out) == (2, "")
    assert "[serve.address_taken]" in elsewhere.err
    assert (ended.exit_code, ended.out) == (6, "")
    assert "[library.busy]" in ended.err and str(library) in ended.err
    assert asked.exit_code == 0, asked.err


def test_with_tls_nothing_is_read_without_a_token_but_the_media_of_public_titles(
    stocked: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    library, (title,) = stocked[0], (stocked[1]["title"],)
    certificate, key = self_signed(tmp_path)
    options = ["--certificate", certificate, "--key", key, "--behind-proxy"]
    with Up(library, options, certificate=certificate).running() as up:
        (said,) = [line for line in up.said if "administrator's token" in line]
        token = said.split()[-1]
        plain, path = f"/media/titles/{title}/main.m3u8", f"/v1/titles/{title}"

        assert up.address.startswith("https://") and up.said[0].split()[3].startswith(up.address)
        assert [up.ask(p).status for p in ("/v1/titles", path, "/v1/events", "/")] == [401] * 4
        assert up.ask("/v1/titles", token="matinee_" + "x" * 43).status == 401
        assert [up.ask(p).status for p in ("/healthz", plain)] == [200, 404]

        signed = up.ask(path, token=token).json["media"]["hls"]
        playlist = up.ask(signed)
        assert (playlist.status, playlist.body[:7]) == (200, b"#EXTM3U")
        segment = up.ask(segment_of(up, signed))
        assert (segment.status, segment.headers["cache-control"][:7]) == (200, "private")
        assert up.ask(signed.replace(title, "other")).status == 404
        assert up.ask(signed.replace("/media/s/", "/media/s/1")).status == 404

        changed = up.ask(path, "PATCH", {"public": True}, token)
        assert changed.json["media"]["hls"] == plain
        eventually(lambda: up.ask(plain).status == 200, up)
        assert up.ask(segment_of(up, plain)).status == 200
        assert up.ask(path).status == 401


def test_commands_on_this_machine_reach_a_service_that_has_tls(
    matinee: Run, tmp_path: Path
) -> None:
    certificate, key = self_signed(tmp_path, "DNS:matinee.example")
    options = ["--certificate", certificate, "--key", key, "--behind-proxy"]
    with Up(tmp_path / "library", options, certificate=certificate).running() as up:
        told = matinee("events", "--library", up.library)
        stranger = matinee("events", "--library", up.library, "--server", up.address)

    assert told.exit_code == 0, told.err
    assert "person.acted" in told.out
    assert stranger.exit_code == 7
    assert "[service.unreachable]" in stranger.err


def self_signed(folder: Path, name: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """A certificate for this machine that nobody else vouches for, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=matinee", "-addext",
            f"subjectAltName={name}", "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def segment_of(up: Up, manifest: str) -> str:
    """The address of a segment that a player finds from there."""
    for _ in range(2):  # the multivariant playlist names media playlists, and these segments
        lines = up.ask(manifest).body.decode().splitlines()
        (first, *_) = [line for line in lines if line and not line.startswith("#")]
        manifest = urljoin(manifest, first)
    return manifest


def test_a_film_can_be_watched_while_it_is_made_and_an_urgent_one_overtakes(
    short_film: Path, long_film: Path, slow_ladder: Path, watched: Path, tmp_path: Path
) -> None:
    bulk = {"bulk one.mp4": "running", "bulk two.mp4": "running"}
    library, shown = new_library(tmp_path, slow_ladder), "/media/titles/bulk-one"
    with Up(library, ["--watch", watched, "--workers", 1]).running() as up:
        put(long_film, watched, "bulk one")
        put(long_film, watched, "bulk two", size=16)
        eventually(lambda: up.ask(f"{shown}/preview/main.m3u8").status == 200, up)
        segment = up.ask(segment_of(up, f"{shown}/preview/main.m3u8"))
        assert (segment.status, segment.headers["content-type"]) == (200, "video/mp4")
        assert up.ask(f"{shown}/main.m3u8").status == 404

        eventually(lambda: states_of(up) == bulk, up)
        put(short_film, watched, "urgent", "priority = 5\n")
        assert up.ended("urgent.mp4")["state"] == "done"
        assert states_of(up) == {**bulk, "urgent.mp4": "done"}


def states_of(up: Up) -> dict[str, str]:
    """The runs' states by their films."""
    return {run["film"]: run["state"] for run in up.get("/v1/runs")}


def test_ctrl_c_ends_all_that_it_started(
    long_film: Path, slow_ladder: Path, watched: Path, tmp_path: Path
) -> None:
    library = new_library(tmp_path, slow_ladder)
    with Up(library, ["--watch", watched]).running() as up:
        put(long_film, watched, "long")
        assert up.process
        pid = up.process.pid

        def working() -> dict[int, str] | None:
            below = processes_below(pid)
            return below if any("ffmpeg" in name for name in below.values()) else None

        below = eventually(working, up)
        assert len(below) >= 2
        assert up.press_ctrl_c() == 0
        eventually(lambda: not any(map(is_alive, below)), up)
    assert not list((library / "scratch").glob("service.json"))
