"""Posters show something: not black, sharp, colourful, spread over the film."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.stand import NOON

from matinee.config import read_settings
from matinee.core.events import Event
from matinee.core.ids import digest_of
from matinee.flows.functions import poster
from matinee.media.posters import Measures, Picture, choose, measure
from matinee.rules.functions import AsyncCall
from matinee.wiring.library import open_library
from matinee.wiring.rules import open_automation


def noise(seed: int, colours: float) -> Picture:
    grey = np.random.default_rng(seed).integers(0, 256, (60, 100, 1)).astype(float)
    tint = np.array([1.0, 1 - colours, 1 - colours / 2])
    pixels: Picture = (grey * tint).astype(np.uint8)
    return pixels


def test_black_and_empty_pictures_show_nothing() -> None:
    black = np.zeros((60, 100, 3), np.uint8)
    flat = np.full((60, 100, 3), 128, np.uint8)
    assert not measure(black).shows_something
    assert not measure(flat).shows_something
    assert measure(noise(1, 0)).shows_something


def test_sharper_and_more_colourful_pictures_measure_higher() -> None:
    sharp = noise(1, 0)
    soft = (sharp.astype(float) + np.roll(sharp, 1, 0) + np.roll(sharp, 1, 1)) / 3
    assert measure(sharp).sharpness > measure(soft.astype(np.uint8)).sharpness
    assert measure(noise(1, 0.8)).colour > measure(noise(1, 0.2)).colour > measure(sharp).colour


@given(
    st.lists(st.tuples(st.floats(0, 255), st.floats(0, 10), st.floats(0, 99)), max_size=60),
    st.integers(1, 10),
)
def test_those_that_are_taken_lie_apart(
    kinds: list[tuple[float, float, float]], count: int
) -> None:
    measured = [Measures(bright, 50, sharp, colour) for bright, sharp, colour in kinds]
    taken = choose(measured, count)

    assert len(taken) <= count and bool(taken) is bool(measured)
    apart = max(1, len(measured) // (2 * count))
    assert all(abs(a - b) >= apart for a in taken for b in taken if a != b)
    if any(each.shows_something for each in measured):
        assert all(measured[place].shows_something for place in taken)


def test_the_best_picture_comes_first() -> None:
    dull, best = Measures(100, 50, 1, 1), Measures(100, 50, 9, 9)
    assert choose([dull] * 7 + [best] + [dull] * 12, 3)[0] == 7


@pytest.mark.tools
def test_posters_of_a_title_are_made_once_and_lie_beside_it(
    published: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder = shutil.copytree(published[0], tmp_path / "library")
    library = open_library(read_settings(str(folder), 1))
    title = library.titles.get(published[1]["title"])
    data = {"title": title.id, "name": title.name, "package": title.current}
    event = Event("e", NOON, "title.published", "/matinee", f"title/{title.id}", data)

    async def made() -> list[str]:
        reach = open_automation(library).dispatcher.performer.reach
        call = AsyncCall(event, "poster", 1, 1, reach=reach)
        await poster.body(call, count=2)  # type: ignore[misc]
        (fact,) = call.facts
        paths: list[str] = fact.data["changes"]["posters"]
        return paths

    paths = asyncio.run(made())
    folder = folder / "titles" / title.id
    best = (folder / "poster.jpg").read_bytes()
    assert len(paths) == 2 and (folder / paths[0]).read_bytes() == best
    attempts = len(library.ledger.attempts())
    assert asyncio.run(made()) == paths
    assert len(library.ledger.attempts()) == attempts
    assert library.ledger.locate(digest_of(best)) == [f"titles/{title.id}/{paths[0]}"]

    picture = tmp_path / "poster.rgb"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", folder / "poster.jpg"]
    subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", picture], check=True)
    top = max(r["height"] for r in published[1]["renditions"] if r["height"])
    pixels = np.frombuffer(picture.read_bytes(), np.uint8).reshape(top, -1, 3)
    assert measure(pixels).shows_something
