"""The functions that come with Matinee: what the shipped rules do."""

import asyncio
import base64
import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from matinee.core.ids import canonical_json
from matinee.media.ladder_checks import TARGETS
from matinee.ports.catalog import Package, Title
from matinee.ports.keeping import Keeping
from matinee.ports.runs import Run
from matinee.rules.functions import AsyncCall, GiveUp, function
from matinee.rules.reach import Reach
from matinee.stages import publish as publishing
from matinee.stages.posters import make_posters
from matinee.stages.showing import remove_preview
from matinee.stages.unlock import has_old_keys

LIVE = ("queued", "running")
"""States of runs that can be cancelled."""

LATER = 20
"""Of so many of a title's newest runs it is asked whether they came later."""

SECRET = "env:MATINEE_WEBHOOK_SECRET"  # noqa: S105  # where it is, not what it is
"""Where the secret of webhooks is when a rule does not say it."""

LONG_S = 86_400
"""How long a backup, a drill or a collection may take."""

WISHES = (
    "name", "credit", "ladder", "profile", "proofs", "scores", "accept_damage", "crop", "public",
    "opens_at", "closes_at", "deadline", "languages", "target_vmaf",
)  # fmt: skip
"""What a title file may wish of a run."""


@function("publish", version=1, time_limit_s=30)
async def publish(
    call: AsyncCall,
    ladder: str | None = None,
    profile: str | None = None,
    proofs: Literal["decode", "packets"] = "decode",
    scores: bool = True,
    accept_damage: bool = False,
    crop: bool = False,
    priority: Annotated[int, Field(ge=-100, le=100)] = 0,
    public: bool | None = None,
    target_vmaf: Annotated[float, Field(ge=TARGETS[0], le=TARGETS[1])] | None = None,
) -> None:
    """Submit a run that publishes the film that arrived."""
    film = call.event.data
    if not film.get("place"):
        raise GiveUp(f"a {call.event.type} names no film to publish", "see docs/guide/rules.md")
    request = publish_request(
        film, ladder=ladder, profile=profile, proofs=proofs, scores=scores,
        accept_damage=accept_damage, crop=crop, public=public, target_vmaf=target_vmaf,
    )  # fmt: skip
    deadline = request["deadline"]
    call.submit(
        "publish",
        film["name"],
        request,
        priority=(film.get("wishes") or {}).get("priority", priority),
        deadline=datetime.fromisoformat(deadline) if deadline else None,
    )


