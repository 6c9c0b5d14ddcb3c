"""A run of the flow ``publish``: what was asked for as JSON becomes a title, proven and shown."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from matinee.core.errors import MatineeError, UsageError
from matinee.core.events import Fact
from matinee.core.ids import digest_of_value
from matinee.core.verdicts import Verdict
from matinee.flows.board import Board
from matinee.flows.house import House
from matinee.flows.publish_title import Published, publish_title
from matinee.flows.request import Request
from matinee.flows.work import Outcome
from matinee.media.ladder_checks import TARGETS
from matinee.media.languages import KINDS
from matinee.media.profile import Profile
from matinee.media.tracks import language_tag
from matinee.ports.runs import Run
from matinee.stages.bench import Bench
from matinee.stages.chunks import Proofs
from matinee.stages.ingest import shown_name
from matinee.stages.redo import FUNCTIONS
from matinee.stages.text import sidecar_of

FIELDS = {
    "place": str, "origin": str, "name": str, "credit": str, "sidecars": list, "ladder": str,
    "profile": str, "proofs": str, "scores": bool, "accept_damage": bool, "crop": bool,
    "deadline": str, "public": bool, "opens_at": str, "closes_at": str, "languages": dict,
    "redo": str, "preview": bool, "target_vmaf": float,
}  # fmt: skip
"""What a request may say, and of which JSON type; all but ``place`` may be left out or be null."""


class RunInvalid(UsageError):
    """A run was asked for that has no meaning."""

    code = "run.request"
    advice = "see what a run of publish takes in docs/reference/api.md"


@dataclass(frozen=True, slots=True)
class PublishRun:
    """Carries out runs of ``publish``.

    ``fetch`` gives a local file of a place's bytes, below the folder where it is not one already;
    ``open_house`` what one run works with; ``tell`` appends to the event log.
    """

    fetch: Callable[[str, Path], Awaitable[Path]]
    load_profile: Callable[[str | None, str | None, float | None], Profile]
    open_house: Callable[[Run, Board], AbstractContextManager[tuple[House, Bench]]]
    tell: Callable[[Sequence[Fact]], object]

    async def __call__(self, run: Run, board: Board) -> Outcome:
        """Carry a run out once, or go on with it.

        Raises:
            MatineeError: as ``publish_title``; RunInvalid.
        """
        wanted = check_request(run.wish.request)
        profile = self.load_profile(*profile_wished(wanted))
        with self.open_house(run, board) as (house, bench):
            folder = bench.scratch / "places"
            folder.mkdir()
            film = await self._film(run, house, bench, folder)
            sidecars = [
                sidecar_of(await self.fetch(one["place"], folder), one.get("language") or "")
                for one in wanted.get("sidecars") or ()
            ]
            request = replace(
                request_of(wanted, film, profile),
                sidecars=tuple(sidecars),
                film_name=run.wish.film,
                cause=run.wish.cause,
                place=wanted["place"],
                budget_s=budget_of(run),
                on_late=lambda expected_s: self._tell_late(run, expected_s),
            )
            return outcome_of(await publish_title(house, bench, request))

    def _tell_late(self, run: Run, expected_s: float) -> None:
        """Say that a run cannot meet its deadline: once, however often it is begun again."""
        assert run.started_at is not None and run.wish.deadline is not None  # noqa: PT018
        about = {"run": run.id, "flow": run.wish.flow, "film": run.wish.film, "title": run.title}
        times = {
            "deadline": run.wish.deadline.isoformat(),
            "expected": (run.started_at + timedelta(seconds=expected_s)).isoformat(),
        }
        said = digest_of_value([run.id, "late", times["deadline"]])[:32]
        fact = Fact("run.late", f"run/{run.id}", {**about, **times}, run.wish.cause, id=said)
        self.tell([fact])

    async def _film(self, run: Run, house: House, bench: Bench, folder: Path) -> Path:
        """The film where it lies, else as the library keeps it: it came that far before."""
        try:
            return await self.fetch(run.wish.request["place"], folder)
        except MatineeError:
            if run.title is None:
                raise
            asset = bench.inventory.asset(house.titles.get(run.title).source)
            if asset is None or await bench.place(asset) is None:
                raise
            return await bench.file(asset)


def budget_of(run: Run) -> float | None:
    """Seconds from the first begin of a run to its deadline; so it is the same when it goes on."""
    if run.wish.deadline is None or run.started_at is None:
        return None
    return (run.wish.deadline - run.started_at).total_seconds()


def check_request(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request, when it is one.

    Raises:
        RunInvalid: names the field that is missing, unknown or of another type.
    """
    for name, value in document.items():
        if name not in FIELDS:
            raise RunInvalid(f"a run of publish has no field {name!r}")
        if value is not None and not _is(value, FIELDS[name]):
            raise RunInvalid(f"{name} is to be a {FIELDS[name].__name__}, not {value!r}")
    target, (low, high) = document.get("target_vmaf"), TARGETS
    if target is not None and not low <= target <= high:
        raise RunInvalid(f"target_vmaf is to be from {low} to {high}, not {target}")
    if document.get("redo") is not None and document["redo"] not in FUNCTIONS:
        raise RunInvalid(
            f"there is no stage {document['redo']!r}", f"stages are: {', '.join(FUNCTIONS)}"
        )
    if not document.get("place"):
        raise RunInvalid("a run of publish needs a place: where the film lies")
    return document


