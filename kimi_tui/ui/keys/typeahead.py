"""What was typed before the program read keys, as events."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events

from kimi_tui.ui.terminal.textual_internals import XTermParser


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
