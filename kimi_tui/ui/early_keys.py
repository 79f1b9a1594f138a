"""What is typed before anything on screen can take it: it waits, in order, for the composer.

So does a key that asks for what a session is needed for, while that is still being read, with everything behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from textual import events


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
    from textual._xterm_parser import XTermParser  # noqa: PLC0415 - few type that early what is no letter

    parser = XTermParser()
    for message in (*parser.feed(line), *parser.feed("")):
        if isinstance(message, events.Key | events.Paste):
            yield message


class EarlyKeys:
    """Holds keys and pastes back until the screen takes them."""

    def __init__(self, typed: str) -> None:
        """Begin with what was typed before the program read any key."""
        self._held: list[events.Event] = list(typed_events(typed))
        self._is_over = False

    def hold(self, event: events.Event) -> bool:
        """Take an event that came too early; False = it may go on."""
        if self._is_over or not isinstance(event, events.Key | events.Paste):
            return False
        self._held.append(event)
        return True

    def hold_from(self, *events: events.Event) -> None:
        """Hold these back, and everything that follows, until the next release."""
        self._is_over = False
        self._held += events

    async def release(self, handle: Callable[[events.Event], Awaitable[None]]) -> None:
        """Let go of everything, now that it is taken; what has to wait even then is held again with all behind it."""
        self._is_over = True
        held, self._held = self._held, []
        for event in held:
            if not self.hold(event):
                await handle(event)
