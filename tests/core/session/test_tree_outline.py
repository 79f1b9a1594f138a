"""The folded tree as rows, against a plain one that recurses and looks at everything each time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree_outline import MessageTree, Outline, OutlineRow
from tests.core.session.trees import broken_trees, session_of, trees
from tests.counting import calls_in

Plain = tuple[str, int, int, bool | None]
"""The id of a row's (first) message, its depth, how many messages it stands for, whether it is folded."""


class Naive:
    """The rows by their definition."""

    def __init__(self, session: Session, folds: dict[str, bool]) -> None:
        self.session, self.folds = session, folds
        self.head = session.head or session.messages[-1].id
        self.active = {message.id for message in tree.branch(session)}

    def below(self, parent: str | None) -> list[str]:
        return [message.id for message in self.session.messages if message.parent == parent]

    def rows(self, family: list[str], depth: int) -> list[Plain]:
        if len(family) == 1:
            return self.run(family[0], depth)
        return [row for each in family for row in self.alternative(each, depth)]

    def alternative(self, id_: str, depth: int) -> list[Plain]:
        below = self.below(id_)
        if not below:
            return [(id_, depth, 1, None)]
        is_folded = self.folds.get(id_, id_ not in self.active)
        return [(id_, depth, 1, is_folded), *([] if is_folded else self.rows(below, depth + 1))]

    def run(self, id_: str, depth: int) -> list[Plain]:
        run = [id_]
        while len(self.below(run[-1])) == 1 and run[-1] != self.head:
            run += self.below(run[-1])
        rest = self.rows(self.below(run[-1]), depth) if self.below(run[-1]) else []
        if len(run) == 1:
            return [(id_, depth, 1, None), *rest]
        is_folded = self.folds.get(id_, True)
        each: list[Plain] = [] if is_folded else [(one, depth + 1, 1, None) for one in run]
        return [(id_, depth, len(run), is_folded), *each, *rest]


def plain(outline: Outline) -> list[Plain]:
    messages = outline.tree.messages
    return [(messages[row.place].id, row.depth, row.length, row.is_folded) for row in outline.rows]


@given(trees(), st.lists(st.tuples(st.booleans(), st.integers(0, 200)), max_size=12))
def test_it_is_what_its_definition_says_whatever_is_folded_and_unfolded(
    session: Session, steps: list[tuple[bool, int]]
) -> None:
    folds: dict[str, bool] = {}
    outline = Outline(MessageTree(session), folds)
    assert plain(outline) == Naive(session, folds).rows(Naive(session, folds).below(None), 0)
    for is_fold, number in steps:
        (outline.fold if is_fold else outline.unfold)(number % len(outline.rows))
        naive = Naive(session, folds)
        assert plain(outline) == naive.rows(naive.below(None), 0)
    assert Outline(MessageTree(session), folds).rows == outline.rows


@given(trees())
def test_figures_are_those_of_a_plain_count(session: Session) -> None:
    found = MessageTree(session)
    naive = Naive(session, {})

    def all_below(id_: str) -> list[str]:
        return [each for child in naive.below(id_) for each in (child, *all_below(child))]

    for place, message in enumerate(session.messages):
        below = all_below(message.id)
        assert found.below[place] == len(below)
        assert found.messages[found.newest[place]].id == max([message.id, *below], key=lambda id_: int(id_[1:]))
    assert {found.messages[place].id for place in found.active} == naive.active


@given(trees(), st.data())
def test_a_message_that_is_revealed_is_in_view(session: Session, data: st.DataObject) -> None:
    outline = Outline(MessageTree(session), {})
    for _ in range(3):
        outline.fold(data.draw(st.integers(0, len(outline.rows) - 1)))
    place = data.draw(st.integers(0, len(session.messages) - 1))
    number = outline.reveal(place)
    run = outline.rows[number]
    assert run.place == place or (run.is_run and run.is_folded)
    number = outline.reveal(place, opens_run=True)
    assert outline.rows[number].place == place
    assert outline.row_of(place) == number


@given(trees())
def test_above_a_row_is_what_folds_it(session: Session) -> None:
    outline = Outline(MessageTree(session), {message.id: False for message in session.messages})
    for number, row in enumerate(outline.rows):
        above = outline.above(number)
        assert (above is None) == (row.depth == 0)
        if above is not None:
            assert outline.rows[above].is_folded is False
            other = Outline(outline.tree, {message.id: False for message in session.messages})
            other.fold(above)
            assert row not in other.rows


