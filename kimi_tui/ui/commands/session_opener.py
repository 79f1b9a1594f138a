"""The session to begin with, which may have to be read while the screen is there already.

What is typed and sent meanwhile is kept for it. Other actions wait, and with them all that is typed after them: it is
meant for what they open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import SessionStore
from kimi_tui.core.settings.actions import Action
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import FirstSession
from kimi_tui.ui.state.slash import Command, is_message, parse_line
from kimi_tui.ui.widgets.composer import Composer

ENDING = frozenset({"quit", "copy-or-quit"})
AT_ONCE = ENDING | {"back"}
"""Actions that need no session, beside those of the composer."""


@dataclass(eq=False)
class SessionOpener:
    opening: FirstSession | None  # what is to be read; None = nothing is
    session_store: SessionStore
    open_chats: OpenChats
    composer: Composer
    prepare: Callable[[Chat], None]  # makes what showing it takes, in a thread
    remark: Remark
    _is_over: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _waits_for_command: bool = field(default=False, init=False)
    _lines: list[str] = field(default_factory=list, init=False)

    async def read(self) -> bool:
        """Read the session, and put what has been typed meanwhile below its draft; False = it was given up.

        Raises StorageError where it cannot be read.
        """
        assert self.opening is not None
        try:
            chat = self.open_chats.chat_of(await asyncio.to_thread(self.opening.read))
            await asyncio.to_thread(self.prepare, chat)
        except KimiError:
            if self._is_over.is_set():
                return False
            raise
        if self._is_over.is_set():
            return False
        self.open_chats.begin_with(chat)
        typed = self.composer.draft
        chat.unsent.draft = "\n\n".join(text for text in (chat.unsent.draft, typed) if text)
        return True

    @property
    def is_reading(self) -> bool:
        return self.opening is not None and not self._is_over.is_set()

    async def give_up(self) -> str | None:
        """End without the session, which may take long to be read: what was typed meanwhile is kept with it.

        What comes back names the session that holds it; None = nothing was typed. StorageError where it could not be
        written.
        """
        self.end()
        self.session_store.close()
        typed = self.typed
        if self.opening is None or not is_message(typed):
            return None
        return await asyncio.to_thread(self.opening.keep_typed, typed)

    @property
    def typed(self) -> str:
        """What was submitted and typed meanwhile, without commands."""
        return "\n\n".join(line for line in (*self._lines, self.composer.draft) if is_message(line))

    def end(self) -> list[str]:
        """The session is there; what was submitted meanwhile is given."""
        self._is_over.set()
        return self._lines

    def submit(self, line: str) -> bool:
        """Keep a line that was submitted too early; False = it is not. What follows a command may be meant for it."""
        if not self.is_too_early_for("send-now"):
            return False
        self._lines.append(line)
        self._waits_for_command |= isinstance(parse_line(line), Command)
        return True

    async def ready_for(self, action: Action | None) -> bool:
        """Wait, where an action comes too early or behind a command that did; whether it did."""
        if self._is_over.is_set() or (action is not None and action.id in ENDING):
            return False
        if not self._waits_for_command and (action is None or not self.is_too_early_for(action.id)):
            return False
        await self._is_over.wait()
        return True

    def is_too_early_for(self, action_id: str) -> bool:
        """Whether an action has to wait until the session has been read; that is told then."""
        is_early = not self._is_over.is_set() and action_id not in {*AT_ONCE, *self.composer.edit_actions}
        if is_early:
            self.remark("The session is still being opened; this waits for it.")
        return is_early
