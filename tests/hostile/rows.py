"""The table of refusals: what comes in, how it ends. Documentation and tests are made from it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from tests.conftest import Ended
from tests.hostile import events, inputs
from tests.hostile.scene import Scene

State = Literal["published", "refused", "held", "failed"]


@dataclass(frozen=True)
class Row:
    """One input and how publishing it ends.

    ``names`` tells readers what the message names, ``message`` is the pattern that it has.
    """

    name: str
    given: str
    play: Callable[[Scene], Ended]
    state: State
    code: str = ""
    names: str = ""
    message: str = ""
    exit_code: int = 3
    flaw: str = ""
    """What Matinee does not do rightly yet; the row's test is expected to fail."""


def publishing(make: Callable[[Scene], Path]) -> Callable[[Scene], Ended]:
    """Publish what ``make`` gives."""
    return lambda scene: scene.publish(make(scene))


def accepting(make: Callable[[Scene], Path]) -> Callable[[Scene], Ended]:
    """Publish what there is of a damaged film."""
    return lambda scene: scene.publish(make(scene), "--accept-damage")


def with_subtitles(name: str) -> Callable[[Scene], Ended]:
    """Publish a good film with a bad subtitle file."""
    return lambda scene: scene.publish(
        scene.base("film.mp4"), "--subtitles", inputs.subtitles(scene, name)
    )


def refused(
    name: str, given: str, make: Callable[[Scene], Path], code: str, names: str, message: str,
    flaw: str = "",
) -> Row:  # fmt: skip
    """A film that is refused."""
    return Row(name, given, publishing(make), "refused", code, names, message, flaw=flaw)


def published(name: str, given: str, play: Callable[[Scene], Ended], flaw: str = "") -> Row:
    """A film that looks odd and is right."""
    return Row(name, given, play, "published", exit_code=0, flaw=flaw)


def failed(
    name: str, given: str, play: Callable[[Scene], Ended], exit_code: int, code: str, names: str,
    message: str, flaw: str = "",
) -> Row:  # fmt: skip
    """A fault that is not the film's."""
    return Row(name, given, play, "failed", code, names, message, exit_code, flaw)


NOT_A_FILM = "that it is not a film"
UNREADABLE, DAMAGED = "source.unreadable", "source.damaged"

NO_FILMS = (
    refused("empty", "an empty file", inputs.empty, UNREADABLE, "that it is empty", "is empty"),
    refused("text", "text, named `.mp4`", inputs.text, UNREADABLE, NOT_A_FILM, "is not a film"),
    refused("photo", "a JPEG photo", inputs.photo, UNREADABLE, NOT_A_FILM, "is not a film"),
    refused("zip", "a ZIP archive with a film", inputs.archive, UNREADABLE, NOT_A_FILM,
            "is not a film"),
    refused("pdf", "a PDF file", inputs.pdf, UNREADABLE, NOT_A_FILM, "is not a film"),
    refused("huge text", "text and a terabyte of nothing (a sparse file)",
            lambda scene: inputs.sparse(scene, "huge.mp4", b"not a film\n" * 1000, 1 << 40),
            UNREADABLE, NOT_A_FILM, "is not a film"),
    published("sound", "a film with sound alone", publishing(inputs.sound_alone)),
    refused("folder", "a folder", lambda scene: scene.folder, UNREADABLE, "that it is a folder",
            "is a folder"),
    refused("pipe", "a named pipe", inputs.pipe, UNREADABLE, "that it is a pipe", "is a pipe"),
    refused("device", "a device", lambda _: Path("/dev/zero"), UNREADABLE, "that it is a device",
            "is a device"),
    refused("missing", "a path where nothing is", lambda scene: scene.folder / "missing.mp4",
            UNREADABLE, "the system's reason", "No such file or directory"),
    Row("unreadable", "a file that the user may not read", events.forbidden, "refused",
        UNREADABLE, "the system's reason", "Permission denied"),
    published("lying name", "a Matroska film, named `.mp4`",
              publishing(lambda s: s.file("lying.mp4", s.base("film.mkv").read_bytes()))),
)  # fmt: skip

