"""Every planted fault fails its verdict, for its own reason."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from matinee.core.ids import canonical_json, digest_of
from matinee.core.time import FrameSpan
from matinee.core.verdicts import Verdict, failed
from matinee.media.cenc import Protection, Shielded
from matinee.media.conformance import Finding
from matinee.media.encryption import Lock
from matinee.media.judges import (
    BARE,
    SHOWN,
    Locked,
    Promise,
    SegmentContent,
    judge_conformance,
    judge_encryption,
    judge_frames,
    judge_join,
    judge_presentation,
    judge_promise,
    judge_quality,
    judge_sound,
    judge_tracks,
)
from matinee.media.signature import HEIGHT, WIDTH, Signature
from matinee.media.sound import AAC_FRAME, SoundRendition
from matinee.media.tracks import Outcome

FRAMES = 120
SEGMENTS = [FrameSpan(0, 40), FrameSpan(40, 80), FrameSpan(80, 120)]
CONFIGURATION = digest_of(b"sps and pps")


def film() -> Signature:
    generator = np.random.default_rng(5)
    steps = generator.normal(0, 3, (FRAMES, WIDTH * HEIGHT))
    return np.asarray(np.clip(120 + np.cumsum(steps, axis=0), 16, 235) * 256, dtype=np.uint16)


def coded() -> Signature:
    noise = np.random.default_rng(6).normal(0, 60, (FRAMES, WIDTH * HEIGHT))
    return np.asarray(film() + noise, dtype=np.uint16)


def only_reason(verdict: Verdict) -> str:
    assert not verdict.passed and failed([verdict]) == [verdict]
    assert verdict.as_json()["passed"] is False
    return verdict.reasons[0]


# Frames


def test_a_right_rendition_passes() -> None:
    verdict = judge_frames("video-240p", FRAMES, FRAMES, film(), coded())

    assert verdict.passed
    assert verdict.evidence == {
        "frames": 120, "expected": 120, "decoded": True, "wrong_frames": 0,
    }  # fmt: skip


def test_a_rendition_that_was_not_decoded_says_so() -> None:
    verdict = judge_frames("video-240p", FRAMES, FRAMES, film(), None)

    assert verdict.passed and verdict.evidence["decoded"] is False


def test_a_dropped_frame_fails() -> None:
    copy = np.delete(coded(), 57, axis=0)

    verdict = judge_frames("video-240p", FRAMES, FRAMES - 1, film(), copy)

    assert verdict.reasons == (
        "it has 119 frames, not 120",
        "it decodes to 119 frames, not 120",
    )


def test_a_dropped_frame_that_another_makes_up_for_fails() -> None:
    copy = coded()
    copy = np.concatenate([copy[:57], copy[58:], copy[-1:]])

    verdict = judge_frames("video-240p", FRAMES, FRAMES, film(), copy)

    assert only_reason(verdict) == "frame 57 shows frame 58"
    assert verdict.evidence["wrong_frames"] >= 60
    assert len(verdict.reasons) == SHOWN


def test_a_doubled_frame_fails() -> None:
    copy = coded()
    copy = np.concatenate([copy[:58], copy[57:-1]])

    verdict = judge_frames("video-240p", FRAMES, FRAMES, film(), copy)

    assert only_reason(verdict) == "frame 58 shows frame 57"


def test_two_chunks_exchanged_fail() -> None:
    copy = coded()
    copy = np.concatenate([copy[:40], copy[80:], copy[40:80]])

    verdict = judge_frames("video-240p", FRAMES, FRAMES, film(), copy)

    assert only_reason(verdict).startswith("frame 40 shows")
    assert verdict.evidence["wrong_frames"] > 70


def test_a_frame_of_another_film_fails() -> None:
    copy = coded()
    copy[99] = 16 * 256

    assert only_reason(judge_frames("v", FRAMES, FRAMES, film(), copy)) == (
        "frame 99 shows another picture"
    )


def test_a_source_that_lost_its_signature_fails() -> None:
    """The source's signature and the plan must tell of the same frames."""
    short = film()[:-1]

    assert not judge_frames("v", FRAMES, FRAMES, short, coded()[:-1]).passed


