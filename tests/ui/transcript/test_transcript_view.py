"""The transcript's viewport: what stays on its row, what follows, what is copied, and what is drawn again."""

from __future__ import annotations

import random

import pytest
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.transcript.view import EXTRA_LINES
from kimi_tui.ui.transcript.viewport import TOP
from tests.counting import made
from tests.ui.resizing import resize
from tests.ui.transcript.parts import Parts, append, live
from tests.ui.transcript.test_transcript_widget import MARKDOWN, Host, body, reply, rows, user

LONG = MARKDOWN * 6
CODE = "```python\n" + "".join(f'x{n} = """a\n b"""\n' for n in range(60)) + "```\n\n"
TABLE = "| a | b |\n|---|---:|\n" + "".join(f"| {n} | {'w' * (n % 7)} |\n" for n in range(70))


def strips(transcript: Transcript) -> list[Strip]:
    return transcript.render_lines(Region(0, 0, *transcript.size))


def all_strips(transcript: Transcript) -> list[Strip]:
    """Every line from the beginning to the end, and where the scroll bar stood when it was at the top."""
    strips(transcript)  # what is short is laid out
    transcript.view.scroll_to_top()
    seen: list[Strip] = []
    for _ in range(10_000):
        page = strips(transcript)
        if transcript.is_following:
            return [*seen, *page]
        seen.append(page[0])
        transcript.view.scroll_lines(1)
    raise AssertionError("the end was not reached")


@pytest.mark.parametrize("text", [LONG, CODE + TABLE + MARKDOWN, "see [x]\n\n- a\n\n[x]: https://example.org\n\nend"])
@pytest.mark.parametrize("seed", range(3))
async def test_streaming_in_any_cuts_draws_what_loading_draws(text: str, seed: int) -> None:
    chance = random.Random(seed)
    async with Host().run_test(size=(50, 30)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        done = Entry("live", EntryKind.ASSISTANT, "Kimi", text)
        transcript.set_entries([done])
        whole = all_strips(transcript)
        transcript.set_entries([])
        transcript.set_entries([live()])
        transcript.view.follow_tail()
        place = 0
        while place < len(text):
            size = chance.choice([1, 3, 20, 90])
            append(transcript, ReplyPart.ANSWER, text[place : place + size])
            if chance.random() < 0.5:
                strips(transcript)
            place += size
        transcript.update_entry(done)
        assert all_strips(transcript) == whole


async def test_nothing_that_changes_above_or_below_moves_what_is_read() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        entries = [reply(n, f"message {n}\n\n{MARKDOWN}") for n in range(30)]
        transcript.set_entries([*entries, live()])
        transcript.view.scroll_pages(-10)
        before = [row[:58] for row in body(transcript)[:-1]]
        transcript.update_entry(reply(0, "short"))
        transcript.update_entry(reply(3, LONG))
        append(transcript, ReplyPart.REASONING, "thought\n" * 50)
        append(transcript, ReplyPart.ANSWER, LONG)
        grown = Entry("live", EntryKind.ASSISTANT, "Kimi", LONG, "thought\n" * 50, is_streaming=True)
        transcript.set_entries([reply(0, "short"), entries[2], reply(3, LONG), *entries[4:], grown])
        assert [row[:58] for row in body(transcript)[:-1]] == before
        assert "↓ new" in body(transcript)[-1]


async def test_the_line_being_read_stays_when_lines_break_elsewhere() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        words = " ".join(f"word{n}" for n in range(2000))
        transcript.set_entries([user(n, words) for n in range(5)])
        transcript.view.scroll_pages(-20)
        first = body(transcript)[0].split()[0]
        for width in (100, 40, 73, 30, 60):
            await resize(pilot, width, 12)
            assert first in body(transcript)[0].split()
        assert body(transcript)[0].split()[0] == first


async def test_folding_keeps_its_line_on_its_row() -> None:
    async with Host().run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries(
            [*(user(n) for n in range(9)), reply(1, "answer", "thought\n" * 40), *(user(n + 20) for n in range(9))]
        )
        transcript.view.scroll_lines(-12)
        row = next(n for n, text in enumerate(body(transcript)) if "▸ Thought" in text)
        transcript.folds.toggle("r1")
        assert "▾ Thought" in body(transcript)[row]
        assert "│ thought" in body(transcript)[row + 1]
        transcript.view.scroll_lines(25)
        assert "│ thought" in body(transcript)[0]
        transcript.folds.toggle_all()
        assert "│ thought" not in "\n".join(body(transcript))
        assert "▸ Thought" in "\n".join(body(transcript))


async def test_following_stops_at_once() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(n) for n in range(30)])
        transcript.post_message(events.MouseScrollUp(transcript, 5, 5, 0, -1, 0, False, False, False))
        await pilot.pause()
        assert [transcript.is_following] == [False]
        transcript.view.scroll_lines(2)
        assert [transcript.is_following] == [False]
        transcript.view.scroll_lines(1)
        assert [transcript.is_following] == [True]


