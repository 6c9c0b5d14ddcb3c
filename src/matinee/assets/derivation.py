"""Derivations: what was made from what, how, and at what cost.

The key of a step is the digest of its left-hand side::

    function@version + input digests + parameters + tool versions  ->  output digests

The *recipe* is the same without the tools: an upgraded tool alone changes the key but not the
recipe, so that what older tools made can go on being used until it is refreshed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from matinee.assets.asset import Asset
from matinee.core.ids import Digest, digest_of_value


@dataclass(frozen=True)
class Step:
    """The left-hand side of a derivation: everything that decides its outputs.

    ``inputs`` names digests by role, ``parameters`` is JSON without floats that differ by host,
    ``tools`` names each program by the SHA-256 of its binary (a library by its version).
    """

    function: str
    version: int
    inputs: Mapping[str, Digest]
    parameters: Mapping[str, Any]
    tools: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def recipe(self) -> Digest:
        """Names the step whatever the tools' versions are."""
        return digest_of_value(
            {
                "function": self.function,
                "version": self.version,
                "inputs": dict(self.inputs),
                "parameters": dict(self.parameters),
            }
        )

    @cached_property
    def key(self) -> Digest:
        """Names the step with its tools."""
        return digest_of_value({"recipe": self.recipe, "tools": dict(self.tools)})


@dataclass(frozen=True, slots=True)
class Cost:
    """What a derivation took: wall-clock and processor seconds on ``host``."""

    host: str
    started_at: datetime
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Derivation:
    """A step that ran to its end, with its outputs by role."""

    step: Step
    outputs: Mapping[str, Asset]
    cost: Cost
