"""An encrypted film: nothing in the clear, nothing lost, every proof holds, nothing tells a key."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from tests.conftest import Ended
from tests.docs.test_schemas import faults
from tests.encrypted import PROFILE, SCHEMES, Encrypted

from matinee.adapters.keys import SECRET_FILE
from matinee.adapters.pyav_decrypt import PyavDecrypter
from matinee.config import Settings, read_settings
from matinee.core.events import Event
from matinee.flows.board import Board
from matinee.flows.functions import poster
from matinee.flows.work import Outcome
from matinee.media.cenc import pssh_of, read_protection
from matinee.media.encryption import derived_key, pssh_box
from matinee.ports.runs import Wish
from matinee.rules.functions import AsyncCall
from matinee.wiring.library import now, open_library
from matinee.wiring.rules import open_automation
from matinee.wiring.worker import open_worker

pytestmark = [pytest.mark.tools, pytest.mark.slow]

Run = Callable[..., Ended]


def digests_of(path: Path, *options: str) -> list[str]:
    """A digest of every decoded frame, by the program ffmpeg."""
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", *options]
    ended = subprocess.run(
        [*program, "-i", str(path), "-f", "framemd5", "-"], capture_output=True, check=False
    )
    lines = ended.stdout.decode().splitlines()
    return [line.split(",")[-1].strip() for line in lines if not line.startswith("#")]


def whole(folder: Path, output: Path) -> Path:
    parts = [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]
    output.write_bytes(b"".join(part.read_bytes() for part in parts))
    return output


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_verdict_is_given_and_passes(encrypted: Encrypted, scheme: str) -> None:
    document = encrypted.by_scheme[scheme]
    verdicts = {(v["judge"], v["subject"]): v for v in document["verdicts"]}
    clear = {(v["judge"], v["subject"]) for v in encrypted.clear["verdicts"]}
    videos = {r["name"] for r in document["renditions"] if r["type"] == "video"}
    sounds = {r["name"] for r in document["renditions"] if r["type"] == "audio"}
    subjects = {subject for judge, subject in verdicts if judge == "encryption"}

    assert document["state"] == "published"
    assert all(verdict["passed"] for verdict in verdicts.values())
    assert clear == {(judge, subject) for judge, subject in verdicts if judge != "encryption"}
    assert subjects == {*videos, *sounds, "video-72p-trick"}
    for subject in subjects:
        evidence = verdicts["encryption", subject]["evidence"]
        assert evidence["scheme"] == scheme
        assert evidence["proved_by"] == ("join" if subject in videos else "samples")
        assert 0 < evidence["encrypted_bytes"] <= evidence["bytes"]


def test_no_picture_or_sound_is_encoded_again_for_a_key(encrypted: Encrypted) -> None:
    for document in encrypted.by_scheme.values():
        assert document["derivations"]["ran"] == 2  # package, judge


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", ["video-144p", "audio-de-mono"])
def test_another_program_decrypts_to_the_same_frames(
    encrypted: Encrypted, scheme: str, kind: str, tmp_path: Path
) -> None:
    document = encrypted.by_scheme[scheme]
    served = whole(encrypted.rendition(document, kind), tmp_path / "served.mp4")
    clear = whole(encrypted.rendition(encrypted.clear, kind), tmp_path / "clear.mp4")
    expected = digests_of(clear)

    assert len(expected) > 100
    key = encrypted.key(kind.partition("-")[0])
    assert digests_of(served, "-decryption_key", key) == expected
    assert digests_of(served) != expected
    assert digests_of(served, "-decryption_key", "00" * 16) != expected


@pytest.mark.parametrize("scheme", SCHEMES)
def test_manifests_and_init_segments_tell_key_ids_alone(encrypted: Encrypted, scheme: str) -> None:
    document = encrypted.by_scheme[scheme]
    secret = (encrypted.library / SECRET_FILE).read_bytes()
    ids = [derived_key(secret, encrypted.title, label).id.hex() for label in ("video", "audio")]
    for name, key_id in (("video-144p", ids[0]), ("audio-en-mono", ids[1])):
        data = (encrypted.rendition(document, name) / "init.mp4").read_bytes()
        protection = read_protection(data)
        playlist = (Path(document["package"]) / f"{name}.m3u8").read_text()

        assert protection is not None
        assert (protection.scheme, protection.key_id) == (scheme, key_id)
        assert pssh_of(data) == [pssh_box(ids)]
        assert playlist.count("#EXT-X-KEY:") == 1 and f"KEYID=0x{key_id.upper()}" in playlist
    mpd = (Path(document["package"]) / "manifest.mpd").read_text()
    spelled = [f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for i in ids]
    assert all(f'cenc:default_KID="{one}"' in mpd for one in spelled)
    text = (Path(document["package"]) / "text-en.m3u8").read_text()
    assert "EXT-X-KEY" not in text


def test_no_key_lies_anywhere_but_in_the_secret(encrypted: Encrypted) -> None:
    needles = [(encrypted.library / SECRET_FILE).read_bytes()]
    for label in ("video", "audio"):
        key = encrypted.key(label)
        needles += [bytes.fromhex(key), key.encode(), key.upper().encode()]
    looked = 0
    for path in encrypted.library.rglob("*"):
        if path.is_file() and path.name != SECRET_FILE:
            content = path.read_bytes()
            assert not any(needle in content for needle in needles), path
            looked += 1
    assert looked > 100
    told = json.dumps(encrypted.by_scheme)
    assert not any(encrypted.key(label) in told for label in ("video", "audio"))


def test_a_plan_and_a_report_tell_the_scheme(
    encrypted: Encrypted, matinee: Run, film: Path
) -> None:
    library = ("--library", encrypted.library)
    plan = matinee("publish", film, "--plan", "--profile", encrypted.profiles["cbcs"], *library)
    shown = matinee("show", encrypted.title, *library)
    report = matinee("show", encrypted.title, *library, "--json").json["report"]

    assert "encrypted: cbcs, keys from the library's own secret" in plan.out
    assert "encrypted: cbcs, keys from the library's own secret: audio " in shown.out
    assert set(report["encryption"]) == {"scheme", "keys", "key_ids", "generation"}
    assert report["encryption"]["key_ids"]["audio"] in shown.out
    assert not any(encrypted.key(label) in shown.out for label in ("video", "audio"))


@pytest.fixture
def copied(encrypted: Encrypted, tmp_path: Path) -> Encrypted:
    """A copy to do harm to."""
    return encrypted.copied_to(tmp_path / "library")


def test_damage_is_found_and_made_good_to_the_byte(copied: Encrypted, matinee: Run) -> None:
    """The same keys and inputs give the same bytes: the package is the same one afterwards."""
    library = ("--library", copied.library)
    document = copied.by_scheme["cbcs"]
    segment = copied.rendition(document, "video-144p") / "00002.m4s"
    sound = copied.rendition(document, "audio-en-mono") / "00003.m4s"
    was = {path: path.read_bytes() for path in (segment, sound)}
    for path, content in was.items():
        path.chmod(0o644)
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])

    assert matinee("verify", copied.title, *library).exit_code == 6
    assert matinee("scrub", *library, "--sample", "0").exit_code == 6
    mended = matinee("repair", *library, "--json")

    assert mended.exit_code == 0, mended.err
    assert {path: path.read_bytes() for path in was} == was
    assert matinee("verify", copied.title, *library).exit_code == 0
    scrubbed = matinee("scrub", *library, "--sample", "100", "--json")
    assert scrubbed.exit_code == 0, scrubbed.err
    assert scrubbed.json["counts"]["segments"] > 5 and not scrubbed.json["counts"].get("locked")
    listed = matinee("list", *library, "--json").json
    assert listed[0]["package"] == Path(document["package"]).name


def test_without_its_key_nothing_is_waived_in_silence(copied: Encrypted, matinee: Run) -> None:
    library = ("--library", copied.library)
    (copied.library / SECRET_FILE).write_bytes(bytes(32))

    verified = matinee("verify", copied.title, *library)
    scrubbed = matinee("scrub", *library, "--sample", "50", "--json")

    assert verified.exit_code == 6 and "[key.changed]" in verified.err
    assert scrubbed.exit_code == 0, scrubbed.err
    assert (scrubbed.json["counts"]["locked"], scrubbed.json["findings"]) == (2, [])


def test_a_backup_has_no_key_and_is_drilled_with_it(
    copied: Encrypted, matinee: Run, tmp_path: Path
) -> None:
    library, place = ("--library", copied.library), tmp_path / "vault"
    assert matinee("backup", "--to", place, *library).exit_code == 0
    secret = (copied.library / SECRET_FILE).read_bytes()

    drilled = matinee("drill", "--from", place, *library, "--json")
    assert drilled.exit_code == 0, drilled.err
    assert not any(secret in p.read_bytes() for p in place.rglob("*") if p.is_file())
    (copied.library / SECRET_FILE).write_bytes(bytes(32))
    failed = matinee("drill", "--from", place, *library)
    assert failed.exit_code == 6 and "not the one it was encrypted with" in failed.err


@pytest.mark.parametrize(
    ("keys", "code", "exit_code"),
    [
        ('label = "video"\nid = "{id}"\nkey = "{key}"', "key.missing", 7),
        ('label = "video"\nid = "{id}"\nkey = "00ff"', "keys.invalid", 2),
        (None, "keys.unreachable", 6),
    ],
)
def test_keys_that_cannot_be_had_are_told_before_the_long_work(
    film: Path, ladder: Path, matinee: Run, tmp_path: Path, keys: str | None, code: str,
    exit_code: int,
) -> None:  # fmt: skip
    address = "http://127.0.0.1:9/keys"
    if keys is not None:
        address, path = "file:keys.toml", tmp_path / "keys.toml"
        path.write_text(f"[[key]]\n{keys.format(id='01' * 16, key='02' * 16)}\n")
        path.chmod(0o600)
    profile = tmp_path / "locked.toml"
    profile.write_text(f'{PROFILE.format(ladder=ladder, scheme="cbcs")}keys = "{address}"\n')

    library = tmp_path / "library"
    ended = matinee("publish", film, "--profile", profile, "--library", library, "--json")

    assert (ended.exit_code, ended.json["error"]["code"]) == (exit_code, code)
    assert "ran" in ended.json["derivations"] and not list(library.glob("titles/*/renditions"))


def test_a_wrong_key_decrypts_to_other_samples(encrypted: Encrypted) -> None:
    folder = encrypted.rendition(encrypted.by_scheme["cbcs"], "audio-en-mono")
    init, segment = (folder / "init.mp4").read_bytes(), (folder / "00001.m4s").read_bytes()
    decrypter = PyavDecrypter()

    right = decrypter.samples(init, segment, bytes.fromhex(encrypted.key("audio")))
    wrong = decrypter.samples(init, segment, bytes(16))

    assert [len(one) for one in right] == [len(one) for one in wrong] and right != wrong


def test_what_is_told_of_it_is_what_the_schemas_say(
    encrypted: Encrypted, matinee: Run, film: Path
) -> None:
    library = ("--library", encrypted.library, "--json")
    plan = matinee("publish", film, "--plan", "--profile", encrypted.profiles["cenc"], *library)
    verified = matinee("verify", encrypted.title, *library).json

    assert faults("plan", plan.json) == []
    assert faults("show", matinee("show", encrypted.title, *library).json) == []
    assert faults("publish", encrypted.by_scheme["cbcs"]) == []
    assert faults("verify", verified) == []
    judged = {v["subject"] for v in verified["verdicts"] if v["judge"] == "encryption"}
    assert judged == {"video-72p", "video-144p", "audio-en-mono", "audio-de-mono"}


def test_posters_are_the_same_as_in_the_clear(copied: Encrypted) -> None:
    library = open_library(read_settings(str(copied.library), 1))

    async def made(document: dict[str, Any]) -> bytes:
        data = {"title": copied.title, "name": "", "package": Path(document["package"]).name}
        event = Event("e", now(), "title.published", "/", f"title/{copied.title}", data)
        reach = open_automation(library).dispatcher.performer.reach
        await poster.body(AsyncCall(event, "poster", 1, 1, reach=reach), count=1)  # type: ignore[misc]
        return (copied.library / "titles" / copied.title / "poster.jpg").read_bytes()

    pictures = {asyncio.run(made(each)) for each in (copied.clear, *copied.by_scheme.values())}
    assert len(pictures) == 1


def test_a_film_that_is_to_be_encrypted_has_no_preview(
    copied: Encrypted, matinee: Run, film: Path
) -> None:
    assert matinee("unpublish", copied.title, "--library", copied.library).exit_code == 0
    settings = Settings(copied.library, 1)
    worker, _ = open_worker(settings)
    request = {"place": str(film), "profile": str(copied.profiles["cbcs"]), "scores": False}
    runs = open_library(settings).runs
    runs.submit(Wish("run-1", "publish", film.name, request))
    run = runs.claim(worker.owner)
    assert run is not None
    board = Noting(film.name)

    async def carried_out() -> Outcome:
        return await worker.execute(run, board)

    assert asyncio.run(carried_out()).state == "done"
    assert any("no preview" in note for note in board.notes)
    assert not (copied.library / "titles" / copied.title / "preview").exists()


@dataclass
class Noting(Board):
    """Keeps what is noted."""

    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        super().note(text)
        self.notes.append(text)
