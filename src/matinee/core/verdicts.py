"""Verdicts: a judge's pass or fail with its evidence. "Done" means that they passed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``judge`` found about ``subject`` (a rendition's or a manifest's name).

    ``evidence`` is JSON: the numbers that were compared, and in ``reasons`` one sentence for each
    fault. A verdict passes exactly when it has no reasons.
    """

    judge: str
    subject: str
    evidence: Mapping[str, Any]
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no fault was found."""
        return not self.reasons

    def as_json(self) -> dict[str, Any]:
        """The stored and printed form."""
        return {
            "judge": self.judge,
            "subject": self.subject,
            "passed": self.passed,
            "reasons": list(self.reasons),
            "evidence": dict(self.evidence),
        }


def failed(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those that did not pass, in order."""
    return [verdict for verdict in verdicts if not verdict.passed]
