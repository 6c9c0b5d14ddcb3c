"""The judges: what must balance before a title is on screen. Pure: numbers in, verdicts out.

===============  ============================================================================
``frames``       frame i of every rendition shows frame i of the reference timeline
``join``         the segments hold the chunks' packets, all, in order, with one decoder set-up
``sound``        sound is as long as the picture and sounds when it should
``presentation`` sound and picture begin at one place, with and without edit lists
``tracks``       every track of the source is in the package or waived with a reason
``conformance``  CMAF, HLS and DASH are as their standards say
``colour``       a high dynamic range is the film's own, in the bitstream and in the boxes
``encryption``   what is to be encrypted is, wholly, and decrypts to what was encrypted
``quality``      every frame that ships was scored against its own frame of the source
``promise``      a rendition with a target of VMAF reaches it, and each of its shots nearly
===============  ============================================================================
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from matinee.core.ids import Digest
from matinee.core.time import FrameSpan
from matinee.core.verdicts import Verdict
from matinee.media.cenc import Protection, Shielded
from matinee.media.colour import Colours, differences
from matinee.media.conformance import Finding
from matinee.media.encryption import Lock
from matinee.media.loudness import Loudness, loudness_faults
from matinee.media.quality import Scores, pool
from matinee.media.signature import Signature, compare
from matinee.media.sound import AAC_FRAME, SAMPLE_RATE, SoundRendition
from matinee.media.tracks import Outcome

IN_STEP_S = 0.005
"""How far sound may be from where it should be, in seconds."""

ALIKE = 0.5
"""Likeness below which two recordings are not of one sound."""

BARE = 512
"""Bytes of a picture from which on some of it must be encrypted: smaller ones may be headers."""

SHOWN = 5
"""How many faults of one kind are spelt out."""


@dataclass(frozen=True, slots=True)
class SegmentContent:
    """What a video segment holds: samples, their bytes, their digest, in decode order."""

    frames: int
    size_bytes: int
    payload: Digest


def judge_frames(
    rendition: str, frames: int, counted: int, source: Signature, signature: Signature | None
) -> Verdict:
    """Count and content; without a signature only the count is proved, and the evidence says so."""
    reasons: list[str] = []
    if counted != frames:
        reasons.append(f"it has {counted} frames, not {frames}")
    if len(source) != frames:
        reasons.append(f"the source's signature has {len(source)} frames, the plan {frames}")
    evidence: dict[str, Any] = {"frames": counted, "expected": frames, "decoded": False}
    if signature is not None:
        evidence["decoded"] = True
        if len(signature) != len(source):
            reasons.append(f"it decodes to {len(signature)} frames, not {len(source)}")
        else:
            wrong = compare(source, signature)
            evidence["wrong_frames"] = len(wrong)
            for mismatch in wrong[:SHOWN]:
                shown = (
                    "another picture"
                    if mismatch.offset is None
                    else f"frame {mismatch.frame + mismatch.offset}"
                )
                reasons.append(f"frame {mismatch.frame} shows {shown}")
    return Verdict("frames", rendition, evidence, tuple(reasons))


def judge_join(
    rendition: str,
    planned: Sequence[FrameSpan],
    proof: Sequence[SegmentContent],
    packaged: Sequence[SegmentContent],
    configurations: Collection[Digest],
) -> Verdict:
    """What was joined is what is served, segment by segment and byte by byte."""
    reasons: list[str] = []
    if len(packaged) != len(planned):
        reasons.append(f"it has {len(packaged)} segments, the plan {len(planned)}")
    if len(proof) != len(planned):
        reasons.append(f"{len(proof)} of its {len(planned)} segments have a proof of the join")
    if len(set(configurations)) > 1:
        reasons.append("its parameter sets are not those of its chunks")
    for number, (span, joined, served) in enumerate(zip(planned, proof, packaged, strict=False), 1):
        if served.frames != len(span):
            reasons.append(f"segment {number} has {served.frames} frames, not {len(span)}")
        elif served.payload != joined.payload:
            reasons.append(f"segment {number} does not hold the packets that were encoded for it")
    evidence = {
        "segments": len(packaged),
        "frames": sum(content.frames for content in packaged),
        "bytes": sum(content.size_bytes for content in packaged),
    }
    return Verdict("join", rendition, evidence, tuple(reasons[:SHOWN]))


def judge_sound(
    plan: SoundRendition, frames: int, lags: Sequence[Mapping[str, float]],
    loudness: Loudness | None = None,
) -> Verdict:  # fmt: skip
    """Length within one packet of the picture's, in step where it is heard, as loud as wished."""
    reasons: list[str] = []
    packet = plan.coding.frame
    length = Fraction(frames * packet - plan.lead, SAMPLE_RATE)
    if not 0 <= length - plan.duration < Fraction(packet, SAMPLE_RATE):
        reasons.append(f"it lasts {float(length):.4f} s, the picture {float(plan.duration):.4f} s")
    late = [lag for lag in lags if abs(lag["lag_s"]) > IN_STEP_S and lag["likeness"] >= ALIKE]
    other = [lag for lag in lags if lag["likeness"] < ALIKE]
    reasons += [
        f"at {lag['time_s']:.1f} s it sounds {lag['lag_s'] * 1000:+.1f} ms late"
        for lag in late[:SHOWN]
    ]
    reasons += [f"at {lag['time_s']:.1f} s it is not the source's sound" for lag in other[:SHOWN]]
    if plan.target and loudness:
        reasons += loudness_faults(loudness, plan.target)
    evidence = {
        **({"loudness": loudness.as_json()} if plan.target and loudness else {}),
        "duration": round(float(length), 6),
        "expected": round(float(plan.duration), 6),
        "compared": len(lags),
        "largest_lag_ms": round(1000 * max((abs(lag["lag_s"]) for lag in lags), default=0.0), 3),
        "least_likeness": min((lag["likeness"] for lag in lags), default=None),
    }
    return Verdict("sound", plan.name, evidence, tuple(reasons))


