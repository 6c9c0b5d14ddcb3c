"""The pages say what the program does: names, numbers, links and commands are compared with it."""

import importlib
import pkgutil
import re
import shlex
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from click.exceptions import Exit

import matinee
from matinee.adapters.ffmpeg.commands import vmaf_model
from matinee.adapters.pyav_inspect import KINDS
from matinee.adapters.pyav_picture import LARGEST as LARGEST_PICTURE
from matinee.adapters.sql.engines import BUSY_TIMEOUT_S, IDLE_TIMEOUT_S
from matinee.adapters.sql.schema import REVISION, metadata
from matinee.apps.cli.main import COMMANDS, cli
from matinee.assets.derivation import Step
from matinee.core.errors import MatineeError
from matinee.core.events import TYPES
from matinee.core.ids import canonical_json, digest_of
from matinee.flows.functions import SHIPPED
from matinee.flows.seal_events import OLDEST, STRETCH
from matinee.ladders import SHIPPED as LADDERS
from matinee.media import (
    clocks,
    damage,
    judges,
    ladder,
    ladder_file,
    plan,
    rates,
    remarks,
    signature,
    sound,
    timeline,
)
from matinee.media.codecs import CODECS
from matinee.media.codecs.codec import REORDERED_FRAMES
from matinee.media.codecs.sound import SOUND_CODECS
from matinee.media.sound import MOST_CHANNELS
from matinee.media.source import STILL_SIZE
from matinee.media.subtitle_formats import LARGEST
from matinee.profiles import SHIPPED as PROFILES
from matinee.profiles import load_profile
from matinee.rules.conditions import LONGEST as LONGEST_CONDITION
from matinee.rules.functions import Call, function, registry
from matinee.rules.retry import Retry
from matinee.rules.rulebook import FIELDS, read_rules, shipped_rules
from matinee.stages import crop, split
from matinee.stages import damage as finding
from matinee.stages.text import SIDECARS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
SOURCES = sorted((ROOT / "src" / "matinee").rglob("*.py"))


def by_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def words_of(page: str) -> str:
    """A page's text on one line, so that a line's end splits no sentence."""
    return " ".join(text_of(page).split())


@cache
def source_text() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)


