from hypothesis import given
from hypothesis import strategies as st

from matinee.assets.reach import GLANCES, MEDIA, Link, needed

FUNCTIONS = sorted(MEDIA | GLANCES | {"scan", "score_chunk", "judge"})
links = st.lists(
    st.tuples(
        st.sampled_from(FUNCTIONS),
        st.lists(st.integers(0, 9), max_size=3),
        st.lists(st.integers(0, 9), min_size=1, max_size=2),
    ),
    max_size=12,
).map(
    lambda rows: [
        Link(number, function, [*map(str, inputs)], [*map(str, outputs)])
        for number, (function, inputs, outputs) in enumerate(rows)
    ]
)


def by_the_words(every: list[Link], roots: set[str]) -> set[int]:
    """The definition, gone through until nothing is added."""
    live, names = set[int](), set(roots)
    made = {name for link in every for name in link.outputs}

    def looked_at(link: Link) -> set[str]:
        return (set(link.inputs) & made - set(link.outputs)) or set(link.inputs)

    while True:
        more = {
            link.number
            for link in every
            if names & set(link.outputs)
            or (link.function not in MEDIA | GLANCES and link.inputs and looked_at(link) <= names)
            or (link.function in GLANCES and looked_at(link) & names)
        }
        if more == live:
            return live
        live = more
        for link in every:
            if link.number in live:
                names |= {*link.inputs, *link.outputs}


@given(links, st.sets(st.integers(0, 9).map(str)))
def test_what_is_needed_is_what_the_words_say(every: list[Link], roots: set[str]) -> None:
    assert needed(every, roots) == by_the_words(every, roots)


def test_the_chunks_of_a_ladder_that_nothing_shows_are_not_needed() -> None:
    shown = Link(1, "encode_chunk", ["clip"], ["chunk"])
    other = Link(2, "encode_chunk", ["clip"], ["other"])
    scored = Link(3, "score_chunk", ["chunk", "clip"], ["scores"])
    of_other = Link(4, "score_chunk", ["other", "clip"], ["other scores"])
    package = Link(5, "package", ["chunk"], ["segment", "join"])

    assert needed([shown, other, scored, of_other, package], {"segment"}) == {1, 3, 5}


def test_a_preview_is_needed_by_nothing_that_is_made_of_the_same_packets() -> None:
    links = [
        Link(1, "encode_sound", ["packets"], ["sound"]),
        Link(2, "package", ["sound"], ["file"]),
        Link(3, "show_sound", ["packets"], ["shown"]),
    ]

    assert needed(links, ["file"]) == {1, 2}
