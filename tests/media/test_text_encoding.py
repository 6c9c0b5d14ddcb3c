"""The encoding of a subtitle file is found from its bytes and its language, or it is refused."""

# ruff: noqa: RUF001  (letters of many scripts)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.errors import SubtitlesInvalid
from matinee.media.text_encoding import LANGUAGES, decode_text

TALKS = {
    "fr": "Où étiez-vous hier soir, à l'hôtel ?\nJe vous ai déjà répondu : chez ma sœur.",
    "de": "Können wir über die Straße gehen?\nNatürlich, müssen wir sogar. Schön.",
    "es": "¿Dónde está mi corazón?\nMañana será otro día, señor.",
    "ru": "Где ты был вчера вечером?\nЯ тебе уже сказал: у сестры.",
    "uk": "Де ти був учора ввечері?\nЯ тобі вже казав: у сестри, її дім поруч.",
    "pl": "Gdzie byłeś wczoraj wieczorem?\nJuż ci powiedziałem: u siostry. Źle śpię.",
    "cs": "Kde jsi byl včera večer?\nUž jsem ti říkal: u své sestry. Příště řeknu žlutý kůň.",
    "el": "Πού ήσουν χθες το βράδυ;\nΣου είπα ήδη: στην αδερφή μου.",
    "tr": "Dün gece neredeydin?\nSana söyledim: kız kardeşimin yanında. Şimdi ağaç.",
    "he": "איפה היית אתמול בלילה?\nכבר אמרתי לך: אצל אחותי.",
    "ar": "أين كنت ليلة أمس؟\nلقد قلت لك: عند أختي.",
    "zh": "你昨天晚上在哪里?\n我已经告诉你了:在我姐姐家。",
    "zh-TW": "你昨天晚上在哪裡?\n我已經告訴你了:在我姐姐家。",
    "ja": "昨日の夜はどこにいましたか。\nもう言いました。姉の家です。",
    "ko": "어젯밤에 어디 있었어?\n이미 말했잖아: 누나 집에.",
    "th": "เมื่อคืนคุณอยู่ที่ไหน\nฉันบอกคุณแล้วว่าอยู่บ้านพี่สาว",
}
PAGES = [
    (language, page)
    for language, pages in {
        "fr": ("cp1252", "iso8859_15"), "de": ("cp1252", "iso8859_15"), "es": ("cp1252",),
        "ru": ("cp1251", "koi8_r", "cp866", "iso8859_5"), "uk": ("cp1251", "koi8_u"),
        "pl": ("cp1250", "iso8859_2"), "cs": ("cp1250", "iso8859_2"),
        "el": ("cp1253", "iso8859_7"), "tr": ("cp1254",), "he": ("cp1255",), "ar": ("cp1256",),
        "zh": ("gb18030",), "zh-TW": ("big5",), "ja": ("cp932", "euc_jp"), "ko": ("cp949",),
        "th": ("cp874",),
    }.items()
    for page in pages
]  # fmt: skip


def subtitle_file(language: str) -> str:
    return f"1\r\n00:00:01,000 --> 00:00:02,000\r\n{TALKS[language]}\r\n\r\n"


@pytest.mark.parametrize(("language", "page"), PAGES)
def test_an_old_code_page_is_found_by_its_language(language: str, page: str) -> None:
    text = subtitle_file(language)

    assert decode_text(text.encode(page), "film.srt", language).text == text


@pytest.mark.parametrize(("language", "page"), PAGES)
def test_an_old_code_page_is_found_without_a_language(language: str, page: str) -> None:
    text = subtitle_file(language)

    assert decode_text(text.encode(page), "film.srt").text == text


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_text_is_decoded_by_its_mark(text: str, encoding: str) -> None:
    plain = text.removeprefix("\ufeff")

    assert decode_text(plain.encode(encoding), "film.srt").text == plain


@pytest.mark.parametrize("language", TALKS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_unicode_needs_no_mark(language: str, encoding: str) -> None:
    text = subtitle_file(language)
    found = decode_text(text.encode(encoding), "film.srt")

    assert (found.text, found.encoding) == (text, encoding)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xff\xfe\x41", "not UTF-16 at byte 2"),
        (b"\xef\xbb\xbfok\xff", "not UTF-8 at byte"),
        (b"ok \x81\x8d", "not UTF-8 at byte 3"),
    ],
)
def test_what_fits_no_encoding_is_refused_with_the_place(data: bytes, fault: str) -> None:
    with pytest.raises(SubtitlesInvalid, match=f"film.srt: {fault}") as met:
        decode_text(data, "film.srt", "fr")
    assert "UTF-8" in met.value.hint and "FILE:de" in met.value.hint


def test_text_of_another_language_than_is_told_is_refused() -> None:
    with pytest.raises(SubtitlesInvalid, match="not UTF-8"):
        decode_text(subtitle_file("ru").encode("cp1251"), "film.srt", "tr")


@given(data=st.binary(), language=st.sampled_from(["und", "xx", *LANGUAGES]))
def test_any_bytes_are_text_or_refused(data: bytes, language: str) -> None:
    try:
        decode_text(data, "film.srt", language)
    except SubtitlesInvalid:
        return
