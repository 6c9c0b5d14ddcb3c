"""What every object store promises."""

import asyncio
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tests.s3_server import S3Server

from matinee.adapters.buckets import bucket_objects
from matinee.adapters.objects import (
    PART_BYTES,
    PIECE_BYTES,
    ObstoreObjects,
    folder_objects,
    memory_objects,
)
from matinee.core.errors import LibraryError, ObjectDamaged, ObjectMissing, UsageError
from matinee.core.ids import digest_of
from matinee.ports.store import ObjectStore

WRITER = """
import asyncio, sys
from pathlib import Path
from matinee.adapters.objects import folder_objects
asyncio.run(folder_objects(Path(sys.argv[1])).write("films/big", Path(sys.argv[2])))
"""


@pytest.fixture(params=["folder", "memory", "bucket"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    if request.param == "bucket":
        server: S3Server = request.getfixturevalue("s3")
        for name, value in server.variables.items():
            monkeypatch.setenv(name, value)
        return bucket_objects("s3", server.bucket(), "a library/in a bucket", server.endpoint)
    return folder_objects(tmp_path / "library") if request.param == "folder" else memory_objects()


def test_what_is_written_is_read(store: ObjectStore) -> None:
    asyncio.run(store.write("titles/a/init.mp4", b"init"))

    assert asyncio.run(store.read("titles/a/init.mp4")) == b"init"
    assert asyncio.run(store.size("titles/a/init.mp4")) == 4


def test_an_object_may_be_empty(store: ObjectStore, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    asyncio.run(store.write("from-bytes", b""))
    asyncio.run(store.write("from-file", empty))

    assert asyncio.run(store.size("from-bytes")) == asyncio.run(store.size("from-file")) == 0
    assert asyncio.run(store.read("from-file")) == b""


def test_a_file_is_stored_whole(store: ObjectStore, tmp_path: Path) -> None:
    film = tmp_path / "film"
    film.write_bytes(bytes(range(256)) * 100_000)  # more than two parts, and not a multiple

    asyncio.run(store.write("sources/film", film))

    assert asyncio.run(store.read("sources/film")) == film.read_bytes()


def whole(store: ObjectStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    """The object as it is streamed, with all that ``look`` says of it."""

    async def collected() -> bytes:
        found = await store.look(key)
        assert found is not None
        size = found.size_bytes
        pieces = await store.stream(key, start, size if end is None else end, found.tag)
        return b"".join([piece async for piece in pieces])

    return asyncio.run(collected())


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1])
def test_bytes_that_are_as_named_are_stored(store: ObjectStore, tmp_path: Path, size: int) -> None:
    film, content = tmp_path / "film", bytes(range(251)) * (size // 251) + bytes(size % 251)
    film.write_bytes(content)

    asyncio.run(store.write("from-file", film, digest=digest_of(content)))
    asyncio.run(store.write("from-bytes", b"bytes", digest=digest_of(b"bytes")))

    assert asyncio.run(store.read("from-file")) == content
    assert asyncio.run(store.read("from-bytes")) == b"bytes"


@pytest.mark.parametrize("size", [0, 1, PART_BYTES + 1])
def test_other_bytes_than_those_named_never_appear(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    film, other = tmp_path / "film", digest_of(b"other")
    film.write_bytes(bytes(size))
    asyncio.run(store.write("there", b"before"))

    for key in ("none", "there"):
        for content in (film, b"bytes"):
            with pytest.raises(ObjectDamaged, match=key):
                asyncio.run(store.write(key, content, digest=other))

    assert asyncio.run(store.size("none")) is None
    assert asyncio.run(store.read("there")) == b"before"


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 1), (5, 7), (99_999, 100_000), (7, 7)])
def test_a_stretch_is_streamed(store: ObjectStore, start: int, end: int | None) -> None:
    content = bytes(range(250)) * 400
    asyncio.run(store.write("a/b.m4s", content))

    assert whole(store, "a/b.m4s", start, end) == content[start:end]


def test_a_large_object_is_streamed_in_small_pieces(store: ObjectStore, tmp_path: Path) -> None:
    film = tmp_path / "film"
    film.write_bytes(bytes(range(256)) * 20_000)
    asyncio.run(store.write("film", film))

    async def pieces() -> list[bytes]:
        found = await store.look("film")
        assert found is not None
        stream = await store.stream("film", 0, found.size_bytes, found.tag)
        return [piece async for piece in stream]

    given = asyncio.run(pieces())
    assert b"".join(given) == film.read_bytes()
    assert max(map(len, given)) <= PIECE_BYTES


def test_objects_are_proved_one_after_the_other(store: ObjectStore) -> None:
    large = bytes(3 << 20)
    asyncio.run(store.write("films/one", b"one"))
    asyncio.run(store.write("films/large", large))

    found = asyncio.run(store.prove_each(["films/one", "films/gone", "films/large", "films/one"]))

    one = (digest_of(b"one"), 3)
    assert found == [one, None, (digest_of(large), len(large)), one]


def test_a_tag_is_of_these_bytes(store: ObjectStore) -> None:
    async def looks() -> list[object]:
        await store.write("entry", b"one")
        first, again = await store.look("entry"), await store.look("entry")
        await store.write("entry", b"two")
        return [first, again, await store.look("entry"), await store.look("none")]

    first, again, second, none = asyncio.run(looks())
    assert first == again
    assert first != second
    assert none is None


@pytest.mark.parametrize("later", [b"two", None], ids=["replaced", "removed"])
def test_what_is_not_the_object_of_the_tag_is_not_streamed(
    store: ObjectStore, later: bytes | None
) -> None:
    async def changed_meanwhile() -> None:
        await store.write("entry", b"one")
        found = await store.look("entry")
        assert found is not None
        await (store.delete("entry") if later is None else store.write("entry", later))
        await store.stream("entry", 0, 3, found.tag)

    with pytest.raises(ObjectMissing, match="entry"):
        asyncio.run(changed_meanwhile())


def test_writing_again_replaces(store: ObjectStore) -> None:
    asyncio.run(store.write("entry.m3u8", b"a longer first version"))
    asyncio.run(store.write("entry.m3u8", b"second"))

    assert asyncio.run(store.read("entry.m3u8")) == b"second"


def test_an_object_that_is_not_there_is_missing(store: ObjectStore, tmp_path: Path) -> None:
    assert asyncio.run(store.size("none")) is None
    with pytest.raises(ObjectMissing, match="none"):
        asyncio.run(store.read("none"))
    with pytest.raises(ObjectMissing, match="none"):
        asyncio.run(store.as_file("none", tmp_path))


def test_a_folder_of_objects_is_no_object(store: ObjectStore, tmp_path: Path) -> None:
    asyncio.run(store.write("a/b", b"x"))

    assert asyncio.run(store.size("a")) is None
    with pytest.raises(ObjectMissing):
        asyncio.run(store.as_file("a", tmp_path))


def test_deleting_twice_is_deleting_once(store: ObjectStore) -> None:
    asyncio.run(store.write("a/b", b"x"))

    asyncio.run(store.delete("a/b"))
    asyncio.run(store.delete("a/b"))

    assert asyncio.run(store.size("a/b")) is None


@pytest.mark.parametrize("key", ["plain", "deep/er/key.m4s", "50 % of é#1.~*?/%41&=+"])
def test_an_object_is_to_be_had_as_a_file(store: ObjectStore, tmp_path: Path, key: str) -> None:
    asyncio.run(store.write(key, b"first"))
    asyncio.run(store.as_file(key, tmp_path / "scratch"))
    asyncio.run(store.write(key, b"second"))

    assert asyncio.run(store.as_file(key, tmp_path / "scratch")).read_bytes() == b"second"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "a//b",
        "a/",
        "..",
        "a/../b",
        "./a",
        "a\\b",
        "a\0b",
        "a\nb",
        "a#1",
        "\ud800",
    ],
)
def test_a_key_that_is_none_is_refused(store: ObjectStore, tmp_path: Path, key: str) -> None:
    for use in (
        store.write(key, b""),
        store.read(key),
        store.size(key),
        store.as_file(key, tmp_path),
        store.delete(key),
    ):
        with pytest.raises(UsageError, match="is no key of an object"):
            asyncio.run(use)


