"""Commands on the tree of a session: alternatives, what is deleted and undone, what is sent along; branches.

`TreeCommands` is what the tree view asks of the session, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from kimi_tui.core.errors import UsageError
from kimi_tui.core.ports import SessionStore
from kimi_tui.core.prompt.raw_prompt import with_raw_input
from kimi_tui.core.session import tree
from kimi_tui.core.session.interventions import can_be_undone, is_same, undone, words_of_undoing
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import branch_start, branched_off, name_of
from kimi_tui.core.session.written import Begun
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.commands.current_session import CurrentSession, hold_new
from kimi_tui.ui.commands.dispatcher import Done, Rows
from kimi_tui.ui.commands.target import Target
from kimi_tui.ui.keys.focus import has_keys, take_keys
from kimi_tui.ui.state.branch import Growing
from kimi_tui.ui.state.callbacks import Push, Remark, Say
from kimi_tui.ui.state.tree_steps import Deletion
from kimi_tui.ui.transcript.transcript_widget import Transcript


@dataclass(eq=False)
class TreeCommands:
    session_store: SessionStore
    target: Target
    current: CurrentSession
    transcript: Transcript
    attempt: Callable[[Callable[[], Done]], None]  # does what was chosen, and tells what goes wrong
    type_here: Callable[[], None]  # gives the composer the keys
    now: Callable[[], datetime]
    undo_key: str
    push: Push
    say: Say
    remark: Remark

    def rows(self) -> Rows:
        return {
            "previous-alternative": partial(self._step_alternative, -1),
            "next-alternative": partial(self._step_alternative, 1),
            "delete": self._delete,
            "undo": self._undo,
            "leave-out": lambda: self._change(lambda it: replace(it, excluded=not it.excluded)),
            "pin": lambda: self._change(lambda it: replace(it, pinned=not it.pinned)),
            "tree": self._open_tree,
            "branch": lambda: self._branch(self.target.message().id),
            "name": lambda text: self._remark(self.name(self._shown_branch(), text)),
        }

    @property
    def _session(self) -> Session:
        return self.target.chat.session

    def _step_alternative(self, step: int) -> None:
        """The newest branch of the other alternative is shown."""
        key = self.target.key
        other = None if key is None else self.target.chat.alternative(key, step)
        if other is not None:
            self.show_alternative(other)

    def show_alternative(self, key: str) -> None:
        self.current.change(self.target.chat.replies.showing(key))
        self.target.cursor.choose(key)

    def _delete(self) -> None:
        count = self._delete_from(self.target.message().id)
        self._choose_end()
        self._tell_deletion(count)

    def _delete_from(self, message_id: str) -> int:
        """Delete a message and everything below it; how many messages that were."""
        chat = self.target.chat
        before = len(chat.session.messages)
        chat.tree_steps.delete(chat.open_session, message_id)
        self.current.change(chat.session)
        return before - len(chat.session.messages)

    def _tell_deletion(self, count: int) -> None:
        """Say in the conversation how many messages were deleted, and how to have them back."""
        way = f"{self.undo_key} in the conversation, or /undo," if self.undo_key else "/undo"
        self.say(f"Deleted {counted(count, 'message')}. {way} brings it back.", about=self._last_step)

    def _undo(self) -> None:
        """What was deleted goes first: the cursor stands elsewhere then."""
        chat = self.target.chat
        target = chat.target(self.target.cursor.chosen)
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
        if session.find(begun.of) is not None:
            shown = begun.of or ""
            words = "The reply is shown as it was; the other one stays: Left and Right show the others."
            self.current.change(tree.select(session, shown))
        else:
            shown = reply.parent or ""
            words = (
                f"The question is as it was before its reply, which stays: {self.undo_key or '/undo'} shows it again."
            )
            self.current.change(replace(session, head=reply.parent))
        self.target.cursor.choose(shown)
        self.say(words)

    def _undo_last_step(self, reply: Message) -> None:
        """The reply as it was becomes an alternative, or is one already: the one that was gone on with below."""
        open_session = self.target.chat.open_session
        (id_,) = open_session.take_ids(1)
        before = with_raw_input(undone(reply, id_, self.now()), reply)
        family = tree.alternatives(self._session, reply.id)
        there = next((other for other in family if is_same(other, before)), None)
        self.current.change(
            self._session.with_message(before) if there is None else tree.select(self._session, there.id)
        )
        open_session.give_back_ids({id_})
        self.target.cursor.choose(before.id if there is None else there.id)
        self.say(words_of_undoing(reply))

    def _undo_tree_step(self, *, is_in_view: bool = False) -> tuple[str, str]:
        """Take the last deletion or name back; what is told of it is given, and the id of the message.

        `is_in_view` = the tree view shows it. Raises UsageError where there is none.
        """
        chat, about = self.target.chat, self._last_step
        if not chat.tree_steps:
            raise UsageError("There is no step to undo here.")
        step, count = chat.tree_steps.undo(chat.open_session)
        self.current.change(chat.session)
        if isinstance(step, Deletion):
            words = f"Brought back {counted(count, 'message')}."
            if not is_in_view:
                self._choose_end()
        else:
            words = f"The branch {f'is called “{visible_line(step.before)}”' if step.before else 'has no name'} again."
        if isinstance(step, Deletion) or not is_in_view:
            self.say(words, about=about)
        return words, step.message_id

    @property
    def _last_step(self) -> str:
        """What the notices on it and on its undoing are `about`."""
        chat = self.target.chat
        return f"step {len(chat.tree_steps)} in {chat.session.id}"

    def _choose_end(self) -> None:
        """The message cursor goes there, where it is in the conversation."""
        branch = self.target.chat.branch
        if branch and has_keys(self.transcript):
            self.target.cursor.choose(branch[-1].id)
        else:
            self.type_here()

    def _change(self, change: Callable[[Message], Message]) -> None:
        message, session = self.target.message(), self._session
        messages = tuple(change(it) if it.id == message.id else it for it in session.messages)
        self.current.change(replace(session, messages=messages))

    # -- branches

    def _shown_branch(self) -> str:
        """Where the branch begins that the cursor is on, growing replies included. UsageError where there is none."""
        key = self.target.key or self.target.message().id
        return branch_start(self.target.chat.replies.with_growing(), key)

    def _remark(self, words: str) -> None:
        self.remark(words, words.partition(". ")[0])

    def _open_tree(self) -> None:
        from kimi_tui.ui.screens.tree_screen import TreeScreen  # noqa: PLC0415 - most commands do not need it

        self.push(TreeScreen(self, self.target.key, self.now(), datetime.astimezone))

    # -- what the view shows

    def state(self) -> tuple[Session, tuple[Growing, ...]]:
        return self.target.chat.session, self.target.chat.replies.growing

    def with_growing(self) -> Session:
        return self.target.chat.replies.with_growing()

    def _written(self, message_id: str) -> Message:
        """Raises UsageError where the message is being written, or gone."""
        if self.target.chat.replies.find(message_id) is not None:
            raise UsageError("This reply is still being written.", "Stop it first, or wait for its end.")
        found = self._session.find(message_id)
        if found is None:
            raise UsageError("This message is gone.")
        return found

    def _refuse_while_running(self) -> None:
        if self.target.chat.replies.turn is not None:
            raise UsageError("A reply is running in this session.", "Stop it first.")

    # -- where one goes on

    def jump(self, message_id: str) -> None:
        """On the branch that is shown nothing changes but the cursor."""
        chat = self.target.chat
        if chat.message(message_id) is None:
            if chat.replies.find(message_id) is None:
                self._written(message_id)
            self.current.change(chat.replies.showing(message_id))
        take_keys(self.transcript)
        self.target.cursor.choose(message_id)

    def go_on(self, message_id: str) -> None:
        """A question that is sent then is an alternative to what is below the message, or to the question itself."""
        message = self._written(message_id)
        self._refuse_while_running()
        self.current.change(replace(self.target.chat.session, head=message_id))
        self.type_here()
        if message.role is Role.USER:
            self.remark("What you send now is an alternative to this question.", "Sends an alternative.")
        else:
            self.remark("What you send now goes on from here.", "Goes on from here.")

    def branch(self, message_id: str) -> None:
        self._written(message_id)
        self.attempt(lambda: self._branch(message_id))

    async def _branch(self, message_id: str) -> None:
        """What is typed stays with the session that it was typed in."""
        before = self.target.chat.session
        cut = branched_off(before, message_id)
        copy = replace(self.session_store.copy_of(cut, self.now()), title=cut.title)
        held = await hold_new(self.session_store, copy)
        chat = self.target.open_chats.chat_of(held)
        await asyncio.to_thread(self.current.prepare, chat)
        await self.current.show(chat)
        title = f"“{visible_line(before.title)}”" if before.title else before.id
        self.say(
            f"This is a session of its own now, with {counted(len(cut.messages), 'message')} of {title}, which stays "
            f"as it is: /resume {before.id} goes back to it."
        )

    # -- what is done to a branch

    def name_before(self, message_id: str) -> tuple[str, str]:
        self.target.chat.open_session.refuse_if_read_only()
        self._written(message_id)
        start = self._written(branch_start(self.target.chat.replies.with_growing(), message_id))
        return start.id, start.name

    def name(self, message_id: str, name: str) -> str:
        start, _ = self.name_before(message_id)
        chat = self.target.chat
        before, name = chat.tree_steps.name_branch(chat.open_session, start, name_of(name)), name_of(name)
        self.current.change(chat.session)
        if name:
            return f"The branch is called “{visible_line(name)}” now."
        return "The branch has no name any more." if before else "The branch has no name."

    def prune(self, message_id: str) -> str:
        self.target.chat.open_session.refuse_if_read_only()
        self._written(message_id)
        self._refuse_while_running()
        count = self._delete_from(message_id)
        self._tell_deletion(count)
        return f"Deleted {counted(count, 'message')}; u brings {'it' if count == 1 else 'them'} back."

    def undo(self) -> tuple[str, str]:
        self._refuse_while_running()
        return self._undo_tree_step(is_in_view=True)
