"""Reading while it writes: the line that is read stays where it is, and a flush costs the same in any conversation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kimi_tui.core.wire.turn_events import ReplyPart
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.transcript.item import Item
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.ui.resizing import resize
from tests.ui.transcript.test_transcript_view import LONG, live
from tests.ui.transcript.test_transcript_widget import MARKDOWN, Host, body, remove, reply, rows, user

CHANGES: dict[str, Callable[[Transcript], object]] = {
    "the answer grows": lambda t: t.append("live", ReplyPart.ANSWER, LONG),
    "the reasoning grows": lambda t: t.append("live", ReplyPart.REASONING, "thought\n" * 90),
    "the live reply ends": lambda t: t.rename_entry("live", reply(99, LONG)),
    "a message above grows": lambda t: t.update_entry(reply(0, LONG)),
    "a message above shrinks": lambda t: t.update_entry(reply(3, "short")),
    "a message above goes": lambda t: remove(t, "r1"),
    "a message is added": lambda t: t.add(user(77, "new")),
    "a notice comes": lambda t: t.add(Entry("n", EntryKind.NOTICE, "", "notice")),
    "the entries are set anew": lambda t: t.set_entries([*(reply(n, f"message {n}\n\n{MARKDOWN}") for n in range(9, 30)), user(7)]),
    "reasoning above opens": lambda t: t.toggle_fold("r2"),
    "reasoning below opens": lambda t: t.toggle_fold("r29"),
    "all reasoning opens": lambda t: t.fold_all(False),
    "a label changes": lambda t: t.set_thought_label("live", "Thinking for 3 s"),
    "a message is excluded": lambda t: t.update_entry(Entry("r1", EntryKind.ASSISTANT, "Kimi", "x", is_excluded=True)),
    "a search finds nothing": lambda t: t.find("nowhere"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_nothing_moves_what_is_read(change: str) -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([*(reply(n, f"message {n}\n\n{MARKDOWN}", "hm\n" * 9) for n in range(30)), live()])
        transcript.scroll_page(-45)
        before = [row[:50] for row in body(transcript)[:-1]]
        assert "Kimi" not in before[0]
        CHANGES[change](transcript)
        await pilot.pause()
        assert [row[:50] for row in body(transcript)[:-1]] == before
        CHANGES[change](transcript)
        assert [row[:50] for row in body(transcript)[:-1]] == before


@pytest.mark.parametrize("size", [(60, 30), (60, 6), (100, 12), (33, 12), (45, 25)])
async def test_a_resize_keeps_the_line_at_the_top(size: tuple[int, int]) -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        words = " ".join(f"word{n}" for n in range(900))
        transcript.set_entries([user(1, words), *(reply(n, f"message {n}\n\n{MARKDOWN}") for n in range(20)), live()])
        transcript.scroll_to_top()
        transcript.scroll_lines(40)
        first = body(transcript)[0].split()[0]
        await resize(pilot, *size)
        assert first in body(transcript)[0].split()
        transcript.append("live", ReplyPart.ANSWER, LONG)
        await resize(pilot, 60, 12)
        assert body(transcript)[0].split()[0] == first


async def test_another_theme_keeps_the_line_at_the_top() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(n, f"message {n}\n\n{MARKDOWN}") for n in range(20)])
        transcript.scroll_page(-9)
        before, frame = body(transcript), list(transcript._frame)
        pilot.app.theme = "textual-light"
        await pilot.pause()
        assert body(transcript) == before
        assert transcript._frame != frame


async def test_a_view_at_the_end_that_reads_does_not_begin_to_follow_by_going_somewhere() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([*(user(n) for n in range(20)), live()])
        transcript.append("live", ReplyPart.ANSWER, "answer")
        transcript.scroll_lines(-6)
        transcript.choose_edge(False)
        assert [transcript.is_following] == [False]
        before = body(transcript)[:-1]
        transcript.append("live", ReplyPart.ANSWER, "\n\nmore" * 20)
        assert body(transcript)[:-1] == before
        transcript.follow_tail()
        transcript.choose("u3")
        assert [transcript.is_following] == [False]
        assert "You" in body(transcript)[0]


async def test_choosing_what_is_in_view_goes_on_following() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([*(user(n) for n in range(20)), live()])
        transcript.append("live", ReplyPart.ANSWER, "answer")
        transcript.choose_in_view()
        assert transcript.chosen == "live"
        assert transcript.is_following


def costs(transcript: Transcript) -> tuple[int, int, int]:
    """Characters parsed, lines laid out and strips made so far."""
    items = transcript._view.items
    parsed = sum(c.parsed_chars for item in items for section in Section for c in item.section(section).source.chunks)
    painter = transcript._painter
    return parsed, sum(item.laid_out_lines for item in items), 0 if painter is None else painter.built_strips


@pytest.mark.parametrize("state", ["following", "folded reasoning", "scrolled up", "searching", "chosen"])
async def test_a_flush_costs_the_same_after_2000_messages(state: str) -> None:
    seen = []
    for history in (10, 2000):
        async with Host().run_test(size=(80, 24)) as pilot:
            transcript = pilot.app.query_one(Transcript)
            transcript.set_entries([*(reply(n, MARKDOWN) for n in range(history)), live()])
            transcript.append("live", ReplyPart.ANSWER, MARKDOWN)
            rows(transcript)
            if state == "scrolled up":
                transcript.scroll_page(-3)
            if state == "searching":
                transcript.find("The end")
                while transcript._search and not transcript._search.is_done:
                    await pilot.pause()
                transcript.follow_tail()
            if state == "chosen":
                transcript.choose("live")
                transcript.follow_tail()
            rows(transcript)
            before = costs(transcript)
            part = ReplyPart.REASONING if state == "folded reasoning" else ReplyPart.ANSWER
            for n in range(60):
                transcript.append("live", part, "word \n\n" if n % 9 == 0 else "word ")
                rows(transcript)
            seen.append(tuple(now - then for now, then in zip(costs(transcript), before, strict=True)))
    assert seen[0][:2] == seen[1][:2]
    assert seen[1][2] <= seen[0][2]  # the thumb of a short transcript moves more often
    if state in {"folded reasoning", "scrolled up"}:
        assert seen[0][0] == 0
        assert seen[0][1] <= 2  # the heading, and the line of a think block that begins
        assert seen[0][2] <= 12


@pytest.mark.parametrize(
    "text", ["- an item\n" * 30, "| a | b |\n|---|---|\n" + "| one | two |\n" * 25, "> quoted\n" * 30]
)
async def test_rows_that_stay_as_they_are_are_not_painted_again(text: str) -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([live()])
        transcript.append("live", ReplyPart.ANSWER, text)
        rows(transcript)
        before = costs(transcript)[2]
        for n in range(20):
            transcript.append("live", ReplyPart.ANSWER, f"{text.splitlines()[-1][:4]} {n}")
            rows(transcript)
        assert costs(transcript)[2] - before <= 2 * 20


async def test_heights_of_what_changes_are_corrected_without_measuring_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([*(reply(n, MARKDOWN) for n in range(50)), live()])
        rows(transcript)
        measured = list[str]()
        height = Item.height

        def counted(item: Item, look: Look) -> int:
            measured.append(item.key)
            return height(item, look)

        monkeypatch.setattr(Item, "height", counted)
        for _ in range(5):
            transcript.append("live", ReplyPart.ANSWER, "line\n\n")
            rows(transcript)
        assert set(measured) <= {"live", "r49", "r48"}


async def test_the_scroll_bar_tells_exactly_where_the_view_is() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([*(reply(n, f"message {n}\n\n{MARKDOWN}", "hm\n" * 9) for n in range(8))])
        transcript.toggle_fold("r3")
        transcript.scroll_to_top()
        seen = []
        while not transcript.is_following:
            rows(transcript)
            seen.append(transcript._view.extent()[0])
            transcript.scroll_lines(1)
        assert seen == list(range(len(seen)))
        _, total = transcript._view.extent()
        assert total == len(seen) + 12
        for line in range(0, len(seen), 7):
            transcript._view.scroll_to_line(line)
            assert transcript._view.extent()[0] == line
        parts = [transcript._view.items[3].section(section).height for section in Section]
        assert sum(parts) == transcript._view.items[3].height(transcript._look)
