"""Processes that do the same thing to one database at the same moment."""

import subprocess
import sys
from collections.abc import Sequence

from sqlalchemy import URL

HEAD = """
import sys
from datetime import UTC, datetime
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.deliveries import SqlDeliveries
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.runs import SqlRuns
from matinee.core.events import Fact
from matinee.ports.deliveries import Order, Settled
from matinee.ports.runs import Wish
def now():
    return datetime.now(UTC)
name = sys.argv[2]
engine = open_database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
"""


def race(program: str, address: URL, names: Sequence[str]) -> list[list[str]]:
    """Run the program once for each name; gives the lines that each printed."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", HEAD + program, address.render_as_string(False), name],
            env={"PYTHONPATH": ":".join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for racer in racers:
        assert racer.stdout is not None and racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=60)[0].splitlines() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * len(racers)
    return said