DAMAGED_FILMS = (
    refused("cut back", "a film that is cut off, its index at the end",
            lambda scene: inputs.cut_off(scene, "film.mp4"), UNREADABLE,
            "that it is damaged or no film", "is not a film, or is damaged"),
    refused("cut front", "a film that is cut off, its index in front",
            lambda scene: inputs.cut_off(scene, "front.mp4"), DAMAGED, "where it is cut off",
            r"cut off at 2\.\d+ s"),
    refused("cut fragments", "a fragmented film that is cut off",
            lambda scene: inputs.cut_off(scene, "fragments.mp4"), DAMAGED, "the damage", "damaged"),
    refused("cut head", "a film of 300 MB that by its header has a terabyte, before it is read",
            inputs.short_of_a_terabyte, DAMAGED, "how much is there",
            r"cut off: 314,572,800 of 1,\d+,\d+,\d+,\d+ bytes"),
    refused("flipped index", "bits flipped in its index", inputs.flipped_index, UNREADABLE,
            "that it is damaged or no film", "is not a film, or is damaged"),
    refused("flipped pictures", "bits flipped in packets of its picture",
            lambda scene: inputs.flipped_packets(scene, "video"), DAMAGED,
            "from when to when", r"damaged from \d.* s to \d.* s: \d+ of 72 frames"),
    refused("flipped sound", "bits flipped in packets of its sound",
            lambda scene: inputs.flipped_packets(scene, "audio"), DAMAGED, "the damage", "damaged"),
    published("flipped pictures, accepted", "the same, with `--accept-damage`",
              accepting(lambda scene: inputs.flipped_packets(scene, "video"))),
    published("flipped sound, accepted", "bits flipped in its sound, with `--accept-damage`",
              accepting(lambda scene: inputs.flipped_packets(scene, "audio"))),
    published("cut front, accepted", "a film that is cut off, with `--accept-damage`",
              accepting(lambda scene: inputs.cut_off(scene, "front.mp4"))),
    refused("damaged clock", "a Matroska film whose time scale is damaged: all times are too long",
            inputs.damaged_clock, DAMAGED, "by how much, and a command that mends it",
            r"run 4\.\d % slower"),
    refused("no frames", "an index without frames", inputs.no_frames, UNREADABLE,
            "that no frame can be decoded", "no frame of the film's video track can be decoded"),
    refused("no key frames", "no key frame at all", inputs.no_key_frames, UNREADABLE,
            "that no frame can be decoded", "no frame of the film's video track can be decoded"),
)  # fmt: skip

CLAIMS = (
    refused("long box", "a box that claims 4 EiB, and so hides the index", inputs.long_mdat,
            UNREADABLE, "that it is damaged or no film", "is not a film, or is damaged"),
    published("slow clock", "72 frames that claim to last 145 days, in a film of 3 seconds",
              publishing(inputs.slow_clock)),
    published("large pixels", "a container that claims 65,535 x 65,535 pixels over small pictures",
              publishing(inputs.large_pixels)),
    refused("many tracks", "3,000 tracks", inputs.many_tracks, UNREADABLE,
            "that there are too many tracks", "more than 1000 tracks"),
    refused("many samples", "a table of 800 bytes that claims 100 million frames",
            inputs.many_samples, UNREADABLE, "that no frame can be decoded",
            "no frame of the film's video track can be decoded"),
    refused("bomb", "four megabytes that decode to 15,000 x 15,000 pixels", inputs.picture_bomb,
            "source.unsupported", "the size of the picture", "15000"),
)  # fmt: skip

