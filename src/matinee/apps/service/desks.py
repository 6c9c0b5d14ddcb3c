"""What people see of rules and uploads, as the web asks for it."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from matinee.apps.web.service import OpenUpload, RuleDesk, ShownRule, Tested, UploadDesk
from matinee.core.events import Event
from matinee.core.toml_lines import line_of
from matinee.ports.uploads import Uploads
from matinee.rules.conditions import Undecided
from matinee.rules.rulebook import Rule, RuleBook


@dataclass(frozen=True, slots=True)
class RuleBookDesk(RuleDesk):
    """The rules that the service works by. ``documents`` are the names and texts of their files."""

    book: RuleBook
    documents: Sequence[tuple[str, str]]
    now: Callable[[], datetime]

    def all(self) -> Sequence[ShownRule]:
        """Every rule, in the order of the files."""
        texts = dict(self.documents)
        return [_shown(rule, texts) for rule in self.book.rules]

    def sources(self) -> Sequence[tuple[str, str]]:
        """Names and texts of the files."""
        return self.documents

    def test(self, event: Event) -> Sequence[Tested]:
        """What each rule makes of an event."""
        return [Tested(rule.name, *self._judged(rule, event)) for rule in self.book.rules]

    def _judged(self, rule: Rule, event: Event) -> tuple[bool, str]:
        if not rule.enabled:
            return False, "the rule is switched off"
        if not rule.matches(event):
            return False, "the event is not as `when` wants it"
        try:
            if not rule.holds(event, self.now()):
                return False, "`if` is false"
        except Undecided as error:
            return True, f"`if` cannot be decided, and its delivery would be dead: {error}"
        held = "" if rule.condition is None else ", and `if` is true"
        return True, f"the event is as `when` wants it{held}: {rule.do} is called"


@dataclass(frozen=True, slots=True)
class UploadsDesk(UploadDesk):
    """The uploads that are not whole."""

    uploads: Uploads

    def open(self) -> Sequence[OpenUpload]:
        """Newest first."""
        return [
            OpenUpload(
                upload.id, upload.order.name, upload.order.length, upload.offset,
                upload.started_at, upload.changed_at,
            )
            for upload in reversed(self.uploads.in_progress())
        ]  # fmt: skip


def _shown(rule: Rule, texts: dict[str, str]) -> ShownRule:
    written = rule.document
    return ShownRule(
        name=rule.name,
        file=rule.file,
        line=_line(texts[rule.file], rule.name),
        when=written.get("when"),
        condition=written.get("if"),
        function=rule.do,
        parameters=dict(rule.parameters),
        at_most=written.get("at_most"),
        delay=written.get("delay"),
        schedule=written.get("schedule"),
        ordered=rule.ordered,
    )


def _line(text: str, name: str) -> int:
    """Where the rule of that name begins."""
    names = [rule.get("name") for rule in tomllib.loads(text)["rule"]]
    return line_of(text, ("rule", names.index(name))) or 1