def judge_presentation(media_times: Mapping[str, Fraction]) -> Verdict:
    """Where each track's media begins on screen, in seconds of its media timeline (edit lists).

    Equal offsets mean that a player which ignores edit lists is late by the same on all tracks.
    """
    spread = max(media_times.values()) - min(media_times.values()) if media_times else Fraction(0)
    within = Fraction(AAC_FRAME, SAMPLE_RATE)
    reasons = (
        (f"without edit lists, sound and picture are {float(spread) * 1000:.1f} ms apart",)
        if spread > within
        else ()
    )
    evidence = {
        "media_times_ms": {name: round(float(t) * 1000, 3) for name, t in media_times.items()},
        "spread_ms": round(float(spread) * 1000, 3),
    }
    return Verdict("presentation", "title", evidence, reasons)


def judge_tracks(outcomes: Sequence[Outcome], packaged: Collection[str]) -> Verdict:
    """In equals out: each track gave renditions that are in the package, or has a waiver."""
    reasons: list[str] = []
    for outcome in outcomes:
        if not outcome.renditions and not outcome.waiver:
            reasons.append(f"{outcome.source} is neither published nor waived")
        reasons += [
            f"{outcome.source}: its rendition {name} is not in the package"
            for name in outcome.renditions
            if name not in packaged
        ]
    evidence = {
        "tracks": len(outcomes),
        "waived": [outcome.source for outcome in outcomes if outcome.waiver],
        "renditions": len(packaged),
    }
    return Verdict("tracks", "title", evidence, tuple(reasons))


def judge_conformance(findings: Sequence[Finding], files: int) -> Verdict:
    """No finding of the checker."""
    reasons = [f"{f.where}: {f.message} [{f.code}]" for f in findings]
    evidence = {"files": files, "findings": len(findings)}
    return Verdict("conformance", "package", evidence, tuple(reasons[: 4 * SHOWN]))


@dataclass(frozen=True, slots=True)
class Locked:
    """What an encrypted rendition holds. ``samples`` are how much of each is encrypted, in order.

    ``is_same`` tells whether it decrypts to what was encrypted, ``proved_by`` what says so:
    ``samples`` were compared, the judge of the ``join`` did that, or only the ``files`` were proved
    to be those that were judged before.
    """

    protection: Protection | None
    sizes: Sequence[int]
    samples: Sequence[Shielded]
    is_same: bool | None
    proved_by: str


def judge_encryption(
    rendition: str, lock: Lock, iv: str, found: Locked, *, is_whole: bool
) -> Verdict:
    """Encrypted as planned, with nothing left in the clear, and nothing lost.

    Args:
        rendition: What it is of.
        lock: How it is to be encrypted.
        iv: Its first vector.
        found: What there is.
        is_whole: Its samples are encrypted as wholes, not past the headers of their slices.
    """
    reasons: list[str] = []
    protection = found.protection
    told = (protection.scheme, protection.key_id) if protection else None
    if told != (lock.scheme, lock.key_id):
        said = f"it is encrypted as {told[0]} with key {told[1]}" if told else "it is in the clear"
        reasons.append(f"{said}, planned {lock.scheme} with {lock.key_id}")
    vectors = [sample.iv for sample in found.samples]
    constant = protection.constant_iv if protection else ""
    if (constant or "".join(vectors[:1])) != iv:
        reasons.append("its first vector is not the one that key and content decide")
    if not constant and len(set(vectors)) != len(vectors):
        reasons.append("a vector comes twice")
    bare = [
        number
        for number, (size, sample) in enumerate(zip(found.sizes, found.samples, strict=False))
        if sample.protected < (size - 15 if is_whole else 1 if size >= BARE else 0)
    ]
    reasons += [f"sample {number} is not encrypted" for number in bare]
    if len(found.samples) != len(found.sizes):
        reasons.append(f"{len(found.samples)} of its {len(found.sizes)} samples are encrypted")
    if found.is_same is False:
        reasons.append("it does not decrypt to what was encrypted")
    return Verdict(
        "encryption", rendition, encryption_evidence(lock, found), tuple(reasons[:SHOWN])
    )


