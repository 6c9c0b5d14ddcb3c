"""Times of showing, where the container tells only some of them."""

from pathlib import Path

import av
import numpy as np
import pytest
from tests.contracts.tool_work import INDEXER
from tests.films import Films

from matinee.adapters.pyav_times import with_times
from matinee.media.frame_index import DISCARD, UNKNOWN

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def film(films: Films) -> Path:
    return films.get("ts-mpeg2")


def test_times_that_are_missing_keep_their_distance_from_those_that_are_told(film: Path) -> None:
    _, packets, _ = INDEXER.inspect(film)
    whole = packets["pts"].copy()
    packets = packets.copy()
    packets["pts"][5::7] = UNKNOWN

    with av.open(str(film)) as container:
        found = with_times(packets, container.streams.video[0], film)

    assert np.array_equal(found["pts"], whole)
    assert not np.any(found["flags"] & DISCARD)
