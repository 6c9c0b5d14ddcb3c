"""The documents of stores, as they send them."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.bucket_documents import BucketDocumentInvalid, Heard, Notice, read_document

AWS: dict[str, Any] = {
    "Records": [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "eu-central-1",
            "eventTime": "2026-11-22T10:00:00.000Z",
            "eventName": "ObjectCreated:CompleteMultipartUpload",
            "userIdentity": {"principalId": "AWS:AIDAJDPLRKLG7UEXAMPLE"},
            "requestParameters": {"sourceIPAddress": "203.0.113.7"},
            "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "films",
                "bucket": {
                    "name": "films",
                    "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                    "arn": "arn:aws:s3:::films",
                },
                "object": {
                    "key": "incoming/my+film+%C3%BC%2B1.mkv",
                    "size": 1024,
                    "eTag": "d41d8cd98f00b204e9800998ecf8427e-3",
                    "versionId": "096fKKXTRTtl3on",
                    "sequencer": "0055AED6DCD90281E5",
                },
            },
        }
    ]
}
FOUND = Notice("films", ("incoming/my film ü+1.mkv", "incoming/my+film+%C3%BC%2B1.mkv"))

REMOVED = json.loads(json.dumps(AWS))
REMOVED["Records"][0]["eventName"] = "ObjectRemoved:DeleteMarkerCreated"
del REMOVED["Records"][0]["s3"]["object"]["size"], REMOVED["Records"][0]["s3"]["object"]["eTag"]

MINIO = {
    "EventName": "s3:ObjectCreated:Put",
    "Key": "films/incoming/a%20b.mkv",
    "Records": [
        {
            "eventVersion": "2.0",
            "eventSource": "minio:s3",
            "eventName": "s3:ObjectCreated:Put",
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "Config",
                "bucket": {"name": "films", "arn": "arn:aws:s3:::films"},
                "object": {
                    "key": "incoming%2Fa%20b.mkv",
                    "size": 5,
                    "eTag": "5d41402abc4b2a76",
                    "contentType": "video/x-matroska",
                    "sequencer": "17A3F8B1C2D3E4F5",
                },
            },
            "source": {"host": "10.0.0.1", "userAgent": "MinIO"},
        }
    ],
}

CEPH = {
    "Records": [
        {
            "eventVersion": "2.2",
            "eventSource": "ceph:s3",
            "awsRegion": "",
            "eventTime": "2019-11-22T13:47:35.124724Z",
            "eventName": "ObjectRemoved:Delete",
            "userIdentity": {"principalId": "tester"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "mynotif1",
                "bucket": {
                    "name": "films",
                    "arn": "arn:aws:s3:us-east-1::films",
                    "id": "503a4c37-85eb-47cd-8681-2817e80b4281.5330.903595",
                },
                "object": {
                    "key": "a+b.mkv",
                    "size": 1024,
                    "eTag": "37b51d194a7513e45b56f6524f2d51f2",
                    "versionId": "",
                    "sequencer": "F7E6D75DC742D108",
                    "metadata": [],
                    "tags": [],
                },
            },
            "eventId": "",
            "opaqueData": "me@example.com",
        }
    ]
}

EVENTBRIDGE = {
    "version": "0",
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Object Created",
    "source": "aws.s3",
    "account": "111122223333",
    "time": "2021-11-12T00:00:00Z",
    "region": "ca-central-1",
    "resources": ["arn:aws:s3:::films"],
    "detail": {
        "version": "0",
        "bucket": {"name": "films"},
        "object": {
            "key": "a+b %.mkv",
            "size": 5,
            "etag": "b1946ac92492d2347c6235b4d2611184",
            "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
            "sequencer": "00617F08299329D189",
        },
        "request-id": "N4N7GDK58NMKJ12R",
        "requester": "123456789012",
        "reason": "PutObject",
    },
}

# As SeaweedFS 4.48 sent it; chunks and attributes are shortened.
SEAWEEDFS = {
    "event_type": "create",
    "key": "/buckets/films/x/a b+ü.mkv",
    "message": {
        "new_entry": {
            "name": "a b+ü.mkv",
            "attributes": {"file_size": 500},
            "extended": {"Seaweed-X-Amz-ETag": "NGU4NDAzZTk0NjNlNTllYTU5"},
        },
        "delete_chunks": True,
        "new_parent_path": "/buckets/films/x",
        "signatures": [1232788104],
    },
}
RENAMED = {
    "event_type": "rename",
    "key": "/buckets/films/x/a.part",
    "message": {
        "old_entry": {"name": "a.part"},
        "new_entry": {"name": "a.mkv"},
        "new_parent_path": "/buckets/films/y",
    },
}
FOLDER = {
    "event_type": "create",
    "key": "/buckets/films/x",
    "message": {
        "new_entry": {"name": "x", "is_directory": True},
        "new_parent_path": "/buckets/films",
    },
}

SNS = {
    "Type": "Notification",
    "MessageId": "22b80b92",
    "TopicArn": "arn:aws:sns:eu-central-1:1:f",
    "Subject": "Amazon S3 Notification",
    "Message": json.dumps(AWS),
    "Timestamp": "2026-11-22T10:00:00.000Z",
    "SignatureVersion": "1",
}
SQS = {
    "Records": [
        {
            "messageId": "059f36b4",
            "receiptHandle": "AQEB",
            "body": json.dumps(SNS),
            "eventSource": "aws:sqs",
            "awsRegion": "eu-central-1",
        }
    ]
}
RECEIVED = {"Messages": [{"MessageId": "1", "Body": json.dumps(AWS), "ReceiptHandle": "x"}]}
LAMBDA = {
    "Records": [
        {"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": json.dumps(AWS)}}
    ]
}
TEST = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2014-10-13T15:57:02.089Z",
    "Bucket": "films",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5c",
}
TAGGED = {"Records": [{"eventName": "ObjectTagging:Put", "s3": {}}]}
SCANNED = {"detail-type": "Object Tags Added", "detail": {}}


@pytest.mark.parametrize(
    ("document", "notices"),
    [
        (AWS, (FOUND,)),
        (REMOVED, (FOUND,)),
        (MINIO, (Notice("films", ("incoming/a b.mkv", "incoming%2Fa%20b.mkv")),)),
        (CEPH, (Notice("films", ("a b.mkv", "a+b.mkv")),)),
        (EVENTBRIDGE, (Notice("films", ("a+b %.mkv",)),)),
        (SEAWEEDFS, (Notice("films", ("x/a b+ü.mkv",)),)),
        (RENAMED, (Notice("films", ("x/a.part",)), Notice("films", ("y/a.mkv",)))),
        (FOLDER, ()),
        (SNS, (FOUND,)),
        (SQS, (FOUND,)),
        (RECEIVED, (FOUND,)),
        (LAMBDA, (FOUND,)),
        (TEST, ()),
        ({"Type": "Notification", "Message": json.dumps(TEST)}, ()),
        (TAGGED, ()),
        (SCANNED, ()),
        ({"Records": []}, ()),
    ],
)
def test_every_form_says_which_object_it_is_about(
    document: Any, notices: tuple[Notice, ...]
) -> None:
    assert read_document(document) == Heard(notices)


def test_a_subscription_is_for_a_person_to_confirm() -> None:
    asked = {"Type": "SubscriptionConfirmation", "SubscribeURL": "https://sns.example/?Token=2336"}
    assert read_document(asked) == Heard((), "confirm at https://sns.example/?Token=2336")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "a document is a JSON object"),
        ({}, "a document has Records"),
        ({"Records": {}}, "a document has Records"),
        ({"Records": [1]}, "a record is a JSON object"),
        ({"Records": [{}]}, "eventName is a text"),
        ({"Records": [{"eventName": "ObjectCreated:Put"}]}, "s3 is a JSON object"),
        (
            {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": ""}}}]},
            "key is a text",
        ),
        ({"detail-type": "Object Created"}, "detail is a JSON object"),
        ({"event_type": "create", "key": "/a"}, "message is a JSON object"),
        (
            {"event_type": "create", "key": "/a", "message": {"new_entry": 5}},
            "an entry is a JSON object",
        ),
        ({"Type": "Notification", "Message": "{"}, "a message within is not JSON"),
    ],
)
def test_what_no_store_sends_is_told(document: Any, told: str) -> None:
    with pytest.raises(BucketDocumentInvalid, match=told):
        read_document(document)


def test_a_document_is_not_wrapped_without_end() -> None:
    document: Any = TEST
    for _ in range(5):
        document = {"Type": "Notification", "Message": json.dumps(document)}
    with pytest.raises(BucketDocumentInvalid):
        read_document(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Records",
                    "s3",
                    "object",
                    "key",
                    "message",
                    "event_type",
                    "detail",
                    "detail-type",
                    "Type",
                    "Message",
                    "body",
                    "new_entry",
                    "eventName",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(document=JSON)
def test_whatever_is_sent_is_read_or_told(document: Any) -> None:
    with suppress(BucketDocumentInvalid):
        assert read_document(document).notices is not None
