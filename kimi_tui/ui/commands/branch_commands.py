"""Commands on the branches of a session: the view of all of them, a name, one as a session of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from kimi_tui.core.errors import StorageError, UsageError
from kimi_tui.core.ports import SessionStore
from kimi_tui.core.session.branches import branch_start, branched_off, name_of
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.text.counts import counted
from kimi_tui.ui.commands.background import Background
from kimi_tui.ui.commands.current_session import CurrentSession
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.commands.message_commands import MessageCommands
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.state.branch import Growing
from kimi_tui.ui.state.callbacks import Push, Remark, Say
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.text.safe_text import line_text
from kimi_tui.ui.transcript.transcript_widget import Transcript

RUNNING = "A reply is running in this session."


@dataclass(eq=False)
class BranchCommands:
    """It is what the tree view asks of the session, too."""

    session_store: SessionStore
    open_chats: OpenChats
    current: CurrentSession
    messages: MessageCommands
    transcript: Transcript
    background: Background
    type_here: Callable[[], None]  # gives the composer the keys
    now: Callable[[], datetime]
    push: Push
    say: Say
    remark: Remark

    def rows(self) -> Rows:
        return {
            "tree": self._open,
            "branch": lambda: self._branch(self.messages.target().id),
            "name": lambda text: self._remark(self.name(self._shown_branch(), text)),
        }

    @property
    def _chat(self) -> Chat:
        return self.open_chats.current

    def _shown_branch(self) -> str:
        """Where the branch begins that the cursor is on, growing replies included. UsageError where there is none."""
        key = self._chat.shown_key(self.transcript.cursor.chosen) or self.messages.target().id
        return branch_start(self._chat.with_growing(), key)

    def _remark(self, words: str) -> None:
        self.remark(words, words.partition(". ")[0])

    def _open(self) -> None:
        from kimi_tui.ui.screens.tree_screen import TreeScreen  # noqa: PLC0415 - most commands do not need it

        chosen = self._chat.shown_key(self.transcript.cursor.chosen)
        self.push(TreeScreen(self, chosen, self.now(), datetime.astimezone))

    # -- what the view shows

    def state(self) -> tuple[Session, tuple[Growing, ...]]:
        return self._chat.session, self._chat.growing

    def with_growing(self) -> Session:
        return self._chat.with_growing()

    def _written(self, message_id: str) -> Message:
        """Raises UsageError where the message is being written, or gone."""
        if any(it.id == message_id for it in self._chat.growing):
            raise UsageError("This reply is still being written.", "Stop it first, or wait for its end.")
        found = next((message for message in self._chat.session.messages if message.id == message_id), None)
        if found is None:
            raise UsageError("This message is gone.")
        return found

    def _refuse_while_running(self) -> None:
        if self._chat.turn is not None:
            raise UsageError(RUNNING, "Stop it first.")

    # -- where one goes on

    def jump(self, message_id: str) -> None:
        """On the branch that is shown nothing changes but the cursor."""
        chat = self._chat
        is_there = chat.message(message_id) is not None
        if not is_there:
            if all(it.id != message_id for it in chat.growing):
                self._written(message_id)
            self.current.change(chat.showing(message_id))
        take_keys(self.transcript)
        self.transcript.cursor.choose(message_id)

    def go_on(self, message_id: str) -> None:
        """A question that is sent then is an alternative to what is below the message, or to the question itself."""
        message = self._written(message_id)
        self._refuse_while_running()
        self.current.change(replace(self._chat.session, head=message_id))
        self.type_here()
        if message.role is Role.USER:
            self.remark("What you send now is an alternative to this question.", "Sends an alternative.")
        else:
            self.remark("What you send now goes on from here.", "Goes on from here.")

    def branch(self, message_id: str) -> None:
        self._written(message_id)
        self.background.attempt(lambda: self._branch(message_id))

    async def _branch(self, message_id: str) -> None:
        """What is typed stays with the session that it was typed in."""
        before = self._chat.session
        cut = branched_off(before, message_id)
        copy = replace(self.session_store.copy_of(cut, self.now()), title=cut.title)
        held = await asyncio.to_thread(self.session_store.create, copy)
        try:
            await self.session_store.save(held.session)
        except StorageError:
            await asyncio.to_thread(held.release)
            raise
        chat = self.open_chats.chat_of(held)
        await asyncio.to_thread(self.current.prepare, chat)
        await self.current.show(chat)
        title = f"“{line_text(before.title)}”" if before.title else before.id
        self.say(
            f"This is a session of its own now, with {counted(len(cut.messages), 'message')} of {title}, which stays "
            f"as it is: /resume {before.id} goes back to it."
        )

    # -- what is done to a branch

    def name_before(self, message_id: str) -> tuple[str, str]:
        self._chat.open_session.refuse_if_read_only()
        self._written(message_id)
        start = self._written(branch_start(self._chat.with_growing(), message_id))
        return start.id, start.name

    def name(self, message_id: str, name: str) -> str:
        start, _ = self.name_before(message_id)
        before, name = self._chat.tree_steps.name_branch(self._chat.open_session, start, name_of(name)), name_of(name)
        self.current.change(self._chat.session)
        if name:
            return f"The branch is called “{line_text(name)}” now."
        return "The branch has no name any more." if before else "The branch has no name."

    def prune(self, message_id: str) -> str:
        self._chat.open_session.refuse_if_read_only()
        self._written(message_id)
        self._refuse_while_running()
        count = self.messages.delete(message_id)
        self.messages.tell_deletion(count)
        return f"Deleted {counted(count, 'message')}; u brings {'it' if count == 1 else 'them'} back."

    def undo(self) -> tuple[str, str]:
        self._refuse_while_running()
        is_deletion, about = self._chat.tree_steps.has_deleted_last, self.messages.last_tree_step
        words, message_id = self.messages.undo_tree_step()
        if is_deletion:
            self.say(words, about=about)
        return words, message_id