def _is(value: object, kind: type) -> bool:
    """Whether it has the type; JSON has one kind of number."""
    return type(value) is kind or (kind is float and type(value) is int)


def profile_wished(wanted: Mapping[str, Any]) -> tuple[str | None, str | None, float | None]:
    """Profile, ladder and target of VMAF, as ``load_wished`` takes them."""
    return wanted.get("profile") or None, wanted.get("ladder") or None, wanted.get("target_vmaf")


def request_of(wanted: Mapping[str, Any], film: Path, profile: Profile) -> Request:
    """What the flow is asked for."""
    name, credit = wanted.get("name"), wanted.get("credit")
    return Request(
        film=film,
        name=shown_name(name) if name else None,
        credit=shown_name(credit) if credit else None,
        sidecars=(),
        profile=profile,
        proofs=Proofs(
            signed=(wanted.get("proofs") or "decode") == "decode",
            scored=wanted.get("scores") is not False,
        ),
        accept_damage=bool(wanted.get("accept_damage")),
        crop=bool(wanted.get("crop")),
        preview=wanted.get("preview") is not False,
        is_public=wanted.get("public"),
        rights=(_time(wanted, "opens_at"), _time(wanted, "closes_at"))
        if wanted.get("opens_at") or wanted.get("closes_at")
        else None,
        languages=_languages(wanted.get("languages") or {}),
    )


def _languages(told: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    for kind, codes in told.items():
        if kind not in KINDS or not isinstance(codes, list):
            raise RunInvalid(f"languages has no {kind!r} with a list of codes")
        for code in codes:
            if not isinstance(code, str) or (language_tag(code) == "und" and code != "und"):
                raise RunInvalid(f"languages.{kind} has {code!r}, which is no language code")
    return told


def _time(wanted: Mapping[str, Any], name: str) -> datetime | None:
    if not wanted.get(name):
        return None
    try:
        time = datetime.fromisoformat(wanted[name])
    except ValueError as error:
        raise RunInvalid(f"{name} is no time: {wanted[name]!r}") from error
    if time.tzinfo is None:
        raise RunInvalid(f"{name} does not say its time zone: {wanted[name]!r}")
    return time


def outcome_of(published: Published) -> Outcome:
    """How the run ends."""
    faults = [verdict for verdict in published.verdicts if not verdict.passed]
    result = {
        "title": published.title.id,
        "package": published.package.id,
        "source": published.title.source,
        "seconds": round(published.seconds, 3),
    }
    if published.package.state == "ready":
        return Outcome("done", result)
    return held(published.title.id, faults, result)


def held(title: str, faults: Sequence[Verdict], result: Mapping[str, Any]) -> Outcome:
    """The end of a run of which a verdict failed."""
    told = "; ".join(f"{one.judge} {one.subject}: {one.reasons[0]}" for one in faults)
    error = {
        "code": "verdict.failed",
        "message": f"not shown, because a verdict failed: {told}",
        "hint": f"see every verdict on the report of {title}",
    }
    return Outcome("held", result, error)
