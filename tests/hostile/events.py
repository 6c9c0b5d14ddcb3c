"""What happens to a good film, its library or a tool while it is published."""

import json
import os
import shlex
import subprocess
import threading

import pytest
from tests.conftest import ROOT, Ended, environment, standing_in
from tests.hostile.scene import PATIENCE_S, Scene, run

ROOTLESS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
"""Root without root's right to read what it may not."""

EVENTS = {"remove": "film.mp4", "rename": "library"}

MOUNTS = ("unshare", "--map-root-user", "--mount")


def forbidden(scene: Scene) -> Ended:
    film = scene.file("forbidden.mp4", b"film")
    film.chmod(0)
    return scene.publish(film, under=ROOTLESS)


def changes(scene: Scene) -> Ended:
    """Bytes are added all the time, from before the begin to after the end."""
    film = scene.file("growing.mp4", scene.base("front.mp4").read_bytes())
    is_over = threading.Event()

    def write() -> None:
        with film.open("ab", buffering=0) as file:
            while not is_over.is_set():
                file.write(b"\0")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return scene.publish(film)
    finally:
        is_over.set()
        writer.join()


def eventful(scene: Scene, event: str) -> Ended:
    """Publish a good film, with an event after the film was named."""
    film = scene.file("film.mp4", scene.base("film.mp4").read_bytes())
    command = scene.command(film)
    at = command.index("matinee")
    command[at] = "tests.hostile.planted"
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    return run(command, MATINEE_EVENT=f"{event} {scene.folder}/{EVENTS[event]}", PYTHONPATH=paths)


def in_small_disk(scene: Scene, size_kib: int, script: str) -> Ended:
    """Run a shell script with the library on a disk of its own, which ends with the script."""
    if subprocess.run([*MOUNTS, "true"], check=False, capture_output=True).returncode:
        pytest.skip("NOT RUN: this kernel lets nobody mount a disk")
    scene.library.mkdir()
    mount = f"mount -t tmpfs -o size={size_kib}k small '{scene.library}'"
    return run([*MOUNTS, "sh", "-c", f"{mount} || exit 96\n{script}"])


FILLED = """
{publish}; code=$?
find {library} -path '*/titles/*/main.*' | grep -q . && exit 97
find {library}/scratch -type f | grep . >&2 && exit 98
mount -o remount,size=1g {library}
{publish} >&2 || exit 99
exit $code
"""
"""A disk fills up; what is there then; and that the same command goes on when there is room."""


def full_disk(scene: Scene, film: str, size_kib: int) -> Ended:
    publish = shlex.join(scene.command(scene.base(film)))
    library = shlex.quote(str(scene.library))
    script = f"cd {shlex.quote(str(scene.folder))}\n" + FILLED.format(
        publish=publish, library=library
    )
    return in_small_disk(scene, size_kib, script)


def read_only(scene: Scene) -> Ended:
    publish = shlex.join(scene.command(scene.base("film.mp4")))
    remount = f"mount -o remount,ro {shlex.quote(str(scene.library))}"
    return in_small_disk(scene, 1000, f"{remount} && {publish}")


def library_is_a_file(scene: Scene) -> Ended:
    scene.library.write_text("no folder")
    return scene.publish(scene.base("film.mp4"))


def bad_tool(scene: Scene, fault: str) -> Ended:
    """An encoder with a fault, and limits that it meets soon."""
    faulty = standing_in(scene.folder / "ffmpeg", ROOT / "tests/flows/faulty_ffmpeg.py")
    limits = {"MATINEE_TOOL_PATIENCE": "5", "MATINEE_TOOL_OUTPUT": "0.1"}
    return scene.publish(scene.base("film.mp4"), **faulty, **limits, MATINEE_FAULT=fault)


def two_at_once(scene: Scene) -> Ended:
    """Gives the end of the one that waited."""
    command = scene.command(scene.base("film.mp4"))
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        for _ in range(2)
    ]
    told = [process.communicate(timeout=PATIENCE_S) for process in both]
    ended = [
        Ended(process.returncode, out.decode(), err.decode())
        for process, (out, err) in zip(both, told, strict=True)
    ]
    ended.sort(key=lambda one: json.loads(one.out)["derivations"]["ran"])
    waited, worked = ended
    assert worked.exit_code == 0, worked.err
    assert waited.json["derivations"]["ran"] == 0 < waited.json["derivations"]["reused"]
    assert waited.json["package"] == worked.json["package"]
    assert "waiting for it" in waited.err and "waiting for it" not in worked.err
    return waited
