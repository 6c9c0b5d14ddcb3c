"""Sound and text tracks of every kind, on real packages: in equals out, or a named waiver."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import TINY_LADDER, Ended, run_ffmpeg
from tests.flows.packages import Package

from matinee.media.subtitles import parse_webvtt

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]
SECONDS = 7
PICTURE = ("-f", "lavfi", "-t", SECONDS, "-i", "testsrc2=s=128x72:r=24000/1001")
VIDEO = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2")
SRT = """1
00:00:01,111 --> 00:00:02,222
Good <i>morning</i>

2
00:00:05,000 --> 00:01:09,000
End
"""
VTT = "WEBVTT\n\n00:00:01.111 --> 00:00:02.222\nGood <i>morning</i>\n"


def noise(layout: str, rate: int = 48_000, seconds: float = SECONDS) -> tuple[object, ...]:
    """A sound whose channels are all alike, so that no mix makes it silent."""
    count = {"mono": 1, "stereo": 2, "2.1": 3, "quad": 4, "5.1(side)": 6, "6.1": 7, "7.1": 8}
    channels = count.get(layout) or int(layout.partition(" ")[0])
    alike = "|".join(f"c{channel}=c0" for channel in range(channels))
    graph = f"anoisesrc=r={rate}:a=0.1:seed=7:c=pink,pan={layout}|{alike}"
    return ("-f", "lavfi", "-t", seconds, "-i", graph)


@pytest.fixture(scope="module")
def one_rung(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ladder") / "one.toml"
    rungs = re.split(r"(?=^\[)", TINY_LADDER, flags=re.MULTILINE)
    path.write_text("".join(part for part in rungs if "144p" not in part))
    return path


Publish = Callable[..., Package]


@pytest.fixture
def publish(matinee: Run, one_rung: Path, tmp_path: Path) -> Publish:
    """Publishes a film; every verdict passed, and the plan told each outcome before."""

    def run(film: Path, *options: object) -> Package:
        settings = ("--ladder", one_rung, "--library", tmp_path / "library", "--json", *options)
        plan = matinee("publish", film, "--plan", *settings)
        assert plan.exit_code == 0, plan.err
        ended = matinee("publish", film, "--no-scores", "--proofs", "packets", *settings)
        assert ended.exit_code == 0, ended.err
        document = ended.json
        assert all(verdict["passed"] for verdict in document["verdicts"])
        assert document["tracks"] == plan.json["tracks"]
        made = {rendition["name"] for rendition in document["renditions"]}
        assert made == {name for one in document["tracks"] for name in one["renditions"]}
        return Package(document)

    return run


def channels_of(package: Package) -> list[int]:
    renditions = package.document["renditions"]
    return [one["channels"] for one in renditions if one["type"] == "audio"]


def test_every_layout_is_published_or_folded_with_a_note(publish: Publish, tmp_path: Path) -> None:
    layouts = ["mono", "stereo", "2.1", "quad", "5.1(side)", "6.1", "7.1", "9 channels"]
    film = tmp_path / "layouts.mkv"
    inputs = [argument for layout in layouts for argument in noise(layout)]
    maps = [argument for n in range(len(layouts) + 1) for argument in ("-map", n)]
    run_ffmpeg(*PICTURE, *inputs, *maps, *VIDEO, "-c:a", "pcm_s16le", film)

    package = publish(film)

    assert channels_of(package) == [1, 2, 2, 6, 2, 4, 2, 6, 2, 6, 2, 6, 2]
    notes = [note for _, _, _, note in package.outcomes]
    assert notes[1:3] == ["", ""]
    assert "7.1" in notes[7] or "does not tell" in notes[7]
    assert "no known places" in notes[8]


CODECS = {
    ".mkv": [("flac", 44_100), ("eac3", 48_000), ("dca", 48_000), ("libmp3lame", 22_050),
             ("pcm_s24le", 96_000)],
    ".mov": [("alac", 44_100), ("pcm_mulaw", 8_000), ("pcm_s16be", 11_025)],
    ".webm": [("libopus", 48_000), ("libvorbis", 32_000)],
    ".ts": [("mp2", 32_000), ("ac3", 48_000)],
}  # fmt: skip


@pytest.mark.parametrize("kind", CODECS)
def test_sound_of_every_codec_and_rate_is_published(
    kind: str, publish: Publish, tmp_path: Path
) -> None:
    film = tmp_path / f"film{kind}"
    webm = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", 8)
    sounds: list[object] = []
    for n, (codec, rate) in enumerate(CODECS[kind]):
        sounds += ["-map", 1, f"-c:a:{n}", codec, f"-ar:a:{n}", rate]
    video = webm if kind == ".webm" else VIDEO
    run_ffmpeg(*PICTURE, *noise("stereo"), "-map", 0, *sounds, *video, "-strict", -2, film)

    package = publish(film)

    assert channels_of(package) == [2] * len(CODECS[kind])
    judged = [one for one in package.document["verdicts"] if one["judge"] == "sound"]
    assert all(one["evidence"]["compared"] > 0 for one in judged)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("late", ("-itsoffset", "2.5", *noise("stereo", seconds=3))),
        ("ends early", noise("stereo", seconds=2)),
        ("much longer", noise("stereo", seconds=40)),
        ("before zero", ("-itsoffset", "-1.5", *noise("stereo"))),
    ],
)
def test_sound_is_as_long_as_the_picture(
    name: str, arguments: tuple[object, ...], publish: Publish, tmp_path: Path
) -> None:
    film = tmp_path / f"{name}.mkv"
    run_ffmpeg(
        *PICTURE, *arguments, "-map", 0, "-map", 1, *VIDEO, "-c:a", "flac",
        "-avoid_negative_ts", "disabled", film,
    )  # fmt: skip

    package = publish(film)

    (sound,) = [one for one in package.document["verdicts"] if one["judge"] == "sound"]
    assert sound["evidence"]["compared"] > 0
    assert abs(sound["evidence"]["duration"] - SECONDS) < 0.05


def test_a_film_without_sound_is_published(publish: Publish, tmp_path: Path) -> None:
    film = tmp_path / "silent.mp4"
    run_ffmpeg(*PICTURE, *VIDEO, film)

    assert channels_of(publish(film)) == []


FLAGGED = [  # (language, title, disposition)
    ("deu", "", "default"), ("eng", "", "default"), ("eng", "Director's Commentary", "0"),
    ("eng", "", "comment"), ("eng", "", "visual_impaired"), ("eng", "", "hearing_impaired"),
    ("", "", "0"),
]  # fmt: skip


def flags(kind: str) -> list[object]:
    told: list[object] = []
    for n, (language, title, disposition) in enumerate(FLAGGED):
        told += [f"-metadata:s:{kind}:{n}", f"language={language}"]
        told += [f"-metadata:s:{kind}:{n}", f"title={title}"]
        told += [f"-disposition:{kind}:{n}", disposition]
    return told


def test_flags_of_sound_come_out_in_both_manifests(publish: Publish, tmp_path: Path) -> None:
    film = tmp_path / "flags.mkv"
    maps = [argument for _ in FLAGGED for argument in ("-map", 1)]
    run_ffmpeg(
        *PICTURE, *noise("mono"), "-map", 0, *maps, *VIDEO, "-c:a", "libopus", *flags("a"), film
    )

    package = publish(film)

    yes, no = {"AUTOSELECT": "YES"}, {"AUTOSELECT": "NO"}
    aside = {"DEFAULT": "NO", "LANGUAGE": "en"}
    assert package.media("AUDIO") == [
        {"NAME": "Deutsch", "LANGUAGE": "de", "DEFAULT": "YES", **yes},
        {"NAME": "English", **aside, **yes},
        {"NAME": "Director's Commentary", **aside, **no,
         "CHARACTERISTICS": "public.auxiliary-content"},
        {"NAME": "English (commentary)", **aside, **no,
         "CHARACTERISTICS": "public.auxiliary-content"},
        {"NAME": "English (audio description)", **aside, **yes,
         "CHARACTERISTICS": "public.accessibility.describes-video"},
        {"NAME": "English (clear speech)", **aside, **yes,
         "CHARACTERISTICS": "public.accessibility.enhances-speech-intelligibility"},
        {"NAME": "Unknown", "DEFAULT": "NO", **yes},
    ]  # fmt: skip
    assert package.sets("audio") == [
        ("Deutsch", ("main",), None),
        ("English", ("alternate",), None),
        ("Director's Commentary", ("commentary",), None),
        ("English (commentary)", ("commentary",), None),
        ("English (audio description)", ("description",), "1"),
        ("English (clear speech)", ("enhanced-audio-intelligibility",), "2"),
        ("Unknown", ("alternate",), None),
    ]


def test_flags_of_subtitles_come_out_in_both_manifests(publish: Publish, tmp_path: Path) -> None:
    film, text = tmp_path / "flags.mkv", tmp_path / "text.srt"
    text.write_text(SRT)
    maps = [argument for _ in range(3) for argument in ("-map", 1)]
    run_ffmpeg(
        *PICTURE, "-i", text, "-map", 0, *maps, *VIDEO, "-c:s", "srt",
        "-disposition:s:0", "default+forced", "-metadata:s:s:0", "language=eng",
        "-disposition:s:1", "hearing_impaired", "-metadata:s:s:1", "language=eng",
        "-disposition:s:2", "forced", "-metadata:s:s:2", "language=fra", film,
    )  # fmt: skip

    package = publish(film)

    captions = (
        "public.accessibility.transcribes-spoken-dialog,"
        "public.accessibility.describes-music-and-sound"
    )
    assert package.media("SUBTITLES") == [
        {"NAME": "English (forced)", "LANGUAGE": "en", "DEFAULT": "YES", "AUTOSELECT": "YES",
         "FORCED": "YES"},
        {"NAME": "English (SDH)", "LANGUAGE": "en", "DEFAULT": "NO", "AUTOSELECT": "YES",
         "FORCED": "NO", "CHARACTERISTICS": captions},
        {"NAME": "Français (forced)", "LANGUAGE": "fr", "DEFAULT": "NO", "AUTOSELECT": "NO",
         "FORCED": "YES"},
    ]  # fmt: skip
    assert package.sets("text") == [
        ("English (forced)", ("main", "forced-subtitle"), None),
        ("English (SDH)", ("caption",), "2"),
        ("Français (forced)", ("forced-subtitle",), None),
    ]


TWINS = [  # (name, is_default), of sounds and texts alike
    ("English", True), ("English 2", False), ("English 3", False),
]  # fmt: skip


def test_tracks_of_one_language_stay_apart_in_both_manifests(
    publish: Publish, tmp_path: Path
) -> None:
    """Two tracks in the film that nothing tells apart, and a subtitle file beside them."""
    film, beside = tmp_path / "twins.mkv", tmp_path / "twins.en.srt"
    texts = [tmp_path / "one.srt", tmp_path / "two.srt"]
    for path, word in zip([*texts, beside], ("first", "second", "third"), strict=True):
        path.write_text(SRT.replace("morning", word))
    maps = [argument for n in (1, 1, 1, 2, 3) for argument in ("-map", n)]
    english = [f"-metadata:s:{n}" for n in range(1, 6)]
    run_ffmpeg(
        *PICTURE, *noise("mono"), "-i", texts[0], "-i", texts[1], "-map", 0, *maps, *VIDEO,
        "-c:a", "libopus", "-c:s", "srt", *(x for one in english for x in (one, "language=eng")),
        "-disposition:a:0", "default", "-disposition:s:0", "default", film,
    )  # fmt: skip

    package = publish(film, "--subtitles", beside)

    for kind in ("AUDIO", "SUBTITLES"):
        listed = [(one["NAME"], one["DEFAULT"] == "YES") for one in package.media(kind)]
        assert listed == TWINS
        assert {one["LANGUAGE"] for one in package.media(kind)} == {"en"}
    assert package.sets("audio") == [
        ("English", ("main",), None),
        ("English 2", ("alternate",), None),
        ("English 3", ("alternate",), None),
    ]
    assert package.sets("text") == [
        ("English", ("main", "subtitle"), None),
        ("English 2", ("subtitle",), None),
        ("English 3", ("subtitle",), None),
    ]
    for name, word in (("text-en", "first"), ("text-en-2", "second"), ("text-en-3", "third")):
        assert package.cues(name)[0][2] == f"Good <i>{word}</i>"


ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Alignment
Style: Default,Arial,16,&Hffffff,0,0,2

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.11,0:00:02.22,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}
Dialogue: 0,0:00:01.11,0:00:02.22,Default,,0,0,0,,{\\pos(1,2)}Good {\\i1}morning{\\i0}
"""


