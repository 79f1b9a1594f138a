"""What is drawn: growing replies, Markdown, moving about, search."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from statistics import median

from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.panes.conversation_feed import Conversation
from tests.benchmarks.texts import GIANTS, KINDS, history, prose, tokens
from tests.ui.transcript.parts import append, live

PER_FLUSH = 4
"""Tokens that are gathered for one drawing."""


class Host(App[None]):
    """Nothing but a conversation."""

    def compose(self) -> ComposeResult:
        """It alone."""
        yield Conversation()


class Bench:
    """A conversation that runs without a terminal."""

    def __init__(self, pilot: Pilot[None]) -> None:
        """Take it from its pilot."""
        self.pilot = pilot
        self.transcript = pilot.app.query_one(Conversation)

    def draw(self) -> None:
        """Make the rows that a terminal would get."""
        self.pilot.app.screen._compositor.render_strips()

    def timed(self, work: Callable[[], object]) -> float:
        """Seconds that something and the next frame take."""
        before = time.process_time()
        work()
        self.draw()
        return time.process_time() - before

    def feed(self, text: str) -> float:
        """Seconds that a text takes that arrives in tokens."""
        pieces = tokens(text)
        gathered = [pieces[place : place + PER_FLUSH] for place in range(0, len(pieces), PER_FLUSH)]
        return sum(self.timed(partial(self._append, some)) for some in gathered)

    def _append(self, pieces: list[str]) -> None:
        for piece in pieces:
            append(self.transcript, ReplyPart.ANSWER, piece)


@asynccontextmanager
async def conversation(messages: int) -> AsyncIterator[Bench]:
    """A conversation of that many messages, and a reply that begins."""
    async with Host().run_test(size=(120, 40)) as pilot:
        bench = Bench(pilot)
        bench.transcript.set_entries([*history(messages), live()])
        await pilot.pause()
        bench.feed("It begins.\n\n" + prose(600) + "\n\n")  # the screen is full, and everything is imported
        gc.collect()
        yield bench


async def medians(measure: Callable[[], Awaitable[dict[str, float]]]) -> dict[str, float]:
    """The median of each figure of three runs, each from the beginning."""
    runs = [await measure() for _ in range(3)]
    return {name: median(run[name] for run in runs) for name in runs[0]}


async def growing() -> AsyncIterator[tuple[str, float, float]]:
    """A reply after 2,000 messages against one after none."""
    text = prose(3000)

    async def measure() -> dict[str, float]:
        seconds = {}
        for messages in (0, 2000):
            async with conversation(messages) as bench:
                seconds[f"after {messages}"] = bench.feed(text)
        return seconds

    seconds = await medians(measure)
    yield "a growing reply after 2,000 messages : after none", seconds["after 2000"], seconds["after 0"]


async def long_replies() -> AsyncIterator[tuple[str, float, float]]:
    """The last 1,000 tokens of 20,000 against the first."""

    async def measure() -> dict[str, float]:
        async with conversation(0) as bench:
            parts = [bench.feed(prose(800, seed) + "\n\n") for seed in range(20)]
        return {"first": parts[0], "last": parts[-1]}

    seconds = await medians(measure)
    yield "the last twentieth of a 20,000-token reply : the first", seconds["last"], seconds["first"]


async def markdown_kinds() -> AsyncIterator[tuple[str, float, float]]:
    """What models write, against prose; per character."""

    async def measure() -> dict[str, float]:
        seconds = {}
        for name, text in KINDS.items():
            async with conversation(0) as bench:
                seconds[name] = bench.feed(text) / len(text)
        return seconds

    seconds = await medians(measure)
    for name in list(KINDS)[1:]:
        yield f"growing Markdown: {name} : prose", seconds[name], seconds["prose"]


async def giants() -> AsyncIterator[tuple[str, float, float]]:
    """A message of about a megabyte that is one block, against one of paragraphs: shown, and gone into its middle."""
    found: dict[str, dict[str, float]] = {}
    for name, text in GIANTS.items():
        found[name] = await medians(partial(_giant, text))
    base = found.pop("prose")
    for name, seconds in found.items():
        yield f"a giant message is shown: {name} : prose", seconds["shown"], base["shown"]
        yield f"a jump into its middle: {name} : prose", seconds["jump"], base["jump"]


async def _giant(text: str) -> dict[str, float]:
    async with conversation(0) as bench:
        transcript = bench.transcript
        shown = bench.timed(partial(transcript.set_entries, [replace(live(), text=text, is_streaming=False)]))
        x, y = transcript.size.width - 1, transcript.size.height // 2
        press = events.MouseDown(transcript, x, y, 0, 0, 1, False, False, False)  # on the scroll bar
        return {"shown": shown, "jump": bench.timed(partial(transcript.on_mouse_down, press))}


async def moving() -> AsyncIterator[tuple[str, float, float]]:
    """The next frame after a move in 2,000 messages against that in 20."""
    found = {messages: await medians(partial(_moves, messages)) for messages in (20, 2000)}
    for name, value in found[2000].items():
        yield f"moving in 2,000 messages: {name} : in 20", value, found[20][name]


async def _moves(messages: int) -> dict[str, float]:
    async with conversation(messages) as bench:
        transcript = bench.transcript
        seconds = {
            "to the top": bench.timed(transcript.view.scroll_to_top),
            "a page down": bench.timed(partial(transcript.view.scroll_pages, 1)),
            "to the end": bench.timed(transcript.view.follow_tail),
            "a page up": bench.timed(partial(transcript.view.scroll_pages, -1)),
        }
        before = time.process_time()
        await bench.pilot.resize_terminal(90, 40)
        bench.draw()
        return seconds | {"another width": time.process_time() - before}


async def search() -> AsyncIterator[tuple[str, float, float]]:
    """Looking for a word in 2,000 messages, against looking through their text with `in`."""
    texts = [str(entry.text) for entry in history(2000)]

    async def measure() -> dict[str, float]:
        async with conversation(2000) as bench:
            before = time.process_time()
            for _ in range(10):
                sum("rosemary" in text.casefold() for text in texts)
            plain = (time.process_time() - before) / 10
            return {"plain": plain, "find": bench.timed(lambda: bench.transcript.search.find("rosemary"))}

    seconds = await medians(measure)
    yield "search in 2,000 messages : plain `in`", seconds["find"], seconds["plain"]
