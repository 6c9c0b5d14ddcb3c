"""Odd, hostile and unreadable films."""

import asyncio
from fractions import Fraction
from pathlib import Path

import pytest
from tests.contracts.tool_work import (
    INDEXER,
    METER,
    cut,
    encode,
    rung,
    scanned,
)
from tests.films import NTSC, Films, ffmpeg, moving_picture
from tests.fuzz.bases import make_bases
from tests.hostile.inputs import slowed

from matinee.adapters.ffmpeg.commands import SIGN
from matinee.core.errors import (
    SourceHasNoVideo,
    SourceUnreadable,
    SourceUnsupported,
    SubtitlesInvalid,
)
from matinee.core.time import FrameSpan
from matinee.media.clips import plan_clip
from matinee.media.signature import compare, read_signature
from matinee.media.source_timeline import timeline_of
from matinee.stages.damage import find_pace
from matinee.stages.text import sidecar_of

pytestmark = pytest.mark.tools


# Odd films


def test_a_damaged_time_scale_is_known_by_picture_and_sound_and_by_nothing_else(
    tmp_path: Path,
) -> None:
    """In every container and codec of sound that is fuzzed, none is taken for damaged."""
    bases = make_bases(tmp_path)
    damaged = {tmp_path / f"{scale}.mkv": scale / 1e6 for scale in (0x0FFF40, 0x0B4240)}
    for film in damaged:
        film.write_bytes(slowed((tmp_path / "film.mkv").read_bytes(), int(film.stem)))
    paces = {}
    for film in (*bases, *damaged):
        info, packets, time_base = INDEXER.inspect(film)
        found = find_pace(INDEXER, film, info, timeline_of(info, packets, time_base))
        paces[film.name] = found and float(found)
        for sound in info.of_type("audio"):
            meant = damaged.get(film, 1)
            assert INDEXER.sound_pace(film, sound.index) == pytest.approx(meant, rel=0.005)

    for film, meant in damaged.items():
        assert paces.pop(film.name) == pytest.approx(meant, rel=0.003)
    assert set(paces.values()) == {None}


def test_a_turned_film_is_shown_upright(films: Films, tmp_path: Path) -> None:
    """As ffmpeg turns it by itself, for every angle that a telephone writes."""
    plain = films.special(
        "upright.mp4", "-f", "lavfi", "-i", moving_picture(Fraction(25), 25), "-c:v", "libx264"
    )
    for angle in (90, 180, 270):
        turned = films.special(
            f"turned-{angle}.mp4", "-display_rotation", str(angle), "-i", plain.name, "-c", "copy"
        )
        info, packets, time_base = INDEXER.inspect(turned)
        timeline = timeline_of(info, packets, time_base)
        scan = scanned(turned, info, timeline, tmp_path / str(angle))
        ffmpeg(
            "-i", str(turned), "-vf", SIGN, "-f", "rawvideo", "upright.sig", folder=tmp_path,
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
    scan = scanned(path, info, timeline, tmp_path / "scan")

    assert scan.frames == timeline.frames == 700 - 72
    plan = plan_clip(timeline, FrameSpan(0, 50), info.picture.configuration)
    (clip,) = cut(path, info, timeline, [plan], tmp_path)
    (chunk,) = encode(clip, info, [rung(timeline.rate)], [0], tmp_path)
    (one,) = asyncio.run(
        METER.measure(None, info.picture, [rung(NTSC)], [chunk], tmp_path, lambda _: None)
    )[0]
    assert compare(read_signature(scan.signature.read_bytes())[:50], one.signature) == []


def test_a_film_without_a_picture_needs_a_still(films: Films) -> None:
    path = films.special("sound.mkv", "-f", "lavfi", "-t", "3", "-i", "sine", "-c:a", "aac")

    info, packets, time_base = INDEXER.inspect(path)

    assert info.needs_still
    assert info.track(info.video).codec == "still"
    assert len(packets) in (30, 31)
    assert timeline_of(info, packets, time_base).rate == 10


def test_what_has_neither_a_picture_nor_sound_is_refused(films: Films) -> None:
    (films.folder / "alone.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nAlone\n")
    path = films.special("text.mkv", "-i", "alone.srt", "-c:s", "srt")

    with pytest.raises(SourceHasNoVideo):
        INDEXER.inspect(path)


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"])
def test_what_is_no_film_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)

    with pytest.raises((SourceUnreadable, SourceUnsupported), match=r"is empty|is not a film"):
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

    with pytest.raises(SubtitlesInvalid, match="no subtitle in it"):
        sidecar_of(script, "en")


def test_a_scratch_folder_may_have_any_name(films: Films, tmp_path: Path) -> None:
    path = films.get("mov-h264")
    info, packets, time_base = INDEXER.inspect(path)
    timeline = timeline_of(info, packets, time_base)

    scan = scanned(path, info, timeline, tmp_path / "50% of: it's [mine], \\ & %d")

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
