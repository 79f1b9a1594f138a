"""What becomes of the text in the composer when Enter is pressed: a command, a message, or one that waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kimi_tui.core.errors import KimiError, UsageError
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.entries import error_text
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.state.slash import Command, Text, UnknownCommand, parse_line
from kimi_tui.ui.widgets.composer import Composer


class Perform(Protocol):
    """Does an action."""

    def __call__(self, action_id: str, argument: str, failed: Callable[[], None]) -> None:
        """Do it with the text behind its slash command; `failed` is called where it went wrong, which is told."""


class Sending:
    """Sends messages, and carries slash commands out."""

    def __init__(
        self,
        composer: Composer,
        drafts: Drafts,
        open_chats: OpenChats,
        turns: Turns,
        *,
        perform: Perform,
        show_queue: Callable[[], None],
        say: Say,
    ) -> None:
        """Be ready.

        Args:
            composer: Where the text was typed.
            drafts: What it holds.
            open_chats: The session on screen.
            turns: What asks for replies.
            perform: Does what a command says.
            show_queue: Shows the messages that wait.
            say: Tells why nothing was sent.
        """
        self._composer, self._drafts, self._open_chats, self._turns = composer, drafts, open_chats, turns
        self._perform, self._show_queue, self._say = perform, show_queue, say

    def submit(self, text: str) -> None:
        """Send a message, or do what a slash command says."""
        chat, drafts = self._open_chats.current, self._drafts
        edited = drafts.edited
        was_aside = drafts.bring_back(self._composer.draft)
        before = drafts.texts

        def mend() -> None:
            if self._open_chats.current is chat and drafts.texts == before:  # nothing else was begun since
                self._mend(text, edited, is_aside=was_aside or any(before))

        match parse_line(text):
            case Command(action, argument):
                self._perform(action.id, argument, mend)
            case UnknownCommand(name, nearest):
                near = "  Did you mean " + ", ".join(f"/{word}" for word in nearest) + "?" if nearest else ""
                self._say(f"There is no command /{name}; nothing was sent.{near}\n// sends a literal slash.", "warning")
                mend()
            case Text(message):
                self._send(message, edited)

    def _send(self, text: str, edited: str | None) -> None:
        """Send a message, or let it wait for the running reply."""
        chat = self._open_chats.current
        if chat.turn is not None and edited is None:
            chat.queued.append(text)
            self._show_queue()
            return
        try:
            if chat.turn is not None:
                raise UsageError("A reply is running.", "Escape stops it; then send the edited question.")
            self._turns.send(chat, text, alternative_to=edited)
        except KimiError as error:
            self._say(error_text(error, "Nothing was sent; your text is in the composer."), "error")
            self._drafts.give_back(text, edited)

    def _mend(self, line: str, edited: str | None, *, is_aside: bool) -> None:
        """Give a line back that could not be done, to be mended; a short one is selected, to be typed over."""
        if is_aside:
            self._drafts.begin_mending(line, edited)
        else:
            self._composer.draft = line
        if "\n" not in line:
            self._composer.select_all()