# Joins


def contents() -> list[SegmentContent]:
    return [
        SegmentContent(len(span), 1000 + span.start, digest_of(str(span).encode()))
        for span in SEGMENTS
    ]


def join(
    packaged: list[SegmentContent], configurations: tuple[str, ...] = (CONFIGURATION,)
) -> Verdict:
    return judge_join("v", SEGMENTS, contents(), packaged, configurations)  # type: ignore[arg-type]


def test_a_right_join_passes() -> None:
    verdict = join(contents(), (CONFIGURATION, CONFIGURATION))

    assert verdict.passed
    assert verdict.evidence == {"segments": 3, "frames": 120, "bytes": 3120}


def test_two_chunks_of_equal_length_exchanged_fail_the_join() -> None:
    one, two, three = contents()

    assert join([one, three, two]).reasons == (
        "segment 2 does not hold the packets that were encoded for it",
        "segment 3 does not hold the packets that were encoded for it",
    )


def test_a_segment_that_lost_a_frame_fails_the_join() -> None:
    one, two, three = contents()

    assert only_reason(join([one, replace(two, frames=39), three])) == (
        "segment 2 has 39 frames, not 40"
    )


def test_a_changed_byte_fails_the_join() -> None:
    one, two, three = contents()

    assert "segment 1" in only_reason(join([replace(one, payload=digest_of(b"x")), two, three]))


def test_a_chunk_of_other_parameter_sets_fails_the_join() -> None:
    verdict = join(contents(), (CONFIGURATION, digest_of(b"other")))

    assert only_reason(verdict) == "its parameter sets are not those of its chunks"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_segment_that_is_missing_fails_the_join(count: int) -> None:
    assert only_reason(join(contents()[:count])) == f"it has {count} segments, the plan 3"


def test_a_segment_too_many_fails_the_join() -> None:
    assert only_reason(join([*contents(), contents()[0]])) == "it has 4 segments, the plan 3"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_join_without_proof_for_every_segment_fails(count: int) -> None:
    verdict = judge_join("v", SEGMENTS, contents()[:count], contents(), [CONFIGURATION])

    assert not verdict.passed


# Sound


