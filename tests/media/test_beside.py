"""What belongs to a film, by names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.beside import Company, companies, is_film, is_passed_over

WORDS = st.sampled_from(["film", "de", "en", "forced", "2", "mkv", "srt", "title", "toml", "xml"])
NAMES = st.lists(WORDS, min_size=1, max_size=5).map(".".join)


def test_subtitles_and_title_file_belong_to_the_film_of_their_name() -> None:
    names = ["a/film.mkv", "a/film.de.srt", "a/film.en.forced.vtt", "a/film.srt",
             "a/film.title.toml", "b/film.fr.srt", "a/other.de.srt"]  # fmt: skip

    (company,) = companies(names)

    assert company == Company(
        "a/film.mkv",
        (("a/film.de.srt", "de"), ("a/film.en.forced.vtt", "en"), ("a/film.srt", "und")),
        "a/film.title.toml",
    )


def test_a_file_belongs_to_the_film_with_the_longer_name() -> None:
    found = companies(["film.mkv", "film.part-2.mkv", "film.part-2.de.srt", "film.part-3.de.srt"])

    assert [(one.film, one.subtitles) for one in found] == [
        ("film.mkv", (("film.part-3.de.srt", "de"),)),
        ("film.part-2.mkv", (("film.part-2.de.srt", "de"),)),
    ]


def test_films_of_one_name_share_what_belongs_to_it() -> None:
    found = companies(["film.mkv", "film.mp4", "film.de.srt"])
    assert [one.paths for one in found] == [
        ("film.mkv", "film.de.srt"),
        ("film.mp4", "film.de.srt"),
    ]


def test_pictures_and_lists_that_cameras_write_are_no_subtitles() -> None:
    found = companies(["c.mxf", "c.xml", "c.de.xml", "c.sub", "c.idx", "d.avi", "d.sub"])
    assert [one.paths for one in found] == [("c.mxf", "c.de.xml"), ("d.avi", "d.sub")]


@pytest.mark.parametrize(
    "path",
    [".film.mkv", ".trash/film.mkv", "film.mkv.part", "film.mkv.TMP", "film.mkv.crdownload",
     "film.mkv.filepart", "film.mkv~", "a/.b/c.mkv"],
)  # fmt: skip
def test_hidden_and_unfinished_files_are_passed_over(path: str) -> None:
    assert is_passed_over(path)
    assert not companies([path])


@pytest.mark.parametrize("path", ["film.MKV", "a b/ü.Mp4", "x.m2ts"])
def test_a_film_has_the_ending_of_one(path: str) -> None:
    assert is_film(path)


@pytest.mark.parametrize(
    "path", ["readme.txt", "film", "mkv", ".mkv", "film.mkv/notes", "film.jpg"]
)
def test_other_files_are_nobodys_business(path: str) -> None:
    assert not is_film(path)


@given(names=st.sets(NAMES, max_size=8))
def test_no_file_belongs_to_films_of_two_names(names: set[str]) -> None:
    owners: dict[str, set[str]] = {}
    for company in companies(names):
        for path in company.paths[1:]:
            owners.setdefault(path, set()).add(company.film.rpartition(".")[0])
    assert all(len(stems) == 1 for stems in owners.values())