async def test_the_scroll_bar_can_be_dragged() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(n, f"message {n}") for n in range(200)])
        await pilot.mouse_down(Transcript, offset=(59, 0))
        assert "message 0" in "\n".join(body(transcript))
        await pilot.hover(Transcript, offset=(59, 6))
        assert "message 1" in "\n".join(body(transcript))
        assert "message 0" not in body(transcript)
        await pilot.hover(Transcript, offset=(59, 11))
        await pilot.mouse_up(Transcript, offset=(59, 11))
        assert transcript.is_following


async def test_only_changed_rows_are_drawn_again() -> None:
    async with Host().run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1), live()])
        await pilot.pause()
        append(transcript, ReplyPart.ANSWER, "one")
        await pilot.pause()
        drawn: list[tuple[Region, ...]] = []
        size = transcript.virtual_size
        transcript.refresh = lambda *regions, **_: drawn.append(regions)  # type: ignore[method-assign,assignment]
        for _ in range(5):
            append(transcript, ReplyPart.ANSWER, " more")
        await pilot.pause()
        assert drawn == [(Region(0, 4, 60, 1),)]
        assert transcript.virtual_size == size


async def test_every_row_that_changed_is_drawn_whoever_asked_for_it_first() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "one"), user(2, "two")])
        await pilot.pause()
        transcript.view.scroll_lines(0)
        await pilot.pause()
        drawn: list[Region] = []
        transcript.refresh = lambda *regions, **_: drawn.extend(regions)  # type: ignore[method-assign,assignment]
        transcript.cursor.choose("u1")
        strips(transcript)
        transcript.cursor.choose("u2")
        strips(transcript)
        transcript.cursor.choose("u1")
        strips(transcript)
        await pilot.pause()
        assert {row for region in drawn for row in region.line_range} >= {0, 1}


@pytest.mark.parametrize(
    ("text", "most_made"),
    [("word ", 10), ("- item\n", 10), ("x = 1\n", 220), ("| a | b |\n", 170)],
    ids=["prose", "list", "code", "table"],
)
def test_a_flush_lays_out_the_same_however_long_history_and_reply_are(text: str, most_made: int) -> None:
    heads = {"x = 1\n": "```py\n", "| a | b |\n": "| a | b |\n|---|---|\n"}
    costs = []
    for history, length in ((10, 400), (2000, 400), (10, 1500)):
        parts = Parts(77, 24)
        parts.set_entries([*(reply(n, MARKDOWN) for n in range(history)), live()])
        append(parts, ReplyPart.ANSWER, heads.get(text, "") + text * (1 if text == "word " else length))
        parts.texts()
        most = 0
        for _ in range(60):
            with made(Line) as lines:
                append(parts, ReplyPart.ANSWER, text)
                parts.texts()
            most = max(most, lines.total)
        costs.append(most)
    assert costs[0] == costs[1]
    assert abs(costs[2] - costs[0]) <= 3
    assert 0 < costs[0] <= most_made


def test_nothing_is_laid_out_that_is_not_in_view() -> None:
    parts = Parts(77, 24)
    with made(Line) as lines:
        parts.set_entries([*(reply(n, MARKDOWN, "thought\n" * 100) for n in range(2000)), live()])
        parts.texts()
    assert lines.total < 100
    parts.view.scroll_to_top()
    with made(Line) as lines:
        append(parts, ReplyPart.ANSWER, LONG)
        parts.texts()
    assert lines.total < 100


def test_a_short_conversation_is_laid_out_to_its_beginning_some_lines_at_a_time() -> None:
    parts = Parts(77, 24)
    parts.set_entries([reply(n, TABLE) for n in range(10)])  # 750 lines
    frames = 0
    while not parts.view.is_laid_out or not frames:
        with made(Line) as lines:
            parts.view.invalidate()
            parts.texts()
        frames += 1
        assert lines.total <= 5 * (24 + EXTRA_LINES + 100)  # one of a table is made in several steps
    assert frames > 1
    assert parts.view.scroll_bar().total == len(list(parts.viewport.walk(TOP)))


