"""The prompts that Up brings back: one that waits, those of the session on screen, then those of earlier ones.

What earlier sessions hold is read when the first prompt is asked for, beside everything else: no key waits for a file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import Role, Session
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import RunLater
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.slash import typed
from kimi_tui.ui.widgets.composer import Composer


class PromptHistory:
    """Goes from prompt to prompt in the composer, as long as nothing else is typed there."""

    def __init__(
        self,
        composer: Composer,
        drafts: Drafts,
        open_chats: OpenChats,
        *,
        recent: Callable[[], Sequence[str]],
        show_queue: Callable[[], None],
        run_later: RunLater,
    ) -> None:
        """Begin with nothing recalled.

        Args:
            composer: Where prompts are put.
            drafts: What it holds.
            open_chats: The session on screen.
            recent: Reads the prompts of earlier sessions; may take long, and raise StorageError.
            show_queue: Shows the messages that wait.
            run_later: Does that reading.
        """
        self._composer, self._drafts, self._open_chats = composer, drafts, open_chats
        self._recent, self._show_queue, self._run_later = recent, show_queue, run_later
        self._chat: Chat | None = None  # for which earlier prompts were read
        self._earlier: Sequence[str] | None = ()  # None = they are being read
        self._wanted = 0  # steps that wait for them
        self._wanted_in: Session | None = None  # as it was then: a message that was sent since ends the waiting

    def recall(self, step: int) -> None:
        """Bring the waiting message back into the empty composer, else an older (1) or a newer (-1) prompt."""
        composer, chat = self._composer, self._open_chats.current
        if composer.draft and composer.draft != composer.recalled:
            return
        if chat.queued and not composer.draft and not self._drafts.is_aside:
            composer.exchange(typed(chat.queued.pop()))
            self._show_queue()
        else:
            self._step(chat, step)

    def _step(self, chat: Chat, step: int) -> None:
        """Go on from the prompt that is there, or from the empty composer."""
        if chat is not self._chat:
            self._chat, self._earlier, self._wanted = chat, None, 0
            self._run_later(self._read(chat), keys_wait=False)
        prompts, draft = list(dict.fromkeys(self._prompts(chat))), self._composer.draft
        place = (prompts.index(draft) if draft in prompts else -1) + step
        is_beyond = place >= len(prompts) and self._earlier is None
        self._wanted, self._wanted_in = self._wanted + step if is_beyond else 0, chat.session
        if prompts and not is_beyond:
            self._show(prompts[min(place, len(prompts) - 1)] if place >= 0 else "")

    def _show(self, prompt: str) -> None:
        self._composer.recalled = prompt
        if self._composer.draft != prompt:
            self._composer.exchange(prompt)

    def _prompts(self, chat: Chat) -> Iterator[str]:
        yield from (typed(message.content) for message in reversed(chat.session.messages) if message.role is Role.USER)
        yield from map(typed, self._earlier or ())

    async def _read(self, chat: Chat) -> None:
        try:
            earlier = await asyncio.to_thread(self._recent)
        except StorageError:  # what needs the folder says so; here there is no more to offer
            earlier = ()
        if chat is not self._chat:
            return
        self._earlier, wanted = earlier, self._wanted
        is_untouched = self._composer.draft in {"", self._composer.recalled} and not chat.queued
        if wanted and is_untouched and chat is self._open_chats.current and chat.session is self._wanted_in:
            self._step(chat, wanted)
