"""To go back to a stage: its steps and those that follow from it are made anew by a run, once."""

from dataclasses import dataclass, field

from matinee.assets.derivation import Step
from matinee.core.ids import Digest

FUNCTIONS = {
    "inspect": {"inspect", "find_damage", "measure_crop", "straighten", "add_still"},
    "split": {"scan"},
    "sound": {"encode_sound"},
    "text": {"make_text"},
    "search": {"measure_grain", "measure_point", "choose_settings", "choose_rungs"},
    "encode": {"encode_chunk", "sign_chunk"},
    "score": {"score_chunk"},
    "package": {"package", "judge"},
}
"""The functions of each stage that a person can go back to."""

FOLLOWING = {
    "inspect": ("split", "sound", "text", "search", "encode", "score", "package"),
    "split": ("search", "encode", "score", "package"),
    "sound": ("package",),
    "text": ("package",),
    "search": ("encode", "score", "package"),
    "encode": ("score", "package"),
    "score": ("package",),
    "package": (),
}
"""The stages that work on what a stage made."""


@dataclass
class Redo:
    """Which steps are made anew: by function, by recipe, or by key.

    ``exact``: nothing else is, even where bytes are gone: what the ledger has is not looked for.
    ``made`` are those that this run has made already.
    """

    functions: frozenset[str] = frozenset()
    recipes: frozenset[Digest] = frozenset()
    keys: frozenset[Digest] = frozenset()
    exact: bool = False
    made: set[Digest] = field(default_factory=set)

    def wants(self, step: Step) -> bool:
        """Whether the step is to be made, whatever the ledger has."""
        is_named = (
            step.function in self.functions or step.recipe in self.recipes or step.key in self.keys
        )
        return is_named and step.key not in self.made


def functions_from(stage: str) -> frozenset[str]:
    """What is made anew when a run goes back to ``stage``; raises ``KeyError`` for no stage."""
    return frozenset().union(*(FUNCTIONS[name] for name in (stage, *FOLLOWING[stage])))
