"""Profiles: which streams a film gets: ladders of pictures, forms of sound and of subtitles.

A profile file names ladders, lists forms of sound, and may include other profiles; see
docs/reference/profiles.md. A ladder alone is a profile too: its pictures, and its sound as AAC-LC.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from matinee.core.errors import ProfileInvalid
from matinee.core.toml_lines import Path, line_of, line_of_error
from matinee.media.codecs import CODECS
from matinee.media.codecs.sound import SOUND_CODECS, SoundCodec
from matinee.media.encryption import LIBRARY_KEYS, SCHEMES, Encryption
from matinee.media.ladder import Ladder, SoundRates
from matinee.media.ladder_checks import BUDGETS, SETTINGS, TARGETS
from matinee.media.loudness import Target
from matinee.media.plan import LONGEST

TABLES = (
    "description", "include", "ladders", "settings", "target_vmaf", "cpu_budget", "subtitles",
    "sound", "loudness", "segments", "encryption",
)  # fmt: skip

LAYOUTS = ("mono", "stereo", "surround")
"""What a form of sound may ask for: all channels in one; as every device plays it (mono stays
mono); the track's own layout where it has more than two channels."""

LOUDNESS: Mapping[str, tuple[int, int, float | None]] = {
    "target_lufs": (-40, -5, None),
    "true_peak_dbtp": (-9, 0, -1.0),
}
"""Least, most, and what is meant where it is not said; without that, it must be."""

LONGEST_SEGMENT = (4, 60)
"""Least and most seconds of the longest segment: twice the shortest, and what players can hold."""

SUBTITLES = ("webvtt", "imsc1")
"""Forms of subtitles; WebVTT, in DASH as ``wvtt``, is always made."""

RATES = {"mono_kbps": "mono", "stereo_kbps": "stereo", "per_channel_kbps": "surround"}
"""The field that gives the bit rate of each layout."""


@dataclass(frozen=True, slots=True)
class SoundForm:
    """Every sound track in one codec: ``rates`` of a lossless one decide nothing.

    In HLS it is offered with pictures of these codecs alone, () meaning all: each pair of pictures
    and sound is a variant of its own there.
    """

    codec: str
    rates: SoundRates
    layouts: tuple[str, ...] = ("stereo", "surround")
    pictures: tuple[str, ...] = ()

    @property
    def coding(self) -> SoundCodec:
        """Its codec."""
        return SOUND_CODECS[self.codec]


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile before it meets a film. The first ladder and the first sound are the main ones.

    ``longest_segment_s``: a segment, so a group of pictures, lasts so many seconds at most.
    """

    name: str
    ladders: tuple[Ladder, ...]
    sounds: tuple[SoundForm, ...]
    subtitles: tuple[str, ...] = ("webvtt",)
    loudness: Target | None = None
    longest_segment_s: int = int(LONGEST)
    encryption: Encryption | None = None

    @property
    def ladder_names(self) -> str:
        """Its ladders, for people."""
        return ", ".join(ladder.name for ladder in self.ladders)

    def with_ladder(self, ladder: Ladder) -> "Profile":
        """The same with other pictures; sound for pictures that are gone goes with these."""
        sounds = tuple(
            form if ladder.codec in form.pictures else replace(form, pictures=())
            for form in self.sounds
        )
        return replace(self, ladders=(ladder,), sounds=sounds)

    def with_target(self, target: float) -> "Profile":
        """The same with a target of VMAF for every ladder."""
        return replace(self, ladders=tuple(one.with_target(target) for one in self.ladders))

    def with_budget(self, budget: float | None) -> "Profile":
        """The same with a processor budget for every ladder that can have one; None: for none.

        Raises:
            ProfileInvalid: no ladder can.
        """
        ladders = tuple(one.with_budget(budget) for one in self.ladders)
        if budget is not None and all(one.cpu_budget is None for one in ladders):
            raise ProfileInvalid(
                f"profile {self.name}: a processor budget is for none of its ladders",
                "give ladders whose presets were measured, such as standard",
            )
        return replace(self, ladders=ladders)

    def for_film(self, duration: Fraction, *, has_time: bool) -> "Profile":
        """The same with every ladder's settings for a film of so many seconds."""
        ladders = tuple(one.for_film(duration, has_time=has_time) for one in self.ladders)
        return replace(self, ladders=ladders)

    def with_settings(self, settings: str) -> "Profile":
        """The same with every ladder's settings chosen in that way."""
        return replace(self, ladders=tuple(one.with_settings(settings) for one in self.ladders))


