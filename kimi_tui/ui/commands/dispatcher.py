"""From an action to the method that does it, and what is said when it cannot be done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property

from kimi_tui.core.errors import KimiError
from kimi_tui.core.settings.actions import BY_ID, Action, Need
from kimi_tui.ui.commands import situation
from kimi_tui.ui.panes.desk import Desk


class Dispatcher:
    """Does actions."""

    def __init__(self, desk: Desk, make_homes: Callable[[], Sequence[object]]) -> None:
        """Look for methods in homes, which are made with the first action; every action has exactly one."""
        self._desk, self._make_homes = desk, make_homes

    @cached_property
    def _homes(self) -> Sequence[object]:
        return self._make_homes()

    def choose(self, action_id: str) -> None:
        """Do an action without an argument, as a key or the palette asks; one that needs it asks for it."""
        action = BY_ID[action_id]
        refusal = situation.refusal(action, self._desk.offers())
        if refusal:
            self._remark(refusal)  # a key that does nothing now is worth a word
        elif action.runs_alone:
            self.perform(action, "")
        else:
            session = self._desk.chat.session
            suggestions = {"rename": session.title, "system": session.system or ""}
            self._desk.drafts.begin_argument(action, suggestions.get(action_id, ""))

    def perform(self, action: Action, argument: str, failed: Callable[[], None] = lambda: None) -> None:
        """Do an action; that it cannot be done now, and what goes wrong, is told in the conversation.

        Args:
            action: The action.
            argument: What stood behind its slash command.
            failed: Is called where it went wrong.
        """
        refusal = situation.refusal(action, self._desk.offers())
        if refusal:
            if Need.NOTICE in action.needs:  # that there are no notices is no notice
                self._remark(refusal)
            else:
                self._desk.say(refusal, "warning")
                failed()
            return
        home = next(home for home in self._homes if hasattr(home, action.method))
        self.attempt(lambda: getattr(home, action.method)(argument), failed)

    def _remark(self, refusal: str) -> None:
        why = refusal.partition(": ")[2]
        self._desk.remark(refusal, f"{why[:1].upper()}{why[1:]}")

    def attempt(self, work: Callable[[], Awaitable[None] | None], failed: Callable[[], None] = lambda: None) -> None:
        """Do something now, and later what it leaves for later; what goes wrong is told in the conversation."""
        try:
            later = work()
        except KimiError as error:
            self._desk.say_error(error)
            failed()
            return
        if later is not None:
            self._desk.run_later(later, failed)

    async def carried_out(self, work: Awaitable[None], failed: Callable[[], None] = lambda: None) -> None:
        """Wait for work to be done; what goes wrong is told in the conversation."""
        try:
            await work
        except KimiError as error:
            self._desk.say_error(error)
            failed()
