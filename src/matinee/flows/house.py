"""What the path of a film works with, beside the bench: ports."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from matinee.media.ladder import Ladder
from matinee.ports.catalog import Packages, TitleDesk, Titles
from matinee.ports.copies import Originals
from matinee.ports.tools import Packager, Scanner
from matinee.stages.encode import Studio
from matinee.stages.slots import Turn
from matinee.stages.unlock import Locksmith


@dataclass(frozen=True, slots=True)
class House:
    """The ports that the flow works with, beside the bench's.

    ``preview`` is what previews are made of, and their own slot, ``workers`` how many tools work at
    once. ``locksmith`` has keys. ``exclusive`` gives what one run at a time can hold for a name;
    others wait. ``stop`` ends at once what threads wait for. ``originals`` knows where films were.
    """

    titles: Titles
    desk: TitleDesk
    packages: Packages
    studio: Studio
    scanner: Scanner
    packager: Packager
    locksmith: Locksmith
    now: Callable[[], datetime]
    stop: Callable[[], None]
    exclusive: Callable[[str], AbstractAsyncContextManager[None]]
    preview: tuple[Ladder, Turn] | None = None
    workers: int = 1
    originals: Originals | None = None
