"""What a comparison says, as JSON: see docs/reference/json.md. The page is drawn from the same."""

from typing import Any

from matinee.core.time import FrameSpan
from matinee.flows.compare import Asked, Compared, LadderSide, Measured
from matinee.media.comparison import (
    INTERVAL,
    RESAMPLES,
    Difference,
    Encode,
    Range,
    RungGain,
    by_second,
    worth,
)
from matinee.media.curves import Point
from matinee.media.headroom import headroom
from matinee.media.quality import pool
from matinee.media.source import display_size
from matinee.stages.bench import Bench

SCHEMA = 1


def comparison_json(bench: Bench, asked: Asked, compared: Compared) -> dict[str, Any]:
    """The whole comparison. Bit rates are of the frames that were compared."""
    film, found = compared.film, compared.comparison
    rate = film.plan.rate
    width, height = display_size(film.picture)
    seconds = float(compared.frames / rate)
    pair = found.pair
    return {
        "schema": SCHEMA,
        "film": {
            "file": str(asked.film),
            "width": width,
            "height": height,
            "frames": film.plan.frames,
            "frame_rate": str(rate),
            "duration": float(film.plan.frames / rate),
        },
        "compared": {
            "frames": compared.frames,
            "duration": seconds,
            "spans": [{"start": c.frames.start, "end": c.frames.end} for c in film.clips],
            "shots": len(found.parts),
            "seed": asked.seed,
        },
        "quality": {
            "metric": "vmaf",
            "pooling": "harmonic_mean",
            "ffmpeg": bench.tools["ffmpeg"].version,
        },
        "interval": {"resamples": RESAMPLES, "percentiles": list(INTERVAL)},
        "a": _side(compared, compared.a, seconds),
        "b": _side(compared, compared.b, seconds),
        "overall": _rung(found.overall),
        "rungs": [_rung(rung) for rung in found.rungs],
        "differences": [_difference(each) for each in found.differences],
        "pair": {"a": pair[0].name, "b": pair[1].name},
        "shots": [
            {
                "start": shot.part.frames.start,
                "end": shot.part.frames.end,
                "a": _point(shot.a, float(len(shot.part.frames) / rate)),
                "b": _point(shot.b, float(len(shot.part.frames) / rate)),
                "bd_rate": _rounded(shot.bd_rate),
            }
            for shot in found.shots
        ],
        "worst": [{"shot": w.shot, "frame": w.frame, "why": w.why} for w in found.worst],
        "seconds": _seconds(compared),
        "cpu": _cpu(compared),
        "derivations": {
            "ran": sum(tally.ran for tally in bench.tallies.values()),
            "reused": sum(tally.reused for tally in bench.tallies.values()),
        },
    }


def _side(compared: Compared, side: Measured, seconds: float) -> dict[str, Any]:
    is_ladder = isinstance(side.side, LadderSide)
    described = side.side.ladder if isinstance(side.side, LadderSide) else None
    best = worth(side.encodes)
    return {
        "name": side.name,
        "kind": "ladder" if is_ladder else "files",
        "codec": described.codec if described else None,
        "preset": described.preset if described else None,
        "capped": side.side.capped if isinstance(side.side, LadderSide) else None,
        "headroom": _headroom(compared, side, seconds),
        "encodes": [
            _encode(compared, encode, seconds, is_worth=encode in best) for encode in side.encodes
        ],
    }


def _headroom(compared: Compared, side: Measured, seconds: float) -> dict[str, Any] | None:
    found = headroom(side.encodes, compared.comparison.parts)
    if found is None:
        return None
    return {
        "crf_per_shot": _rounded(found.crf_per_shot),
        "size_per_shot": _rounded(found.free),
        "rungs": [
            {
                "width": place.size[0],
                "height": place.size[1],
                "bits_per_second": round(place.bits / seconds),
                "vmaf": _rounded(place.quality),
            }
            for place in found.places
        ],
    }


def _encode(
    compared: Compared, encode: Encode, seconds: float, *, is_worth: bool
) -> dict[str, Any]:
    pooled = pool(encode.scores, _places(compared))
    return {
        "name": encode.name,
        "width": encode.width,
        "height": encode.height,
        "crf": encode.crf,
        "own": encode.is_own,
        "on_hull": is_worth,
        "bits_per_second": round(encode.bits / seconds),
        "vmaf": {
            "mean": round(pooled.mean, 4),
            "harmonic_mean": round(encode.quality, 4),
            "p5": round(pooled.p5, 4),
            "p1": None if pooled.p1 is None else round(pooled.p1, 4),
            "min": round(pooled.minimum, 4),
        },
        "cpu_s": _rounded(encode.cpu_s),
    }


def _places(compared: Compared) -> list[FrameSpan]:
    """The shots, as places among the frames that are compared."""
    parts = compared.comparison.parts
    return [FrameSpan(part.place, part.place + len(part.frames)) for part in parts]


def _rung(rung: RungGain) -> dict[str, Any]:
    gain = rung.gain
    return {
        "width": rung.size[0] if rung.size else None,
        "height": rung.size[1] if rung.size else None,
        "bd_rate": _range(gain.bd_rate) if gain else None,
        "bd_vmaf": _rounded(gain.bd_quality) if gain else None,
        "from_vmaf": _rounded(gain.qualities[0]) if gain else None,
        "to_vmaf": _rounded(gain.qualities[1]) if gain else None,
        "why": rung.why or None,
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "a": each.a.name,
        "b": each.b.name,
        "bits": _range(each.bits),
        "vmaf": _range(each.quality),
    }


def _range(found: Range) -> dict[str, float | None]:
    return {
        "value": _rounded(found.value),
        "low": _rounded(found.low),
        "high": _rounded(found.high),
    }


def _point(point: Point, seconds: float) -> dict[str, float | None]:
    return {"bits_per_second": round(point.size / seconds), "vmaf": _rounded(point.quality)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _seconds(compared: Compared) -> list[dict[str, Any]]:
    """Second by second, at the pair that stands for both sides."""
    rate, parts = compared.film.plan.rate, compared.comparison.parts
    both = [by_second(encode, parts, rate) for encode in compared.comparison.pair]
    return [
        {
            "second": second,
            "a": {"bits_per_second": round(bits_a), "vmaf": round(vmaf_a, 2)},
            "b": {"bits_per_second": round(bits_b), "vmaf": round(vmaf_b, 2)},
        }
        for (second, vmaf_a, bits_a), (_, vmaf_b, bits_b) in zip(*both, strict=True)
    ]


def _cpu(compared: Compared) -> dict[str, float | None]:
    """Processor seconds of encoding at the ladders' own CRFs, for a second of film."""
    seconds = float(compared.frames / compared.film.plan.rate)
    spent: list[float | None] = []
    for side in (compared.a, compared.b):
        own = [encode.cpu_s for encode in side.encodes if encode.is_own]
        known = [cpu_s for cpu_s in own if cpu_s is not None]
        spent.append(round(sum(known) / seconds, 3) if own and len(known) == len(own) else None)
    a, b = spent
    ratio = round(b / a, 3) if a and b else None
    return {"a": a, "b": b, "ratio": ratio}
