"""Deliveries: at least once called, in order, effects once, dead ones visible."""

from dataclasses import replace
from pathlib import Path

from tests.rules.stand import arrived, run, stand, until

from matinee.core.events import Fact
from matinee.rules.functions import AsyncCall, GiveUp, function, registry

WHEN = 'when = { type = "film.arrived" }\n'


@function("note", version=1)
async def note(call: AsyncCall) -> None:
    call.tell("title.changed", "title/x", {"title": "x", "changes": {"n": call.event.subject}})


@function("submit", version=1)
async def submit(call: AsyncCall) -> None:
    call.submit("publish", "a.mkv", {"place": "/a"}, priority=3)


@function("fail", version=1)
async def fail(call: AsyncCall, times: int = 1) -> None:
    call.tell("title.changed", "title/x", {"title": "x", "changes": {}})
    if call.attempt <= times:
        raise RuntimeError("not yet")


@function("refuse", version=1)
async def refuse(call: AsyncCall) -> None:
    if call.event.data["name"] == "bad":
        raise GiveUp("it is bad", "mend it")


@function("sleep", version=1, time_limit_s=0.05)
async def sleep(call: AsyncCall) -> None:
    del call
    await until(lambda: False)


FUNCTIONS = registry((note, submit, fail, refuse, sleep), ())


def rule(do: str, more: str = "") -> str:
    return f'[[rule]]\nname = "{do}"\n{WHEN}do = "{do}"\n{more}\n'


def test_every_event_has_its_effect_once_and_names_its_cause(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        events = made.tell(*(arrived(f"{n}.mkv") for n in range(30)))
        async with made.at_work(rule("note"), FUNCTIONS) as dispatcher:
            events += made.tell(*(arrived(f"{n}.mkv") for n in range(30, 60)))
            dispatcher.waker.wake()
            await until(lambda: len(made.told("title.changed")) >= 60)
            await until(lambda: {d.state for d in made.all()} == {"done"})
        causes = [event.cause for event in made.told("title.changed")]
        assert sorted(map(str, causes)) == sorted(event.id for event in events)

    run(work())


def test_a_run_is_submitted_under_a_name_made_from_the_delivery(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        (event,) = made.tell(arrived("a.mkv"))
        async with made.at_work(rule("submit"), FUNCTIONS) as dispatcher:
            await until(lambda: {d.state for d in made.all()} == {"done"})
            (delivery,) = made.all()
            await dispatcher.performer.perform(dispatcher.book, delivery)  # called once more
        (only,) = made.runs.page((), None, 10)
        assert (only.wish.cause, only.wish.priority) == (event.id, 3)
        assert len(made.told("run.queued")) == 1

    run(work())


def test_a_function_that_fails_is_called_again_and_tells_only_what_succeeded(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        made.tell(arrived("a.mkv"))
        rules = rule("fail", 'with = { times = 2 }\nretry = { attempts = 3, first = "10ms" }')
        async with made.at_work(rules, FUNCTIONS):
            await until(lambda: {d.state for d in made.all()} == {"done"})
        (delivery,) = made.all()
        assert delivery.attempts == 3
        assert len(made.told("title.changed")) == 1

    run(work())


def test_a_delivery_that_failed_for_good_is_told_and_holds_its_subject_alone(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        made.tell(arrived("bad"), arrived("good"))
        made.tell(Fact("film.arrived", "film/watch/bad", {**arrived("late").data}))
        async with made.at_work(rule("refuse"), FUNCTIONS) as dispatcher:
            await until(lambda: [d.state for d in made.all()] == ["dead", "done", "waiting"])
            (dead,) = made.told("delivery.dead")
            assert dead.data["message"] == "it is bad" and dead.data["hint"] == "mend it"
            assert dead.data["code"] == "function.gave_up"

            made.deliveries.skip(dead.data["delivery"], ())
            dispatcher.waker.wake()
            await until(lambda: [d.state for d in made.all()] == ["skipped", "done", "done"])

    run(work())


def test_a_delivery_is_dead_after_its_last_attempt(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        made.tell(arrived("a.mkv"))
        rules = rule("fail", 'with = { times = 9 }\nretry = { attempts = 2, first = "1ms" }')
        async with made.at_work(rules + rule("sleep", "retry = { attempts = 1 }"), FUNCTIONS):
            await until(lambda: len(made.told("delivery.dead")) == 1)
            (dead,) = made.told("delivery.dead")
            made.deliveries.skip(dead.data["delivery"], ())
            await until(lambda: len(made.told("delivery.dead")) == 2)
        _, slow = made.told("delivery.dead")
        assert dead.data["code"] == "function.failed" and "not yet" in dead.data["message"]
        assert slow.data["code"] == "function.too_slow"
        assert made.told("title.changed") == []

    run(work())


def test_what_cannot_be_decided_and_what_is_gone_is_dead(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        made.tell(arrived("a.mkv", wishes={"priority": "high"}))
        rules = rule("note", 'if = "data.wishes.priority > 3"\nordered = false')
        async with made.at_work(rules + rule("submit", "ordered = false"), FUNCTIONS) as dispatcher:
            dispatcher.performer = replace(dispatcher.performer, functions={"note": note})
            await until(lambda: len(made.told("delivery.dead")) == 2)
        told = sorted(event.data["message"] for event in made.told("delivery.dead"))
        assert told[0].startswith("the condition of note cannot be decided")
        assert told[1] == "there is no function submit any more"

    run(work())


def test_what_a_dead_process_held_is_delivered_at_once(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        made.tell(arrived("a.mkv"))
        idle = made.dispatcher(rule("note"), FUNCTIONS)
        made.deliveries.route(lambda event: idle.book.orders(event, event.time), 10)
        dead = idle.owner.rpartition("/")[0] + "/1"  # our pid, another process's start
        assert len(made.deliveries.claim(dead, made.all()[0].due_at, 10)) == 1
        async with made.at_work(rule("note"), FUNCTIONS):
            await until(lambda: {d.state for d in made.all()} == {"done"}, within_s=8)

    run(work())


def test_a_dispatcher_that_stops_lets_go_of_what_it_was_calling(tmp_path: Path) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        made.tell(arrived("a.mkv"))

        @function("hang", version=1)
        async def hang(call: AsyncCall) -> None:
            del call
            await until(lambda: False)

        async with made.at_work(rule("hang"), {"hang": hang}):
            await until(lambda: {d.state for d in made.all()} == {"running"})
        assert {d.state for d in made.all()} == {"waiting"}
        assert made.deliveries.held() == []

    run(work())
