"""Odd pictures: each kind on its way to chunks of two rungs, beside what a viewer should see.

The films are longer than two chunks and have B-frames; what they should show is made apart from
them, from the same picture before it was made odd.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from tests.contracts.tool_work import INDEXER, Work, measured, opened, packets_of, worked
from tests.films import FFMPEG, Films, ffmpeg, moving_picture

from matinee.adapters.ffmpeg.commands import SIGN
from matinee.core.errors import SourceUnsupported
from matinee.media.signature import Signature, compare, read_signature
from matinee.media.source import Fields, display_size
from matinee.media.source_timeline import timeline_of

pytestmark = pytest.mark.tools

B_FRAMES = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-bf", "3", "-g", "50")
FIELDS = ("-flags", "+ilme+ildct")
MPEG2 = ("-c:v", "mpeg2video", "-bf", "2", "-g", "15", "-b:v", "4M")
NTSC = Fraction(30_000, 1001)
FILM = Fraction(24_000, 1001)
BELOW_ZERO = ("-avoid_negative_ts", "disabled", "-output_ts_offset", "-1.5")
RGB = "zscale=matrixin=709:matrix=gbr:rangein=limited:range=full,format=gbrp"
SECONDS = 32


@dataclass(frozen=True)
class Odd:
    """A film by its picture, what is done to it, and what should be seen of it.

    ``seen`` is a filter that gives the frames a viewer should see from the plain picture.
    """

    file: str
    drawn_at: Fraction
    made_odd: str
    coded: tuple[str, ...]
    rate: Fraction
    fields: Fields = "progressive"
    seen: str = "null"
    note: str = ""
    lasts: float = SECONDS

    @property
    def picture(self) -> str:
        return moving_picture(self.drawn_at, round(SECONDS * self.drawn_at))


VARIABLE = ("-fps_mode", "vfr", *B_FRAMES)
DROPPED = "select='not(between(mod(n,40),20,27))+eq(n,0)'"
ODD = {
    "variable-frame-rate": Odd(
        "vfr.mp4", Fraction(30), DROPPED, VARIABLE, Fraction(30),
        seen=f"{DROPPED},fps=30,tpad=stop_mode=clone:stop=60", note="varies",
    ),
    "variable-frame-rate-in-matroska": Odd(
        "vfr.mkv", NTSC, DROPPED, VARIABLE, NTSC,
        seen=f"{DROPPED},fps=30000/1001,tpad=stop_mode=clone:stop=60", note="varies",
    ),
    "slide-show": Odd(
        "slides.mp4", Fraction(10), "select='not(mod(n,30))+eq(n,1)'", VARIABLE, Fraction(10),
        seen="select='not(mod(n,30))+eq(n,1)',fps=10,tpad=stop_mode=clone:stop=60", note="varies",
        lasts=30.1,
    ),
    "two-rates": Odd(
        "two.mkv", Fraction(50), "select='lt(t,13)+not(mod(n,2))'", VARIABLE, Fraction(50),
        seen="select='lt(t,13)+not(mod(n,2))',fps=50,tpad=stop_mode=clone:stop=60", note="varies",
    ),
    "120-a-second": Odd(
        "fast.mp4", Fraction(120), "null", B_FRAMES, Fraction(60), seen="select='mod(n,2)'",
        note="120 frames a second become 60",
    ),
    "25i-mpeg2-ts": Odd(
        "pal.ts", Fraction(50), "tinterlace=interleave_top,setfield=tff", (*MPEG2, *FIELDS),
        Fraction(50), "interlaced", note="25 frames a second become 50",
    ),
    "29.97i-h264-mp4": Odd(
        "ntsc.mp4", 2 * NTSC, "pad=160:96,tinterlace=interleave_bottom,setfield=bff",
        (*B_FRAMES, "-x264-params", "bff=1"), 2 * NTSC, "interlaced", seen="pad=160:96",
        note="become 59.94",
    ),
    "pulldown": Odd(
        "film.mpg", FILM, "telecine=pattern=23,setfield=tff", (*MPEG2, *FIELDS), FILM, "telecine",
        note="pulldown is undone",
    ),
    "interlaced-with-a-gap": Odd(
        "gap.mkv", Fraction(50),
        "tinterlace=interleave_top,setfield=tff,select='not(between(n,200,219))'",
        ("-fps_mode", "vfr", *MPEG2, *FIELDS), Fraction(50), "interlaced", note="varies",
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(ODD))
def odd(request: pytest.FixtureRequest) -> Odd:
    return ODD[request.param]


@pytest.fixture(scope="module")
def work(odd: Odd, films: Films, tmp_path_factory: pytest.TempPathFactory) -> Work:
    film = films.special(odd.file, "-f", "lavfi", "-i", f"{odd.picture},{odd.made_odd}", *odd.coded)
    return worked(film, tmp_path_factory.mktemp("odd"))


def shown(picture: str, folder: Path) -> Signature:
    """The signature of what a filter graph draws."""
    ffmpeg(
        "-f", "lavfi", "-i", f"{picture},{SIGN}", "-fps_mode", "passthrough",
        "-f", "rawvideo", "seen.sig", folder=folder,
    )  # fmt: skip
    return read_signature((folder / "seen.sig").read_bytes())


def test_its_timeline_has_one_rate_and_says_what_differs(odd: Odd, work: Work) -> None:
    timeline = work.timeline

    assert (timeline.rate, timeline.fields) == (odd.rate, odd.fields)
    assert abs(float(timeline.duration) - odd.lasts) < 0.2
    assert odd.note in " ".join(timeline.notes)
    assert len(work.plan.chunks) >= 3


def test_every_chunk_shows_exactly_its_frames(work: Work, tmp_path: Path) -> None:
    for column in work.chunks:
        for clip, one in zip(work.clips, measured(work, None, column, tmp_path), strict=True):
            span = clip.plan.frames
            assert len(one.signature) == len(span)
            assert compare(work.source[span.start : span.end], one.signature, span.start) == []


def test_scores_pair_the_same_frames(work: Work, tmp_path: Path) -> None:
    """ab-av1#228, ab-av1#220: a film of varying rate was scored against wrong frames."""
    clip, chunk = work.clips[1], work.chunks[0][1]
    (one,) = measured(work, clip, [chunk], tmp_path)

    assert one.scores is not None and one.reference is not None
    assert len(one.scores) == len(clip.plan.frames)
    assert compare(work.source[clip.plan.frames.start : clip.plan.frames.end], one.reference) == []
    assert min(one.scores) > 50


