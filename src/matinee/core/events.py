"""Events: immutable facts, in the shape of CloudEvents 1.0, each naming the event that caused it.

``TYPES`` lists every event that Matinee tells of, with the fields of its data: rules are checked
against it, and docs/reference/events.md is written from it. A package that brings functions of its
own may tell of more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SOURCE = "/matinee"
"""The CloudEvents ``source`` of what Matinee itself tells."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is to be told; the log gives it its time and, where it has none, its id.

    ``subject`` names what it is about, such as ``title/sintel`` or ``film/watch/sintel.mkv``:
    events of one subject are delivered in order. ``cause`` is the id of the event that led to it.
    ``id`` is given where telling the same twice must count once.
    """

    type: str
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)
    cause: str | None = None
    source: str = SOURCE
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A fact as it stands in the log."""

    id: str
    time: datetime
    type: str
    source: str
    subject: str
    data: Mapping[str, Any]
    cause: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The structured JSON form (CloudEvents 1.0, JSON format); ``cause`` is an extension."""
        document = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": dict(self.data),
        }
        return document if self.cause is None else {**document, "cause": self.cause}


def event_from_json(document: Mapping[str, Any]) -> Event:
    """The event that ``as_json`` spelled."""
    return Event(
        id=document["id"],
        time=datetime.fromisoformat(document["time"]),
        type=document["type"],
        source=document["source"],
        subject=document["subject"],
        data=document["data"],
        cause=document.get("cause"),
    )


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event: what it says, and its data's fields with their JSON type and meaning."""

    name: str
    meaning: str
    fields: Mapping[str, tuple[str, str]]


_FILM = {
    "origin": ("string", "the way in: `watch`, `upload` or `bucket`"),
    "name": ("string", "file name as it came"),
    "place": ("string", "where its bytes lie: a path, or an address of an object"),
}
_RUN = {
    "run": ("string", "id of the run"),
    "flow": ("string", "what runs, such as `publish`"),
    "film": ("string", "file name of the film"),
    "title": ("string", "id of the title, null while it is not known"),
}
_TITLE = {
    "title": ("string", "id of the title"),
    "name": ("string", "its name"),
    "package": ("string", "id of the package"),
}
_FINDING = {
    "finding": ("integer", "number of the finding"),
    "kind": ("string", "kind of fault, such as `changed`"),
    "thing": ("string", "a key of the store, or what names a row"),
    "title": ("string", "id of the title that it belongs to, or null"),
}
_RESTORED = {
    "title": ("string", "id of the title, null for the whole library"),
    "vault": ("string", "address of the place"),
    "snapshot": ("string", "id of the snapshot"),
    "taken_at": ("string", "when it was made"),
    "written": ("integer", "objects that were written"),
    "lost": ("integer", "objects that could not be read"),
}
_ERROR = {
    "code": ("string", "stable code of the error, null where there is none"),
    "message": ("string", "what happened"),
    "hint": ("string", "what to do"),
}

