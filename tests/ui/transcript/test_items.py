"""Of thousands of messages only those that are looked at become items, and nothing tells them from the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.ui.state.branch import Branch
from kimi_tui.ui.state.entries import MessageEntries
from kimi_tui.ui.transcript.item import Item
from kimi_tui.ui.transcript.pieces import Section
from tests.core.session.trees import session_of
from tests.counting import calls_in, made
from tests.ui.transcript.parts import Parts

COUNT = 2_000
LOOKED_AT = 30
"""More than enough for a screen, and what is right above and below it."""


def long_session(count: int = COUNT) -> Session:
    session = session_of([place - 1 if place else None for place in range(count)])
    messages = (replace(it, reasoning="hm" if it.role is Role.ASSISTANT else None) for it in session.messages)
    return replace(session, messages=tuple(messages))


def show(parts: Parts, session: Session, *, timestamps: bool = False) -> None:
    branch = Branch(session)
    parts.changed(
        parts.entries.set_entries(branch.messages, MessageEntries(branch.alternatives, branch.settings, timestamps))
    )


def shown(session: Session) -> Parts:
    parts = Parts()
    show(parts, session)
    return parts


def with_message(session: Session, message: Message) -> Session:
    """With another message of the same id."""
    messages = tuple(message if it.id == message.id else it for it in session.messages)
    return replace(session, messages=messages)


def test_only_what_is_looked_at_becomes_an_item() -> None:
    with made(Item) as items:
        parts = shown(long_session())
        assert "text 2000" in "\n".join(parts.texts())
        parts.view.scroll_to_top()
        assert "text 1" in parts.texts()[1]
        parts.cursor.choose_edge(False)
        parts.cursor.move(-1)
        parts.jumps.move_heading(-1)
        parts.search.find("text 10")
        parts.read_all()
        assert parts.found[-1].count == 1 + 10 + 100
        parts.folds.toggle_all()
        parts.view.scroll_to_line(parts.view.scroll_bar().total // 2)
        assert any("hm" in text for text in parts.texts())
    assert items.total < 3 * LOOKED_AT


def test_the_scroll_bar_is_the_same_whether_or_not_items_were_made() -> None:
    fresh, known = shown(long_session(200)), shown(long_session(200))
    assert list(known.viewport.items)
    assert fresh.view.scroll_bar() == known.view.scroll_bar()
    for parts in (fresh, known):
        parts.folds.toggle_all()
    assert fresh.view.scroll_bar() == known.view.scroll_bar()


@pytest.mark.parametrize("place", [0, COUNT - 1], ids=["not looked at", "looked at"])
def test_a_message_that_becomes_another_is_read_and_shown_anew(place: int) -> None:
    session = long_session()
    parts = shown(session)
    parts.texts()
    parts.search.find("another")
    parts.read_all()
    show(parts, with_message(session, replace(session.messages[place], content="another text")))
    parts.read_all()
    assert parts.found[-1].count == 1
    assert parts.viewport.items.text(place, Section.BODY) == "another text"
    parts.search.move_hit(1)
    assert any("another text" in text for text in parts.texts())


def test_what_stands_beside_a_heading_follows_for_items_that_are_there() -> None:
    session = long_session(3)
    parts = shown(session)
    assert not any(":" in text for text in parts.texts())
    show(parts, with_message(session, replace(session.messages[2], created=session.created)), timestamps=True)
    assert sum(":" in text for text in parts.texts()) == 1


def test_an_item_keeps_its_fold_and_its_lines_when_others_come_and_go() -> None:
    session = long_session(40)
    parts = shown(session)
    parts.folds.toggle("m40")
    before = parts.texts()
    assert any("hm" in text for text in before)
    longer = replace(session, messages=(*session.messages, Message("m41", Role.USER, "more", "m40")))
    show(parts, longer)
    show(parts, session)
    assert parts.texts() == before
    with made(Item) as items:
        parts.texts()
    assert items.total == 0


def test_an_entry_more_costs_no_look_at_every_item() -> None:
    session = long_session(10_000)
    parts = shown(session)
    assert list(parts.viewport.items)  # all were looked at
    longer = replace(session, messages=(*session.messages, Message("m10001", Role.USER, "more", "m10000")))
    branch = Branch(longer)
    messages = MessageEntries(branch.alternatives, branch.settings)
    assert calls_in(lambda: parts.changed(parts.entries.set_entries(branch.messages, messages))) < 8 * 10_000


def test_what_was_shown_for_a_while_is_taken_back() -> None:
    session = long_session(3)
    parts = shown(session)
    before = parts.texts()
    item = parts.entries.item("m3")
    assert item is not None
    parts.changed(parts.entries.update(replace(item.entry, text="for a while")))
    assert any("for a while" in text for text in parts.texts())
    show(parts, session)
    assert parts.texts() == before
