"""What the ports of the media tools promise, over real films of every kind that is read."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.films import FFMPEG, HEIGHT, NTSC, RECIPES, SCENE, WIDTH, Films, ffmpeg, moving_picture

from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegEncoder, FfmpegMeter, FfmpegScanner
from matinee.adapters.pyav import PyavIndexer
from matinee.core.errors import (
    MatineeError,
    SourceChanged,
    SourceHasNoVideo,
    SourceRefused,
    SourceUnreadable,
    SourceUnsupported,
    ToolError,
)
from matinee.core.time import FrameSpan
from matinee.media.ladder import Rung
from matinee.media.plan import SegmentPlan, plan_film
from matinee.media.signature import Signature, compare, read_signature
from matinee.media.source import SourceInfo
from matinee.media.subtitles import parse_webvtt
from matinee.media.timeline import ClipPlan, Timeline, plan_clip
from matinee.ports.tools import Clip, JoinRefused, Measured, Scan, ThumbnailPlan
from matinee.stages.chunks import Film, film_of
from matinee.stages.encode import check_pairing
from matinee.stages.inspect import timeline_of

pytestmark = pytest.mark.tools

INDEXER = PyavIndexer()
TOOL = Ffmpeg(FFMPEG)
ENCODER, SCANNER, METER = FfmpegEncoder(TOOL), FfmpegScanner(TOOL), FfmpegMeter(TOOL)
THUMBNAILS = ThumbnailPlan(every=25, width=80, height=46, columns=2, rows=2)


def rung(rate: Fraction, **changes: object) -> Rung:
    own = Rung(
        name="90p", width=WIDTH, height=HEIGHT, rate=rate, codec="h264", preset="veryfast",
        crf=18, maxrate=2_000_000, bufsize=4_000_000, level="3", reference_frames=2, threads=1,
    )  # fmt: skip
    return replace(own, **changes)  # type: ignore[arg-type]


@dataclass
class Work:
    """A film on its way: what each tool said of it so far."""

    path: Path
    folder: Path
    info: SourceInfo
    timeline: Timeline
    scan: Scan
    plan: SegmentPlan
    film: Film
    clips: list[Clip]
    rungs: list[Rung]
    chunks: list[list[Path]]
    """Chunks by rung."""

    @property
    def source(self) -> Signature:
        return read_signature(self.scan.signature.read_bytes())


def scanned(path: Path, info: SourceInfo, folder: Path) -> Scan:
    folder.mkdir(exist_ok=True)
    return asyncio.run(SCANNER.scan(path, info, THUMBNAILS, folder, lambda _: None))[0]


def cut(
    path: Path, info: SourceInfo, timeline: Timeline, plans: Sequence[ClipPlan], folder: Path
) -> list[Clip]:
    clips: list[Clip] = []

    def take(clip: Clip) -> bool:
        clips.append(clip)
        return True

    folder.mkdir(exist_ok=True)
    INDEXER.cut(path, info, timeline, plans, folder, take)
    return clips


def encode(
    clip: Clip, info: SourceInfo, rungs: Sequence[Rung], starts: Sequence[int], folder: Path
) -> list[Path]:
    folder.mkdir(exist_ok=True)
    stem = f"{clip.plan.frames.start}-{clip.plan.frames.end}"
    outputs = [folder / f"{stem}-{n}-{one.crf:g}.mp4" for n, one in enumerate(rungs)]
    asyncio.run(ENCODER.encode(clip, info.picture, rungs, starts, outputs, lambda _: None))
    return outputs


def measured(work: Work, clip: Clip | None, chunks: Sequence[Path], folder: Path) -> list[Measured]:
    rungs = [rung(work.timeline.rate)] * len(chunks)
    return asyncio.run(
        METER.measure(clip, work.info.picture, rungs, chunks, folder, lambda _: None)
    )[0]


def worked(path: Path, folder: Path) -> Work:
    info, packets, time_base = INDEXER.inspect(path)
    timeline = timeline_of(info, packets, time_base)
    scan = scanned(path, info, folder / "scan")
    plan = plan_film(scan.cuts, timeline.frames, timeline.rate)
    rungs = [rung(timeline.rate), rung(timeline.rate, name="54p", width=96, height=54, crf=30)]
    film = film_of(info, timeline, plan, rungs)
    clips = cut(path, info, timeline, film.clips, folder / "clips")
    table = [encode(clip, info, rungs, film.starts(clip.plan), folder / "chunks") for clip in clips]
    chunks = [list(column) for column in zip(*table, strict=True)]
    return Work(path, folder, info, timeline, scan, plan, film, clips, rungs, chunks)


@pytest.fixture(scope="module", params=sorted(RECIPES))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def work(name: str, films: Films, tmp_path_factory: pytest.TempPathFactory) -> Work:
    return worked(films.get(name), tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def film(films: Films, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """One film for what need not be tried with every kind."""
    return worked(films.get("mp4-h264-b-frames"), tmp_path_factory.mktemp("one"))


def packets_of(path: Path) -> list[tuple[int, bool, bytes]]:
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.is_keyframe, bytes(packet))
            for packet in container.demux(container.streams.video[0])
            if packet.size
        ]


def extradata(path: Path) -> bytes:
    with av.open(str(path)) as container:
        return bytes(container.streams.video[0].codec_context.extradata or b"")


# Every kind of film


def test_inspect_finds_every_track(name: str, work: Work) -> None:
    recipe = RECIPES[name]

    assert work.info.container.startswith(recipe.container)
    assert len(work.info.of_type("video")) == 1
    assert [track.channels for track in work.info.of_type("audio")] == (
        [recipe.channels] if recipe.audio else []
    )
    assert len(work.info.of_type("subtitles")) == bool(recipe.subtitles)
    assert {track.language for track in work.info.of_type("audio")} <= {"deu", "ger"}
    assert work.info.size_bytes == work.path.stat().st_size


def test_inspect_counts_every_frame_at_its_rate(name: str, work: Work) -> None:
    recipe = RECIPES[name]

    assert (work.timeline.frames, work.timeline.rate) == (recipe.frames, recipe.rate)
    assert (work.info.picture.width, work.info.picture.height) == (WIDTH, HEIGHT)
    assert not work.info.picture.interlaced


def test_inspecting_again_finds_the_same(work: Work) -> None:
    info, packets, _ = INDEXER.inspect(work.path)

    assert info == work.info
    assert np.array_equal(packets, work.timeline.packets)


def test_the_scan_decodes_every_frame_and_finds_the_hard_cuts(work: Work) -> None:
    frames = work.timeline.frames

    assert work.scan.frames == frames
    assert set(work.scan.cuts) >= set(range(SCENE, frames, SCENE))
    assert len(work.scan.thumbnails) == -(-frames // (25 * 4))


def test_the_films_move_so_that_a_wrong_frame_shows(work: Work) -> None:
    source = work.source

    assert len(compare(source[1:], source[:-1])) > 0.9 * len(source)


def test_every_chunk_shows_exactly_its_frames(work: Work, tmp_path: Path) -> None:
    for column in work.chunks:
        for clip, one in zip(work.clips, measured(work, None, column, tmp_path), strict=True):
            span = clip.plan.frames
            assert len(one.signature) == len(span)
            assert compare(work.source[span.start : span.end], one.signature) == []


def test_idr_frames_are_exactly_the_starts_of_segments(work: Work) -> None:
    for column in work.chunks:
        for clip, chunk in zip(work.clips, column, strict=True):
            packets = packets_of(chunk)
            order = sorted(pts for pts, _, _ in packets)
            keys = [order.index(pts) for pts, is_key, _ in packets if is_key]
            assert keys == list(work.film.starts(clip.plan))
            idr = [nal_types(payload) for _, is_key, payload in packets if is_key]
            assert all(5 in types for types in idr)
            assert not any(5 in nal_types(payload) for _, is_key, payload in packets if not is_key)


def nal_types(payload: bytes) -> set[int]:
    """NAL unit types of an access unit with four-byte lengths (ITU-T H.264 table 7-1)."""
    types, place = set(), 0
    while place < len(payload):
        length = int.from_bytes(payload[place : place + 4], "big")
        types.add(payload[place + 4] & 31)
        place += 4 + length
    return types


def test_all_chunks_of_a_rung_join_packet_by_packet(work: Work, tmp_path: Path) -> None:
    frames = [len(clip.frames) for clip in work.film.clips]
    starts = [segment.start for segment in work.plan.segments]
    for number, column in enumerate(work.chunks):
        output = tmp_path / f"{number}.mp4"

        joined = INDEXER.join(column, frames, starts, work.timeline.rate, output)

        after = packets_of(output)
        assert [payload for _, _, payload in after] == [
            payload for chunk in column for _, _, payload in packets_of(chunk)
        ]
        with av.open(str(output)) as container:
            time_base = container.streams.video[0].time_base
        assert sorted(pts * time_base for pts, _, _ in after) == [
            frame / work.timeline.rate for frame in range(work.timeline.frames)
        ]
        assert [proof.frames for proof in joined.segments] == [len(s) for s in work.plan.segments]
        assert sum(proof.size_bytes for proof in joined.segments) == sum(
            len(payload) for _, _, payload in after
        )
        (one,) = measured(work, None, [output], tmp_path)
        assert compare(work.source, one.signature) == []


def test_embedded_subtitles_are_read_with_their_times(
    name: str, work: Work, tmp_path: Path
) -> None:
    for track in work.info.of_type("subtitles"):
        vtt = asyncio.run(ENCODER.read_subtitles(work.path, track.index, tmp_path))
        cues = parse_webvtt(vtt, name).cues

        assert [(cue.start, cue.end) for cue in cues] == [
            (Fraction(1), Fraction(2)), (Fraction(9, 2), Fraction(21, 4)),
        ]  # fmt: skip
        assert [cue.text for cue in cues] == ["First", "Second <i>one</i>"]


# Cutting


def test_a_clip_from_the_middle_alone_shows_its_frames(work: Work, tmp_path: Path) -> None:
    """As after a crash: only some clips are cut, and the pass begins in the middle."""
    middle = work.timeline.frames // 2 + 3
    plan = plan_clip(work.timeline, FrameSpan(middle, middle + 20), work.info.picture.configuration)

    (clip,) = cut(work.path, work.info, work.timeline, [plan], tmp_path)
    (chunk,) = encode(clip, work.info, [rung(work.timeline.rate)], [0], tmp_path)
    (one,) = measured(work, None, [chunk], tmp_path)

    assert compare(work.source[middle : middle + 20], one.signature) == []


def test_a_film_that_changed_is_not_cut(film: Work, tmp_path: Path) -> None:
    packets = film.timeline.packets.copy()
    packets["digest"][film.film.clips[1].first + 2] = b"other"

    with pytest.raises(SourceChanged):
        cut(
            film.path, film.info, replace(film.timeline, packets=packets), film.film.clips, tmp_path
        )


def test_a_pass_stops_when_a_clip_is_not_taken(film: Work, tmp_path: Path) -> None:
    taken: list[Clip] = []

    def take(clip: Clip) -> bool:
        taken.append(clip)
        return False

    INDEXER.cut(film.path, film.info, film.timeline, film.film.clips, tmp_path, take)

    assert [clip.plan for clip in taken] == [film.film.clips[0]]


def test_a_full_or_missing_scratch_folder_is_no_fault_of_the_film(
    film: Work, tmp_path: Path
) -> None:
    with pytest.raises((MatineeError, OSError)) as met:
        INDEXER.cut(
            film.path, film.info, film.timeline, film.film.clips, tmp_path / "none", lambda _: True
        )

    assert not isinstance(met.value, SourceRefused)


# Joining


def join(film: Work, chunks: Sequence[Path], output: Path) -> None:
    frames = [len(clip.frames) for clip in film.film.clips]
    starts = [segment.start for segment in film.plan.segments]
    INDEXER.join(chunks, frames, starts, film.timeline.rate, output)


def remuxed(chunk: Path, output: Path, *, drop: int = -1, double: int = -1) -> Path:
    """The chunk without one of its packets, or with one of them twice."""
    with av.open(str(chunk)) as source, av.open(str(output), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        extra = 0
        for number, packet in enumerate(p for p in source.demux(stream) if p.size):
            for again in range(0 if number == drop else 2 if number == double else 1):
                twin = av.Packet(bytes(packet))
                twin.time_base, twin.stream = packet.time_base, copy
                extra += again
                twin.pts = packet.pts + extra * packet.duration
                twin.dts = packet.dts + extra * packet.duration
                twin.duration, twin.is_keyframe = packet.duration, packet.is_keyframe
                target.mux(twin)
    return output


def test_parameter_sets_are_equal_for_every_quality_and_length(film: Work, tmp_path: Path) -> None:
    single = plan_clip(film.timeline, FrameSpan(100, 101), film.info.picture.configuration)
    (clip,) = cut(film.path, film.info, film.timeline, [single], tmp_path)
    rate = film.timeline.rate
    made = [
        encode(one, film.info, [rung(rate, crf=crf)], [0], tmp_path)[0]
        for one in (film.clips[0], clip)
        for crf in (18, 30)
    ]

    sets = {extradata(chunk) for chunk in [*made, *film.chunks[0]]}

    assert len(sets) == 1
    assert len(packets_of(made[-1])) == 1


def test_chunks_of_another_quality_join(film: Work, tmp_path: Path) -> None:
    clip = film.clips[1]
    worse = encode(
        clip, film.info, [rung(film.timeline.rate, crf=30)], film.film.starts(clip.plan), tmp_path
    )

    join(film, [film.chunks[0][0], *worse, *film.chunks[0][2:]], tmp_path / "joined.mp4")

    assert len(packets_of(tmp_path / "joined.mp4")) == film.timeline.frames


@pytest.mark.parametrize("number", [1, 50, -1])
def test_a_chunk_that_lost_a_frame_is_refused(film: Work, tmp_path: Path, number: int) -> None:
    count = len(film.clips[1].plan.frames)
    lame = remuxed(film.chunks[0][1], tmp_path / "lame.mp4", drop=number % count)

    with pytest.raises(JoinRefused, match=f"has {count - 1} frames, not {count}"):
        join(film, [film.chunks[0][0], lame, *film.chunks[0][2:]], tmp_path / "joined.mp4")


def test_a_chunk_with_a_doubled_frame_is_refused(film: Work, tmp_path: Path) -> None:
    count = len(film.clips[1].plan.frames)
    lame = remuxed(film.chunks[0][1], tmp_path / "lame.mp4", double=count - 1)

    with pytest.raises(JoinRefused, match=f"has {count + 1} frames, not {count}"):
        join(film, [film.chunks[0][0], lame, *film.chunks[0][2:]], tmp_path / "joined.mp4")


def test_chunks_of_unlike_length_exchanged_are_refused(film: Work, tmp_path: Path) -> None:
    first, *_, last = film.chunks[0]
    lengths = [len(clip.frames) for clip in film.film.clips]
    assert lengths[0] != lengths[-1]

    with pytest.raises(JoinRefused, match="the chunk of frames 0 to"):
        join(film, [last, *film.chunks[0][1:-1], first], tmp_path / "joined.mp4")


def test_a_chunk_of_other_parameter_sets_is_refused(film: Work, tmp_path: Path) -> None:
    with pytest.raises(JoinRefused, match="other parameter sets"):
        join(film, [film.chunks[0][0], *film.chunks[1][1:]], tmp_path / "joined.mp4")


def test_a_chunk_without_its_key_frame_is_refused(film: Work, tmp_path: Path) -> None:
    clip = film.clips[1]
    starts = film.film.starts(clip.plan)
    assert len(starts) > 1
    few = encode(clip, film.info, film.rungs[:1], starts[:1], tmp_path)

    with pytest.raises(JoinRefused, match="no key frame at frame"):
        join(film, [film.chunks[0][0], *few, *film.chunks[0][2:]], tmp_path / "joined.mp4")


def test_a_chunk_with_a_key_frame_too_many_is_refused(film: Work, tmp_path: Path) -> None:
    clip = film.clips[1]
    many = encode(clip, film.info, film.rungs[:1], [*film.film.starts(clip.plan), 150], tmp_path)

    with pytest.raises(JoinRefused, match="a key frame at frame"):
        join(film, [film.chunks[0][0], *many, *film.chunks[0][2:]], tmp_path / "joined.mp4")


def test_a_damaged_chunk_is_no_fault_of_the_film(film: Work, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no film at all" * 100)

    with pytest.raises(MatineeError) as met:
        join(film, [damaged, *film.chunks[0][1:]], tmp_path / "joined.mp4")

    assert not isinstance(met.value, SourceRefused)


# Measuring


def test_scores_are_those_of_libvmaf_run_by_hand(film: Work, tmp_path: Path) -> None:
    clip, chunk = film.clips[1], film.chunks[0][1]
    span = clip.plan.frames
    (one,) = measured(film, clip, [chunk], tmp_path)
    clock = f"settb={1 / NTSC},setpts=N"
    ffmpeg(
        "-i", str(chunk), "-i", str(film.path), "-filter_complex",
        f"[1:v]trim=start_frame={span.start}:end_frame={span.end},{clock}[ref];[0:v]{clock}[own];"
        "[own][ref]libvmaf=model=version=vmaf_v0.6.1:log_fmt=json:log_path=hand.json",
        "-f", "null", "-", folder=tmp_path,
    )  # fmt: skip
    by_hand = json.loads((tmp_path / "hand.json").read_text())["frames"]

    assert one.scores is not None and len(one.scores) == len(span)
    assert (
        max(
            abs(score - frame["metrics"]["vmaf"])
            for score, frame in zip(one.scores, by_hand, strict=True)
        )
        <= 0.001
    )


def test_every_rung_is_scored_against_the_same_frames(film: Work, tmp_path: Path) -> None:
    clip = film.clips[0]
    span = clip.plan.frames
    high, low = measured(film, clip, [column[0] for column in film.chunks], tmp_path)

    assert high.scores is not None and low.scores is not None
    assert np.mean(high.scores) > np.mean(low.scores)
    for one in (high, low):
        check_pairing(film.source[span.start : span.end], one, span.start, "90p")


def test_scores_of_a_pair_shifted_by_one_frame_are_refused(film: Work, tmp_path: Path) -> None:
    span = film.clips[1].plan.frames
    late = FrameSpan(span.start + 1, span.end + 1)
    plan = plan_clip(film.timeline, late, film.info.picture.configuration)
    (clip,) = cut(film.path, film.info, film.timeline, [plan], tmp_path)
    (one,) = measured(film, clip, [film.chunks[0][1]], tmp_path)

    for true in (span, late):
        with pytest.raises(ToolError, match="pair wrong frames"):
            check_pairing(film.source[true.start : true.end], one, true.start, "90p")


@pytest.mark.parametrize("change", [-1, 1])
def test_scores_of_unequal_counts_are_refused(film: Work, tmp_path: Path, change: int) -> None:
    span = film.clips[1].plan.frames
    other = FrameSpan(span.start, span.end + change)
    plan = plan_clip(film.timeline, other, film.info.picture.configuration)
    (clip,) = cut(film.path, film.info, film.timeline, [plan], tmp_path)
    (one,) = measured(film, clip, [film.chunks[0][1]], tmp_path)

    with pytest.raises(ToolError, match="unequal counts"):
        check_pairing(film.source[span.start : span.end], one, span.start, "90p")


def test_a_chunk_that_is_none_cannot_be_measured(film: Work, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no film at all" * 100)

    with pytest.raises(ToolError, match="cannot be decoded"):
        measured(film, None, [damaged], tmp_path)


# Odd films


def test_a_turned_film_is_shown_upright(films: Films, tmp_path: Path) -> None:
    """As ffmpeg turns it by itself, for every angle that a telephone writes."""
    plain = films.special(
        "plain.mp4", "-f", "lavfi", "-i", moving_picture(Fraction(25), 25), "-c:v", "libx264"
    )
    for angle in (90, 180, 270):
        turned = films.special(
            f"turned-{angle}.mp4", "-display_rotation", str(angle), "-i", plain.name, "-c", "copy"
        )
        info, _, _ = INDEXER.inspect(turned)
        scan = scanned(turned, info, tmp_path / str(angle))
        ffmpeg(
            "-i", str(turned), "-vf", "scale=16:9:flags=area,format=gray16le", "-f", "rawvideo",
            "upright.sig", folder=tmp_path,
        )  # fmt: skip
        upright = read_signature((tmp_path / "upright.sig").read_bytes())

        assert compare(upright, read_signature(scan.signature.read_bytes())) == []
        assert info.picture.rotation != 0


def test_pictures_as_subtitles_are_known_as_such(films: Films) -> None:
    """Presentation graphics of a disc: an empty display set is enough to make a track."""

    def segment(kind: int, body: bytes, at: int) -> bytes:
        head = b"PG" + at.to_bytes(4, "big") + bytes(4)
        return head + bytes([kind]) + len(body).to_bytes(2, "big") + body

    composition = bytes.fromhex("00a0005a10000080000000")
    sup = films.folder / "pictures.sup"
    sup.write_bytes(
        b"".join(segment(0x16, composition, at) + segment(0x80, b"", at) for at in (9000, 90_000))
    )
    path = films.special(
        "discs.mkv", "-f", "lavfi", "-i", moving_picture(Fraction(25), 50), "-i", sup.name,
        "-map", "0:v", "-map", "1:s", "-c:v", "libx264", "-c:s", "copy",
    )  # fmt: skip

    info, _, _ = INDEXER.inspect(path)

    assert [track.codec for track in info.of_type("subtitles")] == ["hdmv_pgs_subtitle"]


def test_frames_that_an_edit_list_hides_are_not_counted(films: Films, tmp_path: Path) -> None:
    plain = films.get("mp4-h264-b-frames")
    path = films.special(
        "edited.mp4", "-ss", "3.003", "-i", plain.name, "-map", "0:v", "-c", "copy"
    )
    info, packets, time_base = INDEXER.inspect(path)

    timeline = timeline_of(info, packets, time_base)
    scan = scanned(path, info, tmp_path / "scan")

    assert scan.frames == timeline.frames == 700 - 72
    plan = plan_clip(timeline, FrameSpan(0, 50), info.picture.configuration)
    (clip,) = cut(path, info, timeline, [plan], tmp_path)
    (chunk,) = encode(clip, info, [rung(timeline.rate)], [0], tmp_path)
    (one,) = asyncio.run(
        METER.measure(None, info.picture, [rung(NTSC)], [chunk], tmp_path, lambda _: None)
    )[0]
    assert compare(read_signature(scan.signature.read_bytes())[:50], one.signature) == []


def test_a_film_without_a_picture_is_refused(films: Films) -> None:
    path = films.special("sound.mkv", "-f", "lavfi", "-t", "1", "-i", "sine", "-c:a", "aac")

    with pytest.raises(SourceHasNoVideo):
        INDEXER.inspect(path)


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"])
def test_what_is_no_film_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)

    with pytest.raises((SourceUnreadable, SourceUnsupported), match=r"film\.mp4"):
        INDEXER.inspect(path)


def test_a_script_cannot_make_a_tool_open_another_file(films: Films, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mkv"
    secret.write_bytes(films.get("mkv-hevc-open-gop").read_bytes())
    path = tmp_path / "film.mkv"
    path.write_text("ffconcat version 1.0\nfile secret.mkv\n")

    with pytest.raises((SourceUnreadable, SourceUnsupported)):
        INDEXER.inspect(path)


def test_a_script_as_a_subtitle_file_opens_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secret.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nSecret\n")
    script = tmp_path / "sidecar.srt"
    script.write_text("ffconcat version 1.0\nfile secret.srt\n")

    try:
        text = asyncio.run(ENCODER.read_subtitles(script, 0, tmp_path))
    except ToolError:
        return
    assert "Secret" not in text


def test_a_scratch_folder_may_have_any_name(films: Films, tmp_path: Path) -> None:
    path = films.get("mov-h264")
    info, _, _ = INDEXER.inspect(path)

    scan = scanned(path, info, tmp_path / "50% of: it's [mine], \\ & %d")

    assert scan.frames == 330
    assert len(scan.thumbnails) == 4


def test_a_film_may_have_any_name(
    films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("part 1: the film.mov")
    path.write_bytes(films.get("mov-h264").read_bytes())

    info, packets, _ = INDEXER.inspect(path)

    assert (len(packets), info.container[:3]) == (330, "mov")