def profile_of(ladder: Ladder) -> Profile:
    """A ladder as a profile: its pictures, its sound as AAC-LC."""
    return Profile(ladder.name, (ladder,), (SoundForm("aac", ladder.sound),))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a profile may be made of, by name: shipped ones and files."""

    ladder: Callable[[str], Ladder]
    profile: Callable[[str], Profile]


class _Reader:
    """Reads one file; every fault names the line where it stands."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._text = name, text

    def document(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            line = line_of_error(error, self._text)
            raise ProfileInvalid(f"profile {self._name}, line {line}: {error}") from error

    def require(self, holds: bool, path: Path, fault: str) -> None:
        if not holds:
            line = line_of(self._text, path)
            where = f", line {line}" if line else ""
            raise ProfileInvalid(f"profile {self._name}{where}: {fault}")

    def fields(self, table: Any, path: Path, known: Sequence[str]) -> dict[str, Any]:
        where = f"[[{path[0]}]]" if path else "a profile"
        self.require(isinstance(table, dict), path, f"{path[0] if path else ''} is no table")
        for key in table:
            self.require(key in known, (*path, key), f"{where} has no field {key!r}")
        return dict(table)

    def names(self, document: Mapping[str, Any], field: str) -> list[str]:
        names = document.get(field, [])
        right = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
        self.require(right, (field,), f"{field} is not a list of names or files")
        return list(names)


def parse_profile(name: str, text: str, parts: Parts) -> Profile:
    """Read a profile file (TOML; see docs/reference/profiles.md).

    What it includes comes first, then its own. Without any [[sound]] the sound is that of its first
    ladder, as AAC-LC.

    Raises:
        ProfileInvalid: not TOML, a field that is missing, unknown or out of range; names the line.
        LadderInvalid: a ladder that it names is none.
    """
    reader = _Reader(name, text)
    document = reader.fields(reader.document(), (), TABLES)
    included = [parts.profile(one) for one in reader.names(document, "include")]
    ladders = _ladders(reader, document, included, parts)
    if "settings" in document:
        aimed = [one.name for one in ladders if one.target_vmaf is not None]
        reader.require(
            document["settings"] != "auto" or not aimed,
            ("settings",),
            f"settings auto have no target, which {', '.join(aimed)} has",
        )
        ladders = [ladder.with_settings(_settings(reader, document)) for ladder in ladders]
    if "cpu_budget" in document:
        budget = _number(reader, document["cpu_budget"], ("cpu_budget",), BUDGETS)
        ladders = [ladder.with_budget(budget) for ladder in ladders]
        able = any(ladder.cpu_budget for ladder in ladders)
        reader.require(able, ("cpu_budget",), "cpu_budget is for none of its ladders")
    if "target_vmaf" in document:
        target = _number(reader, document["target_vmaf"], ("target_vmaf",), TARGETS)
        ladders = [ladder.with_target(target) for ladder in ladders]
    sounds = _sounds(reader, document, included) or [SoundForm("aac", ladders[0].sound)]
    reader.require(
        "stereo" in sounds[0].layouts,
        ("sound", 0),
        "the first sound has no stereo, which every device needs",
    )
    there = {ladder.codec for ladder in ladders}
    for form in sounds:
        reader.require(
            not form.pictures or bool(there & set(form.pictures)),
            ("sound",),
            f"{form.coding.label} is for pictures in {', '.join(form.pictures)}, of which none are",
        )
    told = [profile.loudness for profile in included if profile.loudness]
    lasting = [profile.longest_segment_s for profile in included]
    if "segments" in document:
        lasting.append(_longest_segment(reader, document["segments"]))
    loudness = _loudness(reader, document["loudness"]) if "loudness" in document else None
    locked = [profile.encryption for profile in included if profile.encryption]
    own = _encryption(reader, document["encryption"]) if "encryption" in document else None
    return Profile(
        name,
        tuple(ladders),
        tuple(sounds),
        _subtitles(reader, document, included),
        loudness or (told[-1] if told else None),
        lasting[-1] if lasting else int(LONGEST),
        own or (locked[-1] if locked else None),
    )


def _settings(reader: _Reader, document: Mapping[str, Any]) -> str:
    settings = document["settings"]
    known = f"{', '.join(SETTINGS[:-1])} or {SETTINGS[-1]}"
    reader.require(settings in SETTINGS, ("settings",), f"settings {settings!r} are not {known}")
    is_aimed = settings in ("per-shot", "per-title") or "target_vmaf" not in document
    reader.require(is_aimed, ("target_vmaf",), "target_vmaf is for settings per-shot or per-title")
    return str(settings)


def _ladders(
    reader: _Reader, document: Mapping[str, Any], included: Sequence[Profile], parts: Parts
) -> list[Ladder]:
    """Each once, searched, ``auto`` or with a budget where any says so; no two of one family."""
    found = [ladder for profile in included for ladder in profile.ladders]
    found += [parts.ladder(one) for one in reader.names(document, "ladders")]
    once: dict[Ladder, Ladder] = {}
    for ladder in found:
        plain = replace(ladder, settings="fixed", cpu_budget=None)
        known = once.get(plain, ladder)
        settings = ladder.settings if ladder.settings != "fixed" else known.settings
        budget = ladder.cpu_budget or known.cpu_budget
        once[plain] = replace(ladder, settings=settings, cpu_budget=budget)
    ladders = list(once.values())
    reader.require(bool(ladders), (), "it has no ladders, so no pictures")
    families = [ladder.family for ladder in ladders]
    for number, ladder in enumerate(ladders):
        twin = families.index(ladder.family)
        reader.require(
            twin == number,
            ("ladders",),
            f"ladders {ladders[twin].name} and {ladder.name} make the same streams",
        )
    return ladders


def _sounds(
    reader: _Reader, document: Mapping[str, Any], included: Sequence[Profile]
) -> list[SoundForm]:
    """Each once, no two of one codec and layout."""
    tables = document.get("sound", [])
    reader.require(isinstance(tables, list), ("sound",), "sounds are tables: [[sound]]")
    own = [_sound(reader, table, number) for number, table in enumerate(tables)]
    sounds = list(dict.fromkeys([*(s for profile in included for s in profile.sounds), *own]))
    codecs = [(form.codec, layout) for form in sounds for layout in form.layouts]
    for codec, layout in codecs:
        is_one = codecs.count((codec, layout)) == 1
        reader.require(is_one, ("sound",), f"{codec} {layout} is asked for twice")
    return sounds


def _subtitles(
    reader: _Reader, document: Mapping[str, Any], included: Sequence[Profile]
) -> tuple[str, ...]:
    forms = [one for profile in included for one in profile.subtitles]
    forms += reader.names(document, "subtitles")
    known = " and ".join(SUBTITLES)
    for one in forms:
        reader.require(one in SUBTITLES, ("subtitles",), f"subtitles are {known}, not {one}")
    return tuple(dict.fromkeys(("webvtt", *forms)))


def _loudness(reader: _Reader, table: Any) -> Target:
    fields = reader.fields(table, ("loudness",), tuple(LOUDNESS))
    values: list[float] = []
    for field, (low, high, unsaid) in LOUDNESS.items():
        value: Any = fields.get(field, unsaid)
        path: Path = ("loudness", field) if field in fields else ("loudness",)
        values.append(_number(reader, value, path, (low, high), field))
    return Target(*values)


def _longest_segment(reader: _Reader, table: Any) -> int:
    field, (low, high) = "longest_s", LONGEST_SEGMENT
    value: Any = reader.fields(table, ("segments",), (field,)).get(field)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    fault = f"{field} is not a whole number from {low} to {high}"
    reader.require(is_whole and low <= value <= high, ("segments", field), fault)
    return int(value)


def _encryption(reader: _Reader, table: Any) -> Encryption:
    fields = reader.fields(table, ("encryption",), ("scheme", "keys"))
    scheme, keys = fields.get("scheme"), fields.get("keys", LIBRARY_KEYS)
    reader.require(
        isinstance(scheme, str) and scheme in SCHEMES,
        ("encryption", "scheme") if "scheme" in fields else ("encryption",),
        f"encryption scheme {scheme!r} is not known; {', '.join(SCHEMES)} are",
    )
    reader.require(
        isinstance(keys, str) and is_key_address(keys),
        ("encryption", "keys"),
        'encryption keys are "library", "file:PATH" or the https address of a key service',
    )
    return Encryption(str(scheme), str(keys))


def is_key_address(text: str) -> bool:
    """Whether an address is of a form that may give keys."""
    return text == LIBRARY_KEYS or re.match(r"(file:|https?://)[!-~]", text) is not None


def _number(
    reader: _Reader, value: Any, path: Path, bounds: tuple[float, float], field: str = ""
) -> float:
    """A number within bounds; ``field`` names it where the path's end does not."""
    low, high = bounds
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fault = f"{field or path[-1]} is not from {low:g} to {high:g}"
    reader.require(is_number and low <= value <= high, path, fault)
    return float(value)


def _sound(reader: _Reader, table: Any, number: int) -> SoundForm:
    path: Path = ("sound", number)
    fields = reader.fields(table, path, ("codec", "layouts", "pictures", *RATES))
    known = ", ".join(SOUND_CODECS)
    name = fields.get("codec")
    reader.require(
        name in SOUND_CODECS, (*path, "codec"), f"sound codec {name!r} is not known; {known} are"
    )
    codec = SOUND_CODECS[str(name)]
    layouts = fields.get("layouts", ["stereo", "surround"])
    right = isinstance(layouts, list) and layouts and all(one in LAYOUTS for one in layouts)
    reader.require(
        bool(right), (*path, "layouts"), f"layouts are some of {', '.join(LAYOUTS)}"
    )  # fmt: skip
    pictures = tuple(reader.names(fields, "pictures"))
    for picture in pictures:
        reader.require(
            picture in CODECS,
            (*path, "pictures"),
            f"video codec {picture!r} is not known; {', '.join(CODECS)} are",
        )
    if codec.rates is None:
        for field in RATES:
            reader.require(
                field not in fields, (*path, field), f"{codec.label} is lossless: it has no rate"
            )
        return SoundForm(codec.name, SoundRates(0, 0, 0), tuple(layouts), pictures)
    low, high = codec.rates
    rates = {}
    for field, layout in RATES.items():
        needed = layout in layouts or (layout == "mono" and "stereo" in layouts)
        value = fields.get(field, 0)
        if needed or field in fields:
            channels = 2 if layout == "stereo" else 1
            least, most = ceil_kbps(low * channels), high * channels // 1000
            whole = isinstance(value, int) and not isinstance(value, bool)
            reader.require(
                whole and least <= value <= most,
                (*path, field),
                f"{field} of {codec.label} is not a whole number from {least} to {most}",
            )
        rates[field] = value
    return SoundForm(codec.name, SoundRates(**rates), tuple(layouts), pictures)


def ceil_kbps(bits_per_second: int) -> int:
    """Whole kbit/s, rounded up."""
    return -(-bits_per_second // 1000)