def test_a_source_that_is_gone_is_said(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="sources/film"):
        asyncio.run(store.write("sources/film", tmp_path / "gone"))

    assert asyncio.run(store.size("sources/film")) is None


def test_readers_meet_one_version_or_the_other(store: ObjectStore) -> None:
    versions = [bytes([n]) * 1_000_000 for n in range(8)]

    async def write_and_read() -> list[bytes]:
        await store.write("entry", versions[0])
        writes = asyncio.gather(*(store.write("entry", version) for version in versions))
        read = await asyncio.gather(*(store.read("entry") for _ in range(24)))
        await writes
        return read

    assert set(asyncio.run(write_and_read())) <= set(versions)


def test_a_folder_gives_the_object_itself(tmp_path: Path) -> None:
    store = folder_objects(tmp_path / "library")
    asyncio.run(store.write("a/b", b"x"))

    assert asyncio.run(store.as_file("a/b", tmp_path / "scratch")) == tmp_path / "library/a/b"
    assert not (tmp_path / "scratch").exists()


def test_a_killed_writer_leaves_nothing_to_see(tmp_path: Path) -> None:
    film, root = tmp_path / "film", tmp_path / "library"
    with film.open("wb") as file:
        file.truncate(4 * 1024**3)  # sparse: it takes seconds to copy and no room
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, root, film], env={"PYTHONPATH": ":".join(sys.path)}
    )
    try:
        while not list(root.glob("scratch/staging/*")):  # until the copy has begun
            assert writer.poll() is None
    finally:
        writer.kill()
        writer.wait()

    store = folder_objects(root)
    assert not list(root.glob("films/*"))
    assert asyncio.run(store.size("films/big")) is None
    asyncio.run(store.write("films/big", b"again"))
    assert asyncio.run(store.read("films/big")) == b"again"


