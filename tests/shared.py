"""Things that are made once in a test run, however many processes it has."""

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

Made = TypeVar("Made")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Only one process at a time is within, by a lock file."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder of the whole test run, for all its processes."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What ``make`` gives, called by the first process that asks, with a folder of that name."""
    folder = shared_folder(factory) / f"shared-{name}"
    done = folder.with_suffix(".made")
    with alone(folder.with_suffix(".lock")):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of one that did not come to its end
            folder.mkdir()
            done.write_bytes(pickle.dumps(make(folder)))
        made: Made = pickle.loads(done.read_bytes())
        return made
