"""Derivations: what was made from what, how, and at what cost.

The key of a step is the digest of its left-hand side::

    function@version + input digests + parameters + tool versions  ->  output digests

The *recipe* is the same without the tools: an upgraded tool alone changes the key but not the
recipe, so that what older tools made can go on being used until it is refreshed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from matinee.assets.asset import Asset
from matinee.core.ids import Digest, canonical_json, digest_of


class Shared(Mapping[str, Any]):
    """Parameters or tools that many steps have in common: their canonical JSON is made once."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    @cached_property
    def canonical(self) -> str:
        """The canonical JSON of the values."""
        return canonical_json(self._values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


def _named(inputs: Mapping[str, Digest]) -> str:
    """Canonical JSON of digests by role; put together, which is much sooner done."""
    named = [f"{canonical_json(role)}:{canonical_json(inputs[role])}" for role in sorted(inputs)]
    return f"{{{','.join(named)}}}"


def _spelled(values: Mapping[str, Any]) -> str:
    return values.canonical if isinstance(values, Shared) else canonical_json(dict(values))


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
        # Canonical JSON, put together from that of its parts: their names are in order.
        text = (
            f'{{"function":{canonical_json(self.function)},"inputs":{_named(self.inputs)},'
            f'"parameters":{_spelled(self.parameters)},"version":{self.version}}}'
        )
        return digest_of(text.encode())

    @cached_property
    def key(self) -> Digest:
        """Names the step with its tools."""
        return digest_of(f'{{"recipe":"{self.recipe}","tools":{_spelled(self.tools)}}}'.encode())


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
