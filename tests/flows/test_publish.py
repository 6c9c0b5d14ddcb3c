"""One film through the whole path, as a user runs it."""

import itertools
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from tests.conftest import Ended, make_film

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]
Published = tuple[Path, dict[str, Any]]
FRAMES = 612  # three shots of 8.5 s at 24000/1001: three chunks


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def counted_frames(manifest: Path, stream: int) -> int:
    answer = subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error",
            "-i", str(manifest), "-map", f"0:v:{stream}", "-f", "framecrc", "-",
        ],
        capture_output=True,
        check=True,
    )  # fmt: skip
    return sum(not line.startswith(b"#") for line in answer.stdout.splitlines())


def test_a_film_is_published_with_every_verdict_passed(published: Published) -> None:
    _, document = published
    assert document["state"] == "published"
    assert all(verdict["passed"] for verdict in document["verdicts"])
    judges = {verdict["judge"] for verdict in document["verdicts"]}
    assert judges == {
        "frames", "join", "quality", "sound", "presentation", "tracks", "conformance",
    }  # fmt: skip


def test_every_rendition_is_described(published: Published) -> None:
    _, document = published
    by_type: dict[str, list[Any]] = {"video": [], "audio": [], "subtitles": []}
    for rendition in document["renditions"]:
        by_type[rendition["type"]].append(rendition)
    assert [(r["width"], r["height"]) for r in by_type["video"]] == [(128, 72), (256, 144)]
    for video in by_type["video"]:
        assert video["frames"] == FRAMES
        assert video["codec"].startswith("avc1.6400")
        assert video["vmaf"]["min"] <= video["vmaf"]["p5"] <= video["vmaf"]["mean"] <= 100
    assert [(r["language"], r["channels"]) for r in by_type["audio"]] == [("en", 1), ("de", 1)]
    assert [r["language"] for r in by_type["subtitles"]] == ["en"]


@pytest.mark.parametrize("manifest", ["hls", "dash"])
def test_the_entry_manifests_play_every_frame(published: Published, manifest: str) -> None:
    _, document = published
    for stream in (0, 1):
        assert counted_frames(Path(document[manifest]), stream) == FRAMES


