"""``/v1/rules``: what happens upon what, and trying it out. ``/v1/uploads``: what is coming in."""

import secrets

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from matinee.apps.web.v1.common import FRESH, Ports, refusals
from matinee.apps.web.v1.shapes import RuleFile, RuleShown, RuleTested, TriedEvent, UploadShown
from matinee.core.errors import UsageError
from matinee.core.events import SOURCE, Event

router = APIRouter(prefix="/v1", tags=["rules", "uploads"])


@router.get("/rules", response_model=list[RuleShown], responses=refusals())
def get_rules(service: Ports) -> Response:
    """Every rule, in the order of the files."""
    rules = [
        {
            "name": rule.name,
            "file": rule.file,
            "line": rule.line,
            "when": rule.when and dict(rule.when),
            "if": rule.condition,
            "do": rule.function,
            "parameters": dict(rule.parameters),
            "at_most": rule.at_most,
            "delay": rule.delay,
            "schedule": rule.schedule,
            "ordered": rule.ordered,
        }
        for rule in service.rules.all()
    ]
    return JSONResponse(rules, headers=FRESH)


@router.get("/rules/source", response_model=list[RuleFile], responses=refusals())
def get_rule_files(service: Ports) -> Response:
    """The files of rules, as they were read at the start."""
    files = [{"name": name, "text": text} for name, text in service.rules.sources()]
    return JSONResponse(files, headers=FRESH)


@router.post("/rules/test", response_model=list[RuleTested], responses=refusals(UsageError))
def try_rules(service: Ports, tried: TriedEvent) -> Response:
    """What each rule makes of an event. Nothing is done."""
    event = Event(
        id=f"test-{secrets.token_hex(8)}",
        time=service.now(),
        type=tried.type,
        source=SOURCE,
        subject=tried.subject,
        data=tried.data,
    )
    found = [
        {"rule": each.rule, "matches": each.matches, "why": each.why}
        for each in service.rules.test(event)
    ]
    return JSONResponse(found, headers=FRESH)


@router.get("/uploads", response_model=list[UploadShown], responses=refusals())
def get_uploads(service: Ports) -> Response:
    """Uploads that are not complete, newest first."""
    uploads = [
        {
            "id": upload.id,
            "name": upload.name,
            "size_bytes": upload.size_bytes,
            "offset_bytes": upload.offset_bytes,
            "started_at": upload.started_at.isoformat(),
            "changed_at": upload.changed_at.isoformat(),
        }
        for upload in service.uploads.open()
    ]
    return JSONResponse(uploads, headers=FRESH)
