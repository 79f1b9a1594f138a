"""Above the composer: the messages that wait for the running reply, and what holds for the next reply alone."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widgets import Static

from kimi_tui.ui.text.safe_text import content, line_text

QUEUE_CHARS = 60


class QueueLine(Static):
    """A line for each; hidden while there is nothing to tell."""

    def __init__(self, key: str, *, id: str) -> None:
        """Begin hidden; `key` takes the last message back, in the empty composer."""
        super().__init__(id=id, markup=False)
        self._key = key
        self.display = False

    def show(self, queued: Sequence[str], once: Sequence[str] = ()) -> None:
        """`once` = what holds for the next reply alone, in words."""
        if not self.display and not queued and not once:
            return
        self.display = bool(queued or once)
        lines = [f"Queued: {_shown(text)}" for text in queued]
        lines[-1:] = [f"{line}  ({self._key} in the empty composer takes it back)" for line in lines[-1:]]
        lines += [f"The next reply {line_text(words)}" for words in once]
        self.update(content("\n".join(lines)))


def _shown(text: str) -> str:
    shown = line_text(text[: QUEUE_CHARS + 1])
    return shown if len(shown) <= QUEUE_CHARS else shown[:QUEUE_CHARS] + "…"
