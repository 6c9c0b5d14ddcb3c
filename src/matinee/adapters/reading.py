"""The confined reader: one call of ``PyavIndexer`` for the process that started us.

It gets the call on standard input and answers on standard output, in messages of ``wire``. For each
clip that is cut it waits for a line: ``go on`` or ``stop``.
"""

import os
import pickle
import sys
from typing import Any

from matinee.adapters.pyav import PyavIndexer
from matinee.adapters.wire import GO_ON, encode
from matinee.core.errors import LibraryError, MatineeError, SourceUnreadable
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
            tell("result", getattr(PyavIndexer(), method)(*arguments))
        except MatineeError as error:
            tell("error", [error.code, error.message, error.hint])
        except MemoryError:
            raise
        except OSError as error:
            ours = _known(error, arguments[0])
            tell("error", [ours.code, ours.message, ours.hint])


def _known(error: OSError, film: Any) -> MatineeError:
    if error.filename == str(film):
        return SourceUnreadable(f"{film.name} cannot be read: {error.strerror}")
    return LibraryError(f"scratch files cannot be written: {error.strerror}")
