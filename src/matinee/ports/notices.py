"""Notices: messages that go out to other services."""

from collections.abc import Mapping
from typing import Protocol

from matinee.core.errors import ToolError, UsageError


class NoticeRefused(UsageError):
    """A notice may not be sent there, or has no secret to be signed with."""

    code = "notice.refused"
    advice = "see docs/guide/functions.md for where notices may go"


class NoticeFailed(ToolError):
    """The other service did not take a notice."""

    code = "notice.failed"
    advice = "look at the other service; the rule's retry says when it is tried again"


class Notices(Protocol):
    """Sends to addresses that may be another network's."""

    @property
    def usual_url(self) -> str | None:
        """Where notices go that name no address."""
        ...

    def secret(self, where: str) -> bytes:
        """The secret that lies at ``env:NAME`` or ``file:PATH``.

        Raises:
            NoticeRefused: there is none, or it is too short.
        """
        ...

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send once; returns when it was taken.

        Raises:
            NoticeRefused: the address is none that may be reached. NoticeFailed: it was not taken.
        """
        ...
