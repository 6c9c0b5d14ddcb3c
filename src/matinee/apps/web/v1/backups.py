"""``/v1/backups``: where the library is backed up to, how old that is, and what drills found."""

from collections.abc import Mapping
from typing import Any, Literal

from anyio import to_thread
from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from matinee.apps.web.v1.common import FRESH, Ports, refusals
from matinee.apps.web.v1.shapes import Shown
from matinee.ports.events import Search

router = APIRouter(prefix="/v1", tags=["backups"])

BACKUP_DAYS, DRILL_DAYS = 2, 8
"""How old the last ones may be, as ``watch_backups`` has it where a rule does not say it."""

_MADE = ("snapshot", "objects", "bytes", "written", "lacking")
_FAILED = ("code", "message")
_DRILL = ("snapshot", "title", "passed", "reasons", "verdict")


class BackupMade(Shown):
    """The last backup to a place."""

    at: str
    snapshot: str
    objects: int
    bytes: int
    written: int
    lacking: int


class BackupFailed(Shown):
    """A backup that was not made, and none since."""

    at: str
    code: str
    message: str


class DrillShown(Shown):
    """The last drill of a place."""

    at: str
    snapshot: str
    title: str | None
    passed: bool
    reasons: list[str]
    verdict: str


class BackupShown(Shown):
    """A place that the library is backed up to."""

    vault: str
    encrypted: bool
    made: BackupMade | None
    failed: BackupFailed | None
    drill: DrillShown | None
    late: list[Literal["backup", "drill"]]


@router.get("/backups", response_model=list[BackupShown], responses=refusals())
async def get_backups(service: Ports) -> Response:
    """Every place of the library's ``backup.toml``, with the last of what happened there."""
    places = await to_thread.run_sync(service.keeping.places)
    late = await to_thread.run_sync(service.keeping.late, BACKUP_DAYS, DRILL_DAYS, service.now())
    shown = []
    for place in places:
        made = await _last(service, "backup.made", place.to, _MADE)
        failed = await _last(service, "backup.failed", place.to, _FAILED)
        is_over = made is not None and failed is not None and made["at"] > failed["at"]
        shown.append(
            {
                "vault": place.to,
                "encrypted": bool(place.recipients),
                "made": made,
                "failed": None if is_over else failed,
                "drill": await _last(service, "drill.ended", place.to, _DRILL),
                "late": [each.what for each in late if each.vault == place.to],
            }
        )
    return JSONResponse(shown, headers=FRESH)


async def _last(
    service: Ports, kind: str, vault: str, names: tuple[str, ...]
) -> Mapping[str, Any] | None:
    """The newest event of a kind about a place."""
    which = Search(type=kind, subject=f"backup/{vault}")
    for entry in await to_thread.run_sync(service.log.search, which, 1):
        event = await service.read_event(entry)
        told = event.as_json()
        return {"at": told["time"], **{name: event.data.get(name) for name in names}}
    return None
