"""The prompts that Up brings back: those of the session on screen, then those of earlier ones.

What earlier sessions hold is read when the first prompt is asked for, beside everything else: no key waits for a file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import Role, Session
from kimi_tui.ui.panes.desk import Desk
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.slash import typed


class PromptHistory:
    """Goes from prompt to prompt in the composer, as long as nothing else is typed there."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        self._desk = desk
        self._chat: Chat | None = None  # for which earlier prompts were read
        self._earlier: Sequence[str] | None = ()  # None = they are being read
        self._wanted = 0  # steps that wait for them
        self._wanted_in: Session | None = None  # as it was then: a message that was sent since ends the waiting

    def recall(self, step: int) -> None:
        """Put an older (1) or a newer (-1) prompt into the composer, which is empty or holds the one before."""
        chat, composer = self._desk.chat, self._desk.composer
        if chat is not self._chat:
            self._chat, self._earlier, self._wanted = chat, None, 0
            self._desk.run_later(self._read(chat), keys_wait=False)
        prompts = list(dict.fromkeys(self._prompts(chat)))
        place = (prompts.index(composer.draft) if composer.draft in prompts else -1) + step
        is_beyond = place >= len(prompts) and self._earlier is None
        self._wanted, self._wanted_in = self._wanted + step if is_beyond else 0, chat.session
        if prompts and not is_beyond:
            self._show(prompts[min(place, len(prompts) - 1)] if place >= 0 else "")

    def _show(self, prompt: str) -> None:
        composer = self._desk.composer
        composer.recalled = prompt
        if composer.draft != prompt:
            composer.exchange(prompt)

    def _prompts(self, chat: Chat) -> Iterator[str]:
        yield from (typed(message.content) for message in reversed(chat.session.messages) if message.role is Role.USER)
        yield from map(typed, self._earlier or ())

    async def _read(self, chat: Chat) -> None:
        try:
            earlier = await asyncio.to_thread(self._desk.services.library.recent_prompts)
        except StorageError:  # what needs the folder says so; here there is no more to offer
            earlier = ()
        if chat is not self._chat:
            return
        self._earlier, wanted = earlier, self._wanted
        is_untouched = self._desk.composer.draft in {"", self._desk.composer.recalled} and not chat.queued
        if wanted and is_untouched and chat is self._desk.chat and chat.session is self._wanted_in:
            self.recall(wanted)
