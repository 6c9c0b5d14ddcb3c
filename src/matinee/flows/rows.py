"""Rows of the ledger: whether they are what they call themselves, and of which title they are."""

from dataclasses import replace

from matinee.assets.health import Fault
from matinee.assets.rows import BadRow
from matinee.core.ids import Digest
from matinee.flows.lineage import Records, title_of
from matinee.ports.upkeep import Holdings, Row


def check_row(row: Row) -> list[Fault]:
    """What is wrong with a derivation's row."""
    thing, made = f"derivation/{row.key}", row.derivation
    if made is None:
        return [Fault("row", thing, detail={"said": "its inputs or parameters cannot be read"})]
    if (made.step.recipe, made.step.key) != (row.recipe, row.key):
        said = f"{made.step.function}: inputs, parameters or tools are not those of its key"
        return [Fault("row", thing, detail={"said": said, "function": made.step.function})]
    return [
        Fault("row", thing, made.outputs[role].digest, detail={"said": f"{role} lies nowhere"})
        for role in row.lacking
    ]


def with_title(holdings: Holdings, records: Records, fault: Fault) -> Fault:
    """A row's fault with the title that it belongs to, by the links of its outputs and inputs."""
    key = Digest(fault.thing.removeprefix("derivation/"))
    for digest in (*holdings.outputs(key), *holdings.inputs(key)):
        title = title_of(records, digest)
        if title is not None:
            return replace(fault, title=title.id)
    return fault


def is_right(holdings: Holdings, key: Digest) -> bool:
    """Whether there is a row of that key, and nothing is wrong with it."""
    row = holdings.row(key)
    return row is not None and not check_row(row)


def look_at_row(holdings: Holdings, records: Records, key: Digest) -> BadRow:
    """What is known of the step of a damaged row."""
    row = holdings.row(key)
    inputs = holdings.inputs(key)
    return BadRow(
        key=key,
        function=row.function if row else "",
        version=row.version if row else 0,
        inputs=tuple(inputs),
        known=frozenset(records.ancestry.assets(inputs)),
        gives=tuple(dict.fromkeys(holdings.outputs(key))),
        cost_s=row.wall_s if row else 0.0,
    )
