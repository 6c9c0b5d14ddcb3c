"""Sound and picture meet: flashes and beeps of a source are seen and heard together afterwards."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.films import (
    AV1,
    FFMPEG,
    MPEG2,
    NTSC,
    VP9,
    X264,
    X265,
    Films,
    Meeting,
    moving_picture,
    rustle,
)

from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegEncoder, FfmpegMeter
from matinee.adapters.pyav import PyavIndexer
from matinee.core.time import FrameSpan
from matinee.media.clips import plan_clip
from matinee.media.codecs.sound import SOUND_CODECS
from matinee.media.judges import judge_sound
from matinee.media.ladder import Rung, SoundRates
from matinee.media.loudness import Target
from matinee.media.profile import SoundForm
from matinee.media.sound import AAC_FRAME, SAMPLE_RATE, SoundRendition, lead_samples, plan_sound
from matinee.media.source import SourceInfo
from matinee.media.source_timeline import timeline_of
from matinee.media.timeline import Timeline
from matinee.ports.tools import Clip
from matinee.stages.sound import measure_lags

pytestmark = pytest.mark.tools

INDEXER = PyavIndexer()
ENCODER, METER = FfmpegEncoder(Ffmpeg(FFMPEG)), FfmpegMeter(Ffmpeg(FFMPEG))
FORMS = [SoundForm("aac", SoundRates(mono_kbps=64, stereo_kbps=128, per_channel_kbps=64))]
HALF = Fraction(1, 2)
WITHIN = Fraction(5, 1000)
FRAME = Fraction(AAC_FRAME, SAMPLE_RATE)


def meeting(
    name: str,
    file: str,
    rate: Fraction,
    video: tuple[str, ...],
    audio: str,
    offset_s: Fraction = Fraction(0),
) -> Meeting:
    second = round(rate)
    flashes = (second, 2 * second + 7, 4 * second)
    return Meeting(name, file, rate, flashes, 5 * second, video, ("-c:a", audio), offset_s)


MEETINGS = [
    meeting("plain", ".mp4", NTSC, X264, "aac"),
    meeting("plain", ".mkv", Fraction(25), X265, "ac3"),
    meeting("plain", ".webm", Fraction(30), VP9, "libopus"),
    meeting("av1", ".mkv", Fraction(25), AV1, "libopus"),
    meeting("plain", ".ts", Fraction(50), X264, "mp2"),
    meeting("mpeg2", ".ts", Fraction(25), MPEG2, "ac3"),
    meeting("plain", ".mov", Fraction(30_000, 1001), X264, "aac"),
    meeting("late-sound", ".mp4", NTSC, X264, "aac", HALF),
    meeting("late-sound", ".mkv", NTSC, X264, "libopus", HALF),
    meeting("late-sound", ".ts", Fraction(25), X264, "mp2", HALF),
    meeting("early-sound", ".mp4", NTSC, X264, "aac", -HALF),
    meeting("early-sound", ".mkv", NTSC, X264, "ac3", -HALF),
    meeting("early-sound", ".ts", Fraction(25), X264, "mp2", Fraction(-12, 25)),
]


@dataclass
class Made:
    """A film's picture and sound as they would be packaged."""

    meeting: Meeting
    film: Path
    info: SourceInfo
    timeline: Timeline
    picture: Path
    sound: Path
    rendition: SoundRendition
    frames: int


def opened(path: Path, **options: str) -> Any:
    """The container, its values not narrowed: every packet of these films has its times."""
    return av.open(str(path), options=options)


def rung(rate: Fraction) -> Rung:
    return Rung(
        name="90p", width=160, height=90, rate=rate, codec="h264", preset="veryfast", crf=18,
        maxrate=2_000_000, bufsize=4_000_000, level="3", reference_frames=2, threads=1,
    )  # fmt: skip


def picture_of(film: Path, info: SourceInfo, timeline: Timeline, folder: Path) -> Path:
    """The film encoded as one chunk and joined."""
    plan = plan_clip(timeline, FrameSpan(0, timeline.frames), info.picture.configuration)
    clips: list[Clip] = []

    def take(clip: Clip) -> bool:
        clips.append(clip)
        return True

    INDEXER.cut(film, info, timeline, [plan], folder, take)
    chunk, joined = folder / "chunk.mp4", folder / "picture.mp4"
    asyncio.run(
        ENCODER.encode(clips[0], info.picture, [rung(timeline.rate)], [0], [chunk], lambda _: None)
    )
    INDEXER.join([chunk], [timeline.frames], [0], timeline.rate, joined)
    return joined


