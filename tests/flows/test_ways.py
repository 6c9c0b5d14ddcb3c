"""What two packages of a title share is made again by the cheaper one, and no more is made."""

from datetime import UTC, datetime
from itertools import chain, combinations
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.assets.asset import Asset
from matinee.assets.batches import batched
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.assets.health import Clinic, plan_repair
from matinee.assets.lineage import Graph
from matinee.assets.rows import BadRow
from matinee.core.ids import Digest, digest_of, digest_of_value
from matinee.flows.lineage import TitleGraph
from matinee.flows.ways import Way, ways_of
from matinee.ports.catalog import Package, Title

NOON = datetime(2026, 3, 1, tzinfo=UTC)
PRICES = st.integers(1, 9).map(float)
NAMES = ("old", "new")
SHARED = ("chunk0", "chunk1", "segment0", "segment1", "join")


def name(text: str) -> Digest:
    return digest_of(text.encode())


def made(function: str, inputs: dict[str, Digest], outputs: list[str], price: float) -> Derivation:
    assets = {one: Asset(name(one), 1, "x/y") for one in outputs}
    return Derivation(Step(function, 1, inputs, {}), assets, Cost("host", NOON, price, price))


@st.composite
def titles(draw: st.DrawFn) -> list[TitleGraph]:
    """A title with two packages of the same chunks, each with its playlist and its verdicts."""
    chunks = [
        made("encode_chunk", {"clip": name(f"clip{n}")}, [f"chunk{n}"], draw(PRICES))
        for n in (0, 1)
    ]
    inputs = {f"video/72p/{n}": name(f"chunk{n}") for n in (0, 1)}
    found = []
    for own in NAMES:
        files = {path: name(path) for path in ("segment0", "segment1", f"{own}.m3u8")}
        package = made(
            "package", inputs | {f"text/{own}": name(own)}, [*files, "join"], draw(PRICES)
        )
        about = {"package": digest_of_value(files), "join": name("join")}
        judge = made("judge", about, [f"verdicts of {own}"], draw(PRICES))
        shown = Package(own, "title", "ready", NOON, files, name("report"), {})
        found.append((shown, package, judge))
    title = Title("title", "Title", name("source"), "film", "", NOON, "new")
    every = [each for _, package, judge in found for each in (package, judge)]
    known = frozenset(name(each) for each in (*SHARED, *NAMES))
    # What another package has is in a graph as well, where it made what is asked for.
    return [
        TitleGraph(title, shown, package, Graph([package, *chunks, *every]), None, known)
        for shown, package, _ in reversed(found)
    ]


THINGS = (*SHARED, *(f"{own}.m3u8" for own in NAMES), *(f"verdicts of {own}" for own in NAMES))


def derivations(mades: list[TitleGraph]) -> list[Derivation]:
    return [*{each.step.key: each for made in mades for each in made.graph.derivations}.values()]


def by_brute_force(
    mades: list[TitleGraph], bad: set[Digest], copies: dict[Digest, float], rows: set[Digest]
) -> float:
    """The least price of steps and copies after which all is right; a bad row's step has to run."""
    every, best = derivations(mades), inf
    files = {
        digest_of_value(dict(made.shown.files)): set(made.shown.files.values())
        for made in mades
        if made.shown
    }
    for chosen in chain.from_iterable(combinations(every, n) for n in range(len(every) + 1)):
        if not rows <= {each.step.key for each in chosen}:
            continue
        given = {asset.digest for each in chosen for asset in each.outputs.values()}
        needs = {need for each in chosen for need in each.step.inputs.values()}
        for each in chosen:
            needs |= files.get(each.step.inputs.get("package", Digest("")), set())
        fetched = sum(copies.get(one, inf) for one in (bad | needs & bad) - given)
        best = min(best, fetched + sum(each.cost.wall_s for each in chosen))
    return best


@settings(max_examples=100)
@given(titles(), st.data())
def test_the_cheapest_of_all_packages_is_taken(
    mades: list[TitleGraph], data: st.DataObject
) -> None:
    bad = {name(each) for each in data.draw(st.sets(st.sampled_from(THINGS), min_size=1))}
    copies = data.draw(st.dictionaries(st.sampled_from(sorted(bad)), PRICES))
    every = derivations(mades)
    sick = data.draw(st.sets(st.sampled_from(range(len(every))), max_size=2))
    rows = [bad_row(every[number]) for number in sorted(sick)]
    near = {
        digest: [
            own
            for own in NAMES
            if digest not in (name(f"{other(own)}.m3u8"), name(f"verdicts of {other(own)}"))
        ]
        for digest in bad
    }
    ways = ways_of(mades, dict.fromkeys(bad, ()), near, rows)
    keys = {row.key for row in rows}
    clinic = Clinic(frozenset(bad | keys), copies, [way.remaking for way in ways.values()])
    plan = plan_repair(clinic, [*sorted(bad), *sorted(keys)])

    assert not plan.lost
    assert plan.cost_s == by_brute_force(mades, bad, copies, keys)
    assert_own_steps_run_on_their_own_path(ways)
    remakings = {key: way.remaking for key, way in ways.items()}
    batches = batched(plan.mendings, remakings, {k: way.packages for k, way in ways.items()})
    assert len({step for batch in batches for step in batch.steps}) == sum(
        each.remake is not None for each in plan.mendings
    )


def test_a_package_gives_what_is_bad_at_its_own_paths_alone() -> None:
    package = made("package", {"video/72p/0": name("chunk0")}, ["en/1.vtt", "en/2.vtt"], 1.0)
    files = {path: name(path) for path in package.outputs}
    shown = Package("old", "title", "ready", NOON, files, name("report"), {})
    title = Title("title", "Title", name("source"), "film", "", NOON, "old")
    graph = TitleGraph(title, shown, package, Graph([package]), None, frozenset())
    bad = {
        name("en/1.vtt"): {"titles/title/en/1.vtt", "titles/title/de/1.vtt"},
        name("en/2.vtt"): {"titles/title/de/2.vtt"},
    }

    [way] = ways_of([graph], bad, {}).values()

    assert way.remaking.gives == (name("en/1.vtt"),)


def assert_own_steps_run_on_their_own_path(ways: dict[Digest, Way]) -> None:
    for way in ways.values():
        for own in NAMES:
            if {name(f"{own}.m3u8"), name(f"verdicts of {own}")} & set(way.remaking.gives):
                assert way.packages == (own,)


def other(own: str) -> str:
    return NAMES[1 - NAMES.index(own)]


def bad_row(each: Derivation) -> BadRow:
    inputs = tuple(each.step.inputs.values())
    known = frozenset(d for d in inputs if d in {name(one) for one in (*SHARED, *NAMES)})
    gives = tuple(asset.digest for asset in each.outputs.values())
    step = each.step
    return BadRow(step.key, step.function, step.version, inputs, known, gives, each.cost.wall_s)