def test_frame_by_frame_it_shows_what_a_viewer_should_see(
    odd: Odd, work: Work, tmp_path: Path
) -> None:
    if odd.file == "gap.mkv":
        pytest.skip("what was cut out is not drawn apart")
    seen = shown(f"{odd.picture},{odd.seen}", tmp_path)[: work.timeline.frames]

    assert len(seen) == work.timeline.frames
    assert len(compare(work.source, seen)) <= len(seen) // 100


@pytest.mark.parametrize("flip", ["-display_hflip", "-display_vflip"])
@pytest.mark.parametrize("angle", ["0", "90", "180", "270"])
def test_a_mirrored_film_is_shown_as_it_should(
    films: Films, tmp_path: Path, angle: str, flip: str
) -> None:
    """As ffmpeg turns it by itself."""
    plain = films.special(
        "upright.mp4", "-f", "lavfi", "-i", moving_picture(Fraction(25), 25), "-c:v", "libx264"
    )
    turned = films.special(
        f"mirrored{flip}{angle}.mp4", "-display_rotation", angle, flip, "-i", plain.name,
        "-c", "copy",
    )  # fmt: skip
    ffmpeg(
        "-i", str(turned), "-vf", SIGN, "-f", "rawvideo", "upright.sig", folder=tmp_path,
    )  # fmt: skip

    work = worked(turned, tmp_path / "work")

    upright = read_signature((tmp_path / "upright.sig").read_bytes())
    assert work.info.picture.is_mirrored
    assert compare(upright, work.source) == []


def test_every_chunk_of_a_turned_film_is_upright(films: Films, tmp_path: Path) -> None:
    """As ffmpeg turns it by itself; ten bit and anamorphic as well."""
    plain = films.special(
        "long.mp4", "-f", "lavfi", "-i", moving_picture(Fraction(25), 28 * 25), *B_FRAMES,
        "-pix_fmt", "yuv420p10le", "-aspect", "4:3",
    )  # fmt: skip
    turned = films.special(
        "long-turned.mp4", "-display_rotation", "90", "-display_hflip", "-i", plain.name,
        "-c", "copy",
    )  # fmt: skip
    ffmpeg(
        "-i", str(turned), "-vf", SIGN, "-f", "rawvideo", "upright.sig", folder=tmp_path,
    )  # fmt: skip

    work = worked(turned, tmp_path / "work")

    assert len(work.plan.chunks) >= 3
    assert display_size(work.info.picture) == (120, 160)
    upright = read_signature((tmp_path / "upright.sig").read_bytes())
    assert compare(upright, work.source) == []
    for column in work.chunks:
        for clip, one in zip(work.clips, measured(work, None, column, tmp_path), strict=True):
            span = clip.plan.frames
            assert compare(work.source[span.start : span.end], one.signature, span.start) == []


