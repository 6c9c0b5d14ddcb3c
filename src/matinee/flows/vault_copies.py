"""A backup as a place that may have a second copy of an asset, for repairs."""

from collections.abc import Callable
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.snapshots import Copy
from matinee.core.errors import MatineeError
from matinee.flows.vault import Vault
from matinee.ports.copies import Copies

BYTES_A_SECOND = 20e6
"""About how fast a backup gives bytes; what is encrypted is decrypted as well."""


class VaultCopies(Copies):
    """The copies of one backup. One that cannot be opened has none.

    Args:
        name: Its address.
        open_vault: Opens it, when it is first asked.
    """

    def __init__(self, name: str, open_vault: Callable[[], Vault]) -> None:
        self._name, self._open = name, open_vault
        self._vault: Vault | None = None

    @property
    def name(self) -> str:
        """What a copy from there is called."""
        return f"the backup in {self._name}"

    async def offer(self, asset: Asset) -> float | None:
        """See the port."""
        found = await self._find(asset)
        return None if found is None else asset.size_bytes / BYTES_A_SECOND

    async def fetch(self, asset: Asset, folder: Path) -> Path | None:
        """See the port."""
        found = await self._find(asset)
        if found is None or self._vault is None:
            return None
        try:
            return await self._vault.fetch(found, folder)
        except MatineeError:
            return None

    async def _find(self, asset: Asset) -> Copy | None:
        try:
            if self._vault is None:
                self._vault = self._open()
            return await self._vault.find(asset.digest, asset.size_bytes)
        except MatineeError:
            return None