def test_publishing_again_runs_nothing(
    published: Published, film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    """Conductor#3893, Tdarr#835: the same work was done twice."""
    library, first = published
    renamed = tmp_path / "another name.mp4"
    shutil.copy(film, renamed)

    again = matinee("publish", renamed, "--library", library, "--ladder", ladder, "--json").json

    assert again["derivations"]["ran"] == 0
    assert again["derivations"]["reused"] >= first["derivations"]["ran"]
    assert (again["title"], again["package"]) == (first["title"], first["package"])
    assert len(matinee("list", "--library", library, "--json").json) == 1


def test_another_number_of_workers_changes_no_byte(
    published: Published, film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    library, document = published
    title = document["title"]
    other = matinee(
        "publish", film, "--library", tmp_path, "--ladder", ladder, "--workers", 1, "--json"
    ).json
    assert other["title"] == title
    assert files_below(tmp_path / "titles" / title) == files_below(library / "titles" / title)


def test_a_new_subtitle_encodes_nothing_again(
    stocked: Published, film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    library, first = stocked
    settings = ["--library", library, "--ladder", ladder, "--no-scores", "--json"]
    sidecar = tmp_path / "fran\u00e7ais.fr.srt"
    sidecar.write_text("1\n00:00:02,000 --> 00:00:04,000\nBonjour\n", encoding="utf-8")
    before = files_below(library / "titles" / first["title"] / "renditions")

    second = matinee("publish", film, *settings, "--subtitles", sidecar).json

    after = files_below(library / "titles" / second["title"] / "renditions")
    assert second["title"] == first["title"]
    assert second["package"] != first["package"]
    assert second["derivations"]["ran"] == 4  # the file is kept; text, package, judge
    assert {name: after[name] for name in before} == before
    assert [r["language"] for r in second["renditions"] if r["type"] == "subtitles"] == ["en", "fr"]

    back = matinee("rollback", first["title"], "--library", library, "--json").json
    assert back["package"] == Path(first["package"]).name
    assert b"text-fr" not in Path(first["hls"]).read_bytes()


def test_a_changed_ladder_makes_only_what_changed(
    stocked: Published, film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    settings = ["--library", stocked[0], "--no-scores", "--json"]
    changed = tmp_path / "changed.toml"
    smaller = ladder.read_text().replace("width = 128\nheight = 72", "width = 112\nheight = 64")
    changed.write_text(smaller)

    second = matinee("publish", film, "--ladder", changed, *settings).json

    chunks = 3
    assert second["derivations"]["ran"] == 2 * chunks + 2  # one rung's chunks, their proofs


def test_two_films_of_one_name_get_two_ids(ladder: Path, matinee: Run, tmp_path: Path) -> None:
    films = [
        make_film(tmp_path / folder / "Same Name.mkv", seconds)
        for folder, seconds in (("a", 3), ("b", 4))
    ]
    ended = matinee(
        "publish", *films, "--library", tmp_path / "library", "--ladder", ladder, "--no-scores",
        "--json",
    )  # fmt: skip
    documents = [json.loads(line) for line in ended.out.splitlines()]
    assert [document["film"] for document in documents] == [str(film) for film in films]
    assert len({document["title"] for document in documents}) == 2
    assert {document["name"] for document in documents} == {"Same Name"}
    assert {document["state"] for document in documents} == {"published"}


def test_a_plan_makes_nothing(film: Path, ladder: Path, matinee: Run, tmp_path: Path) -> None:
    library = tmp_path / "library"
    plan = matinee(
        "publish", film, "--plan", "--ladder", ladder, "--library", library, "--json"
    ).json
    assert [rung["name"] for rung in plan["rungs"]] == ["video-72p", "video-144p"]
    assert plan["frames"] == FRAMES
    assert plan["bytes"] > 0 and plan["seconds"] > 0
    assert not library.exists()


def test_sound_alone_of_the_bad_films_is_told_and_the_good_one_is_published(
    film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    empty, text = tmp_path / "empty.mp4", tmp_path / "notes.txt"
    empty.touch()
    text.write_text("not a film\n" * 100)
    missing = tmp_path / "missing.mkv"

    ended = matinee(
        "publish", empty, film, text, missing, "--library", tmp_path / "library",
        "--ladder", ladder, "--no-scores", "--json",
    )  # fmt: skip

    documents = [json.loads(line) for line in ended.out.splitlines()]
    assert [d["state"] for d in documents] == ["refused", "published", "refused", "refused"]
    assert ended.exit_code == 3
    assert all(d["error"]["code"].startswith("source.") for d in documents if "error" in d)
    assert "Traceback" not in ended.err


def test_a_damaged_segment_is_found_by_verify_and_made_again(
    stocked: Published, film: Path, ladder: Path, matinee: Run
) -> None:
    library, document = stocked
    settings = ["--library", library, "--ladder", ladder, "--no-scores", "--json"]
    title = library / "titles" / document["title"]
    assert matinee("verify", document["title"], "--library", library).exit_code == 0
    segment = next(itertools.islice(title.glob("renditions/video-72p-*/*.m4s"), 1, None))
    good = segment.read_bytes()
    segment.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))

    found = matinee("verify", document["title"], "--library", library, "--json")

    assert found.exit_code == 6
    assert json.loads(found.out)["state"] == "damaged"
    assert segment.name in found.err
    segment.unlink()
    again = matinee("publish", film, *settings).json
    assert again["state"] == "published"
    assert segment.read_bytes() == good


def test_unpublish_hides_and_publishing_shows_again(
    stocked: Published, film: Path, ladder: Path, matinee: Run
) -> None:
    library, document = stocked
    settings = ["--library", library, "--ladder", ladder, "--no-scores", "--json"]
    assert matinee("unpublish", document["title"], "--library", library).exit_code == 0
    assert not Path(document["hls"]).exists()
    assert matinee("list", "--library", library, "--json").json[0]["state"] == "hidden"

    again = matinee("publish", film, *settings).json

    assert again["derivations"]["ran"] == 0
    assert Path(again["hls"]).exists()
