"""What was chosen for the shots of a ladder, and why, as a document that pages and people read."""

from collections.abc import Sequence
from typing import Any, Protocol

from matinee.core.time import FrameSpan
from matinee.media.choice import Chosen, Goal, Range, mean_of, neighbours
from matinee.media.ladder import Ladder, Rung
from matinee.media.shot_models import Measured, ShotModel


class Wish(Protocol):
    """A ladder's wish: the rung that was searched, those that follow it; its proxies, or none."""

    @property
    def ladder(self) -> Ladder: ...  # noqa: D102
    @property
    def rung(self) -> Rung: ...  # noqa: D102
    @property
    def followers(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def proxies(self) -> list[Rung]: ...  # noqa: D102


def choice_json(
    wish: Wish, spans: Sequence[FrameSpan], models: Sequence[ShotModel], chosen: Chosen,
    goal: Goal, bounds: Range, rounds: int, every: int,
) -> dict[str, Any]:  # fmt: skip
    """All that decided. Bits are rounded to whole ones, VMAF to two decimals.

    Args:
        wish: Of which ladder.
        spans: The frames of each shot.
        models: What is known of each shot.
        chosen: Its CRFs, in the same order.
        goal: What was to be reached.
        bounds: The CRFs that could be taken.
        rounds: How often shots were encoded as they ship and the choice made again; 0: never.
        every: Of a proxy's frames one in so many was scored.
    """
    proxies = wish.proxies
    points = [model.at(crf) for model, crf in zip(models, chosen.crfs, strict=True)]
    return {
        "ladder": wish.ladder.name,
        "family": wish.rung.family,
        "rung": f"video-{wish.rung.name}",
        "followers": [f"video-{name}" for name in wish.followers],
        "preset": wish.rung.preset,
        "fixed_crf": wish.rung.crf,
        "target": wish.ladder.target_vmaf,
        "margin": wish.ladder.shot_margin if wish.ladder.target_vmaf is not None else None,
        "goal": round(goal.quality, 2),
        "proxy": {
            "preset": proxies[0].preset,
            "width": proxies[0].width,
            "height": proxies[0].height,
            "crfs": [proxy.crf for proxy in proxies],
            "every": every,
        }
        if proxies
        else None,
        "rounds": rounds,
        "slope": None if chosen.slope is None else round(chosen.slope),
        "bits": round(sum(point.bits for point in points)),
        "vmaf": round(mean_of(models, points), 2),
        "shots": [
            _shot(span, model, point, floor, bounds, has_proxies=bool(proxies))
            for span, model, point, floor in zip(spans, models, points, goal.floors, strict=True)
        ],
    }


def _shot(
    span: FrameSpan, model: ShotModel, point: Measured, floor: float, bounds: Range,
    *, has_proxies: bool,
) -> dict[str, Any]:  # fmt: skip
    return {
        "start": span.start,
        "end": span.end,
        "crf": point.crf,
        "floor": round(floor, 2),
        "likely": _point(point),
        "proxies": [_point(one) for one in model.proxies if has_proxies],
        "finals": [_point(one) for one in model.finals],
        "neighbours": [
            {"crf": one.crf, "bits": round(one.bits), "vmaf": round(one.quality, 2)}
            for one in neighbours(model, point.crf, bounds)
        ],
    }


def _point(point: Measured) -> dict[str, Any]:
    return {
        "crf": point.crf,
        "bits": round(point.bits),
        "vmaf": round(point.quality, 2),
        "worst": round(point.worst, 2),
    }
