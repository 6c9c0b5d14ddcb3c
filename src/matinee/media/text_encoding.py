# ruff: noqa: RUF001  (letters of many scripts)
"""Which encoding a subtitle file has, found from its bytes and, where it is told, its language.

Unicode is known by its marks or by being valid. An old code page is chosen by what it makes of the
bytes: the one whose letters are those of the language, in words that are written as words are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from matinee.core.errors import SubtitlesInvalid

MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

WEST = "cp1252", "iso8859_15"
CENTRAL = "cp1250", "iso8859_2"
CYRILLIC = "cp1251", "koi8_u", "cp866", "iso8859_5"
CHINESE = "gb18030", "big5"

THAI = "กขคงจฉชซญดตถทธนบปผฝพฟภมยรลวศสหอฮะาำิีึืุูเแโใไๆ็่้๊์ั"
HAN = (
    "的一是不了在人有我他这們们個个来來你到说說和地出道也时時要就下得可以生会"
    "會自着著去之过過她那麼么好，。？！"
)
KANA = (
    "あいうえおかがきくけこごさしじすせそただちっつてでとどなにねのはばひへま"
    "みむめもやゆよらりるれろわをんアイカクシスタトナマラリルレロンー、。？！"
)
HANGUL = "이다는가에을니지하고어의그나사기아리한도해자를인요거있라대내게서로들은면네당말안없을저"

LANGUAGES: dict[str, tuple[tuple[str, ...], str]] = {
    "he": (("cp1255",), "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    "ar": (("cp1256",), "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءآأؤإئ،؟"),
    "th": (("cp874",), THAI),
    "fr": (WEST, "àâæçéèêëîïôœùûüÿ«»’"),
    "de": (WEST, "äöüß„“"),
    "es": (WEST, "áéíóúüñ¿¡«»"),
    "pt": (WEST, "ãõáâàçéêíóôúü"),
    "it": (WEST, "àèéìíòóùú’«»"),
    "nl": (WEST, "éëïóöüèáê’‘"),
    "sv": (WEST, "åäöé"),
    "da": (WEST, "æøåé"),
    "nb": (WEST, "æøåéòô"),
    "fi": (WEST, "äöå"),
    "is": (WEST, "áðéíóúýþæö"),
    "pl": (CENTRAL, "ąćęłńóśźż„”"),
    "cs": (CENTRAL, "áčďéěíňóřšťúůýž„“"),
    "sk": (CENTRAL, "áäčďéíĺľňóôŕšťúýž„“"),
    "hu": (CENTRAL, "áéíóöőúüű„”"),
    "hr": (CENTRAL, "čćđšž"),
    "sl": (CENTRAL, "čšž"),
    "ro": (CENTRAL, "ăâîşţ„”"),
    "ru": (CYRILLIC, "абвгдеёжзийклмнопрстуфхцчшщъыьэюя«»—"),
    "uk": (CYRILLIC, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя«»—"),
    "bg": (CYRILLIC, "абвгдежзийклмнопрстуфхцчшщъьюя„“—"),
    "sr": (CYRILLIC, "абвгдђежзијклљмнњопрстћуфхцчџш„“"),
    "el": (("cp1253", "iso8859_7"), "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ«»"),
    "tr": (("cp1254",), "çğıöşüâîû"),
    "lt": (("cp1257",), "ąčęėįšųūž„“"),
    "lv": (("cp1257",), "āčēģīķļņšūž"),
    "et": (("cp1257",), "äõöüšž"),
    "vi": (("cp1258",), "ăâđêôơưáàéèíóòúýảạ"),
    "zh": (CHINESE, HAN),
    "ja": (("cp932",
           "euc_jp"), KANA),
    "ko": (("cp949",), HANGUL),
}  # fmt: skip
"""Code pages and letters beside ASCII, by language; of Chinese, Japanese, Korean the frequent.

Where two fit equally well the earlier one is taken: Hebrew read as Russian has no capitals.
"""

SPARSE = {"zh": 0.18, "ja": 0.4, "ko": 0.25}
"""Which part of a text the frequent characters are, at least; of others it must be ``ENOUGH``."""

ENOUGH = 0.7
HEAD = 200_000
"""Bytes that are looked at."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text and the encoding that it had."""

    text: str
    encoding: str


def decode_text(data: bytes, name: str, language: str = "und") -> Decoded:
    """Text of a subtitle file, by its byte order mark, as UTF-8, or by an old code page.

    Raises:
        SubtitlesInvalid: no encoding fits; says at which byte it is not UTF-8.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return Decoded(_strictly(data, encoding, name), encoding.removesuffix("-sig"))
    for encoding in _without_mark(data):
        try:
            return Decoded(data.decode(encoding), encoding)
        except UnicodeDecodeError:
            continue
    if found := guess(data, language):
        try:
            return Decoded(data.decode(found), found)
        except UnicodeDecodeError as error:
            raise _not_text(name, f"not {found} at byte {error.start}") from error
    return Decoded(_strictly(data, "utf-8", name), "utf-8")


def _without_mark(data: bytes) -> list[str]:
    """Unicode that can be meant: every other byte of ASCII in UTF-16 is 0."""
    head = data[:HEAD]
    if head[1::2].count(0) > len(head) // 8:
        return ["utf-16-le"]
    if head[::2].count(0) > len(head) // 8:
        return ["utf-16-be"]
    return ["utf-8"]


def _strictly(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        shown = encoding.removesuffix("-sig").upper()
        raise _not_text(name, f"not {shown} at byte {error.start}") from error


def _not_text(name: str, fault: str) -> SubtitlesInvalid:
    return SubtitlesInvalid(
        f"{name}: {fault}",
        "save the subtitles as UTF-8, or name their language, as in FILE:de",
    )


def guess(data: bytes, language: str) -> str | None:
    """The old code page that makes the most of the bytes; None when none makes enough."""
    known = language.partition("-")[0]
    languages = [known] if known in LANGUAGES else list(LANGUAGES)
    scored = [
        (score, -place, page)
        for place, (one, page) in enumerate(_candidates(languages))
        if (score := _score(data[:HEAD], one, page)) > 0
    ]
    return max(scored)[2] if scored else None


def _candidates(languages: list[str]) -> Iterator[tuple[str, str]]:
    for language in languages:
        for page in LANGUAGES[language][0]:
            yield language, page


def _score(head: bytes, language: str, page: str) -> float:
    """From 0 to 1: how much the text is one of the language; 0 when it is not."""
    try:
        text = head.decode(page)
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # the head may end within a character
            return 0
        text = head[: error.start].decode(page)
    if any("\x80" <= character < "\xa0" for character in text):
        return 0  # control characters: the page is another
    letters = [character for character in text if character > "\x7f" and character != "\xa0"]
    if not letters:
        return 0
    expected = set(LANGUAGES[language][1])
    share = sum(character.lower() in expected for character in letters) / len(letters)
    if share < SPARSE.get(language, ENOUGH):
        return 0
    share = min(1.0, share / SPARSE[language] / 2) if language in SPARSE else share
    return share * (1 - min(1.0, _oddities(text) / len(letters)))


def _oddities(text: str) -> int:
    """Neighbours that no words have: a capital after a small letter, two scripts in one word."""
    return sum(
        (one.islower() and two.isupper()) or _is_latin(one) != _is_latin(two)
        for one, two in pairwise(text)
        if one.isalpha() and two.isalpha() and max(one, two) > "\x7f"
    )


def _is_latin(letter: str) -> bool:
    return letter < "\u0370" or letter > "\u1e00"
