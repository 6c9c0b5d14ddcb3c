"""schemathesis asks ``/v1`` whatever its OpenAPI allows and forbids, over a real library."""

from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import checks
from schemathesis.specs.openapi import checks as forms
from tests.apps.live_service import LiveService, live_service

from matinee.core.events import Fact
from matinee.ports.runs import Wish

SEED, EXAMPLES = 4, 12
"""Examples of each call; raise them by hand for a long look."""

CHECKS = [
    checks.not_a_server_error,
    forms.status_code_conformance,
    forms.content_type_conformance,
    forms.response_schema_conformance,
    forms.negative_data_rejection,
    forms.missing_required_header,
]
"""Not that whatever fits the schema is taken: a cursor is a text, and only ours mean something."""


def stock(live: LiveService) -> None:
    """Something of each kind, under names that are asked for often."""
    live.service.log.append([Fact("film.arrived", "film/0", {"name": "0"}, id="0")])
    for run in ("0", "1"):
        live.library.runs.submit(Wish(run, "publish", f"{run}.mp4", {"place": f"/{run}.mp4"}))


@pytest.mark.slow
def test_the_api_keeps_to_its_form_whatever_is_asked(tmp_path: Path) -> None:
    with live_service(tmp_path) as live:
        stock(live)
        schema = schemathesis.openapi.from_dict(live.ask("/v1/openapi.json").json)
        schema.config.update(base_url=live.address)
        operations = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
        # The stream never ends; test_api.py listens to it.
        asked = [each for each in operations if each.path != "/v1/stream"]
        assert len(asked) > 25
        for operation in asked:
            for mode in schemathesis.GenerationMode:
                ask_all(live, operation, mode)


def ask_all(live: LiveService, operation: Any, mode: schemathesis.GenerationMode) -> None:
    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        headers = {"authorization": f"Bearer {live.secret}"}
        case.call_and_validate(headers=headers, checks=CHECKS)

    try:
        ask()
    except hypothesis.errors.Unsatisfiable:
        assert mode is schemathesis.GenerationMode.NEGATIVE  # a call that takes nothing
