"""What bits are measured on, and the ladders that are measured beside ours."""

from fractions import Fraction
from pathlib import Path

import pytest
from benchmarks.__main__ import GROUPS, NAMES, chosen
from benchmarks.fixed_ladders import AWS, SHAKA, TWO_PASSES, commands, fitting
from benchmarks.grid import CRFS, grid_side
from benchmarks.reels import PIECE, RATE, choose, mix_command
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.time import FrameSpan
from matinee.ladders import load_ladder

RATE_24 = Fraction(24)


@given(
    lengths=st.lists(st.integers(1, 200), min_size=1, max_size=40), count=st.integers(1, 30),
    seed=st.integers(0, 5),
)  # fmt: skip
def test_chosen_shots_are_whole_stretches_of_shots_in_order_the_same_for_a_seed(
    lengths: list[int], count: int, seed: int
) -> None:
    starts = [sum(lengths[:n]) for n in range(len(lengths))]
    every = [FrameSpan(a, a + n) for a, n in zip(starts, lengths, strict=True)]
    lasting = [shot for shot in every if len(shot) >= 48]

    found = choose(every, count, 48, seed)

    assert found == choose(every, count, 48, seed) == sorted(found)
    assert len({span.start for span in found}) == len(found) == min(count, len(lasting))
    assert all(len(span) == 48 for span in found)
    assert all(any(s.start == span.start for s in lasting) for span in found)


def test_shaka_streamers_ladder_is_one_command_with_its_own_options() -> None:
    ladder = fitting(SHAKA, 640, 360)
    outputs = [Path(f"{rung.name}.mp4") for rung in ladder.rungs]

    [command] = commands("ffmpeg", Path("film.mp4"), ladder, RATE_24, outputs)

    assert [output.name for output in outputs] == ["144p.mp4", "240p.mp4", "360p.mp4"]
    assert command[:7] == ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", "film.mp4"]
    assert command[7:36] == [
        "-map", "0:v:0", "-an", "-vf", "scale=-2:144,setsar=1:1",
        "-c:v", "libx264", "-preset", "medium", "-profile:v", "main", "-pix_fmt", "yuv420p",
        "-flags", "+cgop+loop", "-b:v", "108k", "-refs", "3", "-bf", "3",
        "-keyint_min", "96", "-g", "96", "-threads:v", "1", "144p.mp4", "-map",
    ]  # fmt: skip


def test_a_ladder_of_two_passes_looks_first_and_writes_then() -> None:
    ladder = fitting(TWO_PASSES, 426, 240)

    first, second = commands(
        "ffmpeg", Path("film.mp4"), ladder, RATE_24, [Path("144p.mp4"), Path("240p.mp4")]
    )

    assert first.count("null") == 2 and "240p.mp4" not in first
    assert second[-1] == "240p.mp4"
    for number, command in enumerate((first, second), 1):
        assert [command[n + 1] for n, word in enumerate(command) if word == "-pass"] == [
            str(number)
        ] * 2
        assert command.count("high") == 2 and "-keyint_min" not in command


def test_a_ladder_by_quality_has_caps_and_buffers() -> None:
    ladder = fitting(AWS, 1280, 720)
    outputs = [Path(f"{rung.name}.mp4") for rung in ladder.rungs]

    [command] = commands("ffmpeg", Path("film.mp4"), ladder, RATE_24, outputs)

    assert "-b:v" not in command
    last = command[command.index("540p.mp4") :]
    assert last[last.index("-crf") : last.index("-refs")] == [
        "-crf", "23", "-maxrate", "6000k", "-bufsize", "15000k",
    ]  # fmt: skip
    assert last[last.index("-g") + 1] == "72"


def test_rungs_larger_than_the_film_are_left_out() -> None:
    assert [rung.name for rung in fitting(SHAKA, 854, 480).rungs] == [
        "144p", "240p", "360p", "480p"
    ]  # fmt: skip
    assert [rung.name for rung in fitting(AWS, 1280, 720).rungs] == [
        "270p", "360p", "540p", "720p"
    ]  # fmt: skip


def test_the_grid_has_one_ladder_at_every_crf_and_no_other() -> None:
    side = grid_side(load_ladder("av1"))

    assert (side.ladder.codec, side.ladder.crf, side.capped) == ("av1", CRFS[0], False)
    assert side.crfs == CRFS
    assert side.ladder.boxes == load_ladder("standard").boxes


@pytest.mark.parametrize("film", [None, Path("film.mp4")])
def test_the_mix_joins_clips_of_one_length_and_rate(film: Path | None) -> None:
    source, how = mix_command(Path("city.mpg"), Path("bunny.mp4"), Path("bikes.mp4"), film)
    graph = how[how.index("-filter_complex") + 1]

    count = 8 if film else 7
    assert source.count("-i") == count == graph.count(f"trim=end_frame={PIECE * RATE}")
    assert f"concat=n={count}:v=1[v]" in graph
    assert ("-sseof" in source) is (film is not None)


def test_a_group_stands_for_its_benchmarks_each_once() -> None:
    assert chosen(["bits"]) == [
        "ladders",
        "optimise",
        "budget",
        "target",
        "per_title",
        "series",
        "whole",
    ]
    assert chosen(["target", "bits", "idle"]) == [
        "target", "ladders", "optimise", "budget", "per_title", "series", "whole", "idle",
    ]  # fmt: skip
    assert set(chosen(list(GROUPS))) <= set(NAMES)
