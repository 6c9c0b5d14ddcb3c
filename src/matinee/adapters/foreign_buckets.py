"""Buckets that films come from, through ``obstore``. Nothing is ever written to them.

Credentials come from the environment, by the names that S3 clients know; ``obstore`` reads them.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError, PreconditionError
from obstore.store import ObjectStore as Backend
from obstore.store import S3Store

from matinee.core.errors import LibraryError, ObjectMissing
from matinee.ports.buckets import Bucket, Stored

if TYPE_CHECKING:
    from obstore.store import S3Config

PAGE = 1000
"""Keys that a store gives at once."""


class BucketUnreachable(LibraryError):
    """A bucket that films come from cannot be read."""

    code = "bucket.unreachable"
    retryable = True
    advice = "check AWS_ENDPOINT_URL, the credentials and what they may read"


class ForeignBucket(Bucket):
    """A bucket in any ``obstore`` store; ``name`` is for people."""

    def __init__(self, name: str, backend: Backend) -> None:
        self._name = name
        self.backend = backend

    async def list(self, prefix: str, after: str, limit: int) -> Sequence[Stored]:
        # A store takes whole folders as prefixes only; the rest is a place to begin at.
        folder = prefix.rpartition("/")[0]
        begin = max(prefix, after)
        found: list[Stored] = []
        with failures(self._name):
            pages = self.backend.list(folder or None, offset=begin or None, chunk_size=PAGE)
            async for page in pages:
                for one in page:
                    key = one["path"]
                    if key.startswith(prefix) and len(found) < limit:
                        found.append(Stored(key, one["size"], (one["e_tag"] or "").strip('"')))
                if len(found) >= limit or not page[-1]["path"].startswith(prefix):
                    break
        return found

    async def read(self, key: str, most: int) -> bytes:
        with failures(self._name, key):
            size = (await self.backend.head_async(key))["size"]
            if not size:
                return b""
            end = min(size, most)
            return bytes(await self.backend.get_range_async(key, start=0, end=end))


def foreign_bucket(name: str) -> ForeignBucket:
    """The bucket of that name, where the environment says."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    config: S3Config = {"virtual_hosted_style_request": endpoint is None}
    if endpoint:
        config["endpoint"] = endpoint
    store = S3Store(
        name,
        config=config,
        client_options={
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": timedelta(minutes=2),
            "timeout": timedelta(minutes=10),  # of one request
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
    )
    return ForeignBucket(name, store)


@contextmanager
def failures(bucket: str, key: str = "") -> Iterator[None]:
    """Say in our words what a bucket refused."""
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(
            f"there is no object {key!r} in the bucket {bucket}", "upload the film again"
        ) from error
    except PreconditionError:
        raise
    except (BaseError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # this machine's own disk
        told = str(error).partition("\n")[0]
        raise BucketUnreachable(f"the bucket {bucket} cannot be read: {told}") from error