PLAN = SoundRendition(
    name="audio-en-stereo",
    track=1,
    layout="stereo",
    channels=2,
    bit_rate=128_000,
    film_start=Fraction(0),
    delay=Fraction(0),
    duration=Fraction(10),
    lead=4004,
)
AAC_FRAMES = -(-(480_000 + 4004) // AAC_FRAME)


def lag(time_s: float, lag_s: float = 0.0, likeness: float = 0.98) -> dict[str, float]:
    return {"time_s": time_s, "lag_s": lag_s, "likeness": likeness}


def test_sound_in_step_passes() -> None:
    verdict = judge_sound(PLAN, AAC_FRAMES, [lag(0), lag(3, 0.005), lag(6, -0.004)])

    assert verdict.passed
    assert verdict.evidence["compared"] == 3
    assert verdict.evidence["largest_lag_ms"] == 5.0


def test_silent_sound_passes_and_says_that_nothing_was_compared() -> None:
    verdict = judge_sound(PLAN, AAC_FRAMES, [])

    assert verdict.passed and verdict.evidence["compared"] == 0


@pytest.mark.parametrize(("lag_s", "told"), [(0.08, "+80.0 ms"), (-0.08, "-80.0 ms")])
def test_sound_shifted_by_80_ms_fails(lag_s: float, told: str) -> None:
    verdict = judge_sound(PLAN, AAC_FRAMES, [lag(0), lag(3, lag_s)])

    assert only_reason(verdict) == f"at 3.0 s it sounds {told} late"


def test_sound_of_another_film_fails() -> None:
    verdict = judge_sound(PLAN, AAC_FRAMES, [lag(0), lag(3, 0.4, 0.1)])

    assert verdict.reasons == ("at 3.0 s it is not the source's sound",)


@pytest.mark.parametrize("frames", [0, AAC_FRAMES - 1, AAC_FRAMES + 1])
def test_sound_of_another_length_fails(frames: int) -> None:
    assert "it lasts" in only_reason(judge_sound(PLAN, frames, []))


# Presentation


def test_tracks_that_begin_together_pass() -> None:
    times = {"video": Fraction(1001, 12_000), "audio": Fraction(4004, 48_000)}

    verdict = judge_presentation(times)

    assert verdict.passed and verdict.evidence["spread_ms"] == 0


@pytest.mark.parametrize("apart", [Fraction(22, 1000), Fraction(80, 1000)], ids=str)
def test_tracks_that_begin_apart_fail(apart: Fraction) -> None:
    verdict = judge_presentation({"video": Fraction(1, 12), "audio": Fraction(1, 12) + apart})

    assert f"{float(apart) * 1000:.1f} ms apart" in only_reason(verdict)


def test_a_picture_without_sound_begins_with_itself() -> None:
    assert judge_presentation({"video": Fraction(1, 12)}).passed


# Tracks

OUTCOMES = [
    Outcome("video 0: h264", ("video-240p", "video-360p")),
    Outcome("audio 1 (eng): aac", ("audio-en-stereo",)),
    Outcome("subtitles 2: hdmv_pgs_subtitle", (), "its subtitles are pictures"),
]
PACKAGED = ["video-240p", "video-360p", "audio-en-stereo"]


def test_all_tracks_published_or_waived_pass() -> None:
    verdict = judge_tracks(OUTCOMES, PACKAGED)

    assert verdict.passed
    assert verdict.evidence == {
        "tracks": 3, "waived": ["subtitles 2: hdmv_pgs_subtitle"], "renditions": 3,
    }  # fmt: skip


@pytest.mark.parametrize("name", PACKAGED)
def test_a_missing_rendition_fails(name: str) -> None:
    verdict = judge_tracks(OUTCOMES, [one for one in PACKAGED if one != name])

    assert f"its rendition {name} is not in the package" in only_reason(verdict)


def test_a_track_that_vanished_fails() -> None:
    verdict = judge_tracks([*OUTCOMES, Outcome("audio 3: opus", ())], PACKAGED)

    assert only_reason(verdict) == "audio 3: opus is neither published nor waived"


# Conformance and quality


def test_a_finding_fails_conformance() -> None:
    finding = Finding("hls.target-duration", "main.m3u8", "a segment is too long")

    verdict = judge_conformance([finding], 10)

    assert only_reason(verdict) == "main.m3u8: a segment is too long [hls.target-duration]"
    assert judge_conformance([], 10).passed


def test_scores_of_every_frame_pass() -> None:
    scores = np.linspace(80, 100, FRAMES)

    verdict = judge_quality("v", FRAMES, scores, SEGMENTS)

    assert verdict.passed
    assert verdict.evidence["vmaf"]["worst_shot"]["start"] == 0


@pytest.mark.parametrize("count", [0, FRAMES - 1, FRAMES + 1])
def test_scores_that_do_not_pair_fail(count: int) -> None:
    verdict = judge_quality("v", FRAMES, np.full(count, 90.0), SEGMENTS)

    assert only_reason(verdict) == f"{count} of 120 frames were scored"


@pytest.mark.parametrize("score", [-1.0, -0.5, 100.5, float("inf"), float("nan")])
def test_a_score_that_is_no_score_fails(score: float) -> None:
    scores = np.full(FRAMES, 90.0)
    scores[17] = score

    verdict = judge_quality("v", FRAMES, scores, SEGMENTS)

    assert only_reason(verdict) == "a score is not a number from 0 to 100"
    assert canonical_json(verdict.as_json())  # a verdict that cannot be stored is lost


# Encryption

LOCK, IV = Lock("cbcs", "0f" * 16, "check"), "1e" * 16
COUNTED = [Shielded(480, f"{number:016x}") for number in range(3)]


def locked(scheme: str = "cbcs") -> Locked:
    """Three samples, encrypted as they should be."""
    is_constant = scheme == "cbcs"
    protection = Protection(
        scheme, LOCK.key_id, 0 if is_constant else 8, IV if is_constant else "", (1, 9)
    )
    samples = [Shielded(480, "")] * 3 if is_constant else COUNTED
    return Locked(protection, [BARE] * 3, samples, None, "join")


def judged(found: Locked, *, is_whole: bool = False, lock: Lock = LOCK, iv: str = IV) -> Verdict:
    return judge_encryption("video-240p", lock, iv, found, is_whole=is_whole)


def test_what_is_encrypted_as_planned_passes() -> None:
    verdict = judged(locked())

    assert verdict.passed
    assert verdict.evidence == {
        "scheme": "cbcs", "key_id": LOCK.key_id, "samples": 3, "bytes": 3 * BARE,
        "encrypted_bytes": 1440, "proved_by": "join",
    }  # fmt: skip
    counter = replace(LOCK, scheme="cenc")
    assert judged(locked("cenc"), lock=counter, iv=COUNTED[0].iv).passed


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (replace(locked(), protection=None, samples=[]), "it is in the clear, planned cbcs"),
        (locked("cenc"), "it is encrypted as cenc with key 0f0f"),
        (replace(locked(), samples=[Shielded(480, "")] * 2), "2 of its 3 samples are encrypted"),
        (
            replace(locked(), samples=[Shielded(480, ""), Shielded(0, ""), Shielded(480, "")]),
            "sample 1 is not encrypted",
        ),
        (replace(locked(), is_same=False), "it does not decrypt to what was encrypted"),
    ],
)
def test_what_is_not_encrypted_as_planned_fails(found: Locked, reason: str) -> None:
    assert only_reason(judged(found)).startswith(reason)