def test_a_write_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    film, root = tmp_path / "film", tmp_path / "library"
    with film.open("wb") as file:
        file.truncate(400 * 1024**2)

    async def give_up() -> None:
        writing = asyncio.create_task(folder_objects(root).write("films/big", film))
        while not list(root.glob("scratch/staging/*")):
            await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    asyncio.run(give_up())

    assert not [path for path in root.rglob("*") if path.is_file()]


def test_a_file_is_streamed_in_bounded_memory(tmp_path: Path) -> None:
    film = tmp_path / "film"
    with film.open("wb") as file:
        file.truncate(400 * 1024**2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    asyncio.run(folder_objects(tmp_path / "library").write("film", film))

    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 200 * 1024


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library").touch()

    with pytest.raises(LibraryError, match="library"):
        folder_objects(tmp_path / "library")


def test_a_folder_that_cannot_be_written_refuses(tmp_path: Path) -> None:
    root = tmp_path / "library"
    store = folder_objects(root)
    root.rmdir()
    root.touch()  # a file: permissions would not stop root

    with pytest.raises(LibraryError, match="entry") as refused:
        asyncio.run(store.write("entry", b"x"))
    assert refused.value.hint
    assert "\n" not in str(refused.value)


def test_what_lies_below_a_folder_is_listed(store: ObjectStore) -> None:
    assert isinstance(store, ObstoreObjects)

    async def listed() -> tuple[dict[str, int], dict[str, int], list[str], list[str]]:
        for key in ("titles/a/main.m3u8", "titles/a/b/1.m4s", "titles/ab/2.m4s", "objects/00/x"):
            await store.write(key, key.encode())
        found = {one.key: one.size_bytes async for one in store.listed("titles/a")}
        none = {one.key: one.size_bytes async for one in store.listed("nothing")}
        return found, none, list(await store.folders("titles")), list(await store.folders("none"))

    found, none, folders, no_folders = asyncio.run(listed())
    assert found == {"titles/a/main.m3u8": 18, "titles/a/b/1.m4s": 16}
    assert none == {} and no_folders == []
    assert folders == ["titles/a", "titles/ab"]
