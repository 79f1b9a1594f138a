"""Commands on how the model thinks: the answer at once, and how much may be thought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.wire.thinking_budget import ALLOWED, NO_BUDGET, parse_budget
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services

ONCE = "once"


@dataclass(eq=False)
class ThinkingCommands:
    services: Services
    open_chats: OpenChats
    change: Callable[[Session], None]  # takes the changed session
    changed: Callable[[], None]  # shows what holds for the next turn
    say: Say

    def rows(self) -> Rows:
        return {"answer-now": self._answer_now, "budget": self._budget}

    def _answer_now(self) -> None:
        turn = self.open_chats.current.turn
        if turn is None or not turn.reply.is_thinking or not turn.cut():
            raise UsageError(
                "Nothing is being thought.", "It ends the thinking of a running reply, which answers then."
            )

    def _budget(self, argument: str) -> None:
        """Limit the thinking of this session, with "once" of the next reply alone; "" = say what holds."""
        chat, (text, _, scope) = self.open_chats.current, argument.strip().lower().partition(" ")
        if not text:
            budget = chat.next_budget or self.services.budget(chat.session)
            self.say(f"Thinking budget: {budget}. /budget 500 (tokens), /budget 20s or /budget off sets it.")
            return
        try:
            budget = parse_budget(text)
        except ValueError:
            raise UsageError(f"Found {text!r}, allowed {ALLOWED}.", "/budget 500 once is for the next reply.") from None
        if scope.strip() not in {"", ONCE}:
            raise UsageError(f"Behind a budget stands {ONCE} or nothing, not {scope.strip()!r}.")
        if scope:
            chat.next_budget = budget
            self.changed()
            self.say(f"Thinking budget of the next reply: {budget}.")
            return
        chat.next_budget = None
        settings, session = self.services.settings, chat.session
        is_default = budget == parse_budget(settings.chat.thinking_budget)
        value = None if is_default else int(text) if budget.tokens is not None else text
        self.change(settings_changes.with_budget(session, value))
        self.say(f"Thinking budget of this session: {budget}." if budget != NO_BUDGET else "No thinking budget.")
