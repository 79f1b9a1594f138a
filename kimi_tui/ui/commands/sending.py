"""What becomes of the text in the composer when Enter is pressed: a command, a message, or one that waits."""

from __future__ import annotations

from textual.widgets import Static

from kimi_tui.core.errors import KimiError, UsageError
from kimi_tui.ui.commands.prompt_history import PromptHistory
from kimi_tui.ui.panes.desk import Desk
from kimi_tui.ui.state.slash import Command, Text, UnknownCommand, parse_line, typed
from kimi_tui.ui.text.safe_text import content, line_text

QUEUE_CHARS = 60
"""How much of a waiting message is shown."""


class Sending:
    """Sends messages, and keeps the one that waits for the running reply in view."""

    def __init__(self, desk: Desk, queue: Static) -> None:
        """Work on that screen; `queue` is the line above the composer."""
        self._desk, self._queue = desk, queue
        self._history = PromptHistory(desk)

    @property
    def word(self) -> str:
        """What sending means for what is in the composer now, in a word; "" = it would be refused."""
        desk = self._desk
        beginning = desk.composer.document.get_line(0)[:2]
        if beginning.startswith("/") and beginning != "//":
            return "run"
        if desk.chat.turn is None:
            return "send"
        return "queue" if desk.drafts.edited is None else ""

    def submit(self, text: str) -> None:
        """Send a message, or do what a slash command says."""
        desk, chat = self._desk, self._desk.chat
        edited = desk.drafts.edited
        was_aside = desk.drafts.bring_back(desk.composer.draft)
        before = desk.drafts.texts

        def mend() -> None:
            if desk.chat is chat and desk.drafts.texts == before:  # nothing else was begun since
                self._mend(text, edited, is_aside=was_aside or any(before))

        match parse_line(text):
            case Command(action, argument):
                desk.perform(action, argument, mend)
            case UnknownCommand(name, nearest):
                near = "  Did you mean " + ", ".join(f"/{word}" for word in nearest) + "?" if nearest else ""
                desk.say(f"There is no command /{name}; nothing was sent.{near}\n// sends a literal slash.", "warning")
                mend()
            case Text(message):
                self._send(message, edited)

    def _send(self, text: str, edited: str | None) -> None:
        """Send a message, or let it wait for the running reply."""
        desk, chat = self._desk, self._desk.chat
        if chat.turn is not None and edited is None:
            chat.queued.append(text)
            self.show_queue()
            return
        try:
            if chat.turn is not None:
                raise UsageError("A reply is running.", "Escape stops it; then send the edited question.")
            desk.turns.send(chat, text, alternative_to=edited)
        except KimiError as error:
            desk.say_error(error, "Nothing was sent; your text is in the composer.")
            self.give_back(text, edited)

    def give_back(self, message: str, edited: str | None = None) -> None:
        """Bring a message that was not sent back into the composer, with the question that it is an edit of."""
        if edited is not None:
            self._desk.drafts.begin_mending(typed(message), edited)
        else:
            self._desk.drafts.give_back(message)

    def _mend(self, line: str, edited: str | None, *, is_aside: bool) -> None:
        """Give a line back that could not be done, to be mended; a short one is selected, to be typed over."""
        if is_aside:
            self._desk.drafts.begin_mending(line, edited)
        else:
            self._desk.composer.draft = line
        if "\n" not in line:
            self._desk.composer.select_all()

    def recall(self, step: int) -> None:
        """Bring the waiting message back into the empty composer, else an older (1) or a newer (-1) prompt."""
        composer, chat = self._desk.composer, self._desk.chat
        if composer.draft and composer.draft != composer.recalled:
            return
        if chat.queued and not composer.draft and not self._desk.drafts.is_aside:
            composer.exchange(typed(chat.queued.pop()))
            self.show_queue()
            return
        self._history.recall(step)

    def show_queue(self) -> None:
        """Show the messages that wait, a line each."""
        queued = self._desk.chat.queued
        if self._queue.display or queued:
            self._queue.display = bool(queued)
            key = self._desk.keyboard.table.label("last-prompt")
            lines = [f"Queued: {_shown(text)}" for text in queued]
            self._queue.update(
                content(
                    "\n".join([*lines[:-1], f"{lines[-1]}  ({key} in the empty composer takes it back)"])
                    if lines
                    else ""
                )
            )


def _shown(text: str) -> str:
    """The beginning of a message on one line."""
    shown = line_text(text[: QUEUE_CHARS + 1])
    return shown if len(shown) <= QUEUE_CHARS else shown[:QUEUE_CHARS] + "…"
