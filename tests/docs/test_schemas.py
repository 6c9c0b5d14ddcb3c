"""What the program prints is what its JSON Schemas say, and nothing else."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from tests.conftest import Ended

pytestmark = pytest.mark.tools

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMAS = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text())
    for path in sorted((DOCS / "reference" / "schemas").glob("*.schema.json"))
}
REGISTRY: Any = Registry().with_resources(
    [(schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()]
)

Run = Callable[..., Ended]
Published = tuple[Path, dict[str, Any]]


def faults(name: str, document: Any) -> list[str]:
    validator = Draft202012Validator(SCHEMAS[name], registry=REGISTRY)
    return [f"{list(e.absolute_path)}: {e.message[:300]}" for e in validator.iter_errors(document)]


def objects_in(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects_in(value)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one_and_is_strict(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == f"{name}.schema.json"
    assert all(found["additionalProperties"] is False for found in objects_in(schema))
    assert f"schemas/{name}.schema.json" in (DOCS / "reference" / "json.md").read_text()


def test_every_field_of_the_report_is_on_its_page() -> None:
    page = (DOCS / "formats" / "report.md").read_text()
    told = {part for word in re.findall(r"`([^`]+)`", page) for part in re.split(r"[.\[\]]+", word)}
    schema = SCHEMAS["report"]
    outer = {key for found in objects_in(schema["properties"]) for key in found["properties"]}
    shared = {
        key
        for name in ("track", "outcome", "vmaf")
        for found in objects_in(schema["$defs"][name])
        for key in found["properties"]
    }
    tools = set(schema["properties"]["tools"]["properties"])

    assert (set(schema["properties"]) | outer | shared) - tools <= told


def test_publish_prints_what_its_schema_says(published: Published) -> None:
    _, document = published
    assert faults("publish", document) == []
    assert document["state"] == "published"


def test_list_prints_what_its_schema_says(published: Published, matinee: Run) -> None:
    library, _ = published
    assert faults("list", matinee("list", "--library", library, "--json").json) == []


def test_show_prints_what_its_schema_says(published: Published, matinee: Run) -> None:
    library, document = published
    shown = matinee("show", document["title"], "--library", library, "--json").json

    assert faults("show", shown) == []
    assert faults("report", shown["report"]) == []
    guide = (DOCS / "guide" / "read-a-report.md").read_text()
    assert all(f"| `{stage['name']}` |" in guide for stage in shown["report"]["stages"])


def test_verify_prints_what_its_schema_says(published: Published, matinee: Run) -> None:
    library, document = published
    verified = matinee("verify", document["title"], "--library", library, "--json").json
    assert faults("verify", verified) == []


def test_inspect_prints_what_its_schema_says(film: Path, matinee: Run) -> None:
    assert faults("inspect", matinee("inspect", film, "--json").json) == []


def test_a_plan_is_what_its_schema_says(film: Path, ladder: Path, matinee: Run) -> None:
    plan = matinee("publish", film, "--plan", "--ladder", ladder, "--json").json
    assert faults("plan", plan) == []


@pytest.mark.parametrize("options", [["--tools"], []], ids=["tools", "all"])
def test_doctor_prints_what_its_schema_says(
    options: list[str], published: Published, matinee: Run
) -> None:
    library, _ = published
    ended = matinee("doctor", *options, "--json", MATINEE_LIBRARY=str(library))
    assert faults("doctor", ended.json) == []


def test_a_refusal_is_what_the_schema_of_publish_says(
    ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    ended = matinee(
        "publish", tmp_path / "none.mp4", "--ladder", ladder, "--library", tmp_path, "--json"
    )
    assert faults("publish", ended.json) == []
    assert ended.json["state"] == "refused"


def test_unpublish_and_rollback_print_a_title(stocked: Published, matinee: Run) -> None:
    folder, document = stocked
    title, library = document["title"], ["--library", folder, "--json"]
    for command, state in (("unpublish", "hidden"), ("rollback", "published")):
        printed = matinee(command, title, *library).json
        assert faults("title", printed) == []
        assert printed["state"] == state


def test_upkeep_prints_what_its_schemas_say(published: Published, matinee: Run) -> None:
    library, document = published
    for command in (["lineage", document["title"]], ["repair", "--dry-run"], ["scrub"]):
        printed = matinee(*command, "--library", library, "--json").json
        assert faults(command[0], printed) == []