def publish_request(
    film: Mapping[str, Any], ladder: str | None = None, profile: str | None = None,
    proofs: str = "decode", scores: bool = True, accept_damage: bool = False, crop: bool = False,
    public: bool | None = None, target_vmaf: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What a run is asked for about a film that arrived: its own wishes go before the rule's."""
    wishes = film.get("wishes") or {}
    return {
        "place": film["place"],
        "origin": film["origin"],
        "sidecars": list(film.get("sidecars") or ()),
        "ladder": ladder,
        "profile": profile,
        "proofs": proofs,
        "scores": scores,
        "accept_damage": accept_damage,
        "crop": crop,
        "public": public,
        "target_vmaf": target_vmaf,
        **dict.fromkeys(("name", "credit", "deadline", "opens_at", "closes_at", "languages")),
        **{name: wishes[name] for name in WISHES if wishes.get(name) is not None},
    }


@function("show", version=1)
async def show(call: AsyncCall) -> None:
    """Put the newest package on screen whose verdicts all passed."""
    reach = _reach(call)
    title = await _title(call)
    if not title.may_be_shown(datetime.now(UTC)):
        return  # the window has closed again meanwhile
    newest = await _newest_ready(reach, title)
    if newest is None:
        raise GiveUp(f"{title.id} has no package whose verdicts all passed", "publish it again")
    await publishing.show(reach.store, reach.packages, title.id, newest.id, call.event.id)


@function("hide", version=1)
async def hide(call: AsyncCall) -> None:
    """Take the title off the screen."""
    reach = _reach(call)
    title = await _title(call)
    await publishing.hide(reach.store, reach.packages, title.id, call.event.id)


@function("hold", version=1)
async def hold(call: AsyncCall) -> None:
    """Mark the package as held; when it is on screen, show what was there before, or nothing."""
    reach = _reach(call)
    title = await _title(call)
    package = await asyncio.to_thread(reach.packages.get, title.id, call.event.data["package"])
    if package.state != "held":
        held = replace(package, state="held")
        await asyncio.to_thread(reach.packages.add, held, call.event.id)
    if title.current != package.id:
        await publishing.project(reach.store, title)  # an attempt may have died before it
        return
    newest = await _newest_ready(reach, title)
    if newest is None:
        await publishing.hide(reach.store, reach.packages, title.id, call.event.id)
    else:
        await publishing.show(reach.store, reach.packages, title.id, newest.id, call.event.id)


@function("poster", version=1, time_limit_s=600, cores=1)
async def poster(call: AsyncCall, count: Annotated[int, Field(ge=1, le=10)] = 3) -> None:
    """Pick frames of the package and store them beside the title."""
    reach = _reach(call)
    title = await _title(call)
    package = await asyncio.to_thread(reach.packages.get, title.id, call.event.data["package"])
    assert reach.locksmith is not None
    unlock = await asyncio.to_thread(reach.locksmith.unlock, package)
    async with reach.workbench() as (bench, stills):
        paths = await make_posters(bench, stills, unlock, package, count)
    call.tell("title.changed", f"title/{title.id}", {
        "title": title.id, "changes": {"posters": paths},
    })  # fmt: skip


@function("forget-preview", version=1, time_limit_s=900)
async def forget_preview(call: AsyncCall) -> None:
    """Remove the preview that the run made, unless a later run of its title still has a use for it.

    That one's own end leads here again.
    """
    reach = _reach(call)
    title, ended_at = call.event.data.get("title"), call.event.time
    if not title:
        return  # it did not come so far
    later = await asyncio.to_thread(reach.runs.page, [], None, LATER, title)
    if any(run.ended_at is None or run.ended_at > ended_at for run in later):
        return
    await remove_preview(reach.store, title)


@function("scrub", version=1)
async def scrub(
    call: AsyncCall,
    within_days: Annotated[float, Field(gt=0, le=365)] | None = None,
    rate_mb: Annotated[float, Field(gt=0)] | None = None,
    sample: Annotated[float, Field(ge=0, le=100)] = 2.0,
    priority: Annotated[int, Field(ge=-100, le=100)] = -50,
) -> None:
    """Submit a run that proves all that is stored; none while one waits or works."""
    if await asyncio.to_thread(_has_live, _reach(call), "scrub"):
        return
    request = {
        "rate": None if rate_mb is None else rate_mb * 1e6,
        "within_s": None if within_days is None else within_days * 86_400,
        "sample": sample / 100,
    }
    call.submit("scrub", "the library", request, priority=priority)


@function("repair", version=1)
async def repair(call: AsyncCall, priority: Annotated[int, Field(ge=-100, le=100)] = 50) -> None:
    """Submit a run that mends all that is found; none while one waits."""
    if await asyncio.to_thread(_has_live, _reach(call), "repair", ("queued",)):
        return
    call.submit("repair", "the library", {}, priority=priority)


@function("cancel", version=1)
async def cancel(call: AsyncCall) -> None:
    """Cancel the run that the event names, or the runs of the film that it names."""
    reach = _reach(call)
    data = call.event.data
    if data.get("run"):
        await asyncio.to_thread(reach.runs.cancel, data["run"], ())
        return
    if not data.get("place"):
        raise GiveUp(f"a {call.event.type} names neither a run nor a film")
    for run in await asyncio.to_thread(_live_runs, reach):
        if run.wish.request.get("place") == data["place"]:
            await asyncio.to_thread(reach.runs.cancel, run.id, ())


@function("notify", version=1, time_limit_s=20)
async def notify(call: AsyncCall, url: str | None = None, secret: str = SECRET) -> None:
    """Send the event to a webhook, signed as Standard Webhooks say."""
    notices = _reach(call).notices
    where = url or notices.usual_url
    if where is None:
        return
    body = canonical_json(call.event.as_json()).encode()
    headers = signed(notices.secret(secret), f"msg_{call.effect_id()}", int(time.time()), body)
    await notices.post(where, headers, body)


@function("back_up", version=1, time_limit_s=LONG_S)
async def back_up(call: AsyncCall) -> None:
    """Back up to every place of the library's ``backup.toml``; without one, nothing."""
    await _keeping(call).back_up(call.event.id)


@function("check_backups", version=1, time_limit_s=LONG_S)
async def check_backups(call: AsyncCall) -> None:
    """Read every copy of every place and prove it; what is bad is told of and written again."""
    await _keeping(call).check_backups(call.event.id)


@function("drill", version=1, time_limit_s=LONG_S, cores=1)
async def drill(call: AsyncCall) -> None:
    """Restore the newest snapshot of every place for trial, with a title chosen by chance."""
    await _keeping(call).drill(call.event.id)


@function("watch_backups", version=1, time_limit_s=60)
async def watch_backups(
    call: AsyncCall,
    backup_days: Annotated[float, Field(gt=0)] = 2,
    drill_days: Annotated[float, Field(gt=0)] = 8,
) -> None:
    """Tell ``backup.late`` of every place whose last backup or drill is too old."""
    days = {"backup": backup_days, "drill": drill_days}
    now = datetime.now(UTC)
    keeping = _keeping(call)
    for late in await asyncio.to_thread(keeping.late, backup_days, drill_days, now):
        last = late.last and late.last.astimezone(UTC).isoformat().replace("+00:00", "Z")
        call.tell("backup.late", f"backup/{late.vault}", {
            "vault": late.vault, "what": late.what, "last": last, "days": days[late.what],
        })  # fmt: skip


@function("collect", version=1, time_limit_s=LONG_S)
async def collect(
    call: AsyncCall,
    grace_hours: Annotated[float, Field(ge=0)] = 24,
    unused_days: Annotated[float, Field(ge=0)] = 7,
) -> None:
    """Remove what nothing published, kept or running needs."""
    await _keeping(call).collect(grace_hours, unused_days, call.event.id)


def signed(secret: bytes, message_id: str, now_s: int, body: bytes) -> dict[str, str]:
    """The headers of a message: https://www.standardwebhooks.com, symmetric signatures."""
    content = f"{message_id}.{now_s}.".encode() + body
    signature = base64.b64encode(hmac.digest(secret, content, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": f"v1,{signature}",
    }


SHIPPED = (
    publish, show, hide, hold, poster, forget_preview, scrub, repair, cancel, notify, back_up,
    check_backups, drill, watch_backups, collect,
)  # fmt: skip


def _reach(call: AsyncCall) -> Reach:
    assert call.reach is not None
    return call.reach


def _keeping(call: AsyncCall) -> Keeping:
    keeping = _reach(call).keeping
    if keeping is None:
        raise GiveUp("this service keeps no library")
    return keeping


async def _title(call: AsyncCall) -> Title:
    name = call.event.data.get("title")
    if not name:
        raise GiveUp(f"a {call.event.type} names no title")
    return await asyncio.to_thread(_reach(call).titles.get, name)


async def _newest_ready(reach: Reach, title: Title) -> Package | None:
    packages = await asyncio.to_thread(reach.packages.of_title, title.id)
    ready = [each for each in packages if each.state == "ready"]
    return next((each for each in reversed(ready) if not has_old_keys(each, packages)), None)


def _has_live(reach: Reach, flow: str, states: Sequence[str] = LIVE) -> bool:
    """Whether a run of that flow waits or works."""
    return any(run.wish.flow == flow for run in _live_runs(reach, states))


def _live_runs(reach: Reach, states: Sequence[str] = LIVE) -> list[Run]:
    runs: list[Run] = []
    while page := reach.runs.page(states, runs[-1].id if runs else None, 100):
        runs += page
    return runs
