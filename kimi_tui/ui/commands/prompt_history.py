"""The prompts that Up brings back: one that waits, those of the session on screen, then those of earlier ones.

What earlier sessions hold is read when the first prompt is asked for, beside everything else: no key waits for a file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import Role, Session
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import RunLater
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.slash import typed
from kimi_tui.ui.widgets.composer import Composer


@dataclass(eq=False)
class PromptHistory:
    """Goes from prompt to prompt in the composer, as long as nothing else is typed there."""

    composer: Composer
    drafts: Drafts
    open_chats: OpenChats
    recent: Callable[[], Sequence[str]]  # reads the prompts of earlier sessions; may take long, and raise StorageError
    show_queue: Callable[[], None]  # shows the messages that wait
    run_later: RunLater
    _refused: dict[tuple[str, str | None], list[str]] = field(default_factory=dict, init=False)
    """Commands that were not done, by their session and the question that was asked last then."""
    _chat: Chat | None = field(default=None, init=False)
    _earlier: Sequence[str] | None = field(default=(), init=False)
    _wanted: int = field(default=0, init=False)
    _wanted_in: Session | None = field(default=None, init=False)

    def note_refused(self, line: str) -> None:
        """Keep a command that was not done: what is typed next takes its place in the composer."""
        session = self.open_chats.current.session
        asked = [message.id for message in session.messages if message.role is Role.USER]
        self._refused.setdefault((session.id, asked[-1] if asked else None), []).append(line)

    def recall(self, step: int) -> None:
        """Bring the waiting message back into the empty composer, else an older (1) or a newer (-1) prompt."""
        composer, chat = self.composer, self.open_chats.current
        if composer.draft and composer.draft != composer.recalled:
            return
        if chat.unsent.queued and not composer.draft and not self.drafts.is_aside:
            composer.put(typed(chat.unsent.queued.pop()))
            self.show_queue()
        else:
            self._step(chat, step)

    def _step(self, chat: Chat, step: int) -> None:
        if chat is not self._chat:
            self._chat, self._earlier, self._wanted = chat, None, 0
            self.run_later(self._read(chat), keys_wait=False)
        prompts, draft = list(dict.fromkeys(self._prompts(chat))), self.composer.draft
        place = (prompts.index(draft) if draft in prompts else -1) + step
        is_beyond = place >= len(prompts) and self._earlier is None
        self._wanted, self._wanted_in = self._wanted + step if is_beyond else 0, chat.session
        if prompts and not is_beyond:
            self._show(prompts[min(place, len(prompts) - 1)] if place >= 0 else "")

    def _show(self, prompt: str) -> None:
        self.composer.recalled = prompt
        if self.composer.draft != prompt:
            self.composer.put(prompt)

    def _prompts(self, chat: Chat) -> Iterator[str]:
        session = chat.session
        for message in reversed(session.messages):
            if message.role is Role.USER:
                yield from reversed(self._refused.get((session.id, message.id), ()))
                yield typed(message.content)
        yield from reversed(self._refused.get((session.id, None), ()))
        yield from map(typed, self._earlier or ())

    async def _read(self, chat: Chat) -> None:
        try:
            earlier = await asyncio.to_thread(self.recent)
        except StorageError:  # what needs the folder says so; here there is no more to offer
            earlier = ()
        if chat is not self._chat:
            return
        self._earlier, wanted = earlier, self._wanted
        is_untouched = self.composer.draft in {"", self.composer.recalled} and not chat.unsent.queued
        if wanted and is_untouched and chat is self.open_chats.current and chat.session is self._wanted_in:
            self._step(chat, wanted)
