"""Waiting that is as long as the machine is busy: a clock on the wall tells nothing of a fault."""

import time
from collections.abc import Callable


def comes_true(condition: Callable[[], bool], within_s: float) -> bool:
    """Whether it becomes true within so many seconds of the processor's time, spent on asking.

    On an idle machine that is time on the wall; a busy one gives us and the others less a second.
    """
    deadline = time.process_time() + within_s
    while not condition():
        if time.process_time() > deadline:
            return False
    return True
