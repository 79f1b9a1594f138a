"""What becomes of the text in the composer when Enter is pressed: a command, a message, or one that waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kimi_tui.core.errors import KimiError, UsageError
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.engine.openings import Asking
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.entries import about, error_text
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.state.slash import Command, Text, UnknownCommand, parse_line
from kimi_tui.ui.transcript.cursor import Cursor
from kimi_tui.ui.widgets.composer import Composer


class Perform(Protocol):
    def __call__(self, action_id: str, argument: str, failed: Callable[[], None] = ...) -> None:
        """`argument` is the text behind the slash command; `failed` is called where it went wrong, which is told."""


@dataclass(eq=False)
class Sending:
    composer: Composer
    drafts: Drafts
    open_chats: OpenChats
    turns: Turns
    perform: Perform
    cursor: Cursor
    go_on_from_edit: Callable[[str, ReplyPart, str], None]  # lets a reply go on from its edited text
    show_queue: Callable[[], None]  # shows the messages that wait
    note_refused: Callable[[str], None]  # keeps a command that was not done, for Up to bring back
    say: Say

    def submit(self, text: str) -> None:
        chat, drafts = self.open_chats.current, self.drafts
        edited, part, about = drafts.edited, drafts.edited_part, drafts.about
        was_aside = drafts.bring_back(self.composer.draft)
        before = drafts.texts

        def mend() -> None:
            self.note_refused(text)
            if self.open_chats.current is chat and drafts.texts == before:  # nothing else was begun since
                self._mend(text, edited, part, is_aside=was_aside or any(before))

        match parse_line(text):
            case Command(action, argument):
                self._perform(action.id, argument, mend, about)
            case UnknownCommand(name, nearest):
                near = "  Did you mean " + ", ".join(f"/{word}" for word in nearest) + "?" if nearest else ""
                self.say(f"There is no command /{name}; nothing was sent.{near}\n// sends a literal slash.", "warning")
                mend()
            case Text(message):
                self._send(message, edited, part)

    def _perform(self, action_id: str, argument: str, failed: Callable[[], None], about: str | None) -> None:
        """Do a command that is about the message that was chosen when it was begun; None = none was."""
        if about is not None:
            self.cursor.choose(about, brings_into_view=False)
        self.perform(action_id, argument, failed)
        if about is not None and self.cursor.chosen == about:
            self.cursor.choose(None)

    def _send(self, text: str, edited: str | None, part: ReplyPart | None) -> None:
        chat = self.open_chats.current
        if chat.replies.turn is not None and edited is None:
            chat.unsent.queued.append(text)
            self.show_queue()
            return
        try:
            if chat.replies.turn is not None:
                raise UsageError("A reply is running.", "Escape stops it; then send the edited text.")
            if part is not None and edited is not None:
                self.go_on_from_edit(edited, part, text)
            else:
                self.turns.start(chat, Asking(text, edited))
        except KimiError as error:
            self.say(error_text(error, "Nothing was sent; your text is in the composer."), "error", about=about(error))
            self.drafts.give_back(text, edited, part)

    def _mend(self, line: str, edited: str | None, part: ReplyPart | None, *, is_aside: bool) -> None:
        """A short line is selected, to be typed over."""
        if is_aside:
            self.drafts.begin_mending(line, edited, part)
        else:
            self.composer.draft = line
        if "\n" not in line:
            self.composer.select_all()
