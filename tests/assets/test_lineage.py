"""The way from a source to what was published, and back."""

from datetime import UTC, datetime

from matinee.assets.asset import Asset
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.assets.lineage import Excerpt, Graph, frames_of_chunks
from matinee.core.ids import Digest, digest_of

COST = Cost("host", datetime(2026, 3, 1, tzinfo=UTC), 1.0, 1.0)


def name(text: str) -> Digest:
    return digest_of(text.encode())


def made(
    function: str, inputs: dict[str, str], outputs: list[str], **parameters: object
) -> Derivation:
    step = Step(function, 1, {role: name(one) for role, one in inputs.items()}, parameters)
    return Derivation(step, {one: Asset(name(one), 1, "x/y") for one in outputs}, COST)


CHUNKS = [
    made("encode_chunk", {"clip": f"clip{n}"}, [f"chunk{n}"], starts=[0] * count)
    for n, count in enumerate((2, 1))
]
STREAMS = [
    {"kind": "video", "name": "video-72p", "folder": "video-72p-0"},
    {"kind": "audio", "name": "audio-en", "folder": "audio-en-0"},
]
PACKAGE = made(
    "package",
    {"video/72p/00000": "chunk0", "video/72p/00001": "chunk1", "audio/audio-en": "sound"},
    [
        "renditions/video-72p-0/init.mp4", "renditions/video-72p-0/00001.m4s",
        "renditions/video-72p-0/00002.m4s", "renditions/video-72p-0/00003.m4s",
        "renditions/audio-en-0/00001.m4s", "packages/1/main.m3u8",
    ],
    streams=STREAMS, segments=[0, 48, 96], frames=150,
)  # fmt: skip
SOUND = made("encode_sound", {"track": "packets"}, ["sound"])
KEPT = made("ingest", {"film": "film"}, ["film"])
GRAPH = Graph(
    [PACKAGE, *CHUNKS, SOUND, KEPT],
    {
        name("clip0"): Excerpt(name("film"), "frames 0 to 95"),
        name("clip1"): Excerpt(name("film"), "frames 96 to 149"),
        name("packets"): Excerpt(name("film"), "track 1"),
    },
)


def test_a_segment_rests_on_the_chunk_that_has_its_frames() -> None:
    for segment, chunk in (("00001", "chunk0"), ("00002", "chunk0"), ("00003", "chunk1")):
        assert GRAPH.parents(name(f"renditions/video-72p-0/{segment}.m4s")) == [name(chunk)]
    assert GRAPH.parents(name("renditions/video-72p-0/init.mp4")) == [name("chunk0")]
    assert GRAPH.parents(name("renditions/audio-en-0/00001.m4s")) == [name("sound")]


def test_a_manifest_rests_on_everything() -> None:
    parents = GRAPH.parents(name("packages/1/main.m3u8"))
    assert set(parents) == {name("chunk0"), name("chunk1"), name("sound")}


def test_the_way_back_ends_at_the_film_and_begins_with_it() -> None:
    back = GRAPH.back([name("renditions/video-72p-0/00003.m4s")])
    assert back == [name("film"), name("chunk1"), name("renditions/video-72p-0/00003.m4s")]


def test_the_way_forward_has_only_what_rests_on_it() -> None:
    forward = GRAPH.forward([name("chunk1")])
    assert set(forward) == {
        name("chunk1"), name("renditions/video-72p-0/00003.m4s"), name("packages/1/main.m3u8"),
    }  # fmt: skip


def test_what_was_kept_was_not_made() -> None:
    assert GRAPH.maker(name("film")) is None


def test_chunks_show_the_frames_of_their_segments() -> None:
    frames = frames_of_chunks(PACKAGE.step, GRAPH.lengths(PACKAGE.step))
    assert frames == {name("chunk0"): (0, 96), name("chunk1"): (96, 150)}


def test_a_segment_rests_on_its_whole_rung_where_a_chunk_is_not_known() -> None:
    graph = Graph([PACKAGE, CHUNKS[0]])
    parents = graph.parents(name("renditions/video-72p-0/00003.m4s"))
    assert parents == [name("chunk0"), name("chunk1")]
