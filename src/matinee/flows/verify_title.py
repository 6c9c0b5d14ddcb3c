"""Prove again that what a title shows is whole and right: every file's bytes, and the manifests."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from matinee.core.errors import MatineeError, NotFound
from matinee.core.ids import digest_of
from matinee.core.verdicts import Verdict
from matinee.media.conformance import check_package
from matinee.media.conformance_report import Expected, ExpectedAudio, ExpectedVideo
from matinee.media.encryption import LABELS, Lock
from matinee.media.judges import Locked, encryption_evidence, judge_conformance
from matinee.media.packaging import DASH, HLS, entry_manifests
from matinee.ports.catalog import Package, Title
from matinee.ports.store import ObjectStore
from matinee.stages.ahead import Ahead
from matinee.stages.encrypted import LockedRendition, judge_locked, segments_in
from matinee.stages.publish import ENTRY_DASH, ENTRY_HLS, title_key
from matinee.stages.unlock import Locksmith, Read, Unlock


async def verify_title(
    store: ObjectStore, title: Title, package: Package | None, report: Mapping[str, Any],
    locksmith: Locksmith,
) -> list[Verdict]:  # fmt: skip
    """Read every file of the package once, prove its digest, and check the package whole.

    What is encrypted is decrypted for it, and nothing of it is waived.

    Raises:
        NotFound: the title has no package on screen.
        KeyMissing, KeyChanged, KeysUnreachable, KeysInvalid: its keys cannot be had.
    """
    if package is None:
        raise NotFound(f"{title.id} has no package on screen", "publish it again")
    unlock = await asyncio.to_thread(locksmith.unlock, package)
    wrong: dict[str, str] = {}
    unread = set(package.files)
    files = Ahead(lambda path: store.read(title_key(title.id, path)), package.files)

    def read(path: str) -> bytes:
        data = files(path)
        unread.discard(path)
        if path not in package.files:
            wrong[path] = "is not a file of this package"
        elif digest_of(data) != package.files[path]:
            wrong[path] = "does not have the bytes that were published"
        return data

    try:
        findings = await asyncio.to_thread(
            check_package, unlock.over(read), f"packages/{package.id}/{HLS}",
            f"packages/{package.id}/{DASH}", expected_of(report),
        )  # fmt: skip
        locked = await asyncio.to_thread(_locked, report, package, unlock, read)
        await asyncio.to_thread(_read_rest, read, sorted(unread), wrong)
    finally:
        files.close()
    reasons = tuple(f"{path} {fault}" for path, fault in sorted(wrong.items()))
    evidence = {"files": len(package.files), "wrong": len(wrong)}
    return [
        Verdict("files", "package", evidence, reasons),
        judge_conformance(findings, len(package.files)),
        *locked,
        await _judge_entry(store, title, package),
    ]


def _locked(
    report: Mapping[str, Any], package: Package, unlock: Unlock, read: Read
) -> list[Verdict]:
    """Everything that is to be encrypted is, with the keys that are at hand."""
    keyring = unlock.keyring
    if keyring is None:
        return []
    verdicts = []
    for rendition in report["renditions"]:
        kind, folder = rendition["type"], rendition["folder"]
        lock = keyring.lock(kind)
        if lock is None:
            continue
        segments = segments_in(folder, package.files)
        whole = kind == "audio"
        one = LockedRendition(
            rendition["name"], folder, lock, keyring.iv(lock, folder), segments, whole,
            proved_by="files",
        )  # fmt: skip
        try:
            verdicts.append(judge_locked(one, read, unlock.over(read)))
        except MatineeError as error:
            nothing = Locked(None, (), (), None, "files")
            said = f"it cannot be read: {error}"
            evidence = encryption_evidence(lock, nothing)
            verdicts.append(Verdict("encryption", rendition["name"], evidence, (said,)))
    return verdicts


def _read_rest(read: Callable[[str], bytes], paths: Iterable[str], wrong: dict[str, str]) -> None:
    for path in paths:
        try:
            read(path)
        except MatineeError as error:
            wrong[path] = f"cannot be read: {error}"


async def _judge_entry(store: ObjectStore, title: Title, package: Package) -> Verdict:
    """The entry manifests are the projection of the title's row."""
    reasons = []
    try:
        hls, dash = [
            (await store.read(title_key(title.id, f"packages/{package.id}/{name}"))).decode()
            for name in (HLS, DASH)
        ]
        projected = entry_manifests(package.id, hls, dash)
        for name, text in zip((ENTRY_HLS, ENTRY_DASH), projected, strict=True):
            if await store.read(title_key(title.id, name)) != text.encode():
                reasons.append(f"{name} does not name the package on screen")
    except MatineeError as error:
        reasons.append(str(error))
    return Verdict("entry", "title", {"package": package.id}, tuple(reasons))


def expected_of(report: Mapping[str, Any]) -> Expected:
    """What a package must hold, from its report."""
    plan = report["plan"]
    starts = tuple(segment["start"] for segment in plan["segments"])
    by_type: dict[str, list[dict[str, Any]]] = {"video": [], "audio": [], "subtitles": []}
    for rendition in report["renditions"]:
        by_type[rendition["type"]].append(rendition)
    return Expected(
        video={
            r["folder"]: ExpectedVideo(
                r["width"],
                r["height"],
                plan["frames"],
                Fraction(plan["frame_rate"]),
                starts,
                video_range=r.get("video_range") or "SDR",
                film_grain=None if r.get("film_grain") is None else r["film_grain"] > 0,
            )
            for r in by_type["video"]
        },
        audio={
            r["folder"]: ExpectedAudio(
                _named(r["language"]),
                r["channels"],
                Fraction(plan["frames"]) / Fraction(plan["frame_rate"]),
            )
            for r in by_type["audio"]
        },
        text={
            folder: _named(r["language"])
            for r in by_type["subtitles"]
            for folder in {r["folder"], r["folder"] + ("-wvtt" if r["codec"] == "wvtt" else "")}
        },
        locks=_locks_of(report, by_type),
    )


def _locks_of(
    report: Mapping[str, Any], by_type: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Lock]:
    """How each rendition is encrypted, as far as manifests tell of it."""
    told = report.get("encryption")
    if told is None:
        return {}
    locks = {
        kind: Lock(told["scheme"], told["key_ids"][label], "") for kind, label in LABELS.items()
    }
    return {r["folder"]: lock for kind, lock in locks.items() for r in by_type[kind]}


def _named(language: str) -> str | None:
    return None if language == "und" else language
