"""Commands on one message: the chosen one, or the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.text.counts import counted
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.keys.focus import has_keys
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.transcript.transcript_widget import Transcript


class MessageCommands:
    """Commands on messages of the branch on screen."""

    def __init__(
        self,
        transcript: Transcript,
        open_chats: OpenChats,
        turns: Turns,
        drafts: Drafts,
        *,
        change: Callable[[Session], None],
        copy: Callable[[str, str], None],
        type_here: Callable[[], None],
        say: Say,
        undo_key: str,
    ) -> None:
        """Be ready.

        Args:
            transcript: Where messages are chosen.
            open_chats: The session on screen.
            turns: What asks for replies.
            drafts: Where questions are edited.
            change: Takes the changed session.
            copy: Puts a text into the clipboard, and says what it was.
            type_here: Gives the composer the keys.
            say: Tells what was done.
            undo_key: Key that brings back what was deleted; "" = none does.
        """
        self._transcript, self._open_chats, self._turns, self._drafts = transcript, open_chats, turns, drafts
        self._change, self._copy_text = change, copy
        self._type_here, self._say, self._undo_key = type_here, say, undo_key

    def rows(self) -> Rows:
        """What does what."""
        return {
            "next-message": self._next_message,
            "copy": self._copy,
            "copy-code": self._copy_code,
            "copy-reasoning": self._copy_reasoning,
            "edit": self._edit,
            "regenerate": self._regenerate,
            "previous-alternative": partial(self._step_alternative, -1),
            "next-alternative": partial(self._step_alternative, 1),
            "delete": self._delete,
            "undo": self._undo,
            "leave-out": self._leave_out,
        }

    @property
    def _session(self) -> Session:
        return self._open_chats.current.session

    def _target(self) -> Message:
        """The message that a command is about.

        Raises:
            UsageError: There is none, or it is still being written.
        """
        message = self._open_chats.current.target(self._transcript.chosen)
        if message is None:
            raise UsageError("There is no message yet, or it is still being written.")
        return message

    def _next_message(self) -> None:
        """Move the message cursor down; below the last message is the composer."""
        chat = self._open_chats.current
        if chat.branch and self._transcript.chosen == chat.branch[-1].id and chat.turn is None:
            self._type_here()
        else:
            self._transcript.move_choice(1)

    # -- copying

    def _copy(self, argument: str) -> None:
        """Copy the message as it was written, or (with "text") without its Markdown."""
        message, word = self._target(), argument.strip().lower()
        if word not in {"", "text", "markdown"}:
            raise UsageError(f"/copy takes text or markdown, not {argument.strip()!r}.")
        text = self._transcript.plain_text_of(message.id) if word == "text" else message.content
        self._copy_text(text, "The message")

    def _copy_code(self, argument: str) -> None:
        """Copy a code block; several are numbered to choose from."""
        message, word = self._target(), argument.strip()
        blocks = self._transcript.code_blocks(message.id)
        if not word and len(blocks) > 1:
            self._choose_code(message.id, blocks)
            return
        number = int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0 if word else 1
        if not 1 <= number <= len(blocks):
            there = f"The message has {counted(len(blocks), 'code block')}"
            raise UsageError(f"{there}; /copy-code takes the number of one.")
        self._copy_text(blocks[number - 1], "The code block")

    def _choose_code(self, key: str, blocks: Sequence[str]) -> None:
        """Let one of the code blocks of a message, which are numbered meanwhile, be chosen, and copy it."""
        from kimi_tui.ui.screens.choice import NumberScreen  # noqa: PLC0415 - most commands do not need it

        def chosen(number: int | None) -> None:
            self._transcript.hide_code_numbers()
            if number is not None:
                self._copy_text(blocks[number - 1], f"Code block {number}")

        self._transcript.show_code_numbers(key)
        above = self._transcript.code_blocks_above(key)
        question = f"Which code block? {above} above the view" if above else "Which code block?"
        self._transcript.app.push_screen(NumberScreen(question, len(blocks)), chosen)

    def _copy_reasoning(self) -> None:
        reasoning = self._target().reasoning
        if not reasoning:
            raise UsageError("This message has no reasoning.")
        self._copy_text(reasoning, "The reasoning")

    # -- asking again

    def _edit(self) -> None:
        """Bring a question into the composer, to be sent as an alternative."""
        question = self._question()
        self._transcript.choose(None)
        self._drafts.begin_edit(question.id, question.content)

    def _regenerate(self) -> None:
        self._turns.regenerate(self._open_chats.current, self._question().id)
        if not has_keys(self._transcript):
            self._type_here()

    def _question(self) -> Message:
        question = self._open_chats.current.question_of(self._target())
        if question is None:
            raise UsageError("There is no question here.")
        return question

    # -- the tree

    def _step_alternative(self, step: int) -> None:
        """Go to another alternative of the message; its newest branch is shown."""
        message = self._target()
        family = tree.alternatives(self._session, message.id)
        place = [other.id for other in family].index(message.id) + step
        if 0 <= place < len(family):
            self._change(tree.select(self._session, family[place].id))
            self._transcript.choose(family[place].id)

    def _delete(self) -> None:
        """Delete the message and everything below it."""
        message, chat = self._target(), self._open_chats.current
        before = len(chat.session.messages)
        chat.delete(message.id)
        self._show_tree()
        count = before - len(chat.session.messages)
        way = f"{self._undo_key} in the conversation, or /undo," if self._undo_key else "/undo"
        self._say(f"Deleted {counted(count, 'message')}. {way} brings it back.", about=self._last_deletion())

    def _undo(self) -> None:
        about, count = self._last_deletion(), self._open_chats.current.undo_delete()
        self._show_tree()
        self._say(f"Brought back {counted(count, 'message')}.", about=about)

    def _last_deletion(self) -> str:
        """What the notices on the last deletion, and on its undoing, are about."""
        chat = self._open_chats.current
        return f"deletion {len(chat.deleted)} in {chat.session.id}"

    def _show_tree(self) -> None:
        """Show a branch of another length; the message cursor goes to its end, where it is in the conversation."""
        self._change(self._session)
        branch = self._open_chats.current.branch
        if branch and has_keys(self._transcript):
            self._transcript.choose(branch[-1].id)
        else:
            self._type_here()

    def _leave_out(self) -> None:
        """Leave the message out of the prompt, or take it in again."""
        message, session = self._target(), self._session
        changed = replace(message, excluded=not message.excluded)
        messages = tuple(changed if other.id == message.id else other for other in session.messages)
        self._change(replace(session, messages=messages))
