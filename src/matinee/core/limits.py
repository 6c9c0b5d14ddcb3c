"""How much one run of a media tool may take before it is ended."""

from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one run of one tool, far above what an honest film needs.

    ``memory`` is address space in bytes; ``cpu_s`` processor seconds; ``output`` the bytes that may
    be written beside twice the size of the inputs; ``patience_s`` how long a tool may make no
    progress (no frame, no byte of its input) before it counts as hung.
    """

    memory: int = 12 * GIB
    cpu_s: int = 100 * 3600
    output: int = 8 * GIB
    patience_s: float = 300

    def __post_init__(self) -> None:
        if min(self.memory, self.cpu_s, self.output, self.patience_s) <= 0:
            raise ValueError("a limit is above zero")


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Bounds on what may be sent, in bytes.

    ``largest`` is the most of one film; ``quota`` of all uploads of one token that are not
    published; ``floor`` what stays free on the disk. An unfinished upload that nobody continues is
    removed after ``keep_s`` seconds.
    """

    largest: int = 1024 * GIB
    quota: int = 2048 * GIB
    floor: int = 10 * GIB
    keep_s: float = 48 * 3600
