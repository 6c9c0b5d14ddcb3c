"""Other places where an asset's bytes may lie."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from matinee.assets.asset import Asset
from matinee.core.ids import Digest


class Copies(Protocol):
    """One kind of place that may have a second copy of an asset: the original's path, a backup."""

    @property
    def name(self) -> str:
        """What it is called when a copy came from there."""
        ...

    async def offer(self, asset: Asset) -> float | None:
        """About how many seconds fetching it takes, or None where it is not; without reading it."""
        ...

    async def fetch(self, asset: Asset, folder: Path) -> Path | None:
        """A file with the asset's bytes, to be read only; None where they are not to be had.

        It may lie below ``folder``. Whoever fetches proves the digest: a copy may be bad too.
        """
        ...


class Originals(Protocol):
    """From where sources came: paths and addresses outside the library."""

    def note(self, digest: Digest, place: str) -> None:
        """Remember that an asset's bytes lay there."""
        ...

    def of(self, digest: Digest) -> Sequence[str]:
        """Where an asset's bytes lay, the place that was seen last first."""
        ...
