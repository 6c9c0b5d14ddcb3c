"""Which pictures make posters: not black, sharp, colourful, spread over the film. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DARKEST = 40.0
"""Mean of luma (0 to 255) below which a picture counts as black."""

FLATTEST = 15.0
"""Standard deviation of luma below which a picture counts as empty."""

EDGE = 0.05
"""Part of the film at each end that is looked at last: logos, titles, credits."""

LUMA = np.array([0.2126, 0.7152, 0.0722])

Picture = NDArray[np.uint8]
"""Rows of pixels of red, green and blue."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of a picture.

    ``sharpness`` is the logarithm of the variance of the Laplacian (Pech-Pacheco et al. 2000),
    ``colour`` the colourfulness of Hasler and Suesstrunk (2003).
    """

    brightness: float
    contrast: float
    sharpness: float
    colour: float

    @property
    def shows_something(self) -> bool:
        """Whether it is neither black nor empty."""
        return self.brightness >= DARKEST and self.contrast >= FLATTEST


def measure(picture: Picture) -> Measures:
    """The measures of one picture, at least 3x3 pixels."""
    pixels = picture.astype(np.float64)
    luma = pixels @ LUMA
    inner = luma[1:-1, 1:-1]
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    mean = np.hypot(red_green.mean(), yellow_blue.mean())
    return Measures(
        brightness=float(luma.mean()),
        contrast=float(luma.std()),
        sharpness=float(np.log1p((around - 4 * inner).var())),
        colour=float(spread + 0.3 * mean),
    )


def choose(measured: Sequence[Measures], count: int) -> list[int]:
    """The places of the pictures to take, best first; fewer where there are not so many.

    Pictures are compared by the mean of their ranks in sharpness and in colour. Two that are taken
    lie at least a ``2 * count``-th of the film apart. A film that shows nothing gets its middle.
    """
    places = [place for place, each in enumerate(measured) if each.shows_something]
    if not places:
        return [len(measured) // 2] if measured else []
    edge = int(len(measured) * EDGE)
    sharp = _ranks([measured[place].sharpness for place in places])
    colour = _ranks([measured[place].colour for place in places])
    worth = {p: s + c for p, s, c in zip(places, sharp, colour, strict=True)}
    is_inner = {p: edge <= p < len(measured) - edge for p in places}
    best = sorted(places, key=lambda p: (not is_inner[p], -worth[p], p))
    apart = max(1, len(measured) // (2 * count))
    taken: list[int] = []
    for place in best:
        if len(taken) < count and all(abs(place - other) >= apart for other in taken):
            taken.append(place)
    return taken


def _ranks(values: Sequence[float]) -> list[int]:
    order = np.argsort(np.asarray(values), kind="stable")
    ranks = np.empty(len(values), dtype=int)
    ranks[order] = np.arange(len(values))
    return [int(rank) for rank in ranks]
