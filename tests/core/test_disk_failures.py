"""What a disk refuses is told by what may be done about it."""

import errno
import os
from collections.abc import Callable

import pytest

from matinee.adapters.store_failures import told
from matinee.core.disk_failures import of_disk
from matinee.core.errors import LibraryError, LibraryFull, LibraryUnwritable

KINDS = (
    (errno.ENOSPC, LibraryFull),
    (errno.EDQUOT, LibraryFull),
    (errno.EACCES, LibraryUnwritable),
    (errno.EROFS, LibraryUnwritable),
    (errno.EIO, LibraryError),
)


@pytest.mark.parametrize(("number", "kind"), KINDS)
@pytest.mark.parametrize("tell", [of_disk, told])
def test_what_may_pass_is_told_from_what_will_not(
    tell: Callable[[str, OSError], LibraryError], number: int, kind: type[LibraryError]
) -> None:
    error = tell("an object", OSError(number, os.strerror(number)))

    assert type(error) is kind
    assert error.retryable == (kind is not LibraryError)


def test_so_it_is_in_the_words_of_the_store() -> None:
    said = "Unable to open file /library/scratch/staging/a#1: Permission denied (os error 13)"

    assert type(told("cannot write an object", ValueError(said))) is LibraryUnwritable