@pytest.mark.parametrize(
    ("suffix", "codec", "text"),
    [
        (".mkv", "srt", SRT), (".mkv", "ass", ASS), (".mkv", "webvtt", VTT),
        (".mp4", "mov_text", SRT), (".mp4", "ttml", SRT), (".webm", "webvtt", VTT),
    ],
    ids=["srt", "ass", "webvtt", "mov_text", "ttml", "webm"],
)  # fmt: skip
def test_embedded_subtitles_keep_times_and_text(
    suffix: str, codec: str, text: str, publish: Publish, tmp_path: Path
) -> None:
    kind = {"ass": ".ass", "webvtt": ".vtt"}.get(codec, ".srt")
    film, beside = tmp_path / f"film{suffix}", tmp_path / f"text{kind}"
    beside.write_text(text)
    video = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", 8) if "w" in suffix else VIDEO
    run_ffmpeg(
        *PICTURE, "-i", beside, "-map", 0, "-map", 1, *video, "-c:s", codec,
        "-metadata:s:s:0", "language=eng", film,
    )  # fmt: skip

    (first, *_) = publish(film).cues("text-en")

    exact = (1.11, 2.22) if codec == "ass" else (1.111, 2.222)
    words = "Good morning" if codec == "ttml" else "Good <i>morning</i>"
    assert first == (*exact, words)