REFERENCES = (
    *(
        refused(name, given, make, UNREADABLE, NOT_A_FILM, "is not a film")
        for name, given, make in (
            ("playlist", "an HLS playlist of a file",
             lambda scene: inputs.playlist(scene, "film.m3u8")),
            ("playlist of addresses", "an HLS playlist of an address",
             lambda scene: inputs.playlist(scene, "address.m3u8")),
            ("lying playlist", "an HLS playlist, named `.mp4`",
             lambda scene: inputs.playlist(scene, "film.mp4")),
            ("concat script", "a script of ffmpeg's concat", inputs.concat_script),
            ("session", "a session description (SDP)", inputs.session),
            ("manifest", "a DASH manifest", inputs.manifest),
            ("drawing", "an SVG drawing with linked pictures", inputs.drawing),
        )
    ),
    refused("data references", "a QuickTime movie whose packets lie in another file or at an "
            "address", inputs.referring_movie, UNREADABLE, "that no frame can be decoded",
            "no frame of the film's video track can be decoded"),
    published("subtitles with addresses", "SRT subtitles with addresses in their text",
              with_subtitles("address.srt")),
    *(
        failed(f"subtitles {file}", given, with_subtitles(file), 2, "subtitles.invalid",
               "the subtitle file", file)
        for file, given in (
            ("playlist.srt", "subtitles that are an HLS playlist, named `.srt`"),
            ("script.ass", "subtitles that are a concat script, named `.ass`"),
            ("film.idx", "VobSub subtitles (`.idx`), which name another file"),
            ("entity.ttml", "TTML subtitles with an external entity"),
        )
    ),
)  # fmt: skip

EVENTS = (
    Row("changes", "a film that is written to while it is read", events.changes, "refused",
        "source.changed", "that it is being written to", "still being written to"),
    Row("vanishes", "a film that is removed while it is read",
        partial(events.eventful, event="remove"), "refused", "source.changed",
        "that it went away", "went away while it was read"),
    *(
        failed(f"full disk: {stage}", f"a disk that fills up {when}",
               partial(events.full_disk, film=film, size_kib=size_kib), 6, "library.full",
               "what could not be written", "no room|full|No space", flaw=flaw)
        for stage, when, film, size_kib, flaw in (
            ("ingest", "while the film is copied", "noisy.mkv", 1200, ""),
            ("inspect", "while the index is written", "noisy.mkv", 1700, ""),
            ("scan", "while the film is scanned", "still.mkv", 1500, ""),
            ("clips", "while clips are cut", "noisy.mkv", 2800, ""),
            ("encode", "while chunks are encoded", "noisy.mkv", 3700, ""),
            ("package", "while the package is written", "still.mkv", 4000, ""),
        )
    ),
    failed("read-only", "a library that may not be written", events.read_only, 6,
           "library.unwritable", "the library", "library"),
    failed("library is a file", "a library that is a file", events.library_is_a_file, 6,
           "library.unusable", "the library", "library"),
    failed("library vanishes", "a library that is removed during the run",
           partial(events.eventful, event="rename"), 6, "library.unusable", "the library", ""),
    *(
        failed(f"tool: {fault}", f"an encoder that {does}", partial(events.bad_tool, fault=fault),
               5, code, names, message)
        for fault, does, code, names, message in (
            ("crash", "crashes", "encode.failed", "the frames and the signal",
             r"frames 0 to \d+: ffmpeg exited with -11"),
            ("hang", "hangs", "tool.hung", "the tool and how long it did nothing",
             "ffmpeg made no progress for 5 s"),
            ("eat memory", "wants all memory", "tool.limit", "the tool and the limit",
             "GiB of memory"),
            ("eat the disk", "writes without end", "tool.limit", "the tool and the limit",
             "GiB of output"),
        )
    ),
    published("two at once", "two publishes of one film at once: the second waits, then makes "
              "nothing", events.two_at_once),
)  # fmt: skip

SECTIONS = {
    "No films": NO_FILMS,
    "Cut off and damaged": DAMAGED_FILMS,
    "Claims and bombs": CLAIMS,
    "Files that name other files or addresses": REFERENCES,
    "What happens meanwhile": EVENTS,
}
ROWS = tuple(row for rows in SECTIONS.values() for row in rows)


def table(rows: tuple[Row, ...]) -> str:
    """A section's rows as the documentation has them."""
    lines = ["| input | state | exit | code | the message names |", "|---|---|---|---|---|"]
    for row in rows:
        code = f"`{row.code}`" if row.code else ""
        lines.append(f"| {row.given} | {row.state} | {row.exit_code} | {code} | {row.names} |")
    return "\n".join(lines)
