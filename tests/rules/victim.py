"""A dispatcher in a process of its own, to be killed: ``python -m tests.rules.victim FOLDER``."""

import asyncio
import sys
from pathlib import Path

from tests.rules.stand import stand

from matinee.rules.functions import AsyncCall, Call, function, registry

RULES = """
[[rule]]
name = "count"
when = { type = "film.arrived" }
do = "count"

[[rule]]
name = "plain"
when = { type = "film.removed" }
do = "plain-count"
retry = { attempts = 100, first = "10ms", most = "50ms" }
"""


@function("count", version=1)
async def count(call: AsyncCall) -> None:
    call.tell("title.changed", "title/x", {"title": call.event.data["name"], "changes": {}})
    call.submit("publish", call.event.data["name"], {"place": call.event.data["place"]})


@function("plain-count", version=1)
def plain_count(call: Call) -> None:
    call.tell("title.hidden", "title/x", {"title": call.event.data["name"], "name": ""})


async def main() -> None:
    made = stand(Path(sys.argv[1]))
    async with made.at_work(RULES, registry((count,))):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