TYPES: Mapping[str, EventType] = {
    kind.name: kind
    for kind in (
        EventType(
            "film.arrived",
            "a film is complete and can be read",
            {
                **_FILM,
                "size_bytes": ("integer", "its size"),
                "sidecars": ("array", "subtitle files beside it: objects with `place`, `language`"),
                "wishes": ("object", "what its title file asks for: see the guide on ways in"),
            },
        ),
        EventType("film.waiting", "a film is held back: its title file is wrong", {
            **_FILM, **_ERROR,
        }),
        EventType("film.removed", "a film's file or object went away", _FILM),
        EventType("run.queued", "a run waits for its turn", {
            **_RUN,
            "priority": ("integer", "higher goes first"),
            "deadline": ("string", "when it must be done, or null"),
        }),
        EventType("run.started", "a worker works on a run", {**_RUN, "owner": ("string", "who")}),
        EventType("run.ended", "a run came to its end", {
            **_RUN,
            "state": ("string", "`done`, `held`, `refused`, `failed` or `cancelled`"),
            "error": ("object", "`code`, `message`, `hint`, or null"),
        }),
        EventType("run.late", "a run cannot meet its deadline", {
            **_RUN,
            "deadline": ("string", "when it must be done"),
            "expected": ("string", "when it will be done"),
        }),
        EventType("title.made", "a package of a title passed all verdicts", _TITLE),
        EventType("title.published", "a package of a title is on screen now", _TITLE),
        EventType("title.hidden", "a title is off the screen", {
            "title": ("string", "id of the title"), "name": ("string", "its name"),
        }),
        EventType("title.deleted", "a title is off the screen, and goes for good after a time", {
            **_TITLE, "package": ("string", "id of the package that was on screen, or null"),
            "removes_at": ("string", "until when it can be brought back"),
        }),
        EventType("title.undeleted", "a title is deleted no more", {
            **_TITLE, "package": ("string", "id of the package on screen, or null"),
        }),
        EventType("garbage.collected", "what nothing needs was removed from the library", {
            "titles": ("integer", "deleted titles that went for good"),
            "packages": ("integer", "retired packages that went"),
            "objects": ("integer", "objects that were removed"),
            "bytes": ("integer", "what they took"),
            "condemned": ("integer", "objects that wait to be removed"),
        }),
        EventType("title.changed", "what is said of a title changed", {
            "title": ("string", "id of the title"), "changes": ("object", "fields and new values"),
        }),
        EventType("verdict.failed", "a judge found a fault", {
            **_TITLE,
            "judge": ("string", "which judge"),
            "about": ("string", "the rendition or manifest"),
            "reasons": ("array", "one sentence for each fault"),
        }),
        EventType("rights.opened", "the time in which a title may be shown begins", _TITLE),
        EventType("rights.closed", "the time in which a title may be shown is over", _TITLE),
        EventType("finding.opened", "a scrub found a fault in what is stored", {
            **_FINDING,
            "digest": ("string", "the asset that should be there, or null"),
            "message": ("string", "what is wrong"),
        }),
        EventType("finding.closed", "a fault in what is stored is mended, or cannot be", {
            **_FINDING,
            "state": ("string", "`mended` or `lost`"),
            "message": ("string", "how it was mended, or what is lost"),
        }),
        EventType("scrub.ended", "a pass over all that is stored is over", {
            "scrub": ("integer", "number of the pass"),
            "settings": ("object", "the share of segments decoded, and what it was limited to"),
            "counts": ("object", "what it looked at: objects, bytes, segments, findings ..."),
        }),
        EventType("backup.made", "a snapshot of the library is in a backup", {
            "vault": ("string", "address of the place"),
            "snapshot": ("string", "id of the snapshot"),
            "objects": ("integer", "how many objects it names"),
            "bytes": ("integer", "what they take"),
            "written": ("integer", "objects that were not there before"),
            "lacking": ("integer", "objects that the library had lost"),
        }),
        EventType("backup.failed", "a backup was not made", {
            "vault": ("string", "address of the place"), **_ERROR,
        }),
        EventType("backup.damaged", "copies of a backup are damaged or gone", {
            "vault": ("string", "address of the place"),
            "damaged": ("integer", "how many are damaged; they were put aside"),
            "missing": ("integer", "how many are gone"),
            "keys": ("array", "which, the first of them"),
        }),
        EventType("drill.ended", "a backup was restored for trial, and what came of it", {
            "vault": ("string", "address of the place"),
            "snapshot": ("string", "id of the snapshot"),
            "title": ("string", "id of the title that was tried, null where there is none"),
            "passed": ("boolean", "whether no fault was found"),
            "reasons": ("array", "one sentence for each fault"),
            "verdict": ("string", "digest of the verdict"),
        }),
        EventType("backup.late", "a backup or a drill is older than it should be", {
            "vault": ("string", "address of the place"),
            "what": ("string", "`backup` or `drill`"),
            "last": ("string", "when it was done last, or null"),
            "days": ("number", "how old it may be"),
        }),
        EventType("library.restored", "the library was brought back from a backup", _RESTORED),
        EventType("title.restored", "a title was brought back from a backup", _RESTORED),
        EventType("delivery.dead", "a function failed for good: its subject is held", {
            "delivery": ("integer", "id of the delivery"),
            "rule": ("string", "name of the rule"),
            "function": ("string", "name of the function"),
            **_ERROR,
        }),
        EventType("schedule.due", "the time of a rule's schedule came", {
            "rule": ("string", "name of the rule"), "at": ("string", "the time that was due"),
        }),
        EventType("person.acted", "a person or a token did something", {
            "who": ("string", "name of the token"),
            "act": ("string", "what was done, such as `cancel`"),
            "target": ("string", "to what"),
        }),
    )
}  # fmt: skip
"""Every type of event by its name."""
