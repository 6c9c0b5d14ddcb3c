"""Everything that can go wrong, in one tree, by who can mend it.

::

    MatineeError
    ├── UsageError        the caller: a wrong argument                 exit 2
    ├── SourceRefused     the film: it cannot become a right stream    exit 3
    ├── Held              the result: made, but a verdict failed       exit 4
    ├── ToolError         a tool: it failed, hung or is missing        exit 5
    ├── LibraryError      the library: unreadable, full, damaged       exit 6
    └── NotFound          the name: no such title, package or file     exit 7

Each error has a stable ``code`` (in JSON, documents and HTTP bodies), a message that names what was
met, and a hint that says what to do. Exit 1 is a defect of Matinee itself, 130 an interruption.
"""

from typing import ClassVar


class MatineeError(Exception):
    """The root. Subclasses give ``code``, ``exit_code`` and whether trying again may help.

    ``advice`` is the hint of an error that is raised without a better one.
    """

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    advice: ClassVar[str] = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)  # both, so that it survives pickling
        self.message = message
        self.hint = hint or self.advice

    def __str__(self) -> str:
        return self.message


class UsageError(MatineeError):
    """The caller asked for something that has no meaning."""

    code = "usage"
    exit_code = 2
    advice = "see what a command takes with: matinee COMMAND --help"


class LadderInvalid(UsageError):
    """A ladder file is not a ladder."""

    code = "ladder.invalid"


class RungStarved(LadderInvalid):
    """A rung's cap leaves so few bits that its pictures are not those of the film any more."""

    code = "ladder.starved"
    advice = "raise maxrate_kbps of that rung, or give it a smaller picture"


class ProfileInvalid(UsageError):
    """A profile file is not a profile."""

    code = "profile.invalid"
    advice = "see docs/reference/profiles.md, or: matinee publish --help"


class SubtitlesInvalid(UsageError):
    """A sidecar subtitle file cannot be read as subtitles."""

    code = "subtitles.invalid"
    advice = "save the subtitles as SRT or WebVTT in UTF-8"


class CopyUnlike(UsageError):
    """What is to be compared is no copy of the film, or cannot be paired with it frame by frame."""

    code = "compare.unlike"
    advice = "compare encodes of one film, each with all of its frames"


class CopyShifted(CopyUnlike):
    """A copy's frames are not at their numbers: pairing by number would score wrong frames."""

    code = "compare.shifted"
    advice = "cut the film to the same first frame, or encode the copy from its first frame on"


class SourceRefused(MatineeError):
    """The film cannot become a right stream; the message says why and where."""

    code = "source.refused"
    exit_code = 3
    advice = "see what is in the film with: matinee inspect FILM"


class SourceUnreadable(SourceRefused):
    """The file is missing, empty, unreadable or not a film."""

    code = "source.unreadable"
    advice = "check the path; try another copy of the film"


class SourceHasNoVideo(SourceRefused):
    """No video track in the film."""

    code = "source.no_video"
    advice = "give a film with a moving picture"


class SourceUnsupported(SourceRefused):
    """A kind of film that this version does not handle yet."""

    code = "source.unsupported"
    advice = "convert the film first, for example with: ffmpeg -i FILM -crf 12 OUT.mkv"


class SourceDamaged(SourceRefused):
    """Frames that the index promises do not decode."""

    code = "source.damaged"
    advice = "try another copy of the film"


class SourceChanged(SourceRefused):
    """The film's bytes changed while it was read."""

    code = "source.changed"
    retryable = True
    advice = "publish the film when nothing writes to it any more"


class Held(MatineeError):
    """The streams were made but a verdict failed: nothing was published."""

    code = "verdict.failed"
    exit_code = 4
    advice = "see every verdict with: matinee show TITLE"


class ToolError(MatineeError):
    """A media tool failed."""

    code = "tool.failed"
    exit_code = 5
    retryable = True
    advice = "run the same command again: what is finished is kept"


class ToolMissing(ToolError):
    """A media tool is not installed."""

    code = "tool.missing"
    retryable = False
    advice = "see which tools are there with: matinee doctor --tools"


class EncoderFailed(ToolError):
    """The encoder ended with an error or without its output."""

    code = "encode.failed"


class PackagerFailed(ToolError):
    """The packager ended with an error or without its output."""

    code = "package.failed"


class LibraryError(MatineeError):
    """The library cannot be used."""

    code = "library.unusable"
    exit_code = 6
    advice = "check that the library's folder is there, can be written and has room"


class LibraryFull(LibraryError):
    """The library's disk has no room left."""

    code = "library.full"
    retryable = True
    advice = "make room on the library's disk, then run the same command again: it goes on"


class LibraryUnwritable(LibraryError):
    """The library's folder or database may not be written now."""

    code = "library.unwritable"
    retryable = True
    advice = "make the library's folder and all in it writable, then run the same command again"


class LibraryUnreachable(LibraryError):
    """The bucket that keeps the library does not answer, or not soundly."""

    code = "library.unreachable"
    retryable = True
    advice = "check the network and the bucket's endpoint, then run the same command again"


class LibraryBusy(LibraryError):
    """Another process holds what this one needs."""

    code = "library.busy"
    retryable = True
    advice = "wait for the other process, then try again"


class RunLost(LibraryError):
    """Another worker has taken the run over: what this one does no longer counts."""

    code = "run.lost"
    advice = "nothing need be done: the worker that took the run over goes on with it"


class ObjectMissing(LibraryError):
    """An object that the ledger names is not in the store."""

    code = "object.missing"
    advice = "have it made again with: matinee repair"


class ObjectDamaged(LibraryError):
    """An object's bytes are not those that its name promises."""

    code = "object.damaged"
    advice = "have it made again with: matinee repair"


class NotFound(MatineeError):
    """No title, package or file of that name."""

    code = "not_found"
    exit_code = 7
    advice = "see all titles with: matinee list"


class ToolHung(ToolError):
    """A media tool made no progress for too long and was ended."""

    code = "tool.hung"


class ToolKilled(ToolError):
    """A media tool was ended from outside: by a person, or by a kernel without memory."""

    code = "tool.killed"


class ToolOverLimit(ToolError):
    """A media tool wanted more memory, processor time or room than it may have."""

    code = "tool.limit"
    retryable = False


class ReaderFailed(ToolError):
    """The process that reads films broke down over this one."""

    code = "read.failed"
    retryable = False
