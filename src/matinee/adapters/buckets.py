"""Objects in a bucket: Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure.

Region and credentials are read by ``obstore`` itself from the variables that each provider's own
tools use; they never pass through our hands.
"""

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from matinee.adapters.objects import ObstoreObjects
from matinee.adapters.store_failures import told
from matinee.core.errors import LibraryError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

S3_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_SKIP_SIGNATURE",
)  # fmt: skip
"""One of these says who we are; without them only Amazon's own machines can know."""

CHECKSUM = "sha256"
"""Of every PUT and every part: the server proves it before the object appears. Without it some
servers, SeaweedFS among them, take a byte that was flipped on the way."""

RETRY: "RetryConfig" = {"max_retries": 6, "retry_timeout": timedelta(minutes=1)}
"""About ten seconds of pauses: a store that is away for longer is told of."""


def bucket_objects(scheme: str, bucket: str, prefix: str, endpoint: str | None) -> ObstoreObjects:
    """Objects below ``prefix`` of a bucket that is there already.

    Args:
        scheme: ``s3``, ``gs`` or ``az``.
        bucket: Its name.
        prefix: Path within it, without ``/`` at its ends; may be empty.
        endpoint: Where its server is, when that is not the provider's own; for ``s3`` only.

    Raises:
        LibraryError: no credentials, or the bucket cannot be listed; ``LibraryUnreachable`` when
            nothing answers.
    """
    if scheme == "s3" and endpoint and not any(os.environ.get(name) for name in S3_CREDENTIALS):
        raise LibraryError(
            f"no credentials for {endpoint}", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    what = f"cannot use the bucket {scheme}://{bucket}"
    try:
        backend = _backend(scheme, bucket, prefix or None, endpoint)
        backend.list_with_delimiter("titles/none")
    except (BaseError, OSError, ValueError) as error:
        raise told(what, error) from error
    return ObstoreObjects(backend)


def _backend(
    scheme: str, bucket: str, prefix: str | None, endpoint: str | None
) -> "S3Store | GCSStore | AzureStore":
    client: ClientConfig = {
        "allow_http": bool(endpoint and endpoint.startswith("http://")),
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(minutes=2),  # also how long a part may take to be sent
        "timeout": timedelta(days=1),  # a viewer may pause in the middle of an object
    }
    if scheme == "gs":
        return GCSStore(bucket, prefix=prefix, client_options=client, retry_config=RETRY)
    if scheme == "az":
        return AzureStore(bucket, prefix=prefix, client_options=client, retry_config=RETRY)
    config: S3Config = {"virtual_hosted_style_request": False}
    if endpoint:
        config["endpoint"] = endpoint
    if os.environ.get("AWS_REQUEST_CHECKSUM_CALCULATION", "").lower() != "when_required":
        config["checksum_algorithm"] = CHECKSUM
    return S3Store(bucket, prefix=prefix, config=config, client_options=client, retry_config=RETRY)
