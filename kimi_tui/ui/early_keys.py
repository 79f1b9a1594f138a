"""What is typed before anything on screen can take it: it waits, in order, for the composer."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events


def typed_events(text: str) -> Iterator[events.Event]:
    """Turn what was typed into a terminal that was not raw yet into events: its line ends were the Enter key."""
    *lines, rest = text.replace("\r", "\n").split("\n")
    for line in lines:
        if line:
            yield events.Paste(line)
        yield events.Key("enter", "\r")
    if rest:
        yield events.Paste(rest)
