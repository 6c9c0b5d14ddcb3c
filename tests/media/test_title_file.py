"""Title files: what they wish, and how their faults are told."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.title_file import FIELDS, TitleFileInvalid, parse_title_file, parse_wishes

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "ways-in.md"
NAME = "film.title.toml"

WHOLE = {
    "name": "Sintel",
    "credit": "(c) Blender Foundation, CC BY 3.0",
    "ladder": "standard",
    "target_vmaf": 93,
    "public": False,
    "priority": 5,
    "deadline": "2027-03-01T18:00:00Z",
    "opens_at": "2027-03-01T19:00:00Z",
    "closes_at": "2028-03-01T00:00:00Z",
    "languages": {"sound": ["en", "de"], "text": ["en"]},
}


def test_the_example_of_the_guide_is_a_title_file() -> None:
    (example,) = re.findall(r"```toml\n(name.*?)```", GUIDE.read_text(), re.DOTALL)
    assert parse_title_file(NAME, example.encode()) == WHOLE


def test_metadata_of_an_upload_wish_the_same() -> None:
    wishes = parse_wishes({
        "name": " Sintel ", "credit": "(c) Blender Foundation, CC BY 3.0", "ladder": "standard",
        "target_vmaf": "93.0", "public": "false", "priority": "5",
        "deadline": "2027-03-01T18:00:00Z", "opens_at": "2027-03-01T20:00:00+01:00",
        "closes_at": "2028-03-01", "languages.sound": "en, de", "languages.text": "en",
    })  # fmt: skip
    assert wishes == WHOLE


def test_every_field_is_in_the_guide() -> None:
    told = {word.strip("[]") for word in re.findall(r"`([^`\n]+)`", GUIDE.read_text())}
    assert {word for field in FIELDS for word in field.split(".")} <= told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "a"\ncredit = "b"\n\npriority = "high"\n',
         'line 4: priority is "high", not a whole number from -100 to 100'),
        ("name = 1\n", "line 1: name is 1, not a text of 1 to 300 characters"),
        ('\nname = "a\n', "line 2: illegal character '\\n'"),
        ("nmae = 'a'\n", "line 1: there is no field 'nmae'"),
        ("public = 'yes'\n", 'line 1: public is "yes", not true or false'),
        ("priority = true\n", "line 1: priority is true, not a whole number from -100 to 100"),
        ("priority = 101\n", "line 1: priority is 101, not a whole number from -100 to 100"),
        ("ladder = '../secret'\n", 'line 1: ladder is "../secret", not the name of a ladder'),
        ("deadline = 2027-03-01T18:00:00\n",
         "line 1: deadline is 2027-03-01 18:00:00, not a time with an offset, such as"),
        ("opens_at = 2027-03-02\ncloses_at = 2027-03-01\n",
         "line 2: closes_at is not after opens_at"),
        ("[languages]\nsound = ['en']\ntext = 'de'\n",
         'line 3: languages.text is "de", not a list of language codes'),
        ("[languages]\nsound = ['en',\n 'klingonese']\n",
         "line 2: languages.sound has 'klingonese', which is no language code"),
        ("languages = { sound = ['en'], picture = [] }\n",
         "line 1: there is no field 'languages.picture'"),
        ("languages.sound = [1]\n",
         "line 1: languages.sound is [1], not a list of language codes"),
        ("target_vmaf = 101\n", "line 1: target_vmaf is 101, not a number from 20 to 99"),
        ("target_vmaf = nan\n", "line 1: target_vmaf is nan, not a number from 20 to 99"),
        ("proofs = 'none'\n", 'line 1: proofs is "none", not decode or packets'),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_field(text: str, told: str) -> None:
    with pytest.raises(TitleFileInvalid) as caught:
        parse_title_file(NAME, text.encode())
    assert str(caught.value).startswith(f"{NAME}, {told}")


def test_other_encodings_are_told_with_their_line() -> None:
    with pytest.raises(TitleFileInvalid, match=r"line 2: not UTF-8"):
        parse_title_file(NAME, b"credit = 'x'\nname = '\xff'")


@given(content=st.binary(max_size=200))
def test_whatever_a_file_holds_is_read_or_told(content: bytes) -> None:
    with suppress(TitleFileInvalid):
        assert parse_title_file(NAME, content).keys() <= {*FIELDS, "languages"}


@given(fields=st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=12)))
def test_whatever_metadata_hold_is_read_or_told(fields: dict[str, str]) -> None:
    with suppress(TitleFileInvalid):
        assert parse_wishes(fields).keys() <= {*FIELDS, "languages"}
