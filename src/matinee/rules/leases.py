"""When to let go what an owner holds: pure, on the observer's own monotonic clock."""

from collections.abc import Iterable
from dataclasses import dataclass

from matinee.ports.leases import Lease

PATIENCE_S = 10.0
"""How long token and counter must have stood still under our eyes."""

LOOK_S = 1.0
"""How often to look, and how often an owner makes its counters grow."""

REST_S = 2.0
"""The same while nothing is held."""

LONGEST_LOOK_S = PATIENCE_S / 4
"""Time between two looks that counts: what is more, the observer was asleep itself."""


@dataclass(frozen=True, slots=True)
class _Sight:
    lease: Lease
    stood_s: float


class LeaseWatch:
    """Watches leases from one place.

    A lease is given up when its token and its counter did not move while we looked for
    ``patience_s`` seconds. Time in which we did not look counts for little: when a whole machine
    was asleep, owners get their time to move again.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._seen: dict[str, _Sight] = {}
        self._looked_at: float | None = None

    def look(self, held: Iterable[Lease], now_s: float) -> list[Lease]:
        """The leases to let go, of all that are held now.

        Args:
            held: What ``Leases.held`` gives.
            now_s: A monotonic clock, in seconds.
        """
        since_s = 0.0 if self._looked_at is None else now_s - self._looked_at
        passed_s = min(max(since_s, 0.0), LONGEST_LOOK_S)
        self._looked_at = now_s
        before, self._seen = self._seen, {}
        for lease in held:
            sight = before.get(lease.id)
            stood_s = sight.stood_s + passed_s if sight and sight.lease == lease else 0.0
            self._seen[lease.id] = _Sight(lease, stood_s)
        return [s.lease for s in self._seen.values() if s.stood_s >= self._patience_s]