def rendition_of(info: SourceInfo, timeline: Timeline) -> SoundRendition:
    (track,) = info.of_type("audio")
    return plan_sound(
        track, "audio", FORMS, timeline.start, timeline.duration, lead_samples(timeline.rate)
    )[0]


def sound_of(film: Path, rendition: SoundRendition, folder: Path) -> tuple[Path, int]:
    """The film's sound encoded and placed; its count of AAC frames."""
    encoded, placed = folder / "encoded.mp4", folder / "sound.mp4"
    asyncio.run(ENCODER.encode_sound(film, rendition, encoded))
    return placed, INDEXER.place_sound(encoded, rendition.coding, rendition.lead, placed)


@pytest.fixture(scope="module", params=MEETINGS, ids=lambda one: one.name + one.file)
def made(
    request: pytest.FixtureRequest, films: Films, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    wanted: Meeting = request.param
    folder = tmp_path_factory.mktemp("meeting")
    film = films.meeting(wanted)
    info, packets, time_base = INDEXER.inspect(film)
    timeline = timeline_of(info, packets, time_base)
    picture = picture_of(film, info, timeline, folder)
    rendition = rendition_of(info, timeline)
    sound, frames = sound_of(film, rendition, folder)
    return Made(wanted, film, info, timeline, picture, sound, rendition, frames)


def flashes(path: Path, **options: str) -> list[Fraction]:
    """When white frames follow black ones, on the presentation's clock."""
    found, was_white = [], False
    with opened(path, **options) as container:
        for frame in container.decode(video=0):
            is_white = float(frame.to_ndarray(format="gray").mean()) > 128
            if is_white and not was_white:
                found.append(frame.pts * frame.time_base)
            was_white = is_white
    return found


def beeps(path: Path, **options: str) -> list[float]:
    """When sound begins after silence, on the presentation's clock, in seconds."""
    times, loud = [], []
    with opened(path, **options) as container:
        for frame in container.decode(audio=0):
            plain = frame.to_ndarray()
            scale = np.iinfo(plain.dtype).max if plain.dtype.kind == "i" else 1
            loud.append(np.abs(plain.reshape(-1, frame.samples) / scale).max(axis=0) > 0.15)
            first = float(frame.pts * frame.time_base)
            times.append(first + np.arange(frame.samples) / frame.sample_rate)
    onsets = np.concatenate(times)[np.concatenate(loud)]
    return [onsets[0], *onsets[1:][np.diff(onsets) > 0.2]]


def apart(one: Sequence[float | Fraction], two: Sequence[float | Fraction]) -> float:
    """The largest difference in seconds."""
    assert len(one) == len(two) == 3
    return max(abs(float(a - b)) for a, b in zip(one, two, strict=True))


def test_flashes_are_seen_when_the_source_shows_them(made: Made) -> None:
    assert flashes(made.picture) == list(made.meeting.times)


def test_beeps_are_heard_when_the_source_sounds_them(made: Made) -> None:
    assert apart(beeps(made.sound), made.meeting.times) <= WITHIN


def test_flash_and_beep_meet_where_edit_lists_are_ignored(made: Made) -> None:
    seen = flashes(made.picture, ignore_editlist="1")
    heard = beeps(made.sound, ignore_editlist="1")

    assert apart(seen, heard) <= FRAME


def test_sound_is_as_long_as_the_picture_and_in_step_with_the_source(made: Made) -> None:
    lags = measure_lags(INDEXER, made.film, made.sound, made.rendition)

    assert judge_sound(made.rendition, made.frames, lags).reasons == ()
    assert lags


def test_sound_that_is_shifted_by_80_ms_is_found(films: Films, tmp_path: Path) -> None:
    """The judge hears the fault that the encoder might make."""
    film = films.special("whole.ts", *sounding(2), "-c:a", "mp2")
    info, packets, time_base = INDEXER.inspect(film)
    rendition = rendition_of(info, timeline_of(info, packets, time_base))
    placed, frames = sound_of(film, rendition, tmp_path)
    for moved in (-0.08, 0.08):
        shifted = tmp_path / "shifted.mp4"
        lead = rendition.lead - round(moved * SAMPLE_RATE)
        INDEXER.place_sound(placed, rendition.coding, lead, shifted)

        lags = measure_lags(INDEXER, film, shifted, rendition)

        assert all(abs(lag["lag_s"] - moved) < 0.001 for lag in lags)
        assert f"{1000 * moved:+.1f} ms late" in judge_sound(rendition, frames, lags).reasons[0]


@pytest.mark.parametrize("codec", SOUND_CODECS)
def test_every_layout_of_wide_sound_is_in_step(films: Films, tmp_path: Path, codec: str) -> None:
    film = films.special("wide.mp4", *sounding(6), "-c:a", "aac", "-b:a", "256k")
    renditions = planned_of(film, codec)
    assert [rendition.channels for rendition in renditions] == [2, 6]
    for rendition in renditions:
        placed, frames = sound_of(film, rendition, tmp_path)
        lags = measure_lags(INDEXER, film, placed, rendition)

        assert judge_sound(rendition, frames, lags).reasons == ()
        assert len(lags) == 12
        with opened(placed) as container:
            assert container.streams.audio[0].channels == rendition.channels
            packets = [p for p in container.demux(container.streams.audio[0]) if p.size]
        assert {packet.duration for packet in packets[:-1]} == {rendition.coding.frame}
        assert frames == len(packets) == rendition.packets


def planned_of(film: Path, codec: str) -> list[SoundRendition]:
    info, packets, time_base = INDEXER.inspect(film)
    timeline = timeline_of(info, packets, time_base)
    (track,) = info.of_type("audio")
    forms = [SoundForm(codec, FORMS[0].rates)]
    return plan_sound(
        track, "audio", forms, timeline.start, timeline.duration, lead_samples(timeline.rate)
    )


def samples_of(path: Path, skipped: int = 0) -> NDArray[np.float64]:
    """All channels, scaled to 1."""
    with opened(path) as container:
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
        channels = container.streams.audio[0].channels
    parts = [p.reshape(-1, channels).T if p.shape[0] == 1 and channels > 1 else p for p in parts]
    whole = np.concatenate(parts, axis=1)
    scale = np.iinfo(whole.dtype).max + 1 if whole.dtype.kind == "i" else 1
    return np.asarray(whole[:, skipped:] / scale, dtype=np.float64)


def test_flac_has_every_sample_of_the_film(films: Films, tmp_path: Path) -> None:
    film = films.special("exact.mkv", *sounding(2), "-c:a", "flac", "-sample_fmt", "s16")
    (rendition,) = planned_of(film, "flac")
    placed, _ = sound_of(film, rendition, tmp_path)
    source = samples_of(film)

    copy = samples_of(placed)
    # What lies before the film's begin is cut by the edit list, or is still there as silence.
    extra = copy.shape[1] - source.shape[1]
    late = rendition.lead if not np.any(copy[:, : rendition.lead]) else 0
    assert extra >= late
    assert np.array_equal(copy[:, late : late + source.shape[1]], source)


@pytest.mark.parametrize(
    ("place", "left", "right"),
    [(0, 1.0, 0.0), (2, 0.5**0.5, 0.5**0.5), (3, 0.0, 0.0), (4, 0.5**0.5, 0.0)],
    ids=["FL", "FC", "LFE", "BL"],
)
def test_surround_is_mixed_to_stereo_by_the_standards_coefficients(
    films: Films, tmp_path: Path, place: int, left: float, right: float
) -> None:
    """ITU-R BS.775-3, table 2."""
    pans = "|".join(f"c{n}={'0.4*c0' if n == place else '0*c0'}" for n in range(6))
    film = films.special(
        f"one-{place}.mkv", "-f", "lavfi", "-i", moving_picture(Fraction(25), 50),
        "-f", "lavfi", "-t", "2", "-i", "sine=400:r=48000", "-map", "0:v", "-map", "1:a",
        "-af", f"pan=5.1|{pans}", *X264, "-c:a", "flac",
    )  # fmt: skip
    stereo = planned_of(film, "flac")[0]
    placed, _ = sound_of(film, stereo, tmp_path)
    level = np.max(np.abs(samples_of(film)[place]))

    peaks = np.max(np.abs(samples_of(placed)), axis=1) / level

    assert peaks == pytest.approx([left, right], abs=0.002)


def sounding(channels: int) -> tuple[str, ...]:
    """Inputs of a film of six seconds that rustles."""
    return (
        "-f", "lavfi", "-i", moving_picture(Fraction(25), 150),
        "-f", "lavfi", "-t", "6", "-i", rustle(channels),
        "-map", "0:v", "-map", "1:a", *X264,
    )  # fmt: skip


@pytest.mark.parametrize("missing", [1, 4, 40], ids=lambda count: f"{count * 24} ms")
def test_a_gap_in_the_sound_moves_nothing_that_follows(
    films: Films, tmp_path: Path, missing: int
) -> None:
    """As a broadcast that lost some packets: time stamps go on, packets are not there."""
    film, holed = films.special("whole.ts", *sounding(2), "-c:a", "mp2"), tmp_path / "holed.mkv"
    with av.open(str(film)) as source, av.open(str(holed), "w") as target:
        copies = {
            stream.index: target.add_stream_from_template(stream, opaque=True)
            for stream in (source.streams.video[0], source.streams.audio[0])
        }
        count = 0
        for packet in source.demux(*(source.streams[index] for index in copies)):
            if not packet.size:
                continue
            is_sound = packet.stream.type == "audio"
            count += is_sound
            if not (is_sound and 100 < count <= 100 + missing):
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
    info, packets, time_base = INDEXER.inspect(holed)
    timeline = timeline_of(info, packets, time_base)
    rendition = rendition_of(info, timeline)

    placed, frames = sound_of(holed, rendition, tmp_path)
    lags = measure_lags(INDEXER, holed, placed, rendition)

    assert judge_sound(rendition, frames, lags).reasons == ()


def test_a_remuxed_film_has_the_tracks_that_it_had(films: Films) -> None:
    film = films.get("mkv-hevc-open-gop")
    remuxed = films.special("remuxed.mkv", "-i", film.name, "-map", "0", "-c", "copy")
    before, after = (INDEXER.inspect(path)[0] for path in (film, remuxed))

    assert [track.packets for track in after.tracks] == [track.packets for track in before.tracks]
    assert after.picture.configuration == before.picture.configuration


@pytest.mark.parametrize("codec", ["aac", "opus", "flac"])
def test_sound_is_made_as_loud_as_is_wished(films: Films, tmp_path: Path, codec: str) -> None:
    film = films.special("loud.mkv", *sounding(2), "-c:a", "flac")
    target = Target(-27.0, -3.0)
    (as_it_is,) = planned_of(film, codec)
    placed, frames = sound_of(film, replace(as_it_is, target=target), tmp_path)

    found, _ = asyncio.run(METER.loudness(placed, tmp_path))

    assert found.integrated == pytest.approx(target.integrated, abs=0.8)
    lags = measure_lags(INDEXER, film, placed, as_it_is)
    assert judge_sound(replace(as_it_is, target=target), frames, lags, found).passed


def test_loudness_is_that_of_the_standards_tone(films: Films, tmp_path: Path) -> None:
    """EBU Tech 3341, case 1: 1000 Hz at -23 dBFS in both channels is -23 LUFS."""
    film = films.special(
        "tone.mkv", "-f", "lavfi", "-i", moving_picture(Fraction(25), 150),
        "-f", "lavfi", "-t", "6", "-i", f"aevalsrc={10 ** (-23 / 20)}*sin(2*PI*1000*t)|"
        f"{10 ** (-23 / 20)}*sin(2*PI*1000*t):s=48000", "-map", "0:v", "-map", "1:a", *X264,
        "-c:a", "flac", "-sample_fmt", "s16",
    )  # fmt: skip
    (rendition,) = planned_of(film, "flac")
    placed, _ = sound_of(film, rendition, tmp_path)

    found, _ = asyncio.run(METER.loudness(placed, tmp_path))

    assert found.integrated == pytest.approx(-23.0, abs=0.1)
    assert found.true_peak == pytest.approx(-23.0, abs=0.2)
