"""The table of figures."""

import json

import pytest
from benchmarks.ratios import Ratio
from benchmarks.table import Bar, Figure, paired, quantity, render


def test_the_table_shows_every_column() -> None:
    figures = [
        Figure("one", "wall", "s", 11.0, 10.0, Ratio(1.1, 1.0, 1.25), Bar(1.1, "ratio")),
        Figure("two", "peak memory", "MB", 312.4, bar=Bar(300, "ours")),
        Figure("two", "size", "kB", 5.0),
    ]

    assert render(figures).splitlines() == [
        "benchmark | figure      | ours    | peer   | ratio                  | bar       | held",
        "----------+-------------+---------+--------+------------------------+-----------+-----",
        "one       | wall        | 11.0 s  | 10.0 s | 1.100 (1.000 to 1.250) | <= 1.1    | yes",
        "two       | peak memory | 312 MB  |        |                        | <= 300 MB | NO",
        "two       | size        | 5.00 kB |        |                        |           |",
    ]


def test_a_table_without_figures_has_its_head() -> None:
    assert render([]).startswith("benchmark | figure | ours")


@pytest.mark.parametrize(
    ("figure", "held"),
    [
        (Figure("b", "f", "s", 2.0, bar=Bar(2, "ours")), True),
        (Figure("b", "f", "s", 2.1, bar=Bar(2, "ours")), False),
        (Figure("b", "f", "s", 9.0, 9.0, Ratio(1.0, 1.0, 1.0), Bar(1.1, "ratio")), True),
        (Figure("b", "f", "s", 1.0, bar=Bar(1.1, "ratio")), False),
        (Figure("b", "f", "s", 9.0), None),
    ],
)
def test_a_bar_is_held_up_to_its_value_and_never_without_one(
    figure: Figure, held: bool | None
) -> None:
    assert figure.held is held


def test_a_paired_figure_has_medians_and_the_median_ratio() -> None:
    figure = paired("b", "f", "s", [1.0, 12.0, 30.0], [1.0, 10.0, 20.0])

    assert (figure.ours, figure.peer) == (12.0, 10.0)
    assert figure.ratio == Ratio(1.2, 1.0, 1.5)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 s"), (0.0435, "0.0435 s"), (0.25, "0.25 s"), (7.3, "7.30 s"), (64.25, "64.2 s"),
     (312.4, "312 s"), (-1.25, "-1.25 s")],
)  # fmt: skip
def test_a_quantity_has_about_three_digits(value: float, text: str) -> None:
    assert quantity(value, "s") == text


def test_a_figure_survives_json() -> None:
    figure = Figure("one", "wall", "s", 11.0, 10.0, Ratio(1.1, 1.0, 1.25), Bar(1.1, "ratio"))

    assert json.loads(json.dumps(figure.as_json())) == {
        "benchmark": "one",
        "name": "wall",
        "unit": "s",
        "ours": 11.0,
        "peer": 10.0,
        "ratio": {"middle": 1.1, "lowest": 1.0, "highest": 1.25},
        "bar": {"most": 1.1, "of": "ratio"},
        "held": True,
    }
