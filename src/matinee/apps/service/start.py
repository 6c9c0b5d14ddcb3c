"""From what ``matinee up`` was told to a service that can run; faults are told before it does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matinee.apps.service.desks import RuleBookDesk
from matinee.apps.service.service import Options, Up
from matinee.apps.web.access import access_for
from matinee.apps.web.server import Certificate
from matinee.config import read_film_buckets, read_settings
from matinee.core.errors import UsageError
from matinee.wiring.library import now, open_library
from matinee.wiring.rules import open_automation, rule_documents


def start(told: Mapping[str, Any]) -> Up:
    """The service as it was told to be.

    Raises:
        MatineeError: an option, a rule, a function or the library is not as it has to be.
    """
    settings = read_settings(told["library"], told["workers"], told["database"])
    host, port = read_address(told["bind"])
    certificate = _certificate(told["certificate"], told["key"])
    access = access_for(
        host, has_certificate=certificate is not None, behind_proxy=told["behind_proxy"]
    )
    for folder in told["watched"]:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder", "make it, or name another with --watch")
    library = open_library(settings)
    automation = open_automation(library)
    book = automation.dispatcher.book
    options = Options(
        host=host,
        port=port,
        access=access,
        certificate=certificate,
        watched=told["watched"],
        buckets=read_film_buckets(),
        worker_arguments=_arguments(told),
        worker_environment={"MATINEE_DATABASE": told["database"]} if told["database"] else {},
    )
    rules = RuleBookDesk(book, rule_documents(settings), now)
    return Up(library, options, automation, rules)


def read_address(text: str) -> tuple[str, int]:
    """Host and port of ``ADDRESS[:PORT]``; an IPv6 address with a port stands in brackets.

    Raises:
        UsageError: no port from 0 to 65535.
    """
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text, "8642"
    if not port.isdecimal() or int(port) > 65535 or not host:
        raise UsageError(f"{text} is no address to bind", "give one such as 127.0.0.1:8642")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _certificate(certificate: Path | None, key: Path | None) -> Certificate | None:
    if (certificate is None) != (key is None):
        raise UsageError("--certificate and --key belong together")
    return Certificate(certificate, key) if certificate and key else None


def _arguments(told: Mapping[str, Any]) -> list[str]:
    """What a worker is told of it."""
    given = [(name, told[name]) for name in ("library", "workers")]
    return [word for name, value in given if value for word in (f"--{name}", str(value))]