async def test_the_widget_goes_on_laying_out_what_is_short() -> None:
    async with Host().run_test(size=(80, 60)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        hidden = "".join(f"[{n}]: https://example.org\n" for n in range(70))  # lines that show nothing
        transcript.set_entries([*(reply(n, hidden) for n in range(2)), *(reply(n, TABLE) for n in range(10, 18))])
        thumb = sum(strip.text[-1] != " " for strip in strips(transcript))
        for _ in range(5):
            await pilot.pause()
        assert sum(strip.text[-1] != " " for strip in strips(transcript)) > thumb


def test_an_entry_that_was_in_view_is_known_to_its_end_in_a_long_conversation_too() -> None:
    parts, alone = Parts(77, 24), Parts(77, 24)
    parts.set_entries([reply(n, MARKDOWN if n < 499 else LONG) for n in range(500)])
    alone.set_entries([reply(499, LONG)])
    estimate = parts.viewport.extent(TOP)[1]
    with made(Line) as lines:
        parts.texts()
    with made(Line) as lines_alone:
        alone.texts()
    item = parts.viewport.items[-1]
    assert not list(item.pieces_without_lines(parts.look))
    assert item.height(parts.look) == len(list(alone.viewport.walk(TOP))) > 100
    assert parts.view.scroll_bar().total != estimate
    assert lines.total == lines_alone.total


async def test_unfolding_at_the_end_keeps_its_line_on_its_row() -> None:
    async with Host().run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([*(user(n) for n in range(20)), reply(1, "answer", "thought\n" * 40)])
        row = next(n for n, text in enumerate(body(transcript)) if "▸ Thought" in text)
        transcript.folds.toggle("r1")
        assert "▾ Thought" in body(transcript)[row]
        transcript.folds.toggle("r1")
        assert "▸ Thought" in body(transcript)[row]


async def test_a_held_thumb_moves_with_the_mouse() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(n, f"message {n}") for n in range(12)])
        transcript.view.scroll_lines(-6)
        before = body(transcript)
        row = next(row for row, text in enumerate(rows(transcript)) if text.endswith(("┃", "╻", "╹")))
        await pilot.mouse_down(Transcript, offset=(59, row + 1))
        assert body(transcript) == before
        await pilot.hover(Transcript, offset=(59, row))
        assert body(transcript) != before
        await pilot.hover(Transcript, offset=(3, 0))
        assert "message 0" in "\n".join(body(transcript))
        await pilot.mouse_up(Transcript, offset=(3, 0))


async def test_a_click_on_what_is_new_follows_it() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        entries = [user(n, f"message {n}") for n in range(30)]
        transcript.set_entries(entries)
        transcript.view.scroll_pages(-2)
        transcript.set_entries([*entries, user(30, "new one")])
        await pilot.pause()
        at = rows(transcript)[-1].index("↓ new")
        await pilot.click(Transcript, offset=(at, 11))
        assert transcript.is_following
        assert "new one" in "\n".join(body(transcript))


def says_new(transcript: Transcript) -> bool:
    return "↓ new" in rows(transcript)[-1]


async def test_what_only_looks_different_is_nothing_new() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        entries = [*(reply(n, MARKDOWN, "thought\n" * 9) for n in range(9)), user(20), reply(20, LONG)]
        transcript.set_entries(entries)
        transcript.view.scroll_pages(-4)
        transcript.set_entries([*entries[:-1], reply(21, LONG * 2)])
        assert not says_new(transcript), "another alternative"
        transcript.set_entries([*entries[:3], user(22), reply(22, LONG)])
        assert not says_new(transcript), "another branch"
        transcript.set_entries(entries)
        transcript.view.scroll_to_top()
        await resize(pilot, 40, 12)
        assert not says_new(transcript), "another width"
        transcript.folds.toggle_all()
        assert not says_new(transcript), "folds"
        transcript.folds.toggle("r0")
        transcript.set_thought_label("r20", "Thought for 2.0 s")
        dated = Entry("r20", EntryKind.ASSISTANT, "Kimi", LONG, detail="12:30")
        transcript.update_entry(dated)
        transcript.set_entries([*entries[:-2], dated])
        assert not says_new(transcript), "labels"


async def test_what_arrived_below_is_new_until_the_end_was_seen() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        entries = [*(user(n) for n in range(9)), live(), *(user(n) for n in range(10, 20))]
        transcript.set_entries(entries)
        transcript.view.scroll_lines(-2)
        append(transcript, ReplyPart.ANSWER, "above what is in view")
        assert not says_new(transcript)
        transcript.set_entries([*entries, user(20)])
        assert says_new(transcript)
        await resize(pilot, 50, 12)
        assert says_new(transcript)
        transcript.view.scroll_lines(99)
        transcript.view.scroll_lines(-3)
        assert not says_new(transcript)
        transcript.set_entries([*entries, user(20), user(21)])
        assert says_new(transcript)
        transcript.view.follow_tail()
        assert not says_new(transcript)
        transcript.view.scroll_to_top()
        assert not says_new(transcript)
        append(transcript, ReplyPart.ANSWER, "below")
        assert says_new(transcript)
        transcript.set_entries([user(n + 50) for n in range(30)])
        transcript.view.scroll_to_top()
        assert not says_new(transcript), "another conversation"


async def test_a_fold_stops_following_the_end() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1), reply(1, "answer", "thought\n" * 40)])
        transcript.folds.toggle("r1")
        assert not transcript.is_following
        assert "▾ Thought" in "\n".join(body(transcript))
