"""Steps that one process makes together."""

import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

from matinee.assets.derivation import Cost, Derivation, Step
from matinee.core.errors import MatineeError
from matinee.stages.bench import Bench, Made
from matinee.stages.counting import Counter


class Attempts:
    """The attempts of steps that one process makes together; their costs by share of its work."""

    def __init__(
        self, bench: Bench, stage: str, steps: Sequence[Step], weights: Sequence[int],
        counter: Counter | None = None,
    ) -> None:  # fmt: skip
        self._bench, self._stage, self._steps, self._counter = bench, stage, steps, counter
        self._shares = [weight / sum(weights) for weight in weights]
        self._cpu_s = 0.0
        self._recorded: set[int] = set()

    def __enter__(self) -> Self:
        self._ids = [self._bench.ledger.begin(self._bench.run, step) for step in self._steps]
        self._started, self._clock = datetime.now(UTC), time.monotonic()
        return self

    def spent(self, cpu_s: float) -> None:
        """The processor seconds of the whole process."""
        self._cpu_s = cpu_s
        self._wall_s = time.monotonic() - self._clock

    async def record(self, number: int, made: dict[str, Made]) -> Derivation:
        """Store the outputs of one of the steps and write its derivation."""
        share = self._shares[number]
        cost = Cost(platform.node(), self._started, self._wall_s * share, self._cpu_s * share)
        derivation = await self._bench.record(
            self._stage, self._ids[number], self._steps[number], made, cost
        )
        self._recorded.add(number)
        return derivation

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        if self._counter:
            self._counter.lost()
        if isinstance(error, MatineeError):
            for number, attempt in enumerate(self._ids):
                if number not in self._recorded:
                    self._bench.ledger.fail(attempt, f"{error.code}: {error}")
