"""The confined reader: one call of ``PyavIndexer`` for the process that started us.

It gets the call on standard input and answers on standard output, in messages of ``wire``. For each
clip that is cut it waits for a line: ``go on`` or ``stop``.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from matinee.adapters.wire import GO_ON, encode
from matinee.core.disk_failures import of_disk
from matinee.core.errors import MatineeError, SourceUnreadable

if TYPE_CHECKING:
    from matinee.ports.tools import Clip


def main() -> None:
    """Do the one call; every error of ours is told as one."""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever a library prints is no answer

        def tell(kind: str, value: Any) -> None:
            answers.writelines(encode(kind, value))
            answers.flush()

        def take(clip: Clip) -> bool:
            tell("clip", clip)
            return sys.stdin.buffer.readline() == GO_ON

        size = int(sys.stdin.buffer.readline())
        method, arguments, takes = pickle.loads(sys.stdin.buffer.read(size))  # noqa: S301  # ours
        try:
            if takes:
                arguments = (*arguments, take)
            tell("result", _called(method)(*arguments))
        except MatineeError as error:
            tell("error", [error.code, error.message, error.hint])
        except MemoryError:
            raise
        except OSError as error:
            ours = _known(error, arguments[0])
            tell("error", [ours.code, ours.message, ours.hint])


def _called(method: str) -> Callable[..., Any]:
    """What does it. Only what looks into films is loaded for that: numpy, say, is not."""
    if method in ("inspect", "look"):
        from matinee.adapters.pyav_inspect import inspect_film, look_at  # noqa: PLC0415

        return inspect_film if method == "inspect" else look_at
    from matinee.adapters.pyav import PyavIndexer  # noqa: PLC0415

    found: Callable[..., Any] = getattr(PyavIndexer(), method)
    return found


def _known(error: OSError, film: Any) -> MatineeError:
    if error.filename == str(film):
        return SourceUnreadable(f"{film.name} cannot be read: {error.strerror}")
    return of_disk(f"scratch files cannot be written: {error.strerror}", error)
