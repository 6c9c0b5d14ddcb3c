"""When a function that failed is called again. Pure: randomness is passed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """At most ``attempts`` calls; pauses grow from ``first_s`` by ``factor`` up to ``most_s``."""

    attempts: int = 8
    first_s: float = 1.0
    factor: float = 4.0
    most_s: float = 300.0

    def pause_s(self, attempt: int, roll: float) -> float | None:
        """Seconds to wait after that attempt failed; None: it was the last.

        Between half of the pause and all of it, so that what failed together does not come back
        together.

        Args:
            attempt: How often it was called, from 1.
            roll: Random, from 0 to 1.
        """
        if attempt >= self.attempts:
            return None
        pause_s = self.first_s
        for _ in range(attempt - 1):
            pause_s *= self.factor
            if pause_s >= self.most_s:
                break
        return min(pause_s, self.most_s) * (0.5 + roll / 2)
