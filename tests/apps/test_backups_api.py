"""``/v1/backups`` over a real library and a real backup."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.apps.live_service import live_service
from tests.conftest import Ended

from matinee.adapters.sql.events import SqlEventLog
from matinee.core.events import Fact

pytestmark = pytest.mark.tools


def test_every_place_is_told_with_the_last_of_what_happened_there(
    stocked: tuple[Path, Any], matinee: Callable[..., Ended], tmp_path: Path
) -> None:
    library, document = stocked
    near, far = tmp_path / "near", tmp_path / "far"
    (library / "backup.toml").write_text(f'[[backup]]\nto = "{near}"\n[[backup]]\nto = "{far}"\n')
    made = matinee("backup", "--to", near, "--library", library, "--json").json[0]
    drilled = matinee("drill", "--from", near, "--library", library, "--json").json[0]
    fault = {"vault": str(far), "code": "library.full", "message": "no room", "hint": ""}

    with live_service(library) as live:
        assert isinstance(live.library.events, SqlEventLog)
        live.library.events.append([Fact("backup.failed", f"backup/{far}", fault)])
        answer = live.ask("/v1/backups")

    assert answer.status == 200, answer.body
    first, second = answer.json
    assert (first["vault"], first["late"], first["failed"]) == (str(near), [], None)
    assert first["made"]["snapshot"] == made["snapshot"]["id"]
    assert first["drill"]["title"] == document["title"]
    assert first["drill"]["verdict"] == drilled["verdict"]
    assert (second["made"], second["drill"]) == (None, None)
    assert second["failed"]["code"] == "library.full"
    assert second["late"] == ["backup", "drill"]
    assert json.loads(
        (library / "objects" / drilled["verdict"][:2] / drilled["verdict"]).read_text()
    )
