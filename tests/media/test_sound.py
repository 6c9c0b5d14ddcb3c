"""Which renditions a sound track gets, and whether a lag is measured as it is."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.core.ids import digest_of
from matinee.media.ladder import SoundRates
from matinee.media.profile import SoundForm
from matinee.media.sound import (
    AAC_FRAME,
    LAYOUTS,
    PROBE,
    PROBE_RATE,
    PROBES,
    QUIET,
    REACH,
    SAMPLE_RATE,
    Samples,
    layout_note,
    lead_samples,
    measure_lag,
    plan_sound,
    probe_times,
)
from matinee.media.source import Track

FORMS = [SoundForm("aac", SoundRates(mono_kbps=64, stereo_kbps=128, per_channel_kbps=48))]
LENGTH = int(PROBE * PROBE_RATE)


def sound_track(
    channels: int, start: Fraction = Fraction(0), layout: str = "", places: tuple[str, ...] = ()
) -> Track:
    return Track(
        index=1,
        type="audio",
        codec="aac",
        language="eng",
        title="",
        is_default=True,
        is_forced=False,
        is_cover=False,
        start=start,
        duration=Fraction(10),
        packets=digest_of(b"packets"),
        channels=channels,
        sample_rate=48_000,
        layout=layout,
        places=places,
    )


def noise(seed: int, loudness: float = 0.1, length: int = LENGTH) -> Samples:
    generator = np.random.default_rng(seed)
    return generator.normal(0, loudness, length).astype(np.float32)


def late(samples: Samples, lag: int) -> Samples:
    """The same sound ``lag`` samples later, silence where nothing is."""
    moved = np.zeros_like(samples)
    if lag >= 0:
        moved[lag:] = samples[: len(samples) - lag]
    else:
        moved[:lag] = samples[-lag:]
    return moved


# Lags


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), lag=st.integers(-REACH, REACH))
def test_a_planted_lag_is_found_exactly(seed: int, lag: int) -> None:
    source = noise(seed)

    found = measure_lag(source, late(source, lag), Fraction(7))

    assert found is not None
    assert found.lag_s == lag / PROBE_RATE
    assert found.time_s == 7
    assert found.likeness > 0.9


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    lag=st.integers(-800, 800),
    gain=st.sampled_from([0.25, 0.5, 1, 2]),
)
def test_coding_noise_and_another_loudness_move_no_lag(seed: int, lag: int, gain: float) -> None:
    source = noise(seed)
    copy = gain * (late(source, lag) + noise(seed + 1, 0.02))

    found = measure_lag(source, copy.astype(np.float32), Fraction(0))

    assert found is not None
    assert found.lag_s == lag / PROBE_RATE
    assert 0.8 < found.likeness <= 1


@pytest.mark.parametrize("lag", [-640, -40, -1, 0, 1, 40, 640])
def test_the_lag_of_a_click_is_exact(lag: int) -> None:
    source = np.zeros(LENGTH, dtype=np.float32)
    source[LENGTH // 2 : LENGTH // 2 + 400] = 0.5

    found = measure_lag(source, late(source, lag), Fraction(0))

    assert found is not None and found.lag_s == lag / PROBE_RATE
    assert found.likeness == pytest.approx(1)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_another_sound_has_no_likeness(seed: int) -> None:
    found = measure_lag(noise(seed), noise(seed + 1), Fraction(0))

    assert found is not None
    assert found.likeness < 0.3


def test_a_sound_of_opposite_sign_has_no_likeness() -> None:
    source = noise(1)

    found = measure_lag(source, -source, Fraction(0))

    assert found is not None and found.likeness < 0.3


@pytest.mark.parametrize(
    ("source", "copy"),
    [(noise(1, QUIET / 2), noise(1)), (noise(1), noise(1, QUIET / 2)), (noise(1) * 0, noise(1))],
    ids=["quiet source", "quiet copy", "silence"],
)
def test_what_is_too_quiet_has_no_lag(source: Samples, copy: Samples) -> None:
    assert measure_lag(source, copy, Fraction(0)) is None


@pytest.mark.parametrize("length", [1, 2, 100, 8001])
def test_short_pieces_are_compared_too(length: int) -> None:
    source = noise(3, length=length)

    found = measure_lag(source, source, Fraction(0))

    assert found is not None
    assert (found.lag_s, round(found.likeness, 5)) == (0, 1)


@given(duration=st.fractions(Fraction(1, 100), 20_000, max_denominator=1001))
def test_places_to_compare_lie_within_the_film(duration: Fraction) -> None:
    times = probe_times(duration)

    assert 1 <= len(times) <= PROBES
    assert times == sorted(set(times)) and times[0] == 0
    assert times[-1] == max(Fraction(0), duration - PROBE)


# Plans


@pytest.mark.parametrize(
    ("channels", "renditions"),
    [
        (1, [("audio-en-mono", 1, 64_000)]),
        (2, [("audio-en-stereo", 2, 128_000)]),
        (4, [("audio-en-stereo", 2, 128_000), ("audio-en-40", 4, 192_000)]),
        (6, [("audio-en-stereo", 2, 128_000), ("audio-en-51", 6, 288_000)]),
        (8, [("audio-en-stereo", 2, 128_000), ("audio-en-51", 6, 288_000)]),
    ],
)
def test_every_device_has_a_rendition_and_wide_sound_its_own(
    channels: int, renditions: list[tuple[str, int, int]]
) -> None:
    plans = plan_sound(
        sound_track(channels), "audio-en", FORMS, Fraction(0), Fraction(10), AAC_FRAME
    )

    assert [(plan.name, plan.channels, plan.bit_rate) for plan in plans] == renditions
    assert all(LAYOUTS[plan.channels] == plan.layout for plan in plans)


LAID_OUT = {
    "3.0": ("FL FR FC", 3, ""),
    "4.0": ("FL FR FC BC", 4, ""),
    "5.0": ("FL FR FC BL BR", 5, ""),
    "5.1": ("FL FR FC LFE BL BR", 6, ""),
    "5.1(side)": ("FL FR FC LFE SL SR", 6, ""),
    "2.1": ("FL FR LFE", 6, "2.1 is carried in 5.1"),
    "3.0(back)": ("FL FR BC", 4, "3.0(back) is carried in 4.0"),
    "quad": ("FL FR BL BR", 5, "quad is carried in 5.0"),
    "quad(side)": ("FL FR SL SR", 5, "quad(side) is carried in 5.0"),
    "3.1": ("FL FR FC LFE", 6, "3.1 is carried in 5.1"),
    "4.1": ("FL FR FC LFE BC", 6, "4.1 is folded into 5.1"),
    "6.0": ("FL FR FC BC SL SR", 5, "6.0 is folded into 5.0"),
    "6.1": ("FL FR FC LFE BC SL SR", 6, "6.1 is folded into 5.1"),
    "7.1": ("FL FR FC LFE BL BR SL SR", 6, "7.1 is folded into 5.1"),
    "7.1.4": ("FL FR FC LFE BL BR SL SR TFL TFR TBL TBR", 6, "7.1.4 is folded into 5.1"),
}


@pytest.mark.parametrize("layout", LAID_OUT)
def test_a_layout_keeps_a_place_for_each_channel_or_says_what_is_folded(layout: str) -> None:
    places, widest, note = LAID_OUT[layout]
    track = sound_track(len(places.split()), layout=layout, places=tuple(places.split()))
    plans = plan_sound(track, "audio-en", FORMS, Fraction(0), Fraction(10), AAC_FRAME)

    assert [plan.channels for plan in plans] == [2, widest]
    assert layout_note(track).startswith(note) and bool(layout_note(track)) == bool(note)
    assert not any(plan.mix for plan in plans)


@pytest.mark.parametrize(
    ("channels", "places", "layouts", "mix"),
    [
        (1, ("FL",), ["mono"], "pan=mono|c0=c0"),
        (2, ("FL", "LFE"), ["stereo"], "pan=stereo|c0=c0|c1=c1"),
        (2, ("BIL", "BIR"), ["stereo"], "pan=stereo|c0=c0|c1=c1"),
        (4, ("AMBI0", "AMBI1", "AMBI2", "AMBI3"), ["stereo"], "pan=stereo|c0=c0|c1=c0"),
        (3, ("FL", "FC", "LFE"), ["stereo"], "pan=stereo|c0=0.333333*c0+0.333333*c1+0.333333*c2"),
        (9, (), ["stereo"], "pan=stereo|c0=0.111111*c0+"),
    ],
)
def test_channels_without_known_places_are_mixed_by_number(
    channels: int, places: tuple[str, ...], layouts: list[str], mix: str
) -> None:
    track = sound_track(channels, places=places)
    plans = plan_sound(track, "audio-en", FORMS, Fraction(0), Fraction(10), AAC_FRAME)

    assert [plan.layout for plan in plans] == layouts
    assert all(plan.mix.startswith(mix) for plan in plans)
    assert all(plan.as_parameters()["mix"] == plan.mix for plan in plans)
    assert bool(layout_note(track)) == (channels > 2)


SPEAKERS = ["FL", "FR", "FC", "LFE", "BL", "BR", "BC", "SL", "SR", "FLC", "FRC", "TFL", "TC", "DL"]


@given(places=st.lists(st.sampled_from(SPEAKERS), min_size=1, unique=True), told=st.booleans())
def test_any_layout_has_a_first_rendition_that_every_device_plays(
    places: list[str], told: bool
) -> None:
    track = sound_track(len(places), places=tuple(places) if told else ())
    plans = plan_sound(track, "audio-en", FORMS, Fraction(0), Fraction(10), AAC_FRAME)

    assert plans[0].channels == min(2, len(places))
    assert all(LAYOUTS[plan.channels] == plan.layout for plan in plans)
    assert len({plan.name for plan in plans}) == len(plans) <= 2
    unchanged = len(plans) == 2 and plans[1].channels == len(places)
    assert unchanged or len(places) <= 2 or layout_note(track)


@given(
    channels=st.integers(1, 24),
    start=st.fractions(-5, 5, max_denominator=90_000),
    film_start=st.fractions(-5, 5, max_denominator=90_000),
)
def test_a_plan_says_when_the_track_sounds(
    channels: int, start: Fraction, film_start: Fraction
) -> None:
    track = sound_track(channels, start)

    for plan in plan_sound(track, "a", FORMS, film_start, Fraction(10), 2002):
        assert plan.delay == start - film_start
        assert (plan.film_start, plan.duration, plan.lead, plan.track) == (
            film_start, Fraction(10), 2002, 1,
        )  # fmt: skip


def test_the_names_of_renditions_and_containers_decide_nothing() -> None:
    track = sound_track(2, Fraction(3, 2))
    (one,) = plan_sound(track, "a", FORMS, Fraction(1), Fraction(10), 2002)
    (two,) = plan_sound(sound_track(2, Fraction(1, 2)), "b", FORMS, Fraction(0), Fraction(10), 2002)

    assert one.as_parameters() == two.as_parameters()


@pytest.mark.parametrize("delay", [Fraction(1, 2), Fraction(-1, 2)], ids=str)
def test_the_delay_of_a_track_decides_its_rendition(delay: Fraction) -> None:
    (straight,) = plan_sound(sound_track(2), "a", FORMS, Fraction(0), Fraction(10), 2002)
    (moved,) = plan_sound(sound_track(2, delay), "a", FORMS, Fraction(0), Fraction(10), 2002)

    assert moved.as_parameters() != straight.as_parameters()


@pytest.mark.parametrize(
    ("rate", "samples"),
    [
        (Fraction(24_000, 1001), 4004),
        (Fraction(25), 3840),
        (Fraction(30_000, 1001), 3203),
        (Fraction(60), 1600),
        (Fraction(120), 1024),
    ],
    ids=str,
)
def test_sound_leads_by_what_b_frames_hold_back(rate: Fraction, samples: int) -> None:
    assert lead_samples(rate) == samples


@given(rate=st.fractions(1, 240, max_denominator=1001))
def test_the_lead_holds_the_priming_and_is_the_pictures_to_a_sample(rate: Fraction) -> None:
    lead = lead_samples(rate)

    assert lead >= AAC_FRAME
    if lead > AAC_FRAME:
        assert abs(Fraction(lead, SAMPLE_RATE) - 2 / rate) <= Fraction(1, 2 * SAMPLE_RATE)