@pytest.mark.parametrize(
    ("suffix", "codec", "damage", "fault"),
    [
        (".mkv", "srt", b"G\0\0d", "not text"),
        (".mp4", "mov_text", b"\xff\xff\xff\xff", "invalid UTF-8"),
    ],
    ids=["that is no text", "that ffmpeg cannot decode"],
)
def test_a_damaged_subtitle_track_is_the_films_fault(
    suffix: str, codec: str, damage: bytes, fault: str,
    matinee: Run, one_rung: Path, tmp_path: Path,
) -> None:  # fmt: skip
    film, text = tmp_path / f"film{suffix}", tmp_path / "text.srt"
    text.write_text("1\n00:00:01,000 --> 00:00:02,000\nGood\n")
    run_ffmpeg(
        *PICTURE, "-i", text, "-map", 0, "-map", 1, *VIDEO, "-c:s", codec,
        "-metadata:s:s:0", "language=eng", film,
    )  # fmt: skip
    data = film.read_bytes()
    assert data.count(b"Good") == 1
    film.write_bytes(data.replace(b"Good", damage))

    ended = matinee("publish", film, "--library", tmp_path / "library", "--ladder", one_rung)

    assert ended.exit_code == 3, ended.err
    (told,) = [line for line in ended.err.splitlines() if line.startswith("matinee: ")]
    assert told.startswith(f"matinee: {film.name}: subtitle track 1 (eng) cannot be read: {fault}")
    assert told.endswith(" [source.damaged]")
    assert "try another copy of the film" in ended.err

    accepted = matinee(
        "publish", film, "--library", tmp_path / "library", "--ladder", one_rung, "--json",
        "--accept-damage", "--no-scores",
    )  # fmt: skip

    assert accepted.exit_code == 0, accepted.err
    package = Package(accepted.json)
    assert package.media("SUBTITLES") == []
    (waived,) = [one for one in package.outcomes if one[0].startswith("subtitles 1 (eng)")]
    assert waived[1] == []
    assert waived[2].startswith(f"it is damaged, which was accepted: {fault}")
    assert package.document["notes"] == [f"{waived[0]} is left out: {waived[2]}"]


