"""Commands on how far a reply goes by itself: the answer at once, how much is thought, what follows a cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from kimi_tui.core.errors import UsageError
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.session.kept_thinking import KeptThinking, kept_words, parse_kept_thinking
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import with_thinking
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.field_text import parse_stop_words, short_text
from kimi_tui.core.settings.sampling import RequestOptions, resolve_chat
from kimi_tui.core.settings.settings import RULES
from kimi_tui.core.text.counts import counted
from kimi_tui.core.wire.thinking_budget import ALLOWED, NO_BUDGET, parse_budget
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.text import words

ONCE, OFF = "once", "off"
OVER_BUDGET_WORDS = {
    OverBudget.REFUSE: "what surely cannot fit is refused, and nothing is left out (refuse)",
    OverBudget.LEAVE_OUT: "the oldest are left out (leave-out)",
    OverBudget.KEEP_PINNED: "the oldest are left out, but for pinned messages (keep-pinned)",
}
"""What becomes of the turns, in words."""


@dataclass(eq=False)
class TurnCommands:
    services: Services
    open_chats: OpenChats
    change: Callable[[Session], None]  # takes the changed session
    changed: Callable[[], None]  # shows what holds for the next turn
    answer_edit: Callable[[], bool]  # lets the answer follow a thinking that is being edited; whether one is
    say: Say

    def rows(self) -> Rows:
        return {
            "answer-now": self._answer_now,
            "budget": self._budget,
            "auto-continue": self._auto_continue,
            "stop-at": self._stop_at,
            "kept-thinking": self._kept_thinking,
            "over-budget": self._over_budget,
        }

    def _answer_now(self) -> None:
        if self.answer_edit():
            return
        turn = self.open_chats.current.turn
        if turn is None or not turn.reply.is_thinking or not turn.cut():
            raise UsageError(
                "Nothing is being thought.", "It ends the thinking of a running reply, which answers then."
            )

    def _budget(self, argument: str) -> None:
        """Limit the thinking of this session, with "once" of the next reply alone; "" = say what holds."""
        chat, (text, _, scope) = self.open_chats.current, argument.strip().lower().partition(" ")
        if not text:
            budget = chat.next_reply.budget or self.services.budget(chat.session)
            self.say(f"Thinking budget: {budget}. /budget 500 (tokens), /budget 20s or /budget off sets it.")
            return
        try:
            budget = parse_budget(text)
        except ValueError:
            raise UsageError(
                f"/budget: found {text!r}, allowed {ALLOWED}.", "/budget 500 once is for the next reply."
            ) from None
        if scope.strip() not in {"", ONCE}:
            raise UsageError(f"Behind a budget stands {ONCE} or nothing, not {scope.strip()!r}.")
        if scope:
            chat.next_reply = replace(chat.next_reply, budget=budget)
            self.changed()
            self.say(f"Thinking budget of the next reply: {budget}.")
            return
        chat.next_reply = replace(chat.next_reply, budget=None)
        settings, session = self.services.settings, chat.session
        is_default = budget == parse_budget(settings.chat.thinking_budget)
        value = None if is_default else int(text) if budget.tokens is not None else text
        self.change(settings_changes.with_own(session, "thinking_budget", value))
        self.say(f"Thinking budget of this session: {budget}." if budget != NO_BUDGET else "No thinking budget.")

    def _auto_continue(self, argument: str) -> None:
        """Let replies that are cut by their most tokens be gone on with, so many times; "" = say what holds."""
        word, session = argument.strip(), self.open_chats.current.session
        if word:
            times = int(word) if word.isascii() and word.isdigit() and len(word) < 4 else -1
            if not RULES["chat", "auto_continue"].holds(times):
                raise UsageError(f"/auto-continue: found {word!r}, allowed {RULES['chat', 'auto_continue'].allowed}.")
            is_default = times == self.services.settings.chat.auto_continue
            self.change(settings_changes.with_own(session, "auto_continue", None if is_default else times))
        times = resolve_chat(self.services.settings, self.open_chats.current.session).auto_continue
        how_often = f"up to {counted(times, 'time')}" if times else "only when you ask (/continue)"
        self.say(f"A reply that is cut by max_new_tokens is gone on with {how_often}, in this session.")

    def _stop_at(self, argument: str) -> None:
        """Let the next reply stop at words, escaped as in the settings; "off" = at none, "" = say what holds."""
        chat = self.open_chats.current
        if argument.strip():
            words = () if argument.strip().lower() == OFF else tuple(parse_stop_words(argument))
            self.services.resolve(chat.session, RequestOptions(more_stops=words))
            chat.next_reply = replace(chat.next_reply, stops=words)
            self.changed()
            return
        held = self.services.resolve(chat.session, chat.next_reply.options).fields.get("stop", [])
        self.say(
            f"The next reply stops at {short_text('stop', held) or 'nothing'}.\n"
            '/stop-at ### "two words" \\n adds words for that reply alone; /stop-at off takes them back.'
        )

    def _kept_thinking(self, argument: str) -> None:
        """Send the thinking of earlier turns along, of so many; "" = say what holds."""
        word, session = argument.strip(), self.open_chats.current.session
        if word:
            try:
                kept = parse_kept_thinking(word)
            except ValueError:
                allowed = "none, a number of turns such as 2, or all"
                raise UsageError(f"/kept-thinking: found {word!r}, allowed {allowed}.") from None
            is_default = kept == self.services.settings.chat.kept_thinking
            self.change(settings_changes.with_own(session, "kept_thinking", None if is_default else kept))
        chat = self.open_chats.current
        kept = resolve_chat(self.services.settings, chat.session).kept_thinking
        self.say(f"The thinking of {kept_words(kept)} is sent along{self._cost_of(kept)}, in this session.")

    def _over_budget(self, argument: str) -> None:
        """Say what becomes of the oldest turns when there is no room for all; "" = say what holds."""
        word, session = argument.strip().lower(), self.open_chats.current.session
        if word:
            if word not in {*OverBudget}:
                raise UsageError(f"/over-budget: found {word!r}, allowed {RULES['chat', 'over_budget'].allowed}.")
            is_default = word == self.services.settings.chat.over_budget
            self.change(settings_changes.with_own(session, "over_budget", None if is_default else word))
        chosen = OverBudget(resolve_chat(self.services.settings, self.open_chats.current.session).over_budget)
        self.say(f"When there is no room for all turns, {OVER_BUDGET_WORDS[chosen]}, in this session.")

    def _cost_of(self, kept: KeptThinking) -> str:
        """What that takes with the next message; "" = nothing."""
        chat = self.open_chats.current
        branch = chat.branch
        ids = with_thinking(branch, kept, lambda it: not (it.excluded or it.is_only_queued))
        thinking = (message.reasoning or "" for message in branch if message.id in ids)
        tokens = chat.calibration.tokens(*thinking)
        return f" (now ~{words.count(tokens)} tok)" if tokens else ""