def test_another_key_is_known_by_its_vector() -> None:
    assert "vector" in only_reason(judged(locked(), iv="2d" * 16))


def test_a_vector_that_comes_twice_fails() -> None:
    found = replace(locked("cenc"), samples=[COUNTED[0]] * 3)
    verdict = judged(found, lock=replace(LOCK, scheme="cenc"), iv=COUNTED[0].iv)

    assert only_reason(verdict) == "a vector comes twice"


def test_of_sound_all_but_a_broken_block_is_encrypted() -> None:
    found = replace(locked(), sizes=[495] * 3)

    assert judged(found, is_whole=True).passed
    assert "sample 0" in only_reason(judged(replace(found, sizes=[496] * 3), is_whole=True))
    small = replace(locked(), sizes=[15] * 3, samples=[Shielded(0, "")] * 3)
    assert judged(small, is_whole=True).passed


# A promise


def test_a_promise_that_holds_passes_and_tells_its_shots() -> None:
    scores = np.repeat([94.0, 92.0, 97.0], 40)

    verdict = judge_promise(Promise("v", 93, 1.5), scores, SEGMENTS)

    assert verdict.passed
    assert verdict.evidence == {
        "target": 93, "floor": 91.5, "harmonic_mean": 94.29, "median_shot": 94.0, "p5_shot": 92.2,
        "worst_shot": 92.0, "shots": 3, "below": 0,
    }  # fmt: skip


def test_a_mean_below_the_target_breaks_the_promise() -> None:
    verdict = judge_promise(Promise("v", 93, 1.5), np.full(FRAMES, 92.9), SEGMENTS)

    assert only_reason(verdict) == "its VMAF is 92.90, not 93"


def test_a_shot_below_the_floor_breaks_the_promise_whatever_the_mean() -> None:
    scores = np.repeat([99.0, 91.4, 99.0], 40)

    verdict = judge_promise(Promise("v", 93, 1.5), scores, SEGMENTS)

    assert only_reason(verdict) == "frames 40 to 79 have a VMAF of 91.40, not 91.5"


def test_what_is_told_as_the_target_keeps_it() -> None:
    assert judge_promise(Promise("v", 93, 1.5), np.full(FRAMES, 92.996), SEGMENTS).passed