@pytest.mark.parametrize(
    ("file", "coded", "size"),
    [
        ("ten-bit.mkv", (*B_FRAMES, "-pix_fmt", "yuv420p10le"), (160, 90)),
        ("422.mov", ("-c:v", "prores_ks", "-profile:v", "2"), (160, 90)),
        ("444.mkv", (*B_FRAMES, "-pix_fmt", "yuv444p"), (160, 90)),
        ("full-range.mp4", (*B_FRAMES, "-pix_fmt", "yuvj420p", "-color_range", "pc"), (160, 90)),
        ("rgb.mkv", ("-vf", RGB, "-c:v", "ffv1"), (160, 90)),
        ("rgb.avi", ("-vf", f"{RGB},format=bgra", "-c:v", "huffyuv"), (160, 90)),
        ("grey.mkv", ("-c:v", "ffv1", "-pix_fmt", "gray"), (160, 90)),
        ("anamorphic.mp4", (*B_FRAMES, "-aspect", "16:9", "-s", "120x90"), (160, 90)),
        ("odd-size.mkv", ("-vf", "scale=157:89,setsar=1,format=yuv444p", *B_FRAMES), (156, 88)),
    ],
)
def test_every_kind_of_pixel_gives_the_same_picture(
    films: Films, tmp_path: Path, file: str, coded: tuple[str, ...], size: tuple[int, int]
) -> None:
    picture = moving_picture(Fraction(25), 30)
    film = films.special(file, "-f", "lavfi", "-i", picture, *coded)

    work = worked(film, tmp_path / "work")

    # Saturated colours of the test picture are clipped on their way to RGB.
    back = f"{picture},{RGB},zscale=matrix=709:range=limited,format=yuv444p"
    seen = shown(back if work.info.picture.is_rgb else picture, tmp_path)
    assert display_size(work.info.picture) == size
    assert compare(seen, work.source) == []
    assert abs(seen.astype(float) - work.source.astype(float)).mean() / 256 < 1.5
    large, small = measured(work, None, [column[0] for column in work.chunks], tmp_path)
    assert compare(work.source, large.signature) == compare(work.source, small.signature) == []
    apart = abs(work.source.astype(float) - large.signature.astype(float)).mean() / 256
    assert apart < 1.5


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_a_high_dynamic_range_is_tone_mapped(films: Films, tmp_path: Path, transfer: str) -> None:
    picture = moving_picture(Fraction(25), 30)
    to_hdr = (
        "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,"
        f"zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020:t={transfer}:m=bt2020nc:r=tv:npl=203,"
        "format=yuv420p10le"
    )
    film = films.special(
        f"hdr-{transfer}.mkv", "-f", "lavfi", "-i", f"{picture},{to_hdr}",
        "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error",
        "-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc",
    )  # fmt: skip

    work = worked(film, tmp_path / "work")
    (one,) = measured(work, None, work.chunks[0], tmp_path)

    assert work.info.picture.is_hdr
    assert compare(work.source, one.signature) == []
    shifted = [one for one in compare(shown(picture, tmp_path), work.source) if one.offset]
    assert shifted == []
    brightness = work.source.mean() / shown(picture, tmp_path).mean()
    assert 0.85 < brightness < 1.1


@pytest.mark.parametrize(
    ("file", "coded"),
    [
        ("old.avi", ("-c:v", "mpeg4", "-bf", "2", "-q:v", "4", "-g", "50")),
        ("mjpeg.avi", ("-c:v", "mjpeg", "-q:v", "3")),
        ("h264.avi", B_FRAMES),
        ("disc.mpg", MPEG2),
        ("theora.ogv", ("-c:v", "libtheora", "-q:v", "8")),
        ("stream.flv", B_FRAMES),
        ("windows.wmv", ("-c:v", "wmv2", "-q:v", "3")),
        ("tape.mxf", (*MPEG2, "-r", "25")),
        ("fragmented.mp4", (*B_FRAMES, "-movflags", "frag_keyframe+empty_moov")),
        ("open-gop.mkv", (*B_FRAMES, "-x264-params", "open-gop=1:keyint=40:scenecut=0")),
    ],
)
def test_every_container_is_read_frame_by_frame(
    films: Films, tmp_path: Path, file: str, coded: tuple[str, ...]
) -> None:
    picture = moving_picture(Fraction(25), 25 * SECONDS)
    film = films.special(file, "-f", "lavfi", "-i", picture, *coded)

    work = worked(film, tmp_path / "work")

    assert (work.timeline.frames, work.timeline.rate) == (25 * SECONDS, Fraction(25))
    assert work.timeline.slots is None
    assert len(compare(shown(picture, tmp_path), work.source)) <= 3
    assert len(work.plan.chunks) >= 3
    for clip, one in zip(work.clips, measured(work, None, work.chunks[0], tmp_path), strict=True):
        span = clip.plan.frames
        assert compare(work.source[span.start : span.end], one.signature, span.start) == []