@given(broken_trees())
def test_of_a_broken_file_each_message_is_there_once(session: Session) -> None:
    found = MessageTree(session)
    assert sorted(found.order) == list(range(len(session.messages)))
    outline = Outline(found, {message.id: False for message in session.messages})
    assert sorted(row.place for row in outline.rows if not row.is_run) == sorted(found.order)
    for place in found.order:
        assert len(list(found.path(place))) <= len(found.order)
        number = outline.reveal(place, opens_run=True)
        assert outline.rows[number].place == place


def test_a_circle_begins_where_it_was_made_first() -> None:
    found = MessageTree(session_of([2, 0, 1, 1]))
    assert found.roots == [0]
    assert found.children == [[1], [2, 3], [], []]


def test_what_hangs_below_a_circle_begins_nothing() -> None:
    found = MessageTree(session_of([1, 2, 1]))
    assert found.roots == [1]
    assert found.children == [[], [0, 2], []]


def test_a_run_ends_at_the_head() -> None:
    outline = Outline(MessageTree(session_of([None, 0, 1, 2, 3], head=1)), {})
    assert outline.rows == [OutlineRow(0, 0, 2, 1, True, has_head=True), OutlineRow(2, 0, 3, 2, is_folded=True)]
    assert outline.row_of(4) == 1
    assert outline.reveal(4, opens_run=True) == 4
    assert outline.rows[4] == OutlineRow(4, 1)


def test_messages_of_one_id_are_rows_of_their_own() -> None:
    session = session_of([None, 0, 1])
    twice = replace(session, messages=tuple(replace(message, id="m1") for message in session.messages))
    outline = Outline(MessageTree(twice), {"m1": False})
    assert {row.place for row in outline.rows} == {0, 1, 2}


def test_nothing_is_an_outline_too() -> None:
    assert Outline(MessageTree(replace(session_of([None]), messages=(), head=None)), {}).rows == []


def test_a_conversation_that_does_not_branch_is_one_row() -> None:
    outline = Outline(MessageTree(session_of([None, *range(9_999)])), {})
    assert outline.rows == [OutlineRow(0, 0, 10_000, 5_000, is_folded=True, has_head=True)]
    assert outline.unfold(0)
    assert len(outline.rows) == 10_001
    assert outline.fold(0)
    assert len(outline.rows) == 1


def test_thousands_of_alternatives_one_below_the_other() -> None:
    parents: list[int | None] = [None]
    for place in range(5_000):
        parents += [2 * place, 2 * place]
    session = session_of(parents, 2 * 5_000)
    outline = Outline(MessageTree(session), {})
    assert outline.rows[-1] == OutlineRow(10_000, 4_999, has_head=True)
    assert outline.fold(1 + 1)
    assert [row.depth for row in outline.rows] == [0, 0, 0]
    assert outline.reveal(10_000) == len(outline.rows) - 1 == 10_000


@pytest.mark.parametrize(
    ("query", "found"),
    [("Text 2", [1]), ("text", [0, 1, 2]), ("STEW", [2]), ("text stew", [2]), ("stew 1", []), ("pond", [1]), ("", [0, 1, 2])],
)  # fmt: skip
def test_what_fits_has_every_word_in_its_text_its_thinking_or_its_name(query: str, found: list[int]) -> None:
    session = session_of([None, 0, 0])
    messages = list(session.messages)
    messages[1] = replace(messages[1], reasoning="I ponder.")
    messages[2] = replace(messages[2], name="Stew")
    shape = MessageTree(replace(session, messages=tuple(messages)))
    assert shape.matching(query, shape.order) == found


def test_the_work_grows_with_the_messages_and_not_faster() -> None:
    def calls(size: int) -> int:
        session = session_of([None, *(place - 3 if place % 5 == 4 else place - 1 for place in range(1, size))])
        return calls_in(lambda: Outline(MessageTree(session), {}).reveal(size - 1))

    assert calls(10_000) < 11 * calls(1_000)


def test_what_is_folded_is_not_looked_at() -> None:
    parents: list[int | None] = [None, 0, 0]
    parents += [1, *range(3, 5_000)]
    outline = Outline(MessageTree(session_of(parents, 2)), {})
    assert calls_in(lambda: Outline(outline.tree, {})) < 100
