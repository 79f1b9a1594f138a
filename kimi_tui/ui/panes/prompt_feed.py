"""The prompt pane at work: shows an input anew as one types, a large one as soon as it has been made."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import ClassVar

from textual.timer import Timer

from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.panes.next_input import Make
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.prompt_pane import PromptPane
from kimi_tui.ui.panes.prompt_source import FORMS, STEPS, Form, PromptSource

DELAY_S = 0.08
LARGE_PROMPT = 200_000
"""With more characters to write, the prompt is made off the event loop: keys come first."""


class PromptPanel(PromptPane, Panel):
    scope: ClassVar[Scope] = Scope.PROMPT

    def __init__(self, source: PromptSource) -> None:
        super().__init__(id="prompt-pane")
        self._source = source
        self.acts = {action_id: partial(self._copy, form) for action_id, form in FORMS.items()}
        self._is_making = False  # off the event loop
        self._is_stale = False  # what is being made
        self._timer: Timer | None = None

    def draft_changed(self) -> None:
        """The input of the next turn is shown when typing pauses."""
        if self._source.draft_changed() and self._timer is None:
            self._timer = self.set_timer(DELAY_S, self._refresh_late)

    def _refresh_late(self) -> None:
        self._timer = None
        self.refresh_pane()

    def refresh_pane(self) -> None:
        """A large input is shown as soon as it has been made; what cannot be made is told."""
        self._is_stale = True
        if not self._is_making:  # else it is made once more after that
            self._refresh()

    def _refresh(self) -> None:
        self._is_stale = False
        plan = self._source.plan()
        if plan is None:
            return
        make, title = plan
        if self._source.chars() > LARGE_PROMPT:
            self._is_making = True
            self.run_worker(self._show_later(make, title), group="prompt", exit_on_error=False)
        else:
            self.show(make(), title)

    async def _show_later(self, make: Make, title: str) -> None:
        try:
            view = await asyncio.to_thread(make)
        finally:
            self._is_making = False
        if self._is_stale:
            self._refresh()
        else:
            self.show(view, title)

    @property
    def idle_actions(self) -> frozenset[str]:
        """Ids of actions that have no other request to show."""
        return frozenset(action_id for action_id, by in STEPS.items() if not self._source.can_step(by))

    def _copy(self, form: Form) -> None:
        self._source.copy_as(form, self.view)
