"""Commands that open panes, and what is asked of a pane while another place has the keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kimi_tui.core.errors import UsageError
from kimi_tui.core.settings.settings import PANES
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.commands.target import Target
from kimi_tui.ui.panes.prompt_source import FORMS, STEPS, PromptSource
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.callbacks import Push, Remark
from kimi_tui.ui.state.running_replies import Running

MAX_DIGITS = 6
WIDTH_STEP = 4
"""In cells."""


@dataclass(eq=False)
class PaneCommands:
    panes: SidePanes
    prompts: PromptSource
    target: Target
    type_here: Callable[[], None]  # gives the composer the keys
    push: Push
    remark: Remark

    def rows(self) -> Rows:
        return {
            **{name: partial(self._toggle, name) for name in PANES},
            "wider": partial(self._widen, WIDTH_STEP),
            "narrower": partial(self._widen, -WIDTH_STEP),
            "show-reasoning": self._show_reasoning,
            "show-request": self._show_request,
            "filter-sessions": self._filter_sessions,
            "diff": self._compare_inputs,
            **{
                action_id: partial(self._act, "sessions", action_id) for action_id in ("open-session", "rename-session")
            },
            **{action_id: partial(self._act, "settings", action_id) for action_id in ("reset-field", "unset-field")},
            **{action_id: partial(self._copy, action_id) for action_id in FORMS},
            **{action_id: partial(self._step, by) for action_id, by in STEPS.items()},
        }

    def _toggle(self, name: str) -> None:
        if not self.panes.toggle(name):
            self.type_here()

    def _widen(self, columns: int) -> None:
        if not self.panes.widen(columns):
            words = "No pane stands beside the conversation."
            self.remark(f"{words} Open one, or make the window larger, to resize it.", words)

    def _show_reasoning(self) -> None:
        """The chosen message stays chosen."""
        chosen = self.target.cursor.chosen
        self.panes.show_pane("reasoning")
        self.target.cursor.choose(chosen)
        self.panes.bring_up_to_date("reasoning")

    def _show_request(self) -> None:
        """Of a reply that is being written, the one that was sent last."""
        reply = self.target.chat.reply_at(self.target.cursor.chosen)
        if reply is None:
            raise UsageError("There is no reply here whose request could be shown.")
        if isinstance(reply, Running):
            self.prompts.show_running()
        else:
            self.prompts.show_past(reply.id)
        self.panes.show_pane("prompt")
        self.panes.bring_up_to_date("prompt")

    def _step(self, by: int) -> None:
        """Show the request before or after the one that the pane shows, or showed last."""
        if self.prompts.step(by):
            self.panes.show_pane("prompt")
            self.panes.bring_up_to_date("prompt")

    def _filter_sessions(self) -> None:
        self.panes.show_pane("sessions")
        if (panel := self.panes.in_view("sessions")) is not None:
            panel.call_after_refresh(panel.acts["filter-sessions"])

    def _act(self, name: str, action_id: str) -> None:
        """A pane that is not in view is only shown: where its cursor stands is to be seen first."""
        panel = self.panes.in_view(name)
        self.panes.show_pane(name)
        if panel is not None:
            panel.acts[action_id]()

    def _copy(self, action_id: str) -> None:
        """Copy the input that the pane shows, else that of the next turn."""
        panel = self.panes.in_view("prompt")
        if panel is not None:
            panel.acts[action_id]()
        else:
            self.prompts.copy_as(FORMS[action_id])

    def _compare_inputs(self, argument: str) -> None:
        """Compare the input that the prompt pane shows, or the next one, with that of a past request.

        It begins with the last request; with the one that the argument names, by its number back or its reply.
        """
        comparing = self.prompts.comparing(is_next=self.panes.in_view("prompt") is None)
        if comparing is None:
            return
        word = argument.strip()
        if comparing.requests.at(0) is None:
            raise UsageError("There is no past request here to compare with.")
        is_number = word.isascii() and word.isdigit() and len(word) <= MAX_DIGITS
        index = int(word) - 1 if is_number else comparing.requests.index_of(word) if word else 0
        if index is None or comparing.requests.at(index) is None:
            allowed = "the number of a past request, 1 being the last, or a reply's id such as m4"
            raise UsageError(f"/diff: found {word!r}, allowed {allowed}.")
        from kimi_tui.ui.screens.diff_screen import DiffScreen  # noqa: PLC0415 - most commands do not need it

        self.push(DiffScreen(comparing, index))
