"""Talks to a running service by its HTTP API, for commands that ask it or tell it something."""

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import click

from matinee.apps.cli.main import LIBRARY_HELP
from matinee.core.errors import LibraryBusy, LibraryError, MatineeError, NotFound, UsageError

TIMEOUT_S = 30


class ServiceUnreachable(NotFound):
    """No service answers there."""

    code = "service.unreachable"
    retryable = True
    advice = "start it with: matinee up; or name another with --server"


class ServiceRefused(UsageError):
    """The service does not let us."""

    code = "service.refused"
    advice = "give a token that may do that in $MATINEE_TOKEN; make one with: matinee token add"


class ServiceFailed(LibraryError):
    """The service answered with an error of its own."""

    code = "service.failed"
    advice = "see what the service wrote where it runs, then try again"


server_option = click.option(
    "--server",
    metavar="URL",
    help="The service. Default: $MATINEE_SERVER, else the one that runs on the library here.",
)
service_library_option = click.option("--library", metavar="URL", help=LIBRARY_HELP)


@dataclass(frozen=True, slots=True)
class Remote:
    """A service at ``address``, asked with ``token``.

    ``certificate``, in PEM, is the one that it must have; None: one that this machine trusts.
    """

    address: str
    token: str
    certificate: str | None = None

    def get(self, path: str, **query: Any) -> Any:
        """One answer."""
        return self._ask("GET", self._url(path, query))[0]

    def pages(self, path: str, limit: int, **query: Any) -> Iterator[Any]:
        """The first ``limit`` rows of a list, page by page."""
        url: str | None = self._url(path, {**query, "limit": min(limit, 200)})
        while url is not None and limit > 0:
            rows, following = self._ask("GET", url)
            yield from rows[:limit]
            limit -= len(rows)
            url = urljoin(url, following) if following else None

    def post(self, path: str, body: Any = None) -> Any:
        """The answer to an act."""
        return self._ask("POST", self._url(path, {}), body or {})[0]

    def _url(self, path: str, query: dict[str, Any]) -> str:
        given = {name: value for name, value in query.items() if value not in (None, ())}
        asked = urlencode(given, doseq=True, quote_via=quote)
        return f"{self.address}{path}{f'?{asked}' if asked else ''}"

    def _ask(self, method: str, url: str, body: Any = None) -> tuple[Any, str | None]:
        if urlsplit(url).scheme not in ("http", "https"):
            raise UsageError(f"{url} is no address of a service", "give http://HOST:PORT")
        headers = {"accept": "application/json", "content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=TIMEOUT_S, context=_trust(self.certificate)
            ) as answer:
                return json.loads(answer.read() or b"null"), _next(answer.headers.get("link"))
        except urllib.error.HTTPError as error:
            raise _problem(error) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise ServiceUnreachable(f"no service answers at {self.address}: {reason}") from error


def _trust(certificate: str | None) -> ssl.SSLContext | None:
    """Trust in that very certificate, whatever its name and whoever vouches for it."""
    if certificate is None:
        return None
    context = ssl.create_default_context(cadata=certificate)
    context.check_hostname = False  # it has the name of the outside, and is asked from within
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _next(link: str | None) -> str | None:
    """The address of the next page (RFC 8288)."""
    for part in (link or "").split(","):
        target, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return target.strip().strip("<>")
    return None


def _problem(error: urllib.error.HTTPError) -> MatineeError:
    """The service's problem document as an error of ours."""
    try:
        document = json.loads(error.read())
        detail, hint = str(document["detail"]), str(document.get("hint") or "")
    except (ValueError, KeyError, TypeError):
        detail, hint = f"the service answered {error.code}", ""
    kinds: dict[int, type[MatineeError]] = {
        401: ServiceRefused, 403: ServiceRefused, 404: NotFound, 503: LibraryBusy,
    }  # fmt: skip
    kind = kinds.get(error.code, UsageError if error.code < 500 else ServiceFailed)
    return kind(detail, hint)


def find_service(server: str | None, library: str | None) -> Remote:
    """The service that the options name, else the one that runs on the library on this machine.

    Raises:
        ServiceUnreachable: none runs.
    """
    from matinee.config import read_settings

    token = os.environ.get("MATINEE_TOKEN", "")
    server = server or os.environ.get("MATINEE_SERVER")
    if server:
        return Remote(server.rstrip("/"), token)
    settings = read_settings(library, None)
    try:
        told = json.loads(settings.service_file.read_text())
        return Remote(told["address"], token or told["token"], told["certificate"])
    except (OSError, ValueError, KeyError) as error:
        raise ServiceUnreachable(f"no service runs on the library {settings.library}") from error
