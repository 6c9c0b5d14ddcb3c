"""What is checked at once, before a chunk or its scores enter the ledger."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil

import numpy as np

from matinee.core.errors import EncoderFailed, RungStarved, ToolError
from matinee.media.ladder import STARVED, Rung
from matinee.media.signature import Mismatch, Signature, compare
from matinee.ports.tools import Measured


def check_frames(source: Signature, copy: Signature, start: int, rung: str) -> None:
    """Every frame of a chunk shows the frame of the source that it should.

    Raises:
        EncoderFailed: names the first frame that does not, and the one it shows.
    """
    if len(copy) != len(source):
        raise EncoderFailed(
            f"the {rung} chunk from frame {start} decodes to {len(copy)} frames, not {len(source)}"
        )
    wrong = compare(source, copy, start)
    if wrong:
        raise EncoderFailed(f"the {rung} chunk from frame {start} is wrong: {describe(wrong)}")


@contextmanager
def blamed_on_caps(rungs: Sequence[Rung]) -> Iterator[None]:
    """Where one of these rungs has hardly a bit, that is why its encoder or a check fails.

    Raises:
        RungStarved: instead of EncoderFailed or ToolError; trying again would change nothing.
    """
    try:
        yield
    except ToolError as error:
        starved = min(rungs, key=lambda rung: rung.maxrate / (rung.width * rung.height))
        if type(error) not in (EncoderFailed, ToolError) or not starved.is_starved:
            raise
        needed = STARVED * starved.width * starved.height * starved.rate / 1000
        raise RungStarved(
            f"the rung {starved.name} has a cap of {starved.maxrate // 1000} kbit/s, too few for "
            f"{starved.width}x{starved.height} at {float(starved.rate):g} frames a second, which "
            f"need {ceil(needed)} or more to be safe: {error}"
        ) from error


def describe(wrong: Sequence[Mismatch]) -> str:
    """The first mismatch in words."""
    first = wrong[0]
    shown = "another picture" if first.offset is None else f"frame {first.frame + first.offset}"
    return f"frame {first.frame} shows {shown} ({len(wrong)} frames are wrong)"


SAME = 1.0
"""Mean difference of a signature pixel, in 8-bit steps, below which two decodes show one frame."""


def check_pairing(source: Signature, measured: Measured, start: int, rung: str) -> None:
    """A score counts only when frame i was compared with frame i.

    Raises:
        ToolError: unequal counts, or one side was shifted.
    """
    reference, scores = measured.reference, measured.scores
    assert reference is not None and scores is not None  # noqa: PT018
    counts = {len(source), len(reference), len(measured.signature), len(scores)}
    place = f"the scores of the {rung} chunk from frame {start}"
    if len(counts) != 1:
        raise ToolError(f"{place} pair unequal counts of frames: {sorted(counts)}")
    apart = np.abs(source.astype(np.float32) - reference.astype(np.float32)).mean(axis=1) / 256
    wrong = compare(source, reference, start) or compare(source, measured.signature, start)
    if wrong or float(apart.max()) > SAME:
        fault = describe(wrong) if wrong else f"frame {start + int(apart.argmax())} is another"
        raise ToolError(f"{place} pair wrong frames: {fault}")
