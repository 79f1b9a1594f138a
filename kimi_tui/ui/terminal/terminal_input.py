"""From what a terminal sends to events: the library's parser, but for pastes, which are texts whatever is in them.

The library looks for key sequences inside a paste as well, and reads it character by character. Here it sees the two
marks of a paste and nothing between them, so the cost of a paste grows with its length alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from time import monotonic

from textual import events
from textual.message import Message

from kimi_tui.ui.terminal.textual_internals import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser

PASTE_SILENCE_S = 5.0
"""A paste of which nothing came for so long has ended without its mark, in seconds: what comes then are keys."""
MAX_PASTE_CHARS = 50_000_000
"""Most characters of a paste that are kept; no prompt has room for a thirtieth of that."""
CUT_NOTE = f" […cut here: a paste has at most {MAX_PASTE_CHARS // 1_000_000} million characters]"
CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")
"""C0 and C1 controls and DEL, but for the tab and what separates lines and records."""
BEGUN_MARKS = tuple(BRACKETED_PASTE_START[:chars] for chars in range(3, len(BRACKETED_PASTE_START)))
"""What no key begins with that a person pressed: the rest of the mark is on its way, however slow the line."""


class Paste(events.Paste):
    """A paste; its `text` is without control characters."""

    def __init__(self, exact: str) -> None:
        super().__init__(CONTROLS.sub("", exact))
        self.exact = exact


class TerminalInput:
    def __init__(self, *, debug: bool = False) -> None:
        self._parser = XTermParser(debug)
        self._tail = ""  # the end of what came before, where a mark may have begun
        self._pasted: list[str] | None = None  # the text of the paste that has begun
        self._pasted_chars = 0
        self._heard_s = 0.0

    def feed(self, data: str) -> Iterator[Message]:
        """Take what came, in pieces of any length."""
        self._heard_s = monotonic()
        while data:
            mark = BRACKETED_PASTE_START if self._pasted is None else BRACKETED_PASTE_END
            joined = self._tail + data
            place = joined.find(mark)
            end = len(joined) if place < 0 else place + len(mark)
            head, data = data[: end - len(self._tail)], joined[end:]
            self._tail = joined[-len(mark) + 1 :] if place < 0 else ""
            if self._pasted is not None:
                if self._pasted_chars <= MAX_PASTE_CHARS:
                    self._pasted.append(head)
                self._pasted_chars += len(head)
                if place >= 0:
                    yield from self._end_paste(len(mark))
            else:
                yield from self._parse(head)
                self._pasted, self._pasted_chars = ([] if place >= 0 else None), 0

    def tick(self) -> Iterator[Message]:
        """Let go of what was held back for long enough: the Escape key, a paste without an end."""
        is_silent = monotonic() - self._heard_s >= PASTE_SILENCE_S
        if self._pasted is not None:
            if is_silent:
                yield from self._end_paste(0)
        elif is_silent or not self._tail.endswith(BEGUN_MARKS):
            yield from self._sound(self._parser.tick())

    def _end_paste(self, mark_chars: int) -> Iterator[Message]:
        chars = self._pasted_chars - mark_chars
        text = "".join(self._pasted or ())[: min(chars, MAX_PASTE_CHARS)]
        self._pasted, self._tail = None, ""
        yield Paste(text + (CUT_NOTE if chars > MAX_PASTE_CHARS else ""))
        for message in self._parse(BRACKETED_PASTE_END):
            if not isinstance(message, events.Paste):  # the library's own is empty: it has seen the marks alone
                yield message

    def _parse(self, data: str) -> Iterable[Message]:
        return self._sound(self._parser.feed(data))

    def _sound(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Leave out a size of nothing, which is not known yet, and do not let the parser divide by it."""
        for message in messages:
            if isinstance(message, events.Resize):
                if not message.pixel_size:
                    self._parser.terminal_pixel_size = None
                if not message.size:
                    self._parser.terminal_size = None
                    continue
            yield message


def typed_events(text: str) -> Iterator[events.Event]:
    """Turn what was typed into a terminal that was not raw yet into events: its line ends were the Enter key."""
    *lines, rest = text.replace("\r", "\n").split("\n")
    for line in lines:
        yield from _line_events(line)
        yield events.Key("enter", "\r")
    yield from _line_events(rest)


def _line_events(line: str) -> Iterator[events.Event]:
    """One line: letters at once, but where other keys are among them, each as the terminal sends it."""
    if line.isprintable():
        yield from [events.Paste(line)] if line else []
        return
    parser = XTermParser()
    for message in (*parser.feed(line), *parser.feed("")):
        if isinstance(message, events.Key | events.Paste):
            yield message
