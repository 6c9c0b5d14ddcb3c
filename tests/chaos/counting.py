"""Functions that are counted, brought by a package of their own as anybody's are."""

import time

from matinee.core.events import EventType
from matinee.rules.functions import AsyncCall, Call, function

TOLD = EventType("chaos.told", "something happened outside", {"number": ("integer", "which")})
COUNTED = EventType("chaos.counted", "a function had its effect", {})
"""Its subject is ``RULE/EVENT``."""

RULES = """
[[rule]]
name = "publish"
with = {{ ladder = "{ladder}", scores = false }}

[[rule]]
name = "plain"
when = {{ type = ["chaos.told", "film.arrived", "title.published"] }}
do = "count-plain"
retry = {retry}

[[rule]]
name = "async"
when = {{ type = "chaos.told" }}
do = "count-async"
retry = {retry}

[[rule]]
name = "later"
when = {{ type = "chaos.told" }}
do = "count-async"
delay = "2s"
ordered = false
retry = {retry}

[[rule]]
name = "hook"
when = {{ type = "chaos.told" }}
do = "notify"
with = {{ url = "{hook}" }}
retry = {retry}
"""

RETRY = '{ attempts = 1000, first = "100ms", factor = 2, most = "1s" }'

COUNTING = {
    "plain": ("chaos.told", "film.arrived", "title.published"),
    "async": ("chaos.told",),
    "later": ("chaos.told",),
}
"""Which events each counting rule counts."""


@function("count-plain", version=1, tells=(TOLD, COUNTED))
def count_plain(call: Call) -> None:
    """Tell that it was called, after work that can be interrupted."""
    time.sleep(0.05)
    call.tell(COUNTED.name, f"{call.rule}/{call.event.id}")


@function("count-async", version=1)
async def count_async(call: AsyncCall) -> None:
    """Tell that it was called."""
    call.tell(COUNTED.name, f"{call.rule}/{call.event.id}")
