"""What every catalog promises."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.core.errors import NotFound
from matinee.core.ids import digest_of
from matinee.ports.catalog import Package, Title

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def titles(engine: Engine) -> SqlTitles:
    return SqlTitles(engine, lambda: NOON)


@pytest.fixture
def packages(engine: Engine) -> SqlPackages:
    return SqlPackages(engine, lambda: NOON)


def a_title(title_id: str = "sintel", film: bytes = b"film", name: str = "Sintel") -> Title:
    return Title(title_id, name, digest_of(film), "sintel.mkv", "Blender", NOON, None)


def a_package(package_id: str = "p1", title_id: str = "sintel", after_s: int = 0) -> Package:
    made_at = NOON + timedelta(seconds=after_s)
    files = {"v/1.m4s": digest_of(b"1"), "é.mpd": digest_of(b"2")}
    report, chosen = digest_of(b"report"), {"preset": "medium", "crf": [20, 23]}
    return Package(package_id, title_id, "ready", made_at, files, report, chosen)


def test_a_title_that_is_added_is_hidden(titles: SqlTitles) -> None:
    added = titles.add(replace(a_title(), current="never-made"))

    assert added == a_title()
    assert added.state == "hidden"
    assert titles.get("sintel") == titles.get("Sintel") == titles.of_source(added.source) == added


def test_the_same_source_gives_the_same_title(titles: SqlTitles) -> None:
    first = titles.add(a_title())

    assert titles.add(a_title("another-id", name="Another name")) == first
    assert titles.of_source(first.source) == first


def test_an_id_that_is_taken_gets_a_suffix_of_the_source(titles: SqlTitles) -> None:
    titles.add(a_title(film=b"one"))
    second = titles.add(a_title(film=b"two"))
    third = titles.add(a_title(film=b"three"))

    assert second.id == f"sintel-{digest_of(b'two')[:8]}"
    assert third.id == f"sintel-{digest_of(b'three')[:8]}"
    assert titles.add(a_title(film=b"two")) == second


def test_a_suffix_that_is_taken_grows(titles: SqlTitles) -> None:
    titles.add(a_title(film=b"one"))
    titles.add(a_title(f"sintel-{digest_of(b'two')[:8]}", film=b"other"))

    assert titles.add(a_title(film=b"two")).id == f"sintel-{digest_of(b'two')[:16]}"


def test_describing_changes_only_what_is_given(titles: SqlTitles) -> None:
    titles.add(a_title())

    assert titles.describe("sintel", "New", None) == replace(a_title(), name="New")
    assert titles.describe("sintel", None, "") == replace(a_title(), name="New", credit="")
    assert titles.describe("sintel", None, None) == titles.get("New")
    for name in ("Other", None):
        with pytest.raises(NotFound, match="nobody"):
            titles.describe("nobody", name, None)


def test_an_ambiguous_name_is_not_found_and_the_hint_names_the_ids(titles: SqlTitles) -> None:
    titles.add(a_title("one", b"1"))
    titles.add(a_title("two", b"2"))

    with pytest.raises(NotFound) as ambiguous:
        titles.get("Sintel")
    assert "one, two" in ambiguous.value.hint
    with pytest.raises(NotFound, match="Sint"):
        titles.get("Sint")


def test_an_id_goes_before_a_name(titles: SqlTitles) -> None:
    wanted = titles.add(a_title("heat", b"1", "Heat (1995)"))
    titles.add(a_title("other", b"2", "heat"))

    assert titles.get("heat") == wanted


def test_titles_are_listed_by_name_then_id(titles: SqlTitles, packages: SqlPackages) -> None:
    for title_id, name in (("c", "B"), ("b", "A"), ("d", "a"), ("a", "B")):
        titles.add(a_title(title_id, title_id.encode(), name))
        packages.add(a_package(title_id=title_id))

    assert [each.id for each in titles.all()] == ["b", "a", "c", "d"]


def test_a_title_is_not_listed_before_a_package_was_made_of_it(
    titles: SqlTitles, packages: SqlPackages
) -> None:
    title = titles.add(a_title())
    assert titles.all() == []

    packages.add(a_package())
    assert titles.all() == [title]


def test_a_package_comes_back_as_it_was(titles: SqlTitles, packages: SqlPackages) -> None:
    titles.add(a_title())
    packages.add(a_package())

    assert packages.get("sintel", "p1") == a_package()
    with pytest.raises(NotFound, match="p2"):
        packages.get("sintel", "p2")


def test_a_package_needs_its_title(packages: SqlPackages) -> None:
    with pytest.raises(NotFound, match="sintel"):
        packages.add(a_package())


def test_adding_again_replaces_report_and_state(titles: SqlTitles, packages: SqlPackages) -> None:
    titles.add(a_title())
    packages.add(a_package())
    judged_again = replace(a_package(), state="held", report=digest_of(b"second report"))

    packages.add(replace(judged_again, files={}, made_at=NOON + timedelta(days=1)))

    assert packages.of_title("sintel") == [judged_again]


def test_packages_are_listed_oldest_first(titles: SqlTitles, packages: SqlPackages) -> None:
    titles.add(a_title())
    titles.add(a_title("other", b"other"))
    for package_id, after_s in (("new", 60), ("old", 0), ("middle", 1)):
        packages.add(a_package(package_id, after_s=after_s))
    packages.add(a_package("old", "other"))

    assert [each.id for each in packages.of_title("sintel")] == ["old", "middle", "new"]
    assert packages.of_title("nobody") == []


def test_pointing_at_nothing_known_is_not_found(titles: SqlTitles, packages: SqlPackages) -> None:
    titles.add(a_title())
    titles.add(a_title("other", b"other"))
    packages.add(a_package("p1", "other"))

    for title_id, package_id in (("nobody", None), ("nobody", "p1"), ("sintel", "p1")):
        with pytest.raises(NotFound):
            packages.point(title_id, package_id)
    assert titles.get("sintel").current is None


def test_a_rollback_and_its_undoing(titles: SqlTitles, packages: SqlPackages) -> None:
    titles.add(a_title())
    for package_id in ("p1", "p2"):
        packages.add(a_package(package_id))
        packages.point("sintel", package_id)
    assert packages.previous("sintel") == "p1"

    rolled_back = packages.point("sintel", packages.previous("sintel"))

    assert rolled_back == titles.get("sintel") == replace(a_title(), current="p1")
    assert rolled_back.state == "published"
    assert packages.previous("sintel") == "p2"
    packages.add(replace(a_package("p2"), state="held"))
    assert packages.previous("sintel") is None


def test_a_title_that_was_taken_off_can_go_back_on(
    titles: SqlTitles, packages: SqlPackages
) -> None:
    titles.add(a_title())
    packages.add(a_package())
    packages.point("sintel", "p1")

    assert packages.point("sintel", None).state == "hidden"
    assert packages.previous("sintel") == "p1"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(wishes=st.lists(st.sampled_from(["p1", "p2", "p3", None]), max_size=12))
def test_previous_is_the_last_other_package_on_screen(
    titles: SqlTitles, packages: SqlPackages, wishes: Sequence[str | None]
) -> None:
    title = titles.add(a_title(film=uuid4().bytes))
    for package_id in ("p1", "p2", "p3"):
        packages.add(a_package(package_id, title.id))

    current, shown = None, list[str | None]()
    for wish in wishes:
        assert packages.point(title.id, wish) == replace(title, current=wish)
        current = wish
        shown.append(wish)
        others = [each for each in reversed(shown) if each not in (None, current)]
        assert packages.previous(title.id) == next(iter(others), None)
    assert titles.get(title.id).current == current
