"""Commands on one message: the chosen one, or the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from kimi_tui.core.errors import UsageError
from kimi_tui.core.prompt.raw_alternatives import with_raw_input
from kimi_tui.core.prompt.stop_words import refusal_to_go_on
from kimi_tui.core.session import tree
from kimi_tui.core.session.endings import refusal_to_answer_again
from kimi_tui.core.session.interventions import can_be_undone, is_same, undone, words_of_undoing
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.written import Begun
from kimi_tui.core.text.counts import counted
from kimi_tui.core.wire.plans import answering_again, going_on
from kimi_tui.engine.openings import AnsweringAgain, GoingOn
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.keys.focus import has_keys
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.answers import parse_answers
from kimi_tui.ui.state.callbacks import Push, Say
from kimi_tui.ui.state.open_chat import Running
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.state.tree_steps import Deletion
from kimi_tui.ui.text.safe_text import line_text
from kimi_tui.ui.transcript.transcript_widget import Transcript

IN_ANOTHER = "It goes on in an alternative; what was below stays with the other one (Left and Right show them)."


@dataclass(eq=False)
class MessageCommands:
    transcript: Transcript
    open_chats: OpenChats
    turns: Turns
    drafts: Drafts
    change: Callable[[Session], None]  # takes the changed session
    copy: Callable[[str, str], None]  # puts a text into the clipboard, and says what it was
    type_here: Callable[[], None]  # gives the composer the keys
    push: Push
    say: Say
    now: Callable[[], datetime]
    undo_key: str
    edit_reply: Callable[[Message], None]  # lets a reply be edited
    next_changed: Callable[[], None]  # shows what holds for the next reply

    def rows(self) -> Rows:
        return {
            "next-message": self._next_message,
            "copy": self._copy,
            "copy-code": self._copy_code,
            "copy-reasoning": self._copy_reasoning,
            "edit": self._edit,
            "continue": self._continue,
            "another-answer": self._answer_again,
            "answers": self._answers,
            "previous-alternative": partial(self._step_alternative, -1),
            "next-alternative": partial(self._step_alternative, 1),
            "delete": self._delete,
            "undo": self._undo,
            "leave-out": self._leave_out,
            "pin": self._pin,
        }

    @property
    def _session(self) -> Session:
        return self.open_chats.current.session

    def target(self) -> Message:
        """Raises UsageError where there is no message, or it is still being written."""
        message = self.open_chats.current.target(self.transcript.cursor.chosen)
        if message is None:
            raise UsageError("There is no message yet, or it is still being written.")
        return message

    def reply(self) -> Message:
        """The reply that is meant; raises UsageError where there is none, or it is still being written."""
        reply = self.open_chats.current.reply_at(self.transcript.cursor.chosen)
        if reply is None or isinstance(reply, Running):
            raise UsageError("There is no reply here, or it is still being written.")
        return reply

    def _next_message(self) -> None:
        """Below the last message is the composer."""
        chat = self.open_chats.current
        if chat.branch and self.transcript.cursor.chosen == chat.branch[-1].id and chat.turn is None:
            self.type_here()
        else:
            self.transcript.cursor.move(1)

    # -- copying

    def _copy(self, argument: str) -> None:
        """Copy the message as it was written, or (with "text") without its Markdown."""
        message, word = self.target(), argument.strip().lower()
        if word not in {"", "text", "markdown"}:
            raise UsageError(f"/copy takes text or markdown, not {argument.strip()!r}.")
        text = self.transcript.plain_text_of(message.id) if word == "text" else message.content
        self.copy(text, "The message")

    def _copy_code(self, argument: str) -> None:
        """Several blocks are numbered to choose from."""
        message, word = self.target(), argument.strip()
        blocks = self.transcript.code.sources(message.id)
        if not word and len(blocks) > 1:
            self._choose_code(message.id, blocks)
            return
        number = int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0 if word else 1
        if not 1 <= number <= len(blocks):
            there = f"The message has {counted(len(blocks), 'code block')}"
            raise UsageError(f"{there}; /copy-code takes the number of one.")
        self.copy(blocks[number - 1], "The code block")

    def _choose_code(self, key: str, blocks: Sequence[str]) -> None:
        """The blocks are numbered on screen meanwhile."""
        from kimi_tui.ui.screens.choice import NumberScreen  # noqa: PLC0415 - most commands do not need it

        def chosen(number: int | None) -> None:
            self.transcript.code.hide_numbers()
            if number is not None:
                self.copy(blocks[number - 1], f"Code block {number}")

        self.transcript.code.show_numbers(key)
        above = self.transcript.code.count_above(key)
        question = f"Which code block? {above} above the view" if above else "Which code block?"
        self.push(NumberScreen(question, len(blocks)), chosen)

    def _copy_reasoning(self) -> None:
        reasoning = self.target().reasoning
        if not reasoning:
            raise UsageError("This message has no reasoning.")
        self.copy(reasoning, "The reasoning")

    # -- asking again

    def _edit(self) -> None:
        """What the question becomes is sent as an alternative; an edited reply becomes one, to go on from."""
        self.open_chats.current.open_session.refuse_if_read_only()
        message = self.target()
        if message.role is Role.ASSISTANT and not message.is_only_queued:
            self.edit_reply(message)
            return
        question = self.question()
        self.transcript.cursor.choose(None)
        self.drafts.begin_edit(question.id, question.content)

    def _continue(self) -> None:
        """The reply grows where it broke, or an alternative to it where something stands below it."""
        message = self.target()
        if refusal := refusal_to_go_on(message):
            raise UsageError(refusal, "It can be asked again with /regenerate.")
        has_more = any(other.parent == message.id for other in self._session.messages)
        self.turns.start(self.open_chats.current, GoingOn(message), going_on, told=IN_ANOTHER if has_more else "")
        if not has_keys(self.transcript):
            self.type_here()

    def _answer_again(self) -> None:
        """The thinking is sent along, and paid once."""
        self.turns.start(self.open_chats.current, AnsweringAgain(self.thought_out()), answering_again)
        if not has_keys(self.transcript):
            self.type_here()

    def _answers(self, argument: str) -> None:
        """Begin several answers to the thinking of this reply, or let the next question have them."""
        chat = self.open_chats.current
        if argument.strip().lower() == "off":
            chat.next_reply, chat.follow_up = replace(chat.next_reply, answers=None), None
            self.next_changed()
            return
        answers = parse_answers(argument)
        if answers.is_next:
            chat.next_reply = replace(chat.next_reply, answers=answers)
            self.next_changed()
            return
        if chat.turn is not None:
            raise UsageError("A reply is running; stop it first.", "/answers 3 next is for the next question.")
        self.turns.answer(chat, self.thought_out(), answers)
        if not has_keys(self.transcript):
            self.type_here()

    def thought_out(self) -> Message:
        """The message whose thinking is to be answered; UsageError where that cannot be."""
        message = self.target()
        if refusal := refusal_to_answer_again(message):
            raise UsageError(refusal, "Another reply, thinking included: /regenerate.")
        if self.open_chats.current.question_of(message) is None:
            raise UsageError("There is no question here.")
        return message

    def question(self) -> Message:
        """The question that the chosen message is or answers; UsageError where there is none."""
        question = self.open_chats.current.question_of(self.target())
        if question is None:
            raise UsageError("There is no question here.")
        return question

    # -- the tree

    def _step_alternative(self, step: int) -> None:
        """The newest branch of the other alternative is shown."""
        chat = self.open_chats.current
        key = chat.shown_key(self.transcript.cursor.chosen)
        other = None if key is None else chat.alternative(key, step)
        if other is not None:
            self.show_alternative(other)

    def show_alternative(self, key: str) -> None:
        self.change(self.open_chats.current.showing(key))
        self.transcript.cursor.choose(key)

    def _delete(self) -> None:
        count = self.delete(self.target().id)
        self._choose_end()
        self.tell_deletion(count)

    def delete(self, message_id: str) -> int:
        """Delete a message and everything below it; how many messages that were."""
        chat = self.open_chats.current
        before = len(chat.session.messages)
        chat.tree_steps.delete(chat.open_session, message_id)
        self.change(chat.session)
        return before - len(chat.session.messages)

    def tell_deletion(self, count: int) -> None:
        """Say in the conversation how many messages were deleted, and how to have them back."""
        way = f"{self.undo_key} in the conversation, or /undo," if self.undo_key else "/undo"
        self.say(f"Deleted {counted(count, 'message')}. {way} brings it back.", about=self.last_tree_step)

    def _undo(self) -> None:
        """What was deleted goes first: the cursor stands elsewhere then."""
        chat = self.open_chats.current
        target = chat.target(self.transcript.cursor.chosen)
        if chat.tree_steps.has_deleted_last or target is None:
            self._undo_tree_step()
        elif can_be_undone(target):
            self._undo_last_step(target)
        elif target.begun is not None:
            self._go_back(target, target.begun)
        elif chat.hides_reply_to(target):
            self.show_alternative(tree.newest_leaf(chat.session, target.id))
            self.say("The newest reply is shown again.")
        else:
            self._undo_tree_step()

    def _go_back(self, reply: Message, begun: Begun) -> None:
        """Show what there was before the user's words: the reply that they were put into, or the question alone."""
        session = self._session
        if any(message.id == begun.of for message in session.messages):
            shown = begun.of or ""
            words = "The reply is shown as it was; the other one stays: Left and Right show the others."
            self.change(tree.select(session, shown))
        else:
            shown = reply.parent or ""
            words = (
                f"The question is as it was before its reply, which stays: {self.undo_key or '/undo'} shows it again."
            )
            self.change(replace(session, head=reply.parent))
        self.transcript.cursor.choose(shown)
        self.say(words)

    def _undo_last_step(self, reply: Message) -> None:
        """The reply as it was becomes an alternative, or is one already: the one that was gone on with below."""
        open_session = self.open_chats.current.open_session
        (id_,) = open_session.take_ids(1)
        before = with_raw_input(undone(reply, id_, self.now()), reply)
        family = tree.alternatives(self._session, reply.id)
        there = next((other for other in family if is_same(other, before)), None)
        self.change(self._session.with_message(before) if there is None else tree.select(self._session, there.id))
        open_session.give_back_ids({id_})
        self.transcript.cursor.choose(before.id if there is None else there.id)
        self.say(words_of_undoing(reply))

    def _undo_tree_step(self) -> None:
        was_deletion, about = self.open_chats.current.tree_steps.has_deleted_last, self.last_tree_step
        words, _ = self.undo_tree_step()
        if was_deletion:
            self._choose_end()
        self.say(words, about=about)

    def undo_tree_step(self) -> tuple[str, str]:
        """Take the last deletion or name back; what is told of it is given, and the id of the message.

        Raises UsageError where there is none.
        """
        chat = self.open_chats.current
        if not chat.tree_steps:
            raise UsageError("There is no step to undo here.")
        step, count = chat.tree_steps.undo(chat.open_session)
        self.change(chat.session)
        if isinstance(step, Deletion):
            return f"Brought back {counted(count, 'message')}.", step.message_id
        again = f"is called “{line_text(step.before)}”" if step.before else "has no name"
        return f"The branch {again} again.", step.message_id

    @property
    def last_tree_step(self) -> str:
        """What the notices on it and on its undoing are `about`."""
        chat = self.open_chats.current
        return f"step {len(chat.tree_steps)} in {chat.session.id}"

    def _choose_end(self) -> None:
        """The message cursor goes there, where it is in the conversation."""
        branch = self.open_chats.current.branch
        if branch and has_keys(self.transcript):
            self.transcript.cursor.choose(branch[-1].id)
        else:
            self.type_here()

    def _leave_out(self) -> None:
        message = self.target()
        self._put(replace(message, excluded=not message.excluded))

    def _pin(self) -> None:
        message = self.target()
        self._put(replace(message, pinned=not message.pinned))

    def _put(self, changed: Message) -> None:
        """Put a message in the place of the one with its id."""
        session = self._session
        messages = tuple(changed if other.id == changed.id else other for other in session.messages)
        self.change(replace(session, messages=messages))
