"""Lineage as JSON for programs, and as a tree for people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation
from matinee.assets.lineage import Graph
from matinee.flows.lineage import Found, Records


def lineage_json(records: Records, found: Found, limit: int | None = None) -> dict[str, Any]:
    """The way back and forwards as JSON: see docs/reference/json.md.

    ``limit`` bounds the count of assets; ``left_out`` says how many more there are.
    """
    graph = found.graph
    own = [found.title.title.source] if found.kind == "title" and found.title else found.digests
    every = dict.fromkeys([*graph.back(found.digests), *graph.forward(own)])
    known = records.ancestry.assets(list(every))
    order = [digest for digest in every if digest in known]
    left_out = 0 if limit is None else max(0, len(order) - limit)
    order = order[: len(order) - left_out]
    places = records.ancestry.places(order)
    steps = {step.step.key: step for digest in order if (step := graph.maker(digest))}
    title = found.title
    return {
        "thing": found.thing,
        "kind": found.kind,
        "digests": list(found.digests),
        "title": title.title.id if title else None,
        "package": title.shown.id if title and title.shown else None,
        "on_screen": bool(title and title.shown and title.title.current == title.shown.id),
        "assets": [_asset_json(graph, known[digest], places.get(digest, ())) for digest in order],
        "steps": [_step_json(graph, step) for step in steps.values()],
        "left_out": left_out,
    }


def _asset_json(graph: Graph, asset: Asset, keys: Sequence[str]) -> dict[str, Any]:
    digest = asset.digest
    made = graph.maker(digest)
    roles = [role for role, one in made.outputs.items() if one.digest == digest] if made else []
    return {
        "digest": digest,
        "role": roles[0] if roles else "source",
        "size_bytes": asset.size_bytes,
        "media_type": asset.media_type,
        "keys": list(keys),
        "step": made.step.key if made else None,
        "parents": graph.parents(digest),
    }


def _step_json(graph: Graph, made: Derivation) -> dict[str, Any]:
    step, cost = made.step, made.cost
    return {
        "key": step.key,
        "function": step.function,
        "version": step.version,
        "inputs": dict(step.inputs),
        "excerpts": {
            role: {"of": graph.excerpts[digest].film, "what": graph.excerpts[digest].what}
            for role, digest in step.inputs.items()
            if digest in graph.excerpts
        },
        "parameters": dict(step.parameters),
        "tools": dict(step.tools),
        "host": cost.host,
        "started_at": cost.started_at.isoformat(),
        "wall_s": cost.wall_s,
        "cpu_s": cost.cpu_s,
    }


def lineage_lines(document: Mapping[str, Any]) -> list[str]:
    """The tree for people: what was published first, the source last.

    What one function made for one place in the tree is one line; what was told is not told again.
    """
    assets = {each["digest"]: each for each in document["assets"]}
    steps = {each["key"]: each for each in document["steps"]}
    children: dict[str, list[str]] = {}
    for each in document["assets"]:
        for parent in each["parents"]:
            children.setdefault(parent, []).append(each["digest"])
    own = [digest for digest in document["digests"] if digest in assets]
    lines = [f"{document['thing']} ({document['kind']})"]
    lines += _branch(own, assets, steps, lambda d: assets[d]["parents"])
    after = [c for d in own for c in children.get(d, ()) if c not in own]
    if after:
        lines += ["and of it was made:"]
        lines += _branch(list(dict.fromkeys(after)), assets, steps, lambda d: children.get(d, []))
    return lines


def _branch(
    roots: Sequence[str], assets: Mapping[str, Any], steps: Mapping[str, Any],
    following: Callable[[str], Sequence[str]],
) -> list[str]:  # fmt: skip
    lines: list[str] = []
    told: set[tuple[str, ...]] = set()

    def tell(group: Sequence[str], depth: int) -> None:
        lines.extend("  " * depth + line for line in _told(group, assets, steps))
        names = tuple(group)
        if names in told:
            return
        told.add(names)
        below = dict.fromkeys(d for one in group for d in following(one) if d in assets)
        for each in _groups(list(below), assets, steps):
            if not set(each) & set(group):
                tell(each, depth + 1)

    for group in _groups(roots, assets, steps):
        tell(group, 1)
    return lines


def _groups(
    digests: Sequence[str], assets: Mapping[str, Any], steps: Mapping[str, Any]
) -> list[list[str]]:
    """Assets that one function made, together; a source alone."""
    groups: dict[Any, list[str]] = {}
    for digest in digests:
        key = assets[digest]["step"]
        step = steps[key] if key else None
        name = (step["function"], step["version"]) if step else digest
        groups.setdefault(name, []).append(digest)
    return list(groups.values())


def _told(group: Sequence[str], assets: Mapping[str, Any], steps: Mapping[str, Any]) -> list[str]:
    """What is said of some assets of one function: one line, and one on how they were made."""
    first = assets[group[0]]
    size = sum(assets[digest]["size_bytes"] for digest in group)
    name = first["role"] if len(group) == 1 else f"{len(group)} x {_kind(first['role'])}"
    where = first["keys"][0] if len(group) == 1 and first["keys"] else ""
    lines = [f"{name}  {group[0][:12]}  {size} bytes  {where}".rstrip()]
    keys = dict.fromkeys(assets[digest]["step"] for digest in group)
    made = [steps[key] for key in keys if key]
    if made:
        lines.append(f"  by {_how(made)}")
    return lines


def _kind(role: str) -> str:
    """Several outputs' common name: the folder of files, else the role."""
    return role.rpartition("/")[0] or role.rstrip("0123456789").rstrip("-") or role


def _how(made: Sequence[Mapping[str, Any]]) -> str:
    """Function and version, excerpt, tools, host, time and cost of some steps of one function."""
    first, times = made[0], sorted(each["started_at"] for each in made)
    hosts = sorted({each["host"] for each in made})
    tools = sorted(
        {f"{name} {identity[:12]}" for each in made for name, identity in each["tools"].items()}
    )
    count = f" x {len(made)}" if len(made) > 1 else ""
    parts = [f"{first['function']}@{first['version']}{count}"]
    if len(made) == 1:
        parts += [one["what"] for one in first["excerpts"].values()]
    parts += [
        f"on {', '.join(hosts)}",
        times[0][:19] + (f" to {times[-1][:19]}" if times[-1][:19] != times[0][:19] else ""),
        f"{sum(each['wall_s'] for each in made):.2f} s",
        f"{sum(each['cpu_s'] for each in made):.2f} s of processor",
    ]
    return ", ".join([*parts, *tools])
