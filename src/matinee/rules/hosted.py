"""The child's side of the function host: ``rules.host`` starts it and talks to it.

Each call runs in a thread of its own; whatever functions print goes to standard error.
"""

import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from matinee.core.errors import MatineeError, NotFound, UsageError
from matinee.rules.forms import PACKAGES, TITLE
from matinee.rules.functions import FunctionFailed, registry
from matinee.rules.wire import call_of, effects_json

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer calls until our parent has no more, or dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our parent
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        host = _Host(answers)
        for line in sys.stdin:
            host.hear(json.loads(line))
    os._exit(0)  # functions that still run are nobody's any more


class _Host:
    def __init__(self, answers: IO[str]) -> None:
        self._functions = registry(())
        self._answers = answers
        self._lock = threading.Lock()
        self._asked: dict[int, tuple[threading.Event, list[Mapping[str, Any]]]] = {}
        self._count = 0

    def hear(self, message: Mapping[str, Any]) -> None:
        """A call, or the answer to a question."""
        if "answer" in message:
            with self._lock:
                answered, box = self._asked.pop(message["answer"])
            box.append(message)
            answered.set()
            return
        name = f"call {message['call']}"
        threading.Thread(target=self._run, args=(message,), name=name, daemon=True).start()

    def _run(self, message: Mapping[str, Any]) -> None:
        number = message["call"]
        try:
            call = call_of(message)
            call.ask = lambda what, name: self._ask(number, what, name)
            function = self._functions[message["function"]]
            function(call, **function.arguments(message["parameters"]))
            self._say(effects_json(number, call))
        except BaseException as error:  # noqa: BLE001  # told to who called
            self._say({"call": number, "error": _error_json(error)})

    def _ask(self, number: int, what: str, name: str) -> Any:
        """What our parent knows."""
        answered, box = threading.Event(), list[Mapping[str, Any]]()
        with self._lock:
            self._count += 1
            question = self._count
            self._asked[question] = (answered, box)
        self._say({"call": number, "ask": question, "what": what, "name": name})
        answered.wait()
        (message,) = box
        if "error" in message:
            error = message["error"]
            kind = NotFound if error["code"] == NotFound.code else FunctionFailed
            raise kind(error["message"], error["hint"])
        if what == "title":
            return TITLE.validate_python(message["value"])
        if what == "packages":
            return PACKAGES.validate_python(message["value"])
        return Path(message["value"])

    def _say(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message)
        try:
            with self._lock:
                self._answers.write(f"{line}\n")
                self._answers.flush()
        except BrokenPipeError:  # our parent is gone: nobody is answered any more
            os._exit(0)


def _error_json(error: BaseException) -> dict[str, Any]:
    if isinstance(error, MatineeError):
        gave_up = isinstance(error, UsageError)
        return {"message": error.message, "hint": error.hint, "gave_up": gave_up}
    traceback.print_exception(error)
    return {"message": f"{type(error).__name__}: {error}", "hint": "", "gave_up": False}
