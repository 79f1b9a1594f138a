"""Reading while it writes: the line that is read stays where it is, and a flush costs the same in any conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from textual.strip import Strip

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.counting import chars_parsed, made
from tests.ui.resizing import resize
from tests.ui.transcript.parts import Parts, append, live
from tests.ui.transcript.test_transcript_view import LONG, strips
from tests.ui.transcript.test_transcript_widget import MARKDOWN, Host, body, reply, user

ENDED = [reply(n, f"message {n}\n\n{MARKDOWN}", "hm\n" * 9) for n in range(30)]
CHANGES: dict[str, Callable[[Transcript, Entry], object]] = {
    "the answer grows": lambda t, it: append(t, ReplyPart.ANSWER, LONG),
    "the reasoning grows": lambda t, it: append(t, ReplyPart.REASONING, "thought\n" * 90),
    "the live reply ends": lambda t, it: t.update_entry(replace(reply(99, LONG), key="live")),
    "a message above grows": lambda t, it: t.update_entry(reply(0, LONG)),
    "a message above shrinks": lambda t, it: t.update_entry(reply(3, "short")),
    "a message above goes": lambda t, it: t.set_entries([ENDED[0], *ENDED[2:], it]),
    "a message is added": lambda t, it: t.set_entries([*ENDED, it, user(77, "new")]),
    "a notice comes": lambda t, it: t.set_entries([*ENDED, it, Entry("n", EntryKind.NOTICE, "", "notice")]),
    "the entries are set anew": lambda t, it: t.set_entries([*(reply(n, f"message {n}\n\n{MARKDOWN}") for n in range(9, 30)), user(7)]),
    "reasoning above opens": lambda t, it: t.folds.toggle("r2"),
    "reasoning below opens": lambda t, it: t.folds.toggle("r29"),
    "all reasoning opens": lambda t, it: t.folds.toggle_all(),
    "a label changes": lambda t, it: t.set_thought_label("live", "Thinking for 3 s"),
    "a message is excluded": lambda t, it: t.update_entry(Entry("r1", EntryKind.ASSISTANT, "Kimi", "x", is_excluded=True)),
    "a search finds nothing": lambda t, it: t.search.find("nowhere"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_nothing_moves_what_is_read(change: str) -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        growing = live()
        transcript.set_entries([*ENDED, growing])
        transcript.view.scroll_pages(-45)
        before = [row[:50] for row in body(transcript)[:-1]]
        assert "Kimi" not in before[0]
        CHANGES[change](transcript, growing)
        await pilot.pause()
        assert [row[:50] for row in body(transcript)[:-1]] == before
        CHANGES[change](transcript, growing)
        assert [row[:50] for row in body(transcript)[:-1]] == before


@pytest.mark.parametrize("size", [(60, 30), (60, 6), (100, 12), (33, 12), (45, 25)])
async def test_a_resize_keeps_the_line_at_the_top(size: tuple[int, int]) -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        words = " ".join(f"word{n}" for n in range(900))
        transcript.set_entries([user(1, words), *(reply(n, f"message {n}\n\n{MARKDOWN}") for n in range(20)), live()])
        transcript.view.scroll_to_top()
        transcript.view.scroll_lines(40)
        first = body(transcript)[0].split()[0]
        await resize(pilot, *size)
        assert first in body(transcript)[0].split()
        append(transcript, ReplyPart.ANSWER, LONG)
        await resize(pilot, 60, 12)
        assert body(transcript)[0].split()[0] == first


async def test_another_theme_keeps_the_line_at_the_top() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(n, f"message {n}\n\n{MARKDOWN}") for n in range(20)])
        transcript.view.scroll_pages(-9)
        before, frame = body(transcript), strips(transcript)
        pilot.app.theme = "textual-light"
        await pilot.pause()
        assert body(transcript) == before
        assert strips(transcript) != frame


async def test_a_view_at_the_end_that_reads_does_not_begin_to_follow_by_going_somewhere() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([*(user(n) for n in range(20)), live()])
        append(transcript, ReplyPart.ANSWER, "answer")
        transcript.view.scroll_lines(-6)
        transcript.cursor.choose_edge(False)
        assert [transcript.is_following] == [False]
        before = body(transcript)[:-1]
        append(transcript, ReplyPart.ANSWER, "\n\nmore" * 20)
        assert body(transcript)[:-1] == before
        transcript.view.follow_tail()
        transcript.cursor.choose("u3")
        assert [transcript.is_following] == [False]
        assert "You" in body(transcript)[0]


async def test_choosing_what_is_in_view_goes_on_following() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([*(user(n) for n in range(20)), live()])
        append(transcript, ReplyPart.ANSWER, "answer")
        transcript.cursor.choose_in_view()
        assert transcript.cursor.chosen == "live"
        assert transcript.is_following


@pytest.mark.parametrize("state", ["following", "folded reasoning", "scrolled up", "searching", "chosen"])
async def test_a_flush_costs_the_same_after_2000_messages(state: str) -> None:
    seen = []
    for history in (10, 2000):
        parts = Parts(77, 24)
        parts.set_entries([*(reply(n, MARKDOWN) for n in range(history)), live()])
        append(parts, ReplyPart.ANSWER, MARKDOWN)
        parts.texts()
        if state == "scrolled up":
            parts.view.scroll_pages(-3)
        if state == "searching":
            parts.search.find("The end")
            parts.read_all()
            parts.view.follow_tail()
        if state == "chosen":
            parts.cursor.choose("live")
            parts.view.follow_tail()
        parts.looks()
        part = ReplyPart.REASONING if state == "folded reasoning" else ReplyPart.ANSWER
        with chars_parsed() as parsed, made(Line) as lines:
            for n in range(60):
                append(parts, part, "word \n\n" if n % 9 == 0 else "word ")
                parts.read_all()
                parts.looks()
        seen.append((parsed.total, lines.total))
    assert seen[0] == seen[1]
    if state in {"folded reasoning", "scrolled up"}:
        assert seen[0][0] == 0
        assert seen[0][1] <= 6  # the heading, and the line of a think block that begins


def new_strips(before: Sequence[Strip], after: Sequence[Strip]) -> int:
    """How many strips are none of those that were there before."""
    return len({id(strip) for strip in after} - {id(strip) for strip in before})


@pytest.mark.parametrize("part", ReplyPart)
async def test_a_flush_paints_as_little_after_2000_messages(part: ReplyPart) -> None:
    painted = []
    for history in (10, 2000):
        async with Host().run_test(size=(80, 24)) as pilot:
            transcript = pilot.app.query_one(Transcript)
            transcript.set_entries([*(reply(n, MARKDOWN) for n in range(history)), live()])
            append(transcript, ReplyPart.ANSWER, MARKDOWN)
            frames = [strips(transcript)]
            for _ in range(40):
                append(transcript, part, "word ")
                frames.append(strips(transcript))
            painted.append(sum(map(new_strips, frames, frames[1:])))
    assert painted[1] <= painted[0]  # the thumb of a short transcript moves more often
    assert painted[0] <= (50 if part is ReplyPart.ANSWER else 6)


@pytest.mark.parametrize(
    "text", ["- an item\n" * 30, "| a | b |\n|---|---|\n" + "| one | two |\n" * 25, "> quoted\n" * 30]
)
async def test_rows_that_stay_as_they_are_are_not_painted_again(text: str) -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([live()])
        append(transcript, ReplyPart.ANSWER, text)
        frames = [strips(transcript)]
        for n in range(20):
            append(transcript, ReplyPart.ANSWER, f"{text.splitlines()[-1][:4]} {n}")
            frames.append(strips(transcript))
        assert sum(map(new_strips, frames, frames[1:])) <= 2 * 20


async def test_the_scroll_bar_tells_exactly_where_the_view_is() -> None:
    parts = Parts(57, 12)
    parts.set_entries([*(reply(n, f"message {n}\n\n{MARKDOWN}", "hm\n" * 9) for n in range(8))])
    parts.texts()
    parts.folds.toggle("r3")
    parts.view.scroll_to_top()
    seen = []
    while not parts.viewport.is_following:
        parts.texts()
        seen.append(parts.view.scroll_bar().above)
        parts.view.scroll_lines(1)
    assert seen == list(range(len(seen)))
    assert parts.view.scroll_bar().total == len(seen) + 12
    for line in range(0, len(seen), 7):
        parts.view.scroll_to_line(line)
        assert parts.view.scroll_bar().above == line
