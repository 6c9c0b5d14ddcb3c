"""Reads films in a confined process of its own: a film that breaks a demuxer breaks only that.

A reader takes a while to load, and so do the types of what it tells: they load beside it, so this
module names them for the checker alone.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from matinee.adapters.process import Job, Program
from matinee.core.errors import MatineeError, ReaderFailed, ToolError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from matinee.adapters.sandbox.rules import Sandbox
    from matinee.adapters.wire import Message
    from matinee.media.clips import ClipPlan
    from matinee.media.codecs.sound import SoundCodec
    from matinee.media.damage import Damage
    from matinee.media.sound import Samples
    from matinee.media.source import SourceInfo
    from matinee.media.timeline import Packets, Timeline
    from matinee.ports.tools import Clip, Indexer, Joined

START = "import sys; sys.path += sys.argv[1:]; from matinee.adapters.reading import main; main()"
PACKAGES = ("matinee", "av", "numpy")


class ConfinedIndexer:
    """An ``Indexer``: foreign films are read by a process inside walls, our chunks in this one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = replace(sandbox, also_read=(*sandbox.also_read, *_python_tree()))
        self._lock = threading.Lock()
        self._running: set[Program] = set()
        self._is_stopped = False

    def inspect(self, film: Path) -> tuple[SourceInfo, Packets, Fraction]:
        found: tuple[SourceInfo, Packets, Fraction]
        found = self._ask("inspect", film, (), answer=_inspected)
        return found

    def cut(
        self, film: Path, info: SourceInfo, timeline: Timeline, clips: Sequence[ClipPlan],
        folder: Path, take: Callable[[Clip], bool],
    ) -> None:  # fmt: skip
        from matinee.adapters.wire import Garbled  # noqa: PLC0415

        planned = {plan.frames.start: plan for plan in clips}

        def take_planned(clip: Clip) -> bool:
            if planned.get(clip.plan.frames.start) != clip.plan:
                raise Garbled("a clip that was not asked for")
            return take(clip)

        arguments = (info, timeline, list(clips), folder.absolute())
        self._ask("cut", film, arguments, folder.absolute(), take_planned)

    def listen(
        self, film: Path, track: int, times: Sequence[Fraction], duration: Fraction
    ) -> list[Samples]:
        heard: list[Samples] = self._ask("listen", film, (track, list(times), duration))
        return heard

    def find_damage(self, film: Path, info: SourceInfo, timeline: Timeline) -> Damage | None:
        found: Damage | None = self._ask("find_damage", film, (info, timeline))
        return found

    def find_sound_damage(self, film: Path, track: int) -> list[tuple[Fraction, Fraction]]:
        found: list[tuple[Fraction, Fraction]] = self._ask("find_sound_damage", film, (track,))
        return found

    def sound_pace(self, film: Path, track: int) -> Fraction | None:
        found: Fraction | None = self._ask("sound_pace", film, (track,))
        return found

    def look(self, film: Path) -> str:
        told: str = self._ask("look", film, ())
        return told

    def join(
        self, chunks: Sequence[Path], frames: Sequence[int], starts: Sequence[int],
        rate: Fraction, output: Path, level: str = "",
    ) -> Joined:  # fmt: skip
        return _here().join(chunks, frames, starts, rate, output, level)

    def fragment(
        self, chunk: Path, frames: int, starts: Sequence[int], rate: Fraction, output: Path
    ) -> Joined:
        return _here().fragment(chunk, frames, starts, rate, output)

    def frame_bytes(self, chunk: Path) -> NDArray[np.int64]:
        return _here().frame_bytes(chunk)

    def place_sound(self, encoded: Path, codec: SoundCodec, lead: int, output: Path) -> int:
        return _here().place_sound(encoded, codec, lead, output)

    def stop(self) -> None:
        """End every reader, for good: the threads that wait for them go on with an error."""
        with self._lock:
            self._is_stopped = True
            for program in self._running:
                program.kill()

    def _ask(
        self, method: str, film: Path, arguments: tuple[Any, ...], folder: Path | None = None,
        take: Callable[[Clip], bool] | None = None, answer: Callable[[], Any] | None = None,
    ) -> Any:  # fmt: skip
        """Have the method called in a new reader; its answer, or its error as our own."""
        call = pickle.dumps((method, (film.absolute(), *arguments), take is not None))
        roots = map(str, _roots())
        job = Job(
            [_python(), "-I", "-S", "-c", START, *roots],
            folder,
            [film],
            {"OPENBLAS_NUM_THREADS": "1"},
            doing=f"reading {film.name}",
            tool="the reader",
        )
        with self._reader(job) as program:
            program.tell(b"%d\n%b" % (len(call), call))
            from matinee.adapters.wire import GO_ON, STOP, Garbled, messages  # noqa: PLC0415

            hint = answer() if answer else _answer(method)
            try:
                for message in messages(program.output(), self._sandbox.limits.output):
                    if message.kind == "clip" and take is not None:
                        from matinee.ports.tools import Clip  # noqa: PLC0415

                        clip = message.decode(Clip, folder)
                        program.tell(GO_ON if take(clip) else STOP)
                    elif message.kind == "error":
                        raise _error(message)
                    else:
                        return message.decode(hint, folder)
            except Garbled as error:
                raise ReaderFailed(f"{job.name} gave no sound answer: {error}") from error
            finished = program.finish()
        how = _ending(finished.exit_code)
        last = finished.last_words.rpartition("\n")[2]
        raise ReaderFailed(
            f"{job.name} {how}{': ' if last else ''}{last}",
            "the film is probably damaged or made to harm: try another copy. Nothing else was "
            "touched",
        )

    @contextmanager
    def _reader(self, job: Job) -> Iterator[Program]:
        """A reader that is gone at the end, however it comes."""
        with self._lock:
            if self._is_stopped:
                raise ToolError("reading was stopped")
            program = Program(self._sandbox, job, asks=True)
            self._running.add(program)
        try:
            yield program
        finally:
            with self._lock:
                self._running.discard(program)
                program.kill()
            with suppress(ToolError):
                program.finish()


def _inspected() -> Any:
    """What ``inspect`` gives, without loading all other types of the port."""
    from matinee.media.source import SourceInfo  # noqa: PLC0415
    from matinee.media.timeline import Packets  # noqa: PLC0415

    return tuple[SourceInfo, Packets, Fraction]


def _answer(method: str) -> Any:
    from matinee.ports.tools import Indexer  # noqa: PLC0415

    return get_type_hints(getattr(Indexer, method))["return"]


def _error(message: Message) -> MatineeError:
    code, text, hint = message.decode(tuple[str, str, str])
    kind = _kinds().get(code, ReaderFailed)
    return kind(text, hint)


def _kinds() -> dict[str, type[MatineeError]]:
    found = [MatineeError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return {kind.code: kind for kind in found}


def _ending(exit_code: int) -> str:
    if exit_code < 0:
        return f"crashed ({signal.Signals(-exit_code).name})"
    return f"failed ({exit_code})"


@cache
def _here() -> Indexer:
    from matinee.adapters.pyav import PyavIndexer  # noqa: PLC0415  # slow, and seldom needed

    return PyavIndexer()


def _python() -> str:
    """The interpreter itself, outside any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


@cache
def _roots() -> tuple[Path, ...]:
    """Where the packages lie that a reader imports."""
    origins = [spec.origin for name in PACKAGES if (spec := find_spec(name)) and spec.origin]
    return tuple(dict.fromkeys(Path(origin).parent.parent for origin in origins))


@cache
def _python_tree() -> tuple[Path, ...]:
    return (*_roots(), Path(sys.base_prefix, "lib"))
