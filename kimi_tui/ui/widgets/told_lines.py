"""Lines that tell something, and take no room while there is nothing to tell."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widgets import Static

from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.text.fit import fitted
from kimi_tui.ui.text.safe_text import content

QUEUE_CELLS = 61


class Note(Static):
    DEFAULT_CSS = "Note { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self.display = False

    def say(self, words: str) -> None:
        """Foreign text is made safe; "" = nothing."""
        self.update(content(words))
        self.display = bool(words)


class QueueLine(Note):
    """Above the composer: the messages that wait for the running reply, and what holds for the next reply alone."""

    def __init__(self, key: str, *, id: str) -> None:
        """`key` takes the last message back, in the empty composer."""
        super().__init__(id=id)
        self._key = key

    def show(self, queued: Sequence[str], once: Sequence[str] = ()) -> None:
        """`once` = what holds for the next reply alone, in words."""
        lines = [f"Queued: {fitted(text, QUEUE_CELLS)}" for text in queued]
        lines[-1:] = [f"{line}  ({self._key} in the empty composer takes it back)" for line in lines[-1:]]
        lines += [f"The next reply {visible_line(words)}" for words in once]
        if self.display or lines:
            self.say("\n".join(lines))


class SaveLine(Static):
    """What is not saved, and what is done about it, from the first failure until it is solved.

    The sheet hides it where nothing else has room.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)

    @property
    def is_shown(self) -> bool:
        return self.has_class("-unsaved")

    def show(self, lines: tuple[str, ...]) -> None:
        """One row or more for each line; () hides it."""
        if self.is_shown or lines:
            self.set_class(bool(lines), "-unsaved")
            self.update(content("\n".join(map(visible_line, lines))))