def section(page: str, heading: str) -> str:
    _, _, rest = text_of(page).partition(f"\n## {heading}\n")
    assert rest, f"{page} has no section {heading}"
    return rest.partition("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of the tables of a text, heads and rules left out."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        follows = lines[number + 1] if number + 1 < len(lines) else ""
        is_head, is_rule = re.match(r"\|[-| ]+\|$", follows), re.match(r"\|[-| ]+\|$", line)
        if line.startswith("|") and not is_head and not is_rule:
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def ticked(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


# Commands


def parameters_of(command: click.Command) -> list[click.Parameter]:
    """Those of a command, and of those below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [*command.params, *(each for one in below for each in parameters_of(one))]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_has_every_option_of_a_command_and_no_other(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    page = section("reference/cli.md", f"matinee {name}")
    options = {
        spelling
        for parameter in parameters_of(command)
        if isinstance(parameter, click.Option)
        for spelling in (*parameter.opts, *parameter.secondary_opts)
    }
    told = {spelling for cells in rows(page) for spelling in re.findall(r"`(--[a-z-]+)", cells[0])}

    assert told == options


def test_the_page_has_every_command_in_order() -> None:
    assert re.findall(r"^## matinee (\w+)$", text_of("reference/cli.md"), re.MULTILINE) == list(
        COMMANDS
    )


def test_the_page_has_the_options_of_the_program_and_its_variables() -> None:
    page = section("reference/cli.md", "matinee")
    context = click.Context(cli)
    spellings = {s for p in cli.get_params(context) for s in p.opts}
    variables = set(re.findall(r'environ\.get\("(MATINEE_\w+)"', source_text()))
    told = {word for cells in rows(page) for word in ticked(cells[0])}

    assert spellings | variables <= told
    assert {word for word in told if word.startswith("MATINEE")} == variables


def commands_told() -> list[tuple[str, str]]:
    blocks = [
        (by_name(page), block)
        for page in PAGES
        for block in re.findall(
            r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
    ]
    lines = [(page, line) for page, block in blocks for line in block.splitlines()]
    return [(page, line) for page, line in lines if line.startswith("matinee ")]


@pytest.mark.parametrize(("page", "line"), commands_told())
def test_every_command_on_a_page_can_be_read(page: str, line: str) -> None:
    assert page
    arguments = shlex.split(line, comments=True)[1:]
    context = click.Context(cli)
    name, command, rest = cli.resolve_command(context, arguments)
    assert name is not None and command is not None
    with suppress(Exit):  # --help
        command.make_context(name, rest)


def test_every_recipe_on_a_page_is_in_the_makefile() -> None:
    recipes = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {
        recipe
        for page in PAGES
        for recipe in re.findall(
            r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert {"demo", "test"} <= told <= recipes


# Errors


def every_error() -> dict[str, type[MatineeError]]:
    for module in pkgutil.walk_packages(matinee.__path__, "matinee."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    found: dict[str, type[MatineeError]] = {}
    waiting: list[type[MatineeError]] = [MatineeError]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting += kind.__subclasses__()
    return found


def test_the_table_of_error_codes_is_that_of_the_program() -> None:
    told = {
        cells[0].strip("`"): (int(cells[1]), cells[2])
        for cells in rows(section("guide/troubleshooting.md", "Error codes"))
    }
    known = {
        code: (kind.exit_code, "yes" if kind.retryable and code != "tool.lacking" else "no")
        for code, kind in every_error().items()
        if kind.__module__.startswith("matinee.")
    }
    assert told == known


def test_the_page_of_exit_codes_has_every_one() -> None:
    told = {int(cells[0]) for cells in rows(text_of("reference/exit-codes.md"))}
    assert told == {0, 130} | {kind.exit_code for kind in every_error().values()}


# Verdicts


def test_every_judge_has_a_section_and_a_row() -> None:
    judged = set(re.findall(r'\bVerdict\(\s*"(\w+)"', source_text()))
    page = text_of("reference/verdicts.md")

    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == judged
    listed = {name for cells in rows(page) for name in re.findall(r"^\[`(\w+)`\]", cells[0])}
    assert listed == judged


def test_every_code_of_the_conformance_checker_is_told() -> None:
    sources = "".join(p.read_text() for p in SOURCES if p.stem.startswith("conformance"))
    codes = set(re.findall(r'(?:Finding|note)\(\s*"([a-z_]+\.[a-z_]+)"', sources))
    told = {
        code
        for cells in rows(section("reference/verdicts.md", "conformance"))
        for code in ticked(cells[0])
    }
    assert told == codes


@pytest.mark.parametrize(
    "sentence",
    [
        f"up to {signature.REACH} frames to each side",
        f"above {signature.FOREIGN:g} steps (`FOREIGN`)",
        f"more than {signature.NEAR:g} steps (`NEAR`)",
        f"at least {signature.QUIET:g} steps (`QUIET`)",
        f"less than {signature.EVEN:g} of the way (`EVEN`)",
        f"at most {judges.IN_STEP_S * 1000:g} ms (`IN_STEP_S`)",
        f"at least {judges.ALIKE:g} (`ALIKE`)",
        f"up to {sound.PROBES} pieces of {sound.PROBE} s (`PROBES`, `PROBE`)",
        f"in mono at {sound.PROBE_RATE // 1000} kHz",
        f"({sound.AAC_FRAME} samples at {sound.SAMPLE_RATE // 1000} kHz, 21.3 ms)",
        "Pieces below -60 dBFS (`QUIET`)",
    ],
)
def test_thresholds_are_those_of_the_judges(sentence: str) -> None:
    assert sentence in words_of("reference/verdicts.md")


def test_the_thresholds_that_are_rounded_in_words_hold() -> None:
    assert sound.QUIET == 10 ** (-60 / 20)
    assert sound.REACH / sound.PROBE_RATE == 0.5
    assert round(1000 * sound.AAC_FRAME / sound.SAMPLE_RATE, 1) == 21.3


# Films


@pytest.mark.parametrize(
    "sentence",
    [
        f"one constant rate, at most {rates.FASTEST} frames a second",
        f"constant, {rates.SLOWEST} to {rates.FASTEST} a second",
        f"from {rates.SLOWEST_GRID} to {rates.FASTEST} that leaves out",
        f"at most one picture in {1 / rates.LEFT_OUT};",
        f"under {timeline.STANDS_STILL} s, for one frame",
        f"goes back by more than {clocks.BACK} s, leaps ahead by more than {clocks.AHEAD} s",
        f"over {LARGEST_PICTURE} pixels to a side",
        f"a still of {STILL_SIZE[0]}x{STILL_SIZE[1]}",
        f"more than {float(remarks.CUT_OFF)} s, and more than 1 %, before",
        f"lasts more than {timeline.LONGEST_FILM // 3600} hours",
        f"shown more than {timeline.LONGEST_DELAY} s after it is decoded",
        f"more than {timeline.LONGEST_HOLD} s and decoding does not pause",
        remarks.JUMPED,
        remarks.STILL_ADDED,
        finding.HINT,
    ],
)
def test_the_page_of_films_has_the_numbers_and_words_of_the_code(sentence: str) -> None:
    assert sentence in words_of("guide/films.md")


def test_the_numbers_of_films_that_are_rounded_in_words_hold() -> None:
    assert timeline.LONGEST_LAST_FRAME == 10 * 60
    assert damage.JOINED == 1
    assert (damage.TOLD, crop.LEAST) == (4, 0.25)
    assert round(clocks.RUNS_OVER / 90_000 / 3600, 1) == 26.5


def test_every_container_is_told() -> None:
    told = re.findall(r"[A-Z][\w-]+", KINDS)
    assert all(name in words_of("guide/films.md").partition("```")[0] for name in told)


# Ladders


def test_every_ladder_field_and_preset_is_told() -> None:
    fields = section("reference/ladders.md", "Fields") + section("reference/ladders.md", "Codecs")
    document = tomllib.loads((LADDERS / "standard.toml").read_text())
    tables = [document["video"], document["audio"], document["rung"][0]]

    assert {"description", *(key for table in tables for key in table)} <= ticked(fields)
    assert ticked(fields) >= {preset for codec in CODECS.values() for preset in codec.presets}


def test_the_example_is_a_ladder() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", text_of("reference/ladders.md"), re.DOTALL)
    assert len(ladder_file.parse_ladder("example", example).boxes) == 2


def test_what_presets_take_and_save_is_told_as_it_is() -> None:
    told = {table[0][0]: table for table in tables_of("guide/budget.md", "How it is spent")}
    codecs = {codec.label: codec for codec in CODECS.values() if codec.preset_bits}

    assert told.keys() == codecs.keys()
    for label, ((_, *names), (_, *times), (_, *bits)) in told.items():
        codec = codecs[label]
        usual = next(name for name, share in codec.preset_bits.items() if share == 1)
        assert [name.strip("`") for name in names] == list(codec.preset_bits)
        for name, time, share in zip(codec.preset_bits, times, bits, strict=True):
            taken = codec.presets[name] / codec.presets[usual]
            assert float(time) == pytest.approx(taken, abs=0.006)
            assert float(share) == pytest.approx(codec.preset_bits[name], abs=0.006)


def tables_of(page: str, heading: str) -> list[list[list[str]]]:
    """The cells of each table of a section, headings first."""
    found: list[list[list[str]]] = [[]]
    for line in section(page, heading).splitlines():
        if not line.startswith("|"):
            found += [[]] if found[-1] else []
        elif not re.match(r"\|(-+\|)+$", line):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
    return [table for table in found if table]


@pytest.mark.parametrize("path", sorted(LADDERS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_ladder_is_told_as_it_is(path: Path) -> None:
    shipped = ladder_file.parse_ladder(path.stem, path.read_text())
    overview, caps = tables_of("reference/ladders.md", "The shipped ladders")
    name = f"`{path.stem}`"

    for place in ("reference/ladders.md", "reference/cli.md", "guide/publish.md"):
        assert name in text_of(place)
    (told,) = [row for row in overview if row[0] == name]
    assert told[2:4] == [f"`{shipped.preset}`", f"{shipped.crf:g}"]
    assert told[4] in ("", str(shipped.reference_frames))
    if path.stem == "archive":
        (box,) = shipped.boxes
        words = words_of("reference/ladders.md")
        assert f"up to {box.width}x{box.height}, at most {box.maxrate_kbps} kbit/s" in words
    else:
        (column,) = [n for n, cell in enumerate(caps[0]) if name in cell.split()]
        rungs = [[row[0], row[1], row[column]] for row in caps[1:] if row[column]]
        assert rungs == [
            [box.name, f"{box.width}x{box.height}", str(box.maxrate_kbps)] for box in shipped.boxes
        ]
    assert shipped.threads == 1
    rates = shipped.sound
    words = words_of("reference/ladders.md")
    assert f"mono {rates.mono_kbps}, stereo {rates.stereo_kbps}, {rates.per_channel_kbps}" in words


def test_every_codec_of_a_ladder_is_told() -> None:
    (table,) = tables_of("reference/ladders.md", "Codecs")
    told = {row[0].strip("`"): row for row in table[1:]}

    assert set(told) == set(CODECS)
    for name, codec in CODECS.items():
        row = told[name]
        assert ticked(row[2]) == set(codec.profiles[8])
        assert ticked(row[3]) == set(codec.profiles.get(10, ()))
        assert f"`{codec.entries[0]}`" in row[5]
        if row[4] != "the same words":
            assert re.findall(r"`(.*?)`", row[4]) == list(codec.presets)


# Profiles


def test_every_shipped_profile_is_told_as_it_is() -> None:
    (table,) = tables_of("reference/profiles.md", "The shipped profiles")
    told = {row[0].split()[0].strip("`"): row for row in table[1:]}

    assert set(told) == {path.stem for path in PROFILES.glob("*.toml")}
    for name, row in told.items():
        profile = load_profile(name)
        assert re.findall(r"`(.*?)`", row[1]) == [one.name for one in profile.ladders]
        sounds = dict.fromkeys(form.coding.label for form in profile.sounds)
        assert row[2].split(", ") == list(sounds)
        for place in ("reference/cli.md", "guide/publish.md"):
            assert f"`{name}`" in text_of(place)


def test_every_sound_codec_is_told_with_its_numbers() -> None:
    (table,) = tables_of("reference/profiles.md", "Sound")
    told = {re.findall(r"`(.*?)`", row[0])[0]: row for row in table[1:]}

    assert set(told) == set(SOUND_CODECS)
    for name, codec in SOUND_CODECS.items():
        assert told[name][2] == str(codec.frame)
        if codec.rates:
            assert told[name][1] == "{} to {}".format(*(rate // 1000 for rate in codec.rates))


def test_the_example_of_a_profile_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", text_of("reference/profiles.md"), re.DOTALL)
    (tmp_path / "mine.toml").write_text(example)
    own = (LADDERS / "vp9.toml").read_text()
    (tmp_path / "my-ladder.toml").write_text(own)

    assert len(load_profile("mine.toml", tmp_path).ladders) == 4


def test_rules_of_the_ladder_are_told_with_their_numbers() -> None:
    words = words_of("reference/ladders.md")
    assert f"is {ladder.NEARLY_THE_SOURCE:g} of the film's size or more" in words
    assert f"reference frames, at least {REORDERED_FRAMES + 1}" in words


# Formats


def test_the_layout_of_the_frame_index_is_that_of_its_records() -> None:
    page = text_of("formats/index.md")
    told = {cells[3].strip("`"): (int(cells[0]), int(cells[1])) for cells in rows(page)}
    fields = timeline.PACKET.fields
    assert fields is not None

    assert told == {name: (int(f[1]), f[0].itemsize) for name, f in fields.items()}
    assert f"records of {timeline.PACKET.itemsize} bytes" in page


def test_sizes_of_signature_and_segments_are_told() -> None:
    page = words_of("formats/signature.md")
    assert f"{signature.FRAME_BYTES} bytes a frame" in page
    assert f"{signature.WIDTH} wide, {signature.HEIGHT} high" in page
    assert f"between {plan.SHORTEST} and {plan.LONGEST} s" in words_of("formats/package.md")
    shorter, longer = plan.CHUNK, plan.CHUNK + plan.LONGEST
    assert f"about {shorter} to {longer} s" in words_of("glossary.md")
    assert f"each picture {split.THUMBNAIL_WIDTH} wide" in words_of("formats/package.md")
    for height in (1440, 1441):
        assert f"`{vmaf_model(height)}`" in text_of("formats/scores.md")


def test_kinds_of_subtitle_files_are_told() -> None:
    table = rows(section("guide/tracks.md", "Subtitles"))
    told = {cells[0]: ticked(cells[1]) for cells in table}
    assert set().union(*told.values()) == SIDECARS
    assert f"up to {LARGEST // 2**20} MiB" in words_of("guide/tracks.md")
    assert f"At most {MOST_CHANNELS} channels" in words_of("guide/tracks.md")


def test_every_step_of_the_ledger_is_told_with_its_version() -> None:
    made = set(re.findall(r'\bStep\(\s*"(\w+)",\s*(\d+)', source_text()))
    (copied,) = re.findall(r"\bStep\(function, (\d+)", source_text())
    made |= {(name, copied) for name in re.findall(r'_copied\(\s*bench, "(\w+)"', source_text())}
    told = {
        (match[1], match[2])
        for cells in rows(section("formats/ledger.md", "Steps"))
        if (match := re.match(r"`(\w+)` (\d+)$", cells[0]))
    }
    assert told == made


def test_every_table_and_column_is_told() -> None:
    told = {
        cells[0].strip("`"): ticked(f"{cells[1]} {cells[2]}")
        for page in ("formats/ledger.md", "formats/events.md")
        for cells in rows(section(page, "Tables"))
    }
    assert told.keys() == metadata.tables.keys()
    for name, table in metadata.tables.items():
        assert {column.name for column in table.columns} - {"id", "sequence"} <= told[name]


def test_revision_times_and_sizes_of_the_database_are_told() -> None:
    ledger, events = words_of("formats/ledger.md"), words_of("formats/events.md")
    assert f"`{REVISION}`" in ledger
    assert f"`matinee.db.before-{REVISION}`" in ledger
    assert f"schema `before_{REVISION}`" in ledger
    assert f"wait up to {BUSY_TIMEOUT_S} s" in ledger
    assert f"waited for up to {BUSY_TIMEOUT_S} s" in events
    assert f"holds others up for {IDLE_TIMEOUT_S} s at most" in events
    assert f"When {STRETCH:,} events are in no seal, or one is older than a day" in events
    assert timedelta(days=1) == OLDEST


def test_the_example_of_a_key_is_computed() -> None:
    step = Step("sign_chunk", 1, {"chunk": digest_of(b"")}, {}, {"ffmpeg": digest_of(b"ffmpeg")})
    page = text_of("formats/ledger.md")
    left: dict[str, Any] = {
        "function": step.function, "version": 1, "inputs": dict(step.inputs), "parameters": {},
    }  # fmt: skip
    assert canonical_json(left) in page
    assert f"recipe {step.recipe}" in page
    assert canonical_json({"recipe": step.recipe, "tools": dict(step.tools)}) in page
    assert f"key    {step.key}" in page


# Events and rules


def test_every_type_of_event_is_told_with_its_fields() -> None:
    sections = re.split(r"^### ", section("reference/events.md", "Types"), flags=re.MULTILINE)[1:]
    told = {
        each.partition("\n")[0]: [
            [cell.strip("`") for cell in cells[:1]] + cells[1:] for cells in rows(each)
        ]
        for each in sections
    }
    assert told == {
        kind.name: [[name, *fields] for name, fields in kind.fields.items()]
        for kind in TYPES.values()
    }


@pytest.mark.parametrize("page", ["guide/rules.md", "guide/functions.md"])
def test_every_rule_on_a_page_can_be_read(page: str) -> None:
    @function("write-list", version=1)
    def write_list(call: Call, path: str = "", most: int = 1) -> None:
        del call, path, most

    functions = registry((*SHIPPED, write_list), ())
    blocks = re.findall(r"^```toml\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)
    whole = [block for block in blocks if "[[rule]]" in block]
    assert whole
    for block in whole:
        assert read_rules([shipped_rules(), (page, block)], functions).rules


def test_every_shipped_rule_and_function_is_told() -> None:
    functions = registry(SHIPPED, ())
    book = read_rules([shipped_rules()], functions)
    told = [
        re.findall(r"`(.+?)`", cells[0] + cells[2])[:2]
        for cells in rows(section("guide/rules.md", "The shipped rules"))
    ]
    assert told == [[rule.name, rule.do] for rule in book.rules]
    for name, each in functions.items():
        page = section("guide/functions.md", name)
        parameters = {word for cells in rows(page) for word in re.findall(r"`([a-z_]+)`", cells[0])}
        assert set(each.known) <= parameters


def test_defaults_of_rules_are_told() -> None:
    usual, page = Retry(), words_of("guide/rules.md")
    assert f"after {usual.first_s:g} s, {usual.first_s * usual.factor:g} s" in page
    assert f"at most after {usual.most_s / 60:g} minutes, {usual.attempts} calls in all" in page
    assert f"at most {LONGEST_CONDITION} characters and at most two of" in page
    fields = {cells[0].strip("`") for cells in rows(section("guide/rules.md", "Fields of a rule"))}
    assert fields == set(FIELDS)


# Links


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading)).lower() for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / t).resolve() for t in targets if not t.startswith("http")]
    assert set(PAGES) <= reached


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 120
