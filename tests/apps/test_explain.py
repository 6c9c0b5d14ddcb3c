"""The text of ``matinee explain``, whole."""

from typing import Any

from matinee.apps.cli.explain import explanation_lines


def point(crf: float, bits: int, vmaf: float, worst: float | None = None) -> dict[str, Any]:
    found = {"crf": crf, "bits": bits, "vmaf": vmaf}
    return found if worst is None else {**found, "worst": worst}


SHOT = {
    "shot": 12,
    "start": 2376,
    "end": 2600,
    "crf": 21.5,
    "floor": 91.5,
    "likely": point(21.5, 9_412_334, 93.4, 91.82),
    "proxies": [
        point(17, 21_000_000, 96.01, 95), point(25, 7_204_000, 89.5, 87.25),
        point(33, 2_100_400, 78, 74.1),
    ],
    "finals": [point(21.5, 9_412_334, 93.4, 91.82), point(23, 7_800_000, 92.02, 89.97)],
    "neighbours": [point(20.5, 10_800_000, 94.2), point(22.5, 8_300_000, 92.5)],
}  # fmt: skip
CHOICE = {
    "ladder": "standard",
    "family": "",
    "rung": "video-720p",
    "followers": ["video-360p", "video-480p"],
    "preset": "medium",
    "fixed_crf": 23,
    "target": 93.0,
    "margin": 1.5,
    "goal": 93.0,
    "proxy": {"preset": "ultrafast", "crfs": [17, 25, 33], "every": 7},
    "rounds": 2,
    "slope": 5_210_400,
    "bits": 1_204_000_000,
    "vmaf": 93.12,
    "shots": [SHOT],
}
DOCUMENT = {
    "title": "sintel",
    "package": "0123456789abcdef",
    "frame_rate": "24",
    "fixed": [{"rung": "video-av1-720p", "ladder": "av1", "crf": 35.0, "preset": "6"}],
    "hulls": [],
    "choices": [CHOICE],
    "film_grain": None,
}


def test_a_title_in_a_few_lines() -> None:
    assert "\n".join(explanation_lines(DOCUMENT, every=False, one=False)) == (
        "sintel, package 0123456789abcdef\n"
        "video-av1-720p: every shot has CRF 35, preset 6, by ladder av1; nothing was searched\n"
        "video-720p: settings per shot, ladder standard, preset medium\n"
        "  goal: VMAF 93, no shot below 91.5\n"
        "  found: VMAF 93.12 in 1.20 Gbit; in 2 rounds; CRF 21.5 to 21.5 over 1 shots\n"
        "  searched: preset ultrafast at CRF 17, 25, 33, 1 frame in 7 scored\n"
        "  slope: the next point of VMAF costs 5.21 Mbit\n"
        "  the same CRFs: video-360p, video-480p"
    )


def test_a_shot_with_all_that_is_known_of_it() -> None:
    lines = explanation_lines({**DOCUMENT, "fixed": []}, every=True, one=True)

    assert lines[7:] == [
        "",
        (
            "shot    from      to   CRF       bits   VMAF  worst  floor          CRF 1 lower"
            "               higher"
        ),
        (
            "  12  1:39.0  1:48.3  21.5  9.41 Mbit  93.40  91.82  91.50  +14.7 %, VMAF +0.80"
            "  -11.8 %, VMAF -0.90"
        ),
        "",
        " CRF        bits   VMAF  worst               known by",
        "  17  21.00 Mbit  96.01  95.00                a proxy",
        "20.5  10.80 Mbit  94.20                     the curve",
        "21.5   9.41 Mbit  93.40  91.82  an encode as it ships",
        "22.5   8.30 Mbit  92.50                     the curve",
        "  23   7.80 Mbit  92.02  89.97  an encode as it ships",
        "  25   7.20 Mbit  89.50  87.25                a proxy",
        "  33   2.10 Mbit  78.00  74.10                a proxy",
    ]


def test_an_older_package_does_not_know_its_crf() -> None:
    fixed = [{"rung": "video-720p", "ladder": None, "crf": None}]
    lines = explanation_lines({**DOCUMENT, "fixed": fixed, "choices": []}, every=True, one=True)

    assert lines[1:] == ["video-720p: every shot has one CRF; nothing was searched"]


def test_film_grain_is_told_with_the_strength_of_each_rung() -> None:
    places = [{"frame": 9, "noise": 3.1, "halved": 2.0}, {"frame": 70, "noise": 2.9, "halved": 2.0}]
    rungs = {"video-av1-240p": 0, "video-av1-720p": 18, "video-av1-10-720p": 18}
    grain = {"noise": 3.0, "halved": 2.0, "places": places, "rungs": rungs}
    document = {**DOCUMENT, "fixed": [], "choices": [], "film_grain": grain}
    lines = explanation_lines(document, every=False, one=False)

    assert lines[1:] == [
        "film grain: 3.00 steps, by 2 places of the film",
        "  video-av1-720p, video-av1-10-720p: made anew, strength 18",
        "  video-av1-240p: coded as it is: too little",
    ]
    chosen = {**grain, "noise": None, "halved": None, "places": [], "rungs": {"video-x": 7}}
    lines = explanation_lines({**document, "film_grain": chosen}, every=False, one=False)
    assert lines[1:] == ["  video-x: made anew, strength 7"]
    unseen = {**chosen, "places": places[:1], "rungs": {"video-x": 0}}
    lines = explanation_lines({**document, "film_grain": unseen}, every=False, one=False)
    assert lines[1] == "film grain: none that can be told, by 1 place of the film"
