"""Functions of packages: registered, checked, called in a process of their own."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.rules.stand import arrived, run, stand, until

from matinee.core.events import Fact
from matinee.core.ids import digest_of
from matinee.rules.functions import Call, Function, FunctionsInvalid, GiveUp, function, registry

IMPORT = "from matinee.rules.functions import Call, function\n@function('publish', version=1)\n"
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "functions.md"

ODD = """
import os, sys, time
from pathlib import Path
from matinee.rules.functions import Call, function, GiveUp

def mark(call: Call, where: str) -> int:
    with open(where, "a") as file:
        file.write(call.event.data["name"] + "\\n")
    return Path(where).read_text().splitlines().count(call.event.data["name"])

@function("odd", version=1, time_limit_s=3)
def odd(call: Call, where: str) -> None:
    print("this is no answer")
    name, times = call.event.data["name"], mark(call, where)
    if name == "slow" and times == 1:
        time.sleep(60)
    if name == "dies":
        os._exit(1)
    if name == "bystander" and times == 1:
        time.sleep(30)
    if name == "wrong":
        raise GiveUp("it is wrong", "right it")
    if name == "gone":
        call.title("nobody")
    call.tell("title.changed", "title/x", {"title": name, "changes": {"by": os.getpid()}})
"""


def install(folder: Path, module: str, source: str) -> None:
    """Put a package with an entry point where Python finds it, as an installer would."""
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[matinee.functions]\n{module} = {module}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield folder
    for module in ("house_rules", "odd_ones"):
        sys.modules.pop(module, None)


def block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (found,) = [each for each in blocks if containing in each]
    return str(found)


def test_the_guides_function_is_run_by_the_guides_rule_on_a_real_event(
    tmp_path: Path, site: Path
) -> None:
    source = block("python", "def write_list")
    assert len(source.splitlines()) <= 17
    install(site, "house_rules", source)
    listed = tmp_path / "list.txt"
    rules = block("toml", 'do = "write-list"').replace("/srv/list.txt", str(listed))

    async def work() -> None:
        made = stand(tmp_path)
        title = made.has_title("sintel")
        made.packages.point(title.id, "p1")
        async with made.at_work(rules, registry(()), {"PYTHONPATH": str(site)}):
            await until(lambda: len(made.told("list.written")) == 1)
        assert listed.read_text() == "Sintel\n"
        (told,) = made.told("list.written")
        (cause,) = made.told("title.published")
        assert (told.subject, told.cause) == ("title/sintel", cause.id)

    run(work())


def test_a_function_that_hangs_or_dies_harms_nobody_else(tmp_path: Path, site: Path) -> None:
    install(site, "odd_ones", ODD)
    where = tmp_path / "marks"
    rules = (
        '[[rule]]\nname = "odd"\nwhen = { type = "film.arrived" }\ndo = "odd"\n'
        f'with = {{ where = "{where}" }}\nretry = {{ attempts = 2, first = "10ms" }}\n'
    )

    async def work() -> None:
        made = stand(tmp_path)
        async with made.at_work(rules, registry(()), {"PYTHONPATH": str(site)}) as dispatcher:
            made.tell(arrived("slow"), arrived("bystander"))
            await until(lambda: len(made.told("title.changed")) == 2)
            first = dispatcher.performer.host.pid
            made.tell(arrived("dies"), arrived("wrong"), arrived("gone"), arrived("fine"))
            dispatcher.waker.wake()
            await until(lambda: {d.state for d in made.all()} == {"done", "dead"})
            assert dispatcher.performer.host.pid != first
        ends = {d.event.data["name"]: d.state for d in made.all()}
        good, bad = ("slow", "bystander", "fine"), ("dies", "wrong", "gone")
        assert ends == {**dict.fromkeys(good, "done"), **dict.fromkeys(bad, "dead")}
        names = sorted(event.data["title"] for event in made.told("title.changed"))
        assert names == sorted(good)
        told = {e.data["delivery"]: e.data["message"] for e in made.told("delivery.dead")}
        assert [told[d.id] for d in made.all() if d.state == "dead"] == [
            "the process that ran the function died",
            "it is wrong",
            "no title has the id or name 'nobody'",
        ]

    run(work())


def test_a_plain_function_reads_the_library(tmp_path: Path, site: Path) -> None:
    install(
        site,
        "house_rules",
        "from matinee.rules.functions import Call, function\n"
        '@function("read", version=1)\n'
        "def read(call: Call, digest: str) -> None:\n"
        '    states = [p.state for p in call.packages("sintel")]\n'
        "    body = call.file(digest).read_text()\n"
        '    call.tell("title.changed", "title/sintel", {"changes": {"of": states + [body]}})\n',
    )
    digest = digest_of(b"body")
    rules = (
        '[[rule]]\nname = "r"\nwhen = { type = "film.arrived" }\ndo = "read"\n'
        f'with = {{ digest = "{digest}" }}\n'
    )

    async def work() -> None:
        made = stand(tmp_path)
        made.has_title("sintel", ["held", "ready"])
        await made.store.write("objects/body", b"body")
        made.lies(b"body", "objects/body")
        made.tell(arrived("a"))
        async with made.at_work(rules, registry(()), {"PYTHONPATH": str(site)}):
            await until(lambda: len(made.told("title.changed")) == 1)
        (told,) = made.told("title.changed")
        assert told.data["changes"]["of"] == ["held", "ready", "body"]

    run(work())


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import nothing_of_that_name", "cannot be imported"),
        ("x = 1", "there is no function in"),
        (f"{IMPORT}def publish(call: Call) -> None: ...\n", "two functions are called publish"),
        (f"{IMPORT}def publish(call: Call, *a: str) -> None: ...\n", "publish cannot be checked"),
        (f"{IMPORT}def publish(call: Call, a) -> None: ...\n", "publish cannot be checked"),
    ],
)
def test_a_package_that_cannot_be_used_is_a_fault_at_the_start(
    source: str, told: str, site: Path
) -> None:
    install(site, "odd_ones", source)

    @function("publish", version=1)
    def publish(call: Call) -> None:
        del call

    with pytest.raises(FunctionsInvalid, match=told) as caught:
        registry([publish])
    assert caught.value.code == "functions.invalid"


@pytest.mark.parametrize(
    "parameters", [{}, {"count": "1"}, {"count": 1, "more": 2}, {"count": 1.5}]
)
def test_a_delivery_whose_parameters_no_longer_fit_is_given_up(
    parameters: Mapping[str, Any],
) -> None:
    @function("count", version=2)
    def count(call: Call, count: int) -> None:
        del call, count

    assert isinstance(count, Function)
    assert count.arguments({"count": 1}) == {"count": 1}
    with pytest.raises(GiveUp, match="the parameters do not fit count 2"):
        count.arguments(parameters)


def test_effects_have_the_same_names_at_every_attempt() -> None:
    (event,) = [Fact("film.arrived", "film/a", id="e1")]

    def called(attempt: int, rule: str = "r") -> Call:
        from tests.rules.stand import NOON

        from matinee.core.events import Event

        call = Call(Event("e1", NOON, event.type, "/", event.subject, {}), rule, 7, attempt)
        call.tell("title.changed", "title/x")
        call.tell("title.changed", "title/x")
        call.submit("publish", "a", {})
        return call

    first, second, other = called(1), called(2), called(1, "s")
    assert (first.facts, first.wishes) == (second.facts, second.wishes)
    ids = {fact.id for call in (first, other) for fact in call.facts}
    assert len(ids) == 4
