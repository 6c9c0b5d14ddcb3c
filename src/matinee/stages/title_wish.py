"""What a ladder asks of a film whose rungs it shall have: by which proxies, and at what cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matinee.media.estimate import encode_cost, score_cost
from matinee.media.ladder import Ladder, Rung
from matinee.media.title_ladder import sampled
from matinee.stages.chunks import Film
from matinee.stages.search import EVERY

NEAR, FAR = (0.0, 10.0), 20.0
"""From a ladder's own CRF to those of its proxies; the last one where the hull may go so far."""

SHARE, LEAST, MOST = 3, 3, 16
"""One chunk in so many is measured, so many at least and at most."""

ANCHORS = 4
"""One of the chunks that are measured in so many is encoded as it ships as well."""


@dataclass(frozen=True, slots=True)
class TitleWish:
    """A ladder's wish about one film. ``rungs`` are those that it could have, smallest first."""

    ladder: Ladder
    rungs: tuple[Rung, ...]

    @property
    def preset(self) -> str:
        """That of the proxies: the encoder's fastest."""
        return next(iter(self.rungs[0].coding.presets))

    def proxies(self, step: float) -> list[Rung]:
        """Every rung as a proxy, so far above the ladder's CRF."""
        high = float(self.rungs[0].coding.crf[1])
        first = min(self.rungs[0].crf, high - NEAR[-1])
        return [
            replace(rung, preset=self.preset, crf=min(high, first + step)) for rung in self.rungs
        ]


def title_wishes(ladders: Sequence[Ladder], rungs: Sequence[Rung]) -> list[TitleWish]:
    """The ladders whose rungs come from the title, each with those that it could have."""
    found = []
    for ladder in ladders:
        if ladder.is_per_title:
            own = [one for one in rungs if one.family == ladder.family and one.hdr is None]
            found += [TitleWish(ladder, tuple(own))] if own else []
    return found


def title_cost(wish: TitleWish, size: tuple[int, int], frames: int, chunks: int) -> float:
    """Processor seconds that it is likely to take until all is encoded as it ships.

    ``size`` is that of the film as it is shown.
    """
    sample = len(sampled([""] * chunks, SHARE, LEAST, MOST))
    proxies = [proxy for step in NEAR for proxy in wish.proxies(step)]
    score = score_cost(*size) * 2 / EVERY
    cost = sample * (sum(map(encode_cost, proxies)) + len(proxies) * score)
    anchors = -(-sample // ANCHORS)
    cost += anchors * (sum(map(encode_cost, wish.rungs)) + len(wish.rungs) * score)
    return cost * frames / chunks


def sample_of(film: Film) -> list[int]:
    """The numbers of those chunks by which a title's curves are known."""
    return sampled([clip.digest for clip in film.clips], SHARE, LEAST, MOST)
