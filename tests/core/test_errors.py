"""Every error: a stable code, an exit code that its place in the tree gives, and pickling."""

import importlib
import pickle
import pkgutil
import re

import pytest

import matinee
from matinee.core import errors
from matinee.core.errors import MatineeError

EXIT_CODES: dict[type[MatineeError], int] = {
    errors.UsageError: 2,
    errors.SourceRefused: 3,
    errors.Held: 4,
    errors.ToolError: 5,
    errors.LibraryError: 6,
    errors.NotFound: 7,
}
CODES = {
    "UsageError": "usage",
    "LadderInvalid": "ladder.invalid",
    "SubtitlesInvalid": "subtitles.invalid",
    "CopyUnlike": "compare.unlike",
    "CopyShifted": "compare.shifted",
    "SourceRefused": "source.refused",
    "SourceUnreadable": "source.unreadable",
    "SourceHasNoVideo": "source.no_video",
    "SourceUnsupported": "source.unsupported",
    "SourceDamaged": "source.damaged",
    "SourceChanged": "source.changed",
    "Held": "verdict.failed",
    "ToolError": "tool.failed",
    "ToolMissing": "tool.missing",
    "EncoderFailed": "encode.failed",
    "PackagerFailed": "package.failed",
    "LibraryError": "library.unusable",
    "LibraryFull": "library.full",
    "LibraryBusy": "library.busy",
    "LibraryUnwritable": "library.unwritable",
    "ObjectMissing": "object.missing",
    "ObjectDamaged": "object.damaged",
    "NotFound": "not_found",
    "JoinRefused": "join.refused",
    "ToolHung": "tool.hung",
    "ToolKilled": "tool.killed",
    "ToolOverLimit": "tool.limit",
    "ReaderFailed": "read.failed",
    "RulesInvalid": "rules.invalid",
    "FunctionsInvalid": "functions.invalid",
    "GiveUp": "function.gave_up",
    "FunctionFailed": "function.failed",
    "FunctionTooSlow": "function.too_slow",
    "NoticeRefused": "notice.refused",
    "NoticeFailed": "notice.failed",
}


NO_MODULES = ("matinee.__main__", "matinee.adapters.sql.migrations.")
"""What runs when it is imported."""


def every_error() -> list[type[MatineeError]]:
    """All error classes, where any module of ours defines them."""
    for module in pkgutil.walk_packages(matinee.__path__, "matinee."):
        if not module.name.startswith(NO_MODULES):
            importlib.import_module(module.name)
    found: list[type[MatineeError]] = [MatineeError]
    for known in found:
        found.extend(
            kind for kind in known.__subclasses__() if kind.__module__.startswith("matinee.")
        )
    return found


ALL = every_error()


def test_the_package_has_a_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", matinee.__version__)


@pytest.mark.parametrize("error", ALL[1:], ids=lambda error: error.__name__)
def test_codes_stay_what_they_are(error: type[MatineeError]) -> None:
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", error.code)
    if error.__name__ in CODES:
        assert error.code == CODES[error.__name__]


def test_no_error_that_is_known_by_its_code_went_away() -> None:
    assert set(CODES) <= {error.__name__ for error in ALL}


def test_every_code_names_one_error() -> None:
    codes = [error.code for error in ALL]

    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("error", ALL[1:], ids=lambda error: error.__name__)
def test_the_exit_code_says_who_can_mend_it(error: type[MatineeError]) -> None:
    roots = [root for root in EXIT_CODES if issubclass(error, root)]

    assert len(roots) == 1
    assert error.exit_code == EXIT_CODES[roots[0]]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_survives_pickling(error: type[MatineeError]) -> None:
    met = error("what was met", "what to do")
    again = pickle.loads(pickle.dumps(met))

    assert type(again) is error
    assert (str(again), again.hint, again.code, again.exit_code, again.retryable) == (
        "what was met", "what to do", error.code, error.exit_code, error.retryable,
    )  # fmt: skip


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_says_in_its_docstring_what_happened(error: type[MatineeError]) -> None:
    assert error.__doc__ != error.__mro__[1].__doc__
    assert str(error("met")) == "met"


@pytest.mark.parametrize("error", ALL[1:], ids=lambda error: error.__name__)
def test_every_error_says_what_to_do(error: type[MatineeError]) -> None:
    assert error("met").hint == error.advice != ""
    assert error("met", "do this").hint == "do this"


def test_only_what_another_try_may_mend_is_retryable() -> None:
    retryable = {error.__name__ for error in ALL if error.retryable}

    assert retryable >= {"SourceChanged", "ToolError", "EncoderFailed", "LibraryBusy"}
    assert not retryable & {"UsageError", "SourceUnsupported", "Held", "ToolMissing", "NotFound"}
