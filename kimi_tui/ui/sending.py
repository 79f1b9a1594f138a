"""What becomes of the text in the composer when Enter is pressed: a command, a message, or one that waits."""

from __future__ import annotations

from textual.widgets import Static

from kimi_tui.core.errors import KimiError, UsageError
from kimi_tui.core.session import Role
from kimi_tui.ui.desk import Desk
from kimi_tui.ui.slash import Command, Text, UnknownCommand, parse_line, typed
from kimi_tui.ui.text import content, line_text

QUEUE_CHARS = 60
"""How much of a waiting message is shown."""


class Sending:
    """Sends messages, and keeps the one that waits for the running reply in view."""

    def __init__(self, desk: Desk, queue: Static) -> None:
        """Work on that screen; `queue` is the line above the composer."""
        self._desk, self._queue = desk, queue

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
            desk.turns.send(chat, text, beside=edited)
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
            composer.draft = typed(chat.queued.pop())
            self.show_queue()
            return
        questions = (typed(m.content) for m in reversed(chat.session.messages) if m.role is Role.USER)
        prompts = list(dict.fromkeys(questions))
        place = prompts.index(composer.draft) if composer.draft in prompts else -1
        place = min(place + step, len(prompts) - 1)
        composer.draft = composer.recalled = prompts[place] if place >= 0 else ""

    def show_queue(self) -> None:
        """Show the messages that wait, a line each."""
        queued = self._desk.chat.queued
        if self._queue.display or queued:
            self._queue.display = bool(queued)
            key = self._desk.keyboard.table.label("last-prompt")
            lines = [f"Queued: {_shown(text)}" for text in queued]
            self._queue.update(
                content("\n".join([*lines[:-1], f"{lines[-1]}  ({key} takes it back)"]) if lines else "")
            )


def _shown(text: str) -> str:
    """The beginning of a message on one line."""
    shown = line_text(text[: QUEUE_CHARS + 1])
    return shown if len(shown) <= QUEUE_CHARS else shown[:QUEUE_CHARS] + "…"
