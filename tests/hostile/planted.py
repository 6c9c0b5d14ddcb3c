"""The program, with one event in it: after the film was named, ``MATINEE_EVENT`` happens.

That is the moment in which a run takes its turn; it is the same in every run, however fast.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from matinee.apps.cli import main
from matinee.flows.house import House
from matinee.stages.bench import Bench
from matinee.wiring import publishing

open_house = publishing.open_house


@contextmanager
def open_eventful_house(*settings: Any, **options: Any) -> Iterator[tuple[House, Bench]]:
    """The real parts."""
    event, path = os.environ["MATINEE_EVENT"].split(" ", 1)

    with open_house(*settings, **options) as (house, bench):

        def exclusive(name: str) -> AbstractAsyncContextManager[None]:
            if event == "remove":
                Path(path).unlink()
            else:
                Path(path).rename(f"{path}-gone")
            return house.exclusive(name)

        yield replace(house, exclusive=exclusive), bench


if __name__ == "__main__":
    publishing.open_house = open_eventful_house
    main()
