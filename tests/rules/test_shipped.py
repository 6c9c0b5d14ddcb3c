"""The shipped functions, over a real catalog and store."""

from pathlib import Path

import pytest
from tests.rules.stand import Stand, arrived, run, stand, until

from matinee.core.events import Fact
from matinee.flows.functions import SHIPPED
from matinee.flows.publish_run import check_request, profile_wished
from matinee.rules.functions import registry
from matinee.rules.rulebook import shipped_rules
from matinee.stages.publish import title_key

FUNCTIONS = registry(SHIPPED, ())
RULES = shipped_rules()[1]
HLS = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.64000a"\nv.m3u8\n'
MPD = '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>'


async def on_shelf(made: Stand, *states: str) -> None:
    """A title whose packages have manifests in the store."""
    made.has_title("sintel", states)
    for number in range(1, len(states) + 1):
        for name, text in (("main.m3u8", HLS), ("manifest.mpd", MPD)):
            key = title_key("sintel", f"packages/p{number}/{name}")
            await made.store.write(key, text.encode())


async def handled(made: Stand, *facts: Fact, rules: str = RULES) -> None:
    told = made.tell(*facts)

    def is_over() -> bool:
        found = [made.deliveries.of_event(event.id) for event in told]
        return all(found) and {d.state for each in found for d in each} <= {"done", "dead"}

    async with made.at_work(rules, FUNCTIONS):
        await until(is_over)


def about(kind: str, package: str | None = None) -> Fact:
    data = {"title": "sintel", "name": "Sintel", "package": package}
    return Fact(kind, "title/sintel", {**data, "judge": "x", "about": "y", "reasons": []})


def test_a_film_that_arrives_is_a_run_with_what_was_wished(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        sidecars = [{"place": "/films/a.de.srt", "language": "de"}]
        wishes = {
            "name": "A", "priority": 7, "deadline": "2030-01-01T00:00:00+00:00", "public": True,
            "languages": {"sound": ["de"]},
        }  # fmt: skip
        rules = RULES.replace(
            'do = "publish"', 'do = "publish"\nwith = { ladder = "fast", target_vmaf = 93 }'
        )
        fact = arrived("a.mkv", sidecars=sidecars, wishes=wishes)
        await handled(made, fact, rules=rules)
        (only,) = made.runs.page((), None, 10)
        assert (only.wish.film, only.wish.priority) == ("a.mkv", 7)
        assert only.wish.deadline is not None and only.wish.deadline.year == 2030
        request = check_request(only.wish.request)
        assert request["place"] == "/films/a.mkv" and request["sidecars"] == sidecars
        assert (request["name"], request["ladder"], request["public"]) == ("A", "fast", True)
        assert profile_wished(request) == (None, "fast", 93)
        assert request["languages"] == {"sound": ["de"]}

    run(work())


def test_a_package_that_fails_later_gives_way_to_the_newest_good_one(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        await on_shelf(made, "ready", "ready")
        made.packages.point("sintel", "p2")
        await handled(made, about("verdict.failed", "p2"))
        assert made.titles.get("sintel").current == "p1"
        assert made.packages.get("sintel", "p2").state == "held"
        entry = await made.store.read(title_key("sintel", "main.m3u8"))
        assert b"EXTM3U" in entry

        await handled(made, about("verdict.failed", "p1"))
        assert made.titles.get("sintel").current is None
        assert await made.store.size(title_key("sintel", "main.m3u8")) is None

    run(work())


def test_an_attempt_that_died_before_the_projection_is_made_good(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        await on_shelf(made, "ready", "held")
        made.packages.point("sintel", "p2")
        made.packages.point("sintel", "p1")
        await handled(made, about("verdict.failed", "p2"))
        entry = await made.store.read(title_key("sintel", "main.m3u8"))
        assert b"packages/p1/v.m3u8" in entry

    run(work())


def test_a_rights_window_shows_and_hides(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        await on_shelf(made, "ready", "held")
        await handled(made, about("rights.opened", "p1"))
        assert made.titles.get("sintel").current == "p1"
        (shown,) = made.told("title.published")
        assert shown.cause == made.told("rights.opened")[0].id
        await handled(made, about("rights.closed", "p1"))
        assert made.titles.get("sintel").current is None

    run(work())


def test_nothing_is_shown_that_no_verdict_lets_pass(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        await on_shelf(made, "held")
        await handled(made, about("rights.opened", "p1"))
        (dead,) = made.told("delivery.dead")
        assert "no package whose verdicts all passed" in dead.data["message"]

    run(work())


@pytest.mark.parametrize("names_run", [True, False])
def test_cancel_ends_the_runs_of_a_film_or_the_one_that_is_named(
    tmp_path: Path, names_run: bool
) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        await handled(made, arrived("a.mkv"), arrived("b.mkv"))
        runs = {each.wish.film: each.id for each in made.runs.page((), None, 10)}
        data = {**arrived("a.mkv").data, "run": runs["a.mkv"]}
        kind = "run.late" if names_run else "film.removed"
        if not names_run:
            del data["run"]
        rule = f'[[rule]]\nname = "c"\nwhen = {{ type = "{kind}" }}\ndo = "cancel"\n'
        await handled(made, Fact(kind, "film/watch/a.mkv", data), rules=rule)
        states = {each.wish.film: each.state for each in made.runs.page((), None, 10)}
        assert states == {"a.mkv": "cancelled", "b.mkv": "queued"}

    run(work())


def found(number: int) -> Fact:
    data = {
        "finding": number, "kind": "changed", "thing": "objects/aa/x", "digest": None,
        "title": None, "message": "x",
    }  # fmt: skip
    return Fact("finding.opened", f"finding/{number}", data)


def test_findings_are_mended_by_one_run_while_it_waits(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        await handled(made, found(1))
        await handled(made, found(2), found(3))
        (only,) = made.runs.page((), None, 10)
        assert (only.wish.flow, only.wish.request) == ("repair", {})

    run(work())


def test_a_schedule_submits_one_scrub_until_it_is_over(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        rules = RULES.replace('schedule = "30 2 * * 0"', 'when = { type = "schedule.due" }')
        for hour in (1, 2):
            due = Fact("schedule.due", "rule/scrub", {"rule": "scrub", "at": f"0{hour}:00"})
            await handled(made, due, rules=rules)
        (only,) = made.runs.page((), None, 10)
        assert only.wish.flow == "scrub"
        assert only.wish.request == {"rate": None, "within_s": 6 * 86_400, "sample": 0.02}

    run(work())