EXACT = {
    "23.976 on a clock of milliseconds": ("rate.mkv", FILM, B_FRAMES, 0),
    "29.97 in a transport stream": ("rate.ts", NTSC, (*B_FRAMES, "-f", "mpegts"), 0),
    "59.94": ("rate.mp4", 2 * NTSC, B_FRAMES, 0),
    "from below zero on": (
        "below.wmv", NTSC, ("-c:v", "wmv2", "-q:v", "3", "-g", "50", *BELOW_ZERO), 0,
    ),
    "from below zero on, hidden by an edit list": ("below.mp4", NTSC, (*B_FRAMES, *BELOW_ZERO), 45),
}  # fmt: skip
"""File, rate, options, and how many frames lie before the first that is to be seen."""


@pytest.mark.parametrize("name", EXACT)
def test_every_rate_is_kept_exactly_from_whatever_time_on(
    films: Films, tmp_path: Path, name: str
) -> None:
    file, rate, coded, hidden = EXACT[name]
    frames = round(28 * rate) + hidden
    picture = moving_picture(rate, frames)
    film = films.special(file, "-f", "lavfi", "-i", picture, *coded)

    work = worked(film, tmp_path / "work")

    timeline = work.timeline
    assert (timeline.frames, timeline.rate, timeline.slots) == (frames - hidden, rate, None)
    assert len(work.plan.chunks) >= 3
    assert (timeline.start < 0) == (file == "below.wmv")
    assert len(compare(shown(picture, tmp_path)[hidden:], work.source)) <= 3
    spans, starts = [len(clip.frames) for clip in work.film.clips], work.plan.segments
    for number, column in enumerate(work.chunks):
        for clip, one in zip(work.clips, measured(work, None, column, tmp_path), strict=True):
            span = clip.plan.frames
            assert compare(work.source[span.start : span.end], one.signature, span.start) == []
        joined = tmp_path / f"{number}.mp4"
        INDEXER.join(column, spans, [start.start for start in starts], rate, joined)
        with opened(joined) as container:
            clock = container.streams.video[0].time_base
        times = sorted(pts * clock for pts, _, _ in packets_of(joined))
        assert times == [frame / rate for frame in range(timeline.frames)]


def test_raw_pictures_that_are_upside_down_are_refused(films: Films) -> None:
    film = films.special(
        "raw.avi", "-f", "lavfi", "-i", f"{moving_picture(Fraction(25), 5)},format=bgr24",
        "-c:v", "rawvideo",
    )  # fmt: skip

    with pytest.raises(SourceUnsupported, match="upside down"):
        INDEXER.inspect(film)


def test_a_film_of_one_frame_is_a_film(films: Films, tmp_path: Path) -> None:
    film = films.special(
        "one.mp4", "-f", "lavfi", "-i", moving_picture(Fraction(25), 1), "-c:v", "libx264"
    )

    work = worked(film, tmp_path / "work")

    assert work.timeline.frames == 1
    assert [len(column) for column in work.chunks] == [1, 1]


def test_the_main_picture_is_not_the_cover(films: Films) -> None:
    assert FFMPEG.exists()
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=600x600",
        "-frames:v",
        "1",
        "cover.png",
        folder=films.folder,
    )
    film = films.special(
        "covered.mp4", "-i", "cover.png", "-f", "lavfi", "-i", moving_picture(Fraction(25), 50),
        "-map", "0:v", "-map", "1:v", "-c:v:0", "copy", "-disposition:v:0", "attached_pic",
        "-c:v:1", "libx264",
    )  # fmt: skip

    info, packets, time_base = INDEXER.inspect(film)

    assert timeline_of(info, packets, time_base).frames == 50
    assert info.picture.width == 160
