"""Commands on one message: the chosen one, or the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.text.counts import counted
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.desk import Desk


class MessageCommands:
    """Commands on messages of the branch on screen."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        self._desk = desk

    def _target(self) -> Message:
        """The message that a command is about.

        Raises:
            UsageError: There is none, or it is still being written.
        """
        message = self._desk.target()
        if message is None:
            raise UsageError("There is no message yet, or it is still being written.")
        return message

    # -- the message cursor

    def do_choose_message(self, argument: str) -> None:
        """Put the message cursor on the last message in view."""
        del argument
        take_keys(self._desk.transcript)
        self._desk.transcript.choose_in_view()

    def do_previous_message(self, argument: str) -> None:
        """Move the message cursor up."""
        del argument
        self._desk.transcript.move_choice(-1)

    def do_next_message(self, argument: str) -> None:
        """Move the message cursor down; below the last message is the composer."""
        del argument
        branch = self._desk.chat.branch
        if branch and self._desk.transcript.chosen == branch[-1].id and self._desk.chat.turn is None:
            self._desk.type_here()
        else:
            self._desk.transcript.move_choice(1)

    def do_first_message(self, argument: str) -> None:
        """Move the message cursor to the first message."""
        del argument
        self._desk.transcript.choose_edge(first=True)

    def do_last_message(self, argument: str) -> None:
        """Move the message cursor to the last message."""
        del argument
        self._desk.transcript.choose_edge(first=False)

    def do_type_command(self, argument: str) -> None:
        """Let a command be typed in the composer."""
        del argument
        self._desk.transcript.choose(None)
        self._desk.drafts.begin_command()

    def do_fold_this(self, argument: str) -> None:
        """Open or close the think block of the chosen message."""
        del argument
        transcript = self._desk.transcript
        if transcript.chosen is not None:
            transcript.toggle_fold(transcript.chosen)
        elif (message := self._desk.chat.last(Role.ASSISTANT)) is not None:
            transcript.toggle_fold(message.id)

    # -- copying

    def do_copy(self, argument: str) -> None:
        """Copy the message as it was written, or (with "text") without its Markdown.

        Raises:
            UsageError: The argument is another one.
        """
        message, word = self._target(), argument.strip().lower()
        if word not in {"", "text", "markdown"}:
            raise UsageError(f"/copy takes text or markdown, not {argument.strip()!r}.")
        text = self._desk.transcript.plain_text_of(message.id) if word == "text" else message.content
        self._desk.copy(text, "The message")

    def do_copy_code(self, argument: str) -> None:
        """Copy a code block; several are numbered to choose from.

        Raises:
            UsageError: There is no block of that number.
        """
        message, word = self._target(), argument.strip()
        blocks = self._desk.transcript.code_blocks(message.id)
        if not word and len(blocks) > 1:
            self._choose_code(message.id, blocks)
            return
        number = int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0 if word else 1
        if not 1 <= number <= len(blocks):
            there = f"The message has {counted(len(blocks), 'code block')}"
            raise UsageError(f"{there}; /copy-code takes the number of one.")
        self._desk.copy(blocks[number - 1], "The code block")

    def _choose_code(self, key: str, blocks: Sequence[str]) -> None:
        """Let one of the code blocks of a message, which are numbered meanwhile, be chosen, and copy it."""
        from kimi_tui.ui.screens.choice import NumberScreen  # noqa: PLC0415 - most commands do not need it

        def chosen(number: int | None) -> None:
            self._desk.transcript.hide_code_numbers()
            if number is not None:
                self._desk.copy(blocks[number - 1], f"Code block {number}")

        self._desk.transcript.show_code_numbers(key)
        above = self._desk.transcript.code_blocks_above(key)
        question = f"Which code block? {above} above the view" if above else "Which code block?"
        self._desk.open_screen(NumberScreen(question, len(blocks)), chosen)

    def do_copy_reasoning(self, argument: str) -> None:
        """Copy the reasoning of the message.

        Raises:
            UsageError: It has none.
        """
        del argument
        reasoning = self._target().reasoning
        if not reasoning:
            raise UsageError("This message has no reasoning.")
        self._desk.copy(reasoning, "The reasoning")

    # -- asking again

    def do_edit(self, argument: str) -> None:
        """Bring a question into the composer, to be sent as an alternative.

        Raises:
            UsageError: There is no question.
        """
        del argument
        question = self._question()
        self._desk.transcript.choose(None)
        self._desk.drafts.begin_edit(question.id, question.content)

    def do_regenerate(self, argument: str) -> None:
        """Ask for another reply.

        Raises:
            UsageError: There is no question.
            KimiError: Nothing can be sent.
        """
        del argument
        question = self._question()
        self._desk.turns.regenerate(self._desk.chat, question.id)
        if self._desk.scope_of_focus() is not Scope.TRANSCRIPT:
            self._desk.type_here()

    def _question(self) -> Message:
        question = self._desk.chat.question_of(self._target())
        if question is None:
            raise UsageError("There is no question here.")
        return question

    # -- the tree

    def do_previous_alternative(self, argument: str) -> None:
        """Show the alternative before this one."""
        del argument
        self.step_alternative(-1)

    def do_next_alternative(self, argument: str) -> None:
        """Show the alternative after this one."""
        del argument
        self.step_alternative(1)

    def step_alternative(self, step: int) -> None:
        """Go to another alternative of the message; its newest branch is shown."""
        message, session = self._target(), self._desk.chat.session
        family = tree.alternatives(session, message.id)
        place = [other.id for other in family].index(message.id) + step
        if 0 <= place < len(family):
            self._change_tree(tree.select(session, family[place].id))
            self._desk.transcript.choose(family[place].id)

    def do_delete(self, argument: str) -> None:
        """Delete the message and everything below it."""
        del argument
        message, chat = self._target(), self._desk.chat
        before = len(chat.session.messages)
        chat.delete(message.id)
        self._show_tree()
        self._choose_end()
        count = before - len(chat.session.messages)
        self._desk.say(f"Deleted {counted(count, 'message')}. {self._undo_words()}", about=self._last_deletion())

    def _last_deletion(self) -> str:
        """What the notices on the last deletion, and on its undoing, are about."""
        chat = self._desk.chat
        return f"deletion {len(chat.deleted)} in {chat.session.id}"

    def _choose_end(self) -> None:
        """Put the message cursor on the last message, where it stands in the conversation, so that it can be seen."""
        branch = self._desk.chat.branch
        if branch and self._desk.scope_of_focus() is Scope.TRANSCRIPT:
            self._desk.transcript.choose(branch[-1].id)
        else:
            self._desk.type_here()

    def _undo_words(self) -> str:
        key = self._desk.keyboard.table.label("undo")
        return f"{key} in the conversation, or /undo, brings it back." if key else "/undo brings it back."

    def do_undo(self, argument: str) -> None:
        """Bring back what was deleted last."""
        del argument
        chat = self._desk.chat
        about, count = self._last_deletion(), chat.undo_delete()
        self._show_tree()
        self._choose_end()
        self._desk.say(f"Brought back {counted(count, 'message')}.", about=about)

    def do_leave_out(self, argument: str) -> None:
        """Leave the message out of the prompt, or take it in again."""
        del argument
        message = self._target()
        changed = replace(message, excluded=not message.excluded)
        session = self._desk.chat.session
        messages = tuple(changed if other.id == message.id else other for other in session.messages)
        self._change_tree(replace(session, messages=messages))

    def _change_tree(self, session: Session) -> None:
        self._desk.change(session)
        self._desk.refresh_session()

    def _show_tree(self) -> None:
        self._change_tree(self._desk.chat.session)
