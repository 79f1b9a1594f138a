"""What the rows of the tree view say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from kimi_tui.core.session.session import MessageState
from kimi_tui.core.session.tree_outline import MessageTree, OutlineRow
from kimi_tui.ui.state.tree_words import headline, row_words
from tests.core.session.trees import NOW, session_of

HERE = timezone(timedelta(hours=2))


def words_of(place: int, *, row: OutlineRow | None = None, growing: frozenset[str] = frozenset(), **values: object):  # type: ignore[no-untyped-def]
    session = session_of([None, 0, 0, 2])
    messages = tuple(
        replace(it, created=NOW + timedelta(hours=at), **(values if at == place else {}))  # type: ignore[arg-type]
        for at, it in enumerate(session.messages)
    )
    tree = MessageTree(replace(session, messages=messages))
    return row_words(tree, row or OutlineRow(place, 0), growing, NOW, lambda time: time.astimezone(HERE))


def test_an_alternative_has_its_place_its_first_words_and_its_name() -> None:
    words = words_of(2, content="  Roast\n\nit  slowly. " + "x" * 500, name="Stew")
    assert (words.label, words.who, words.name) == ("2/2", "Kimi", "Stew")
    assert words.text.startswith("Roast it slowly. xxx")
    assert len(words.text) <= 240


def test_an_alternative_says_what_is_special_about_it_and_how_it_ended() -> None:
    session = session_of([None, 0, 0])
    question, first, second = session.messages
    second = replace(second, content="Roast it.", sent={"temperature": 0}, state=MessageState.CANCELLED)
    tree = MessageTree(replace(session, messages=(question, replace(first, sent={}), second)))
    found = row_words(tree, OutlineRow(2, 0), frozenset(), NOW, lambda time: time.astimezone(HERE))
    assert found.text == "temperature 0 · stopped · Roast it."


def test_a_run_says_how_many_turns_it_has() -> None:
    assert words_of(0, row=OutlineRow(0, 0, 3, 2, is_folded=True)).label == "2 turns"
    assert words_of(0).label == ""
    assert words_of(0).who == "You"


@pytest.mark.parametrize(
    ("created", "figures"),
    [
        (NOW, ("3 below · 13:15", "3 · 13:15")),
        (NOW - timedelta(days=2), ("3 below · 21 Nov 13:15", "3 · 21 Nov")),
        (NOW - timedelta(days=400), ("3 below · 2025-10-19 13:15", "3 · 2025-10-19")),
        (None, ("3 below", "3")),
    ],
)
def test_figures_tell_how_many_are_below_and_when_the_newest_was_made(
    created: datetime | None, figures: tuple[str, str]
) -> None:
    session = session_of([None, 0, 0, 2])
    newest = None if created is None else created + timedelta(hours=3)
    messages = (*session.messages[:3], replace(session.messages[3], created=newest))
    tree = MessageTree(replace(session, messages=messages))
    found = row_words(tree, OutlineRow(0, 0), frozenset(), NOW, lambda time: time.astimezone(HERE))
    assert found.figures == figures


def test_what_has_no_text_says_why() -> None:
    assert words_of(3, content="").text == "no text"
    assert words_of(3, content="", reasoning="I ponder.").text == "I ponder."
    assert words_of(3, content="", growing=frozenset({"m4"})).text == "being written …"


def test_control_characters_are_made_visible() -> None:
    words = words_of(2, content="\x1b]0;x\x07", name="\u202ey")
    assert words.text == "␛]0;x␇"
    assert words.name == "‹U+202E›y"


def test_the_headline_counts_messages_and_forks() -> None:
    assert headline(MessageTree(session_of([None, 0, 0, 2]))) == "4 messages · 1 fork"
    assert headline(MessageTree(session_of([None, None, None]))) == "3 messages · 1 fork"