SIDECARS: dict[str, bytes] = {
    "one.de.srt": SRT.replace("Good", "Schöner").encode("cp1252"),
    "two.ru.srt": SRT.replace("Good", "Доброе").encode("koi8-r"),
    "three.fr.ass": ASS.replace("Good", "Beau").encode("utf-16"),
    "four.es.vtt": VTT.replace("Good", "Señor").encode("utf-8-sig"),
    "five.pl.sub": "{27}{53}{y:i}Dzień|dobry\n".encode("cp1250"),
    "six.en.sdh.ttml": b'<tt xmlns="http://www.w3.org/ns/ttml"><body><div>'
    b'<p begin="1.111s" end="2.222s">[birds] Good morning</p></div></body></tt>',
}  # fmt: skip


def test_sidecars_of_every_format_and_encoding_are_read(publish: Publish, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    run_ffmpeg(*PICTURE, *VIDEO, film)
    options: list[object] = []
    for name, data in SIDECARS.items():
        (tmp_path / name).write_bytes(data)
        options += ["--subtitles", tmp_path / name]

    package = publish(film, *options)

    first = {one: package.cues(f"text-{one}")[0][2] for one in ("de", "ru", "fr", "es", "pl", "en")}
    assert first == {
        "de": "Schöner <i>morning</i>", "ru": "Доброе <i>morning</i>",
        "fr": "Beau <i>morning</i>", "es": "Señor <i>morning</i>", "pl": "<i>Dzień\ndobry</i>",
        "en": "[birds] Good morning",
    }  # fmt: skip
    assert package.cues("text-de")[-1][1] == pytest.approx(SECONDS, abs=0.05)
    assert ("English (SDH)", ("caption",), "2") in package.sets("text")


def test_tracks_that_cannot_be_published_are_named_before_any_encoding(
    publish: Publish, tmp_path: Path
) -> None:
    """A font, a cover, a second picture, a sound that no decoder knows, a track without packets."""
    film, font, cover = tmp_path / "odd.mkv", tmp_path / "a.ttf", tmp_path / "cover.png"
    font.write_bytes(b"\0\1\0\0" + bytes(60))
    run_ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", 1, cover)
    empty = tmp_path / "empty.srt"
    empty.write_text("1\n00:00:30,000 --> 00:00:31,000\nFar beyond the end\n")
    run_ffmpeg(
        *PICTURE, *noise("mono"), "-f", "lavfi", "-t", 3, "-i", "testsrc=s=64x36:r=25",
        "-i", empty, "-map", 0, "-map", 1, "-map", 1, "-map", 2, "-map", 3, *VIDEO,
        "-c:a:0", "libopus", "-c:a:1", "pcm_s16le", "-c:s", "srt", "-attach", font,
        "-metadata:s:t:0", "mimetype=application/x-truetype-font", film,
    )  # fmt: skip
    data = film.read_bytes()
    assert data.count(b"A_PCM/INT/LIT") == 1
    film.write_bytes(data.replace(b"A_PCM/INT/LIT", b"A_UNHEARD/OF1"))

    package = publish(film)

    found = {source: (renditions, reason) for source, renditions, reason, _ in package.outcomes}
    assert found["audio 1: opus"] == (["audio-und-mono"], "")
    assert found.pop("video 3: h264")[1] == "another video track; track 0 is the main one"
    reasons = {source.split(":")[0]: reason for source, (_, reason) in found.items()}
    assert reasons["audio 2"] == "no decoder knows its codec"
    assert reasons["subtitles 4"] == "it begins after the pictures' end"
    assert reasons["other 5"].startswith("a font")


def test_chapters_are_kept_on_the_films_clock(publish: Publish, tmp_path: Path) -> None:
    film, told = tmp_path / "film.mkv", tmp_path / "chapters.txt"
    told.write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=3000\ntitle=Begin <b> & more\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=3000\nEND=90000\n"
    )
    run_ffmpeg(*PICTURE, "-i", told, "-map_metadata", 1, "-map", 0, *VIDEO, film)

    package = publish(film)

    (file,) = Path(package.document["package"]).glob("chapters.vtt")
    cues = parse_webvtt(file.read_text(), file.name).cues
    assert [(float(cue.start), cue.text) for cue in cues] == [
        (0.0, "Begin &lt;b&gt; &amp; more"), (3.0, "Chapter 2"),
    ]  # fmt: skip
    assert float(cues[-1].end) == pytest.approx(SECONDS, abs=0.05)


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("words.srt", b"just words", "no subtitle in it"),
        ("list.srt", b"ffconcat version 1.0\nfile secret.srt\n", "no subtitle in it"),
        ("entity.ttml", b'<!DOCTYPE tt [<!ENTITY x SYSTEM "secret.srt">]><tt>&x;</tt>', "DOCTYPE"),
        ("picture.sub", b"\0\0\1\xba" + bytes(99), "pictures of text"),
    ],
)
def test_a_sidecar_that_is_none_is_refused_before_anything_is_made(
    name: str, data: bytes, fault: str, matinee: Run, one_rung: Path, tmp_path: Path
) -> None:
    """Av1an#255, AWS VOD#75: a bad subtitle broke the job after hours of video."""
    film, library = tmp_path / "film.mp4", tmp_path / "library"
    run_ffmpeg(*PICTURE, *VIDEO, film)
    (tmp_path / "secret.srt").write_text(SRT.replace("Good", "Secret"))
    (tmp_path / name).write_bytes(data)

    ended = matinee(
        "publish", film, "--subtitles", tmp_path / name, "--library", library, "--ladder", one_rung
    )

    assert ended.exit_code == 2
    assert fault in ended.err and "[subtitles.invalid]" in ended.err
    assert "Traceback" not in ended.err and not library.exists()
