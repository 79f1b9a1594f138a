"""A transcript that has little or nothing to show: whatever is done to it, while it grows, shrinks and is resized."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from textual import events
from textual.geometry import Region
from textual.selection import SELECT_ALL

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.ui.resizing import resize
from tests.ui.transcript.parts import append, live
from tests.ui.transcript.test_transcript_widget import Host, body, reply, user

NOTHING = tuple(
    Entry("e", kind, "", "", is_streaming=is_streaming) for kind in EntryKind for is_streaming in (False, True)
)
"""Entries without a heading and a text, such as the reasoning that is waited for."""
LITTLE = (
    (), *((entry,) for entry in NOTHING), NOTHING, (user(1, ""),), (reply(1, ""),), (reply(1, "", "hm"),),
    (reply(1, "[x]: https://example.org"),), (replace(reply(1, "[x]: https://ex"), is_streaming=True),),
    (replace(reply(1, "<!-- nothing -->", "\n"), is_thinking=True), user(2, "\n")), (user(1, "one"), reply(1, "x", "hm")),
)  # fmt: skip
TEXTS = (
    "",
    "",
    "x",
    "\n",
    "   ",
    "```\n",
    "# h\n\n",
    "[x]: https://a.b",
    "<!-- -->",
    "word " * 60,
    "- a\n\n```py\nx\n```\n",
)
SIZES = ((60, 12), (40, 2), (20, 1), (3, 2), (1, 1))
KEYS = ("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "ctrl+home", "ctrl+end", "v", "y", "escape")
Deed = Callable[[], object]


def press_and_drag(transcript: Transcript, x: int, first: int, then: int) -> None:
    transcript.on_mouse_down(events.MouseDown(transcript, x, first, 0, 0, 1, False, False, False))
    transcript.on_mouse_move(events.MouseMove(transcript, x, then, 0, 0, 1, False, False, False))
    transcript.on_mouse_up(events.MouseUp(transcript, x, then, 0, 0, 1, False, False, False))


def click(transcript: Transcript, x: int, y: int, chain: int) -> None:
    event = events.Click(transcript, x, y, 0, 0, 1, False, False, False)
    event.chain = chain
    transcript.on_click(event)


def deeds(transcript: Transcript, key: str) -> dict[str, Deed]:
    """All that can be asked of a transcript, where nothing is added or taken away."""
    width, height = transcript.size
    return {
        **{f"scroll {n}": partial(transcript.view.scroll_lines, n) for n in (-50, -3, -1, 0, 1, 3, 50)},
        **{f"page {n}": partial(transcript.view.scroll_pages, n) for n in (-1, 1)},
        "top": transcript.view.scroll_to_top,
        "follow": transcript.view.follow_tail,
        "choose": lambda: transcript.cursor.choose(key),
        "choose in view": transcript.cursor.choose_in_view,
        **{f"move {n}": partial(transcript.cursor.move, n) for n in (-1, 1)},
        **{f"edge {n}": partial(transcript.cursor.choose_edge, n) for n in (False, True)},
        **{f"heading {n}": partial(transcript.jumps.move_heading, n) for n in (-1, 1)},
        **{f"code {n}": partial(transcript.jumps.move_code, n) for n in (-1, 1)},
        "code blocks": lambda: (transcript.code.sources(key), transcript.code.has_any(key), transcript.code.count_above(key)),
        "numbers": lambda: transcript.code.show_numbers(key),
        "no numbers": transcript.code.hide_numbers,
        "plain": lambda: transcript.plain_text_of(key),
        **{f"find {text!r}": partial(transcript.search.find, text) for text in ("x", "t", "\n", "")},
        **{f"hit {n}": partial(transcript.search.move_hit, n) for n in (-1, 1)},
        "selected": lambda: transcript.get_selection(SELECT_ALL),
        "select": transcript.start_selection,
        **{f"key {name}": partial(transcript.on_key, events.Key(name, None)) for name in KEYS},
        **{f"click {n}": partial(click, transcript, 2, height - 1, n) for n in (1, 2, 3)},
        "drag": lambda: press_and_drag(transcript, 1, 0, height + 3),
        "drag up": lambda: press_and_drag(transcript, 1, height - 1, -3),
        "bar": lambda: press_and_drag(transcript, width - 1, height - 1, -3),
        "bar down": lambda: press_and_drag(transcript, width - 1, 0, height + 3),
        "fold": lambda: transcript.folds.toggle(key),
        "fold all": transcript.folds.toggle_all,
        "label": lambda: transcript.set_thought_label(key, "Thought"),
        "draw": lambda: transcript.render_lines(Region(0, 0, width, height)),
    }  # fmt: skip


async def test_the_wheel_may_turn_over_reasoning_that_is_waited_for() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([live(EntryKind.REASONING)])
        await pilot.pause()
        for kind in (events.MouseScrollUp, events.MouseScrollDown, events.MouseScrollUp):
            transcript.post_message(kind(transcript, 5, 5, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert transcript.is_following
        append(transcript, ReplyPart.ANSWER, "hm\n" * 20 + "so")
        await pilot.pause()
        assert "so" in "\n".join(body(transcript))


@pytest.mark.parametrize("entries", LITTLE, ids=range(len(LITTLE)))
async def test_everything_can_be_asked_where_there_is_little(entries: tuple[Entry, ...]) -> None:
    entries = tuple(replace(entry, key=f"e{number}") for number, entry in enumerate(entries))
    async with Host().run_test(size=SIZES[0]) as pilot:
        transcript = pilot.app.query_one(Transcript)
        for size in SIZES:
            await resize(pilot, *size)
            for key in ("e0", f"e{len(entries) - 1}", "not there"):
                for name in deeds(transcript, key):
                    for before in ((), entries):  # right behind a change, nothing drawn in between
                        transcript.set_entries(before)
                        transcript.set_entries(entries)
                        deeds(transcript, key)[name]()
                        deeds(transcript, key)["draw"]()
            await pilot.pause()
        transcript.set_entries([])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
async def test_everything_can_be_asked_while_it_grows_and_shrinks(seed: int) -> None:
    chance = random.Random(seed)
    number = 0

    def entry() -> Entry:
        nonlocal number
        number += 1
        kind = chance.choice([*EntryKind, EntryKind.REASONING, EntryKind.ASSISTANT])
        reasoning = GrowingText(chance.choice(["", "t", "\n", "thought\n" * 9]))
        return Entry(
            f"e{number}", kind, chance.choice(["", "Kimi"]), GrowingText(chance.choice(TEXTS)), reasoning,
            is_streaming=chance.random() < 0.4, is_thinking=chance.random() < 0.3,
            alternatives=chance.choice([None, (1, 2)]),
        )  # fmt: skip

    async with Host().run_test(size=chance.choice(SIZES)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        shown: list[Entry] = []
        for _ in range(150):
            key = chance.choice([*(other.key for other in shown), "not there"])
            match chance.choice(["new", "append", "append", "add", "fewer", "update", "resize", *["ask"] * 12]):
                case "new":
                    shown = [entry() for _ in range(chance.choice([0, 1, 1, 2, 4]))]
                    transcript.set_entries(shown)
                case "append":
                    append(transcript, chance.choice(list(ReplyPart)), chance.choice(TEXTS), key)
                case "add":
                    shown = [*shown, entry()]
                    transcript.set_entries(shown)
                case "fewer":
                    transcript.set_entries([])
                    shown = []
                case "update":
                    transcript.update_entry(replace(entry(), key=key))
                case "resize" if chance.random() < 0.3:
                    await resize(pilot, *chance.choice(SIZES))
                case _:
                    chance.choice(list(deeds(transcript, key).values()))()
            if chance.random() < 0.2:
                await pilot.pause(0)
        await pilot.pause()
