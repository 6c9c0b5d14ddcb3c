"""What keeps a library safe, as commands and rules call it: backups, with their events."""

import platform
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from matinee.assets.asset import Asset, object_key
from matinee.assets.backup_policy import Policy
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.core.errors import MatineeError
from matinee.core.events import Fact
from matinee.core.ids import Digest, canonical_json, digest_of
from matinee.core.verdicts import Verdict
from matinee.flows.back_up import Done, Original, back_up
from matinee.flows.check_vault import check_vault
from matinee.flows.collect import Collected, Patience, patience_of
from matinee.flows.drill import Stage, drill
from matinee.flows.thin import Thinned, thin
from matinee.flows.vault import Vault
from matinee.ports.events import EventLog, Search
from matinee.ports.keeping import Keeping, Late
from matinee.ports.ledger import Ledger

MOST = 20
"""Faults of a drill, or bad copies, that an event names."""


@dataclass(frozen=True, slots=True)
class Keeper(Keeping):
    """A library and the ways to its backups."""

    original: Original
    events: EventLog
    ledger: Ledger
    vault_of: Callable[[Policy], Vault]
    scratch: Callable[[], AbstractContextManager[Path]]
    policies: Callable[[], Sequence[Policy]]
    """The places of the library's ``backup.toml``."""
    stage: Callable[[], Stage]
    collected: Callable[[Patience, str | None], Coroutine[Any, Any, Collected]]
    can_open: bool
    """Whether there is an identity, so that encrypted places can be tried."""

    def places(self) -> Sequence[Policy]:
        """As the file has them now."""
        return self.policies()

    async def back_up(self, cause: str | None) -> None:
        """See the port; so are those that follow."""
        failures: list[MatineeError] = []
        for policy in self.policies():
            try:
                await backed_up(self, policy, cause=cause)
            except MatineeError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    async def check_backups(self, cause: str | None) -> None:
        """Read every copy; where some are bad, back up again, which writes them anew."""
        for policy in self.policies():
            vault = self.vault_of(policy)
            with self.scratch() as scratch:
                found = await check_vault(vault, await vault.snapshots(), scratch)
            bad = [*found.damaged, *found.missing]
            if bad:
                data = {
                    "vault": policy.to, "damaged": len(found.damaged),
                    "missing": len(found.missing), "keys": bad[:MOST],
                }  # fmt: skip
                (told,) = self.events.append(
                    [Fact("backup.damaged", f"backup/{policy.to}", data, cause)]
                )
                await backed_up(self, policy, cause=told.id)

    async def drill(self, cause: str | None) -> None:
        """Try every place."""
        for policy in self.policies():
            if self.can_open or not policy.recipients:
                seed = secrets.randbelow(2**31)
                await drilled(self, self.vault_of(policy), policy.to, seed, cause)

    async def collect(self, grace_h: float, unused_days: float, cause: str | None) -> None:
        """Collect garbage."""
        await self.collected(patience_of(grace_h, unused_days), cause)

    def late(self, backup_days: float, drill_days: float, now: datetime) -> Sequence[Late]:
        """By the newest event of each kind."""
        found: list[Late] = []
        for policy in self.policies():
            wanted = [("backup", "backup.made", backup_days)]
            if self.can_open or not policy.recipients:
                wanted.append(("drill", "drill.ended", drill_days))
            for what, kind, days in wanted:
                which = Search(type=kind, subject=f"backup/{policy.to}")
                last = next((entry.time for entry in self.events.search(which, 1)), None)
                if last is None or now - last > timedelta(days=days):
                    found.append(Late(policy.to, what, last))
        return found


async def backed_up(
    keeper: Keeper, policy: Policy, told: Callable[[int, int], None] = lambda _, __: None,
    cause: str | None = None,
) -> tuple[Done, Thinned]:  # fmt: skip
    """Back up to one place, then thin it as its policy says; both are told of.

    Raises:
        MatineeError: it failed, which is told of too.
    """
    try:
        with keeper.scratch() as scratch:
            vault = keeper.vault_of(policy)
            done = await back_up(keeper.original, vault, policy.worth, scratch, told)
        thinned = Thinned() if policy.keep is None else await thin(vault, policy.keep)
    except MatineeError as error:
        fault = {"code": error.code, "message": str(error), "hint": error.hint}
        subject = f"backup/{policy.to}"
        keeper.events.append([Fact("backup.failed", subject, {"vault": policy.to, **fault}, cause)])
        raise
    keeper.events.append([_made(done, policy, cause)])
    return done, thinned


async def drilled(
    keeper: Keeper, vault: Vault, name: str, seed: int, cause: str | None = None
) -> tuple[Verdict, Digest]:
    """Try a backup; the verdict is stored and told of. ``name`` is the address in the policy.

    Raises:
        MatineeError: nothing could be tried.
    """
    started, clock, spent = datetime.now(UTC), time.monotonic(), time.process_time()
    with keeper.scratch() as scratch:
        verdict = await drill(vault, keeper.stage(), seed, scratch)
        took = Cost(platform.node(), started, time.monotonic() - clock, time.process_time() - spent)
        digest = await _keep_verdict(keeper, verdict, name, seed, took)
    data = {
        "vault": name,
        "snapshot": verdict.evidence["snapshot"],
        "title": verdict.evidence["title"],
        "passed": verdict.passed,
        "reasons": list(verdict.reasons)[:MOST],
        "verdict": digest,
    }
    keeper.events.append([Fact("drill.ended", f"backup/{name}", data, cause)])
    return verdict, digest


async def _keep_verdict(
    keeper: Keeper, verdict: Verdict, name: str, seed: int, cost: Cost
) -> Digest:
    """Store a verdict as an asset that the ledger knows."""
    body = canonical_json(verdict.as_json()).encode()
    asset = Asset(digest_of(body), len(body), "application/json")
    key = object_key(asset.digest)
    await keeper.original.store.write(key, body, media_type=asset.media_type)
    snapshot = verdict.evidence["snapshot"]
    step = Step("drill", 1, {"snapshot": snapshot}, {"vault": name, "seed": seed})
    attempt = keeper.ledger.begin("drill", step)
    made = Derivation(step, {"verdict": asset}, cost)
    keeper.ledger.record(attempt, made, [(asset.digest, key)], anew=True)
    return asset.digest


def _made(done: Done, policy: Policy, cause: str | None) -> Fact:
    assert done.snapshot is not None
    data = {
        "vault": policy.to,
        "snapshot": done.snapshot.id,
        "objects": done.snapshot.objects,
        "bytes": done.snapshot.size_bytes,
        "written": done.written,
        "lacking": len(done.lacking),
    }
    return Fact("backup.made", f"backup/{policy.to}", data, cause)
