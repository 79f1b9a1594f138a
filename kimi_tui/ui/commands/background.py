"""What commands do now, and what they leave for later: where it goes wrong, that is told in the conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from kimi_tui.core.errors import KimiError
from kimi_tui.ui.keys.input_order import COMMANDS
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.entries import about, error_text

Done = Awaitable[None] | None
"""What is left to be done; None = nothing is."""


def _nothing() -> None:
    pass


class Background:
    def __init__(self, run: Callable[[Coroutine[Any, Any, None], str], object], say: Say) -> None:
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

    def later(self, work: Awaitable[None], failed: Callable[[], None] = _nothing, *, keys_wait: bool = True) -> None:
        """See `RunLater`."""
        self._run(self._carry_out(work, failed), COMMANDS if keys_wait else "beside")

    async def _carry_out(self, work: Awaitable[None], failed: Callable[[], None]) -> None:
        try:
            await work
        except KimiError as error:
            self._fail(error, failed)

    def _fail(self, error: KimiError, failed: Callable[[], None]) -> None:
        self._say(error_text(error), "error", about=about(error))
        failed()