def encryption_evidence(lock: Lock, found: Locked) -> dict[str, Any]:
    """What was looked at."""
    return {
        "scheme": lock.scheme,
        "key_id": lock.key_id,
        "samples": len(found.sizes),
        "bytes": sum(found.sizes),
        "encrypted_bytes": sum(sample.protected for sample in found.samples),
        "proved_by": found.proved_by,
    }


def judge_colour(
    rendition: str, wanted: Colours, boxes: Colours | None, coded: Sequence[Colours]
) -> Verdict:
    """What every segment's bitstream and the init segment's boxes tell is what the film tells.

    Args:
        rendition: Its name.
        wanted: By the film.
        boxes: By the sample entry, None where it tells nothing.
        coded: By the bitstream, segment by segment.
    """
    reasons: list[str] = []
    if boxes is None:
        reasons.append("its init segment does not tell its colours")
    else:
        reasons += [f"its init segment tells {one}" for one in differences(boxes, wanted)]
    if not coded:
        reasons.append("no segment of it tells its colours")
    for number, one in enumerate(coded, 1):
        reasons += [f"segment {number} tells {fault}" for fault in differences(one, wanted)]
    evidence = {**wanted.as_json(), "segments": len(coded)}
    return Verdict("colour", rendition, evidence, tuple(reasons[: 2 * SHOWN]))


def judge_quality(
    rendition: str, frames: int, scores: Scores, shots: Sequence[FrameSpan], *,
    tone_mapped: bool = False, without_grain: bool = False,
) -> Verdict:  # fmt: skip
    """Every frame has a score, and the scores are numbers from 0 to 100.

    ``tone_mapped``: both sides were, as there is no model of quality for a high dynamic range.
    ``without_grain``: what was coded was scored, before decoders make grain. The evidence says so.
    """
    if len(scores) != frames:
        reason = f"{len(scores)} of {frames} frames were scored"
        return Verdict("quality", rendition, {"scored": len(scores)}, (reason,))
    sane = bool(np.all(np.isfinite(scores)) and np.all(scores >= 0) and np.all(scores <= 100.001))
    if not sane:
        reason = "a score is not a number from 0 to 100"
        return Verdict("quality", rendition, {"scored": len(scores)}, (reason,))
    evidence: dict[str, Any] = {"scored": len(scores), "vmaf": pool(scores, shots).as_json()}
    evidence |= {"tone_mapped": True} if tone_mapped else {}
    evidence |= {"without_grain": True} if without_grain else {}
    return Verdict("quality", rendition, evidence)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a ladder promised of a rendition: the mean of VMAF, and how far below it a shot is."""

    rendition: str
    target: float
    margin: float


ROUNDED = 0.005
"""What is less than that below a promise keeps it: figures are told with two decimals."""


def judge_promise(promise: Promise, scores: Scores, pieces: Sequence[FrameSpan]) -> Verdict:
    """The harmonic mean reaches the target, the mean of each piece all but the margin.

    ``pieces`` are the shots, as far as one chunk holds them: what has one setting.
    """
    floor = promise.target - promise.margin
    means = [float(np.mean(scores[piece.start : piece.end])) for piece in pieces]
    pooled = pool(scores, pieces)
    reasons: list[str] = []
    if pooled.harmonic_mean < promise.target - ROUNDED:
        reasons.append(f"its VMAF is {pooled.harmonic_mean:.2f}, not {promise.target:g}")
    low = [n for n, mean in enumerate(means) if mean < floor - ROUNDED]
    for n in sorted(low, key=means.__getitem__)[:SHOWN]:
        piece = pieces[n]
        reasons.append(
            f"frames {piece.start} to {piece.end - 1} have a VMAF of {means[n]:.2f}, not {floor:g}"
        )
    evidence = {
        "target": promise.target,
        "floor": floor,
        "harmonic_mean": round(pooled.harmonic_mean, 2),
        "median_shot": round(float(np.median(means)), 2),
        "p5_shot": round(float(np.percentile(means, 5)), 2),
        "worst_shot": round(min(means), 2),
        "shots": len(pieces),
        "below": len(low),
    }
    return Verdict("promise", promise.rendition, evidence, tuple(reasons))
