"""A diff of two inputs: its pieces are the two again, what is told to differ does, and large inputs stay cheap."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.prompt.prompt_diff import CONTEXT_CHARS, FOLDED_CHARS, Change, DiffPiece, matches, prompt_diff
from kimi_tui.core.prompt.prompt_view import PromptViewer
from kimi_tui.core.prompt.prompt_writer import PartKind, PromptPart
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, TEMPLATES
from tests.core.prompt.test_conversation import reply, session_of, user
from tests.counting import calls_in
from tests.prompts import past_view

KIMI = RequestSettings(template=TEMPLATES["kimi"])
LINES = st.lists(st.sampled_from(["a\n", "b\n", "c", "\r", "d\r\n", "<|im_end|>", "<think>", "", "羊\u2028", "x" * 300]), max_size=14).map("".join)  # fmt: skip
PARTS = st.lists(LINES, min_size=1, max_size=6)


def parts_of(texts: Sequence[str]) -> list[PromptPart]:
    return [PromptPart(PartKind.USER, text, message_id=f"m{place}") for place, text in enumerate(texts)]


def side(pieces: Sequence[DiffPiece], other: Change) -> str:
    return "".join(piece.text for piece in pieces if piece.change is not other)


def changes(pieces: Sequence[DiffPiece]) -> list[tuple[Change, str]]:
    return [(piece.change, piece.text) for piece in pieces if piece.change is not Change.SAME]


@given(PARTS, PARTS)
def test_its_pieces_are_the_two_inputs_again(old: list[str], new: list[str]) -> None:
    pieces = prompt_diff(parts_of(old), parts_of(new), DEFAULT_TEMPLATE)
    assert side(pieces, Change.ADDED) == "".join(old)
    assert side(pieces, Change.REMOVED) == "".join(new)
    assert all(piece.text for piece in pieces)
    assert all(piece.change is Change.SAME for piece in pieces if piece.is_folded)


@given(PARTS)
def test_of_two_equal_inputs_nothing_differs(texts: list[str]) -> None:
    assert not changes(prompt_diff(parts_of(texts), parts_of(texts), DEFAULT_TEMPLATE))


def longest(left: Sequence[int], right: Sequence[int]) -> int:
    """The length of the longest common subsequence, by the table that every textbook has."""
    row = [0] * (len(right) + 1)
    for a in left:
        before = row
        row = [0]
        for place, b in enumerate(right):
            row.append(before[place] + 1 if a == b else max(row[place], before[place + 1]))
    return row[-1]


@given(st.lists(st.integers(0, 60), unique=True, max_size=30), st.lists(st.integers(0, 60), unique=True, max_size=30))
def test_of_lines_that_differ_from_each_other_as_many_stay_as_can(left: list[int], right: list[int]) -> None:
    found = matches([str(it) for it in left], [str(it) for it in right])
    assert sum(size for _, _, size in found) == longest(left, right)


@given(st.lists(st.integers(0, 4), max_size=30), st.lists(st.integers(0, 4), max_size=30))
def test_what_stays_is_equal_and_in_order(left: list[int], right: list[int]) -> None:
    found = matches([str(it) for it in left], [str(it) for it in right])
    for i, j, size in found:
        assert left[i : i + size] == right[j : j + size]
    for (i, j, size), (at, to, _) in pairwise(found):
        assert i + size <= at
        assert j + size <= to
    assert sum(size for _, _, size in found) <= longest(left, right)


def test_one_changed_line_is_all_that_differs() -> None:
    old = [f"line {number}\n" for number in range(400)]
    new = [*old[:200], "another\n", *old[201:]]
    pieces = prompt_diff(parts_of(["".join(old)]), parts_of(["".join(new)]), DEFAULT_TEMPLATE)
    assert changes(pieces) == [(Change.REMOVED, "line 200\n"), (Change.ADDED, "another\n")]
    same = [(piece.text, piece.is_folded) for piece in pieces if piece.change is Change.SAME]
    assert [folded for _, folded in same] == [True, False, False, True]
    assert [text for text, folded in same if not folded] == ["line 198\nline 199\n", "line 201\nline 202\n"]


def test_in_a_long_line_only_what_differs_is_told() -> None:
    words = "word " * 5_000
    pieces = prompt_diff(parts_of([words + "old" + words]), parts_of([words + "new" + words]), DEFAULT_TEMPLATE)
    assert [change for change, _ in changes(pieces)] == [Change.REMOVED, Change.ADDED]
    assert all(len(text) < 200 for _, text in changes(pieces))
    assert all(len(piece.text) <= 2 * CONTEXT_CHARS + FOLDED_CHARS for piece in pieces if not piece.is_folded)


def test_a_turn_more_is_added_behind_what_the_last_request_said() -> None:
    session = session_of(user("m1", "one"), reply("m2", "two", "m1", template="kimi"), system="Be brief.")
    new = PromptViewer().view(session, KIMI, "three")
    pieces = prompt_diff(past_view(session, "m2", 9).parts, new.parts, new.template)
    assert [(change, text) for change, text in changes(pieces)] == [
        (Change.ADDED, "</think>two<|im_end|>"),
        (Change.ADDED, "<|im_user|>user<|im_middle|>three<|im_end|>"),
        (Change.ADDED, "<|im_assistant|>assistant<|im_middle|><think>"),
    ]
    assert [piece.part.key for piece in pieces if piece.change is Change.ADDED] == ["message m2", "draft", "open turn"]


def test_another_system_prompt_is_all_that_differs() -> None:
    session = session_of(user("m1", "one"), reply("m2", "two", "m1", template="kimi"), system="Be brief.")
    old = PromptViewer().view(session, KIMI)
    new = PromptViewer().view(replace(session, system="Be long."), KIMI)
    pieces = prompt_diff(old.parts, new.parts, new.template)
    assert [text for _, text in changes(pieces)] == ["Be brief.<|im_end|>", "Be long.<|im_end|>"]


NUMBERED = [f"line {number}\n" for number in range(90_000)]
LARGE = {
    "unlike": lambda chance: ("".join(f"{chance.random()}\n" for _ in range(40_000)), "".join(f"{chance.random()}\n" for _ in range(40_000))),
    "every other line": lambda chance: ("".join(f"{n}\n" for n in range(50_000)), "".join(f"{n if n % 2 else -n}\n" for n in range(50_000))),
    "one letter lines": lambda chance: ("".join(chance.choice("ab") + "\n" for _ in range(100_000)), "".join(chance.choice("ab") + "\n" for _ in range(100_000))),
    "one line": lambda chance: ("x" * 1_000_000, "x" * 500_000 + "y" + "x" * 499_999),
    "shuffled": lambda chance: ("".join(NUMBERED), "".join(chance.sample(NUMBERED, len(NUMBERED)))),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_the_work_grows_with_the_size_of_the_inputs(name: str) -> None:
    """A megabyte on either side, of what line diffs take long for: so many calls a line, not a line times a line."""
    old, new = LARGE[name](random.Random(1))
    lines = old.count("\n") + new.count("\n") + 1
    found = list[list[DiffPiece]]()
    calls = calls_in(lambda: found.append(prompt_diff(parts_of([old]), parts_of([new]), DEFAULT_TEMPLATE)))
    assert calls <= 60 * lines + 2_000
    assert (side(found[0], Change.ADDED), side(found[0], Change.REMOVED)) == (old, new)
