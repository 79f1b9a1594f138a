"""From an action to what does it, now or later, and what is told when it cannot be done or goes wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from kimi_tui.core.errors import KimiError
from kimi_tui.core.settings.actions import BY_ID, Action, Need
from kimi_tui.ui.commands import situation
from kimi_tui.ui.keys.input_order import COMMANDS
from kimi_tui.ui.state.callbacks import Remark, Say
from kimi_tui.ui.state.entries import about, error_text
from kimi_tui.ui.state.notices import REFUSED

Done = Awaitable[object] | None
"""What is left to be done; None = nothing is."""
Rows = Mapping[str, Callable[..., Done]]
"""What does each action, by its id: called with the text behind its slash command where it takes an argument.

Which do, the registry says; the others are called with nothing. What cannot be done raises a KimiError.
"""


def _nothing() -> None:
    pass


class Background:
    def __init__(self, run: Callable[[Awaitable[None], str], object], say: Say) -> None:
        """`run` takes a coroutine and the group of its worker."""
        self._run, self._say = run, say

    def attempt(self, work: Callable[[], Done], failed: Callable[[], None] = _nothing) -> None:
        """Do something now, and later what it leaves for later; `failed` is called where it raised a KimiError."""
        try:
            later = work()
        except KimiError as error:
            self._fail(error, failed)
        else:
            if later is not None:
                self.later(later, failed)

    def later(self, work: Awaitable[object], failed: Callable[[], None] = _nothing, *, keys_wait: bool = True) -> None:
        """See `RunLater`."""
        self._run(self._carry_out(work, failed), COMMANDS if keys_wait else "beside")

    async def _carry_out(self, work: Awaitable[object], failed: Callable[[], None]) -> None:
        try:
            await work
        except KimiError as error:
            self._fail(error, failed)

    def _fail(self, error: KimiError, failed: Callable[[], None]) -> None:
        self._say(error_text(error), "error", about=about(error))
        failed()


@dataclass(eq=False)
class Dispatcher:
    make_rows: Callable[[], Rows]  # makes the one table of all actions, with the first of them
    offers: Callable[[], set[Need]]  # gives what there is for actions to work on
    is_too_early: Callable[[str], bool]
    """Says of an action whether it has to wait for the session to be there, which is told then."""
    ask: Callable[[Action], None]  # lets the argument of an action be typed
    background: Background
    say: Say
    remark: Remark

    @cached_property
    def rows(self) -> Rows:
        return self.make_rows()

    def choose(self, action_id: str) -> None:
        """Do an action without an argument, as a key or the palette asks; one that needs it asks for it."""
        action = BY_ID[action_id]
        if self.is_too_early(action_id):
            return
        if refusal := situation.refusal(action, self.offers()):
            self._remark_refusal(refusal)  # a key that does nothing now is worth a word
        elif action.runs_alone:
            self._do(action, "")
        else:
            self.ask(action)

    def perform(self, action_id: str, argument: str = "", failed: Callable[[], None] = _nothing) -> None:
        """Do an action; that it cannot be done now, and what goes wrong, is told in the conversation.

        `argument` is what stood behind its slash command; `failed` is called where it went wrong.
        """
        action = BY_ID[action_id]
        if self.is_too_early(action_id):
            failed()
            return
        refusal = situation.refusal(action, self.offers())
        if not refusal:
            self._do(action, argument, failed)
        elif action.need is Need.NOTICE:  # that there are no notices is no notice
            self._remark_refusal(refusal)
        else:
            self.say(refusal, "warning", about=REFUSED)
            failed()

    def _do(self, action: Action, argument: str, failed: Callable[[], None] = _nothing) -> None:
        row = self.rows[action.id]
        self.background.attempt(partial(row, argument) if action.argument else row, failed)

    def _remark_refusal(self, refusal: str) -> None:
        why = refusal.partition(": ")[2]
        self.remark(refusal, f"{why[:1].upper()}{why[1:]}")
