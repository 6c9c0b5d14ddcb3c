"""What stores tell of their objects, in the documents of S3 and its work-alikes, as one kind.

A document is a hint: it comes twice, late, out of order, or from anyone. What is true of an object
only its bucket can say.

Sources: the event message structures of the user guides of Amazon S3 and EventBridge, of MinIO's
bucket notifications and of Ceph's; SeaweedFS 4.48 as it was heard.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from matinee.core.errors import UsageError

DEEPEST = 3
"""How often a document may be wrapped: in an SNS message in an SQS queue, and once more."""


class BucketDocumentInvalid(UsageError):
    """A document that no store sends."""

    code = "bucket.document"
    advice = "send the store's own notifications; docs/guide/ways-in.md lists the forms"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something happened to an object. ``keys`` are its key as it may be meant, likeliest first."""

    bucket: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """The notices of a document, and what a person has to do about it, if anything."""

    notices: tuple[Notice, ...] = ()
    request: str = ""


def read_document(document: Any) -> Heard:
    """What a document says; nothing in one that does not tell of objects, such as a test event.

    Raises:
        BucketDocumentInvalid: names what is missing or of another kind.
    """
    return _heard(document, DEEPEST)


def _heard(document: Any, deeper: int) -> Heard:
    if isinstance(document, str) and deeper:
        try:
            return _heard(json.loads(document), deeper - 1)
        except (ValueError, RecursionError) as error:
            raise BucketDocumentInvalid("a message within is not JSON") from error
    if not isinstance(document, dict):
        raise BucketDocumentInvalid("a document is a JSON object")
    kind = document.get("Type")
    if kind == "Notification":
        return _heard(_text(document, "Message"), deeper)
    if kind in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return Heard(request=f"confirm at {_text(document, 'SubscribeURL')}")
    return _joined(_in_form(document, deeper))


def _in_form(document: Mapping[str, Any], deeper: int) -> Iterator[Heard]:
    """What each part of a document says, by the form that it has."""
    if document.get("Event") == "s3:TestEvent":
        return
    if "detail-type" in document:
        yield Heard(tuple(_of_eventbridge(document)))
        return
    if "event_type" in document:
        yield Heard(tuple(_of_seaweedfs(document)))
        return
    records = document.get("Records", document.get("Messages"))
    if not isinstance(records, list):
        raise BucketDocumentInvalid("a document has Records, detail-type or event_type")
    for record in records:
        yield _of_record(record, deeper)


def _joined(parts: Iterable[Heard]) -> Heard:
    found = list(parts)
    return Heard(
        tuple(notice for one in found for notice in one.notices),
        "; ".join(one.request for one in found if one.request),
    )


def _of_record(record: Any, deeper: int) -> Heard:
    """One of ``Records``: an S3 event, or a message that holds a document (SQS, SNS to Lambda)."""
    if not isinstance(record, dict):
        raise BucketDocumentInvalid("a record is a JSON object")
    for name in ("body", "Body"):
        if name in record:
            return _heard(_text(record, name), deeper)
    if "Sns" in record:
        return _heard(_text(_table(record, "Sns"), "Message"), deeper)
    kind = _text(record, "eventName").removeprefix("s3:")
    if not kind.startswith(("ObjectCreated:", "ObjectRemoved:", "LifecycleExpiration:")):
        return Heard()  # tags, restores, replication
    about = _table(record, "s3")
    key = _text(_table(about, "object"), "key")
    # S3 writes it as a form does; some work-alikes write it as it is.
    keys = tuple(dict.fromkeys((unquote_plus(key), key)))
    return Heard((Notice(_text(_table(about, "bucket"), "name"), keys),))


def _of_eventbridge(document: Mapping[str, Any]) -> Iterator[Notice]:
    if _text(document, "detail-type") not in {"Object Created", "Object Deleted"}:
        return
    detail = _table(document, "detail")
    yield Notice(_text(_table(detail, "bucket"), "name"), (_text(_table(detail, "object"), "key"),))


def _of_seaweedfs(document: Mapping[str, Any]) -> Iterator[Notice]:
    """A change of the filer: ``key`` is a path, ``message`` the entry before and after."""
    path, message = _text(document, "key"), _table(document, "message")
    old, new = message.get("old_entry") or {}, message.get("new_entry") or {}
    if not isinstance(old, dict) or not isinstance(new, dict):
        raise BucketDocumentInvalid("an entry is a JSON object")
    if old.get("is_directory") or new.get("is_directory"):
        return
    paths = [path]
    if old and new:  # renamed, perhaps into another folder
        paths.append(f"{message.get('new_parent_path') or ''}/{_text(new, 'name')}")
    for one in dict.fromkeys(paths):
        root, buckets, bucket, key = (*one.split("/", 3), "", "", "")[:4]
        if (root, buckets) == ("", "buckets") and key:
            yield Notice(bucket, (key,))


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise BucketDocumentInvalid(f"{name} is a JSON object, not {str(value)[:40]!r}")
    return value


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise BucketDocumentInvalid(f"{name} is a text, not {str(value)[:40]!r}")
    return value
