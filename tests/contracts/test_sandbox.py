"""What a confined program cannot do, tried by real programs; and that films can be read so."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.contracts.test_process import ends
from tests.contracts.tool_work import INDEXER, Work, packets_of
from tests.films import FFMPEG
from tests.patience import comes_true

from matinee.adapters import sandbox as sandbox_package
from matinee.adapters.process import Finished, Job, Program, run_program
from matinee.adapters.reader import ConfinedIndexer
from matinee.adapters.sandbox.rules import Sandbox
from matinee.core.errors import (
    LibraryError,
    ReaderFailed,
    SourceRefused,
    SourceUnreadable,
    ToolError,
    ToolHung,
    ToolMissing,
    ToolOverLimit,
)
from matinee.core.limits import GIB, Limits
from matinee.ports.tools import Clip

pytestmark = pytest.mark.tools

WALLS = Sandbox().walls()
landlock = pytest.mark.skipif(
    not any(wall.startswith("landlock") for wall in WALLS),
    reason="NOT TESTED: this kernel has no Landlock, so tools may read and write as we may",
)
seccomp = pytest.mark.skipif(
    "seccomp" not in WALLS,
    reason="NOT TESTED: no seccomp here, so tools may open sockets and start processes",
)
PYTHON = os.path.realpath(sys.executable)
"""Outside the virtual environment, whose settings a confined program cannot read."""

TREE = (Path(sys.base_prefix, "lib"),)


def run_python(
    script: str, folder: Path, *, reads: tuple[Path, ...] = (), limits: Limits | None = None
) -> tuple[Finished, list[str]]:
    """A Python program between the walls of a tool."""
    sandbox = Sandbox(limits or Limits(), also_read=TREE)
    job = Job([PYTHON, "-I", "-S", "-c", script], folder, reads, doing="trying")
    lines: list[str] = []
    return asyncio.run(run_program(sandbox, job, lines.append)), lines


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary.txt"
    path.write_text("a secret")
    return path


def test_limits_stand_everywhere() -> None:
    assert WALLS[-1] == "rlimits"


POORER = """
import os, sys
sys.path.insert(0, {folder!r})
import confine
# As a kernel without Landlock: its first call is refused.
numbers = {{**confine.NUMBERS[confine.MACHINE], "forks": (), "denied": (444,), "own": ()}}
confine.NUMBERS[confine.MACHINE] = numbers
confine._prctl(38, 1)
confine.restrict_calls(may_fork=True)
os.execv(sys.argv[1], sys.argv[1:])
"""


@seccomp
def test_a_kernel_without_landlock_is_told_honestly_and_the_rest_stands(scratch: Path) -> None:
    confine = str(Path(sandbox_package.__file__).parent)
    program = [PYTHON, "-I", "-S", "-c", "import socket; socket.socket()"]

    def started(*command: str) -> "subprocess.CompletedProcess[bytes]":
        launch = Sandbox(also_read=TREE).command([PYTHON, *command], (), (scratch,))
        end = launch.index("--")
        launch = launch if command else launch[: end + 1]
        poorer = [PYTHON, "-I", "-S", "-c", POORER.format(folder=confine), *launch]
        return subprocess.run(poorer, capture_output=True, check=False)

    assert started().stdout.split() == [b"seccomp", b"rlimits"]
    assert b"PermissionError" in started(*program[1:]).stderr


# Files


@landlock
@pytest.mark.parametrize("place", ["canary", "/etc/passwd", "/proc/1/environ", "/proc/self/maps"])
def test_only_inputs_can_be_read(place: str, scratch: Path, canary: Path) -> None:
    path = str(canary) if place == "canary" else place
    finished, lines = run_python(f"print(open({path!r}).read())", scratch)

    assert "PermissionError" in finished.last_words
    assert lines == []


def test_inputs_can_be_read(scratch: Path, canary: Path) -> None:
    _, lines = run_python(f"print(open({str(canary)!r}).read())", scratch, reads=(canary,))

    assert lines == ["a secret"]


@landlock
def test_a_link_in_the_scratch_folder_leads_nowhere(scratch: Path, canary: Path) -> None:
    (scratch / "link").symlink_to(canary)

    finished, _ = run_python("open('link').read()", scratch)

    assert "PermissionError" in finished.last_words


@landlock
@pytest.mark.parametrize(
    "deed",
    [
        "open({path!r}, 'w')", "os.unlink({path!r})", "os.rename({path!r}, 'mine')",
        "os.truncate({path!r}, 0)", "os.link({path!r}, 'mine')", "os.symlink({path!r}, 'mine')",
        "os.mkdir({path!r} + '.d')", "os.mkfifo('pipe')",
    ],
)  # fmt: skip
def test_nothing_is_changed_outside_scratch(deed: str, scratch: Path, canary: Path) -> None:
    script = f"import os; {deed.format(path=str(canary))}"
    finished, _ = run_python(script, scratch, reads=(canary,))

    assert "Error" in finished.last_words
    assert canary.read_text() == "a secret"
    assert sorted(path.name for path in canary.parent.iterdir()) == ["canary.txt", "scratch"]


def test_the_scratch_folder_can_be_used_in_full(scratch: Path) -> None:
    script = (
        "import os; os.makedirs('a/b'); open('a/b/c', 'w').write('x'); os.rename('a/b/c', 'd');"
        "os.rmdir('a/b'); print(open('d').read())"
    )
    _, lines = run_python(script, scratch)

    assert lines == ["x"]


@landlock
def test_ffmpeg_reads_its_input_and_no_other_file(film: Work, scratch: Path, canary: Path) -> None:
    def copy(*reads: Path) -> Finished:
        command = [
            str(FFMPEG), "-v", "error", "-y", "-i", str(film.path), "-map", "0:v",
            "-c", "copy", "-f", "matroska", "out.mkv",
        ]  # fmt: skip
        return asyncio.run(run_program(Sandbox(), Job(command, scratch, reads)))

    assert copy(canary).exit_code != 0
    assert copy(film.path).exit_code == 0
    assert (scratch / "out.mkv").stat().st_size > 0


# Network, other processes


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@seccomp
@pytest.mark.parametrize("kind", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
@pytest.mark.parametrize("how", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"])
def test_no_socket_can_be_had(kind: str, how: str, scratch: Path) -> None:
    script = f"import socket; socket.socket(socket.{kind}, socket.{how})"
    finished, _ = run_python(script, scratch)

    assert "PermissionError" in finished.last_words


@seccomp
def test_ffmpeg_cannot_connect(port: socket.socket, scratch: Path) -> None:
    address = f"tcp://127.0.0.1:{port.getsockname()[1]}"
    command = [str(FFMPEG), "-v", "error", "-i", address, "-f", "null", "-"]
    finished = asyncio.run(run_program(Sandbox(), Job(command, scratch)))

    assert finished.exit_code != 0
    assert "Operation not permitted" in finished.last_words
    assert select.select([port], [], [], 0)[0] == []


@seccomp
@pytest.mark.parametrize(
    "deed", ["os.fork()", "os.posix_spawn('/bin/true', ['true'], {})", "os.kill(os.getppid(), 0)"]
)
def test_no_process_is_started_or_reached(deed: str, scratch: Path) -> None:
    finished, _ = run_python(f"import os; {deed}", scratch)

    assert "PermissionError" in finished.last_words


def test_threads_can_be_had(scratch: Path) -> None:
    script = "import threading as t; x = t.Thread(target=print, args=['one']); x.start(); x.join()"
    assert run_python(script, scratch)[1] == ["one"]


def test_variables_with_secrets_are_not_handed_on(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")

    _, lines = run_python("import os; print(sorted(os.environ))", scratch)

    assert "PATH" in lines[0] and "AWS" not in lines[0]


# Limits


def test_memory_has_a_limit(scratch: Path) -> None:
    with pytest.raises(ToolOverLimit, match=r"trying: .* limit of 1 GiB of memory") as met:
        run_python("bytearray(2 << 30)", scratch, limits=Limits(memory=GIB))

    assert (met.value.code, "MATINEE_TOOL_MEMORY" in met.value.hint) == ("tool.limit", True)


def test_a_machine_without_memory_is_not_blamed_on_the_film(scratch: Path) -> None:
    with pytest.raises(ToolOverLimit, match=r"the machine has only [0-9.]+ GiB to give") as met:
        run_python("bytearray(1 << 46)", scratch, limits=Limits(memory=1 << 50))

    assert met.value.hint.startswith("end other programs")


@pytest.mark.parametrize(
    "script",
    [
        "open('one', 'wb').write(bytes(64 << 20))",
        "while True:\n for n in range(99): open(str(n), 'wb').write(bytes(1 << 20))",
        "while True: print('x' * 1000)",
    ],
    ids=["one file", "many files", "lines"],
)
def test_output_has_a_limit(script: str, scratch: Path) -> None:
    with pytest.raises(ToolOverLimit, match="of output"):
        run_python(script, scratch, limits=Limits(output=8 << 20))


def test_processor_time_has_a_limit(scratch: Path) -> None:
    with pytest.raises(ToolOverLimit, match="3 s of processor time"):
        run_python("while True: pass", scratch, limits=Limits(cpu_s=3))


@pytest.mark.parametrize(
    "script",
    [
        "import signal; signal.pause()",
        "while True: pass",
        "import os, signal; os.close(1); signal.pause()",
        "import time\nwhile True: print('frame=7\\nprogress=continue', flush=True); time.sleep(.1)",
    ],
    ids=["asleep", "busy", "silent", "says the same again"],
)
def test_a_program_that_gets_on_no_more_is_ended(script: str, scratch: Path) -> None:
    with pytest.raises(ToolHung, match="made no progress for 1 s") as met:
        run_python(script, scratch, limits=Limits(patience_s=1))

    assert (met.value.code, met.value.hint != "") == ("tool.hung", True)


def test_a_program_that_gets_on_slowly_is_not_hung(scratch: Path, canary: Path) -> None:
    script = (
        f"import time\nfor n in range(6): open({str(canary)!r}).read(); time.sleep(.4)\n"
        "for n in range(6): print(f'frame={n}', flush=True); time.sleep(.4)"
    )
    finished, lines = run_python(script, scratch, reads=(canary,), limits=Limits(patience_s=1.5))

    assert (finished.exit_code, len(lines)) == (0, 6)


@landlock
def test_a_program_outside_the_walls_is_said_to_be_missing(scratch: Path, tmp_path: Path) -> None:
    script = tmp_path / "tool"
    script.write_text(f"#!{sys.executable}\n")
    script.chmod(0o755)
    with pytest.raises(ToolMissing, match="Permission denied"):
        asyncio.run(run_program(Sandbox(), Job([str(script)], scratch)))


# The reader


@pytest.fixture
def reader() -> ConfinedIndexer:
    return ConfinedIndexer(Sandbox())


def test_a_confined_reader_finds_what_the_reader_finds(
    reader: ConfinedIndexer, film: Work, scratch: Path
) -> None:
    info, packets, time_base = reader.inspect(film.path)
    clips: list[Clip] = []

    def take(clip: Clip) -> bool:
        clips.append(clip)
        return True

    reader.cut(film.path, film.info, film.timeline, film.film.clips, scratch, take)

    assert (info, time_base) == (film.info, film.timeline.time_base)
    assert np.array_equal(packets, INDEXER.inspect(film.path)[1])
    assert [clip.plan for clip in clips] == [clip.plan for clip in film.clips]
    assert [clip.skip_s for clip in clips] == [clip.skip_s for clip in film.clips]
    for one, two in zip(clips, film.clips, strict=True):
        assert packets_of(one.path) == packets_of(two.path)


def test_sound_is_heard_alike(reader: ConfinedIndexer, film: Work) -> None:
    (track, *_) = film.info.of_type("audio")
    wanted = (film.path, track.index, [Fraction(0), Fraction(1)], Fraction(1))
    for one, two in zip(reader.listen(*wanted), INDEXER.listen(*wanted), strict=True):
        assert np.array_equal(one, two)
    pace = reader.sound_pace(film.path, track.index)
    assert pace == INDEXER.sound_pace(film.path, track.index)
    assert pace == pytest.approx(1, abs=0.002)


def test_cutting_waits_for_each_clip_to_be_taken_and_stops_when_told(
    reader: ConfinedIndexer, film: Work, scratch: Path
) -> None:
    seen: list[int] = []

    def take(_: Clip) -> bool:
        seen.append(len(list(scratch.glob("clip-*"))))
        return len(seen) < 2

    assert len(film.film.clips) > 2
    reader.cut(film.path, film.info, film.timeline, film.film.clips, scratch, take)

    assert len(seen) == 2
    assert seen[0] <= 2  # the one that is taken, and the one that overlaps it


@pytest.mark.parametrize("content", [b"", b"no film at all" * 999])
def test_refusals_come_back_as_they_were(
    content: bytes, reader: ConfinedIndexer, tmp_path: Path
) -> None:
    path = tmp_path / "odd\nname ü.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceRefused) as direct:
        INDEXER.inspect(path)
    with pytest.raises(SourceRefused) as confined:
        reader.inspect(path)

    assert type(confined.value) is type(direct.value)
    assert (str(confined.value), confined.value.hint) == (str(direct.value), direct.value.hint)


def test_a_film_that_is_gone_is_unreadable(reader: ConfinedIndexer, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="No such file"):
        reader.inspect(tmp_path / "gone.mp4")


def test_a_clip_that_cannot_be_written_is_the_librarys_fault(film: Work, scratch: Path) -> None:
    small = ConfinedIndexer(Sandbox())
    (scratch / film.clips[0].path.name).mkdir()  # in the way of the first clip

    with pytest.raises(LibraryError):
        small.cut(film.path, film.info, film.timeline, film.film.clips, scratch, lambda _: True)


def test_a_reader_without_memory_is_over_its_limit(film: Work) -> None:
    small = ConfinedIndexer(Sandbox(Limits(memory=96 << 20)))
    with pytest.raises((ToolOverLimit, ReaderFailed), match=f"reading {film.path.name}"):
        small.inspect(film.path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "film.mkv"
    os.mkfifo(pipe)
    with pytest.raises((ToolHung, SourceRefused), match=r"film\.mkv|it is empty"):
        ConfinedIndexer(Sandbox(Limits(patience_s=1))).inspect(pipe)


def in_a_thread(deed: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    met: list[BaseException] = []

    def run() -> None:
        try:
            deed()
        except BaseException as error:  # noqa: BLE001
            met.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, met


def test_a_stopped_reader_ends_at_once_and_starts_no_more(
    reader: ConfinedIndexer, film: Work, scratch: Path
) -> None:
    began = threading.Event()

    def take(_: Clip) -> bool:
        began.set()
        return True

    pipe = scratch / "film.mkv"
    os.mkfifo(pipe)  # whoever opens it waits
    thread, met = in_a_thread(lambda: reader.inspect(pipe))
    reader.cut(film.path, film.info, film.timeline, film.film.clips[:1], scratch, take)
    reader.stop()

    assert comes_true(lambda: not thread.is_alive(), within_s=2)
    assert began.is_set()
    assert isinstance(met[0], ToolError | SourceRefused)
    with pytest.raises(ToolError, match="stopped"):
        reader.inspect(film.path)


PARENT = """
import sys
from pathlib import Path
from matinee.adapters.reader import ConfinedIndexer
from matinee.adapters.sandbox.rules import Sandbox
import matinee.adapters.reader as module
class Told(module.Program):
    def __init__(self, *a, **k):
        super().__init__(*a, **k)
        print(self._process.pid, flush=True)
module.Program = Told
ConfinedIndexer(Sandbox()).inspect(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_reader_dies_with_its_parent(how: signal.Signals, tmp_path: Path) -> None:
    pipe = tmp_path / "film.mkv"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(pipe)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": "src"},
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        pidfd = os.pidfd_open(int(parent.stdout.readline()))
        parent.send_signal(how)

        assert ends(pidfd)  # a pipe is waited for without end
        parent.wait(10)


def test_starting_confined_costs_little(scratch: Path) -> None:
    def cost(count: int = 10) -> float:
        job = Job(["/bin/true"], scratch)
        return sum(asyncio.run(run_program(Sandbox(), job)).cpu_s for _ in range(count)) / count

    assert min(cost() for _ in range(3)) < 0.06  # 0.02 on an idle machine


def test_what_is_told_after_the_end_is_not_heard(scratch: Path) -> None:
    program = Program(Sandbox(), Job(["/bin/true"], scratch), asks=True)
    assert list(program.output()) == []
    program.tell(b"x" * 100_000)

    assert program.finish().exit_code == 0
