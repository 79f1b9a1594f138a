"""Commands that open panes, and what is asked of a pane while another place has the keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Role
from kimi_tui.core.settings.settings import PANES
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.panes.prompt_pane import FORMS
from kimi_tui.ui.panes.prompt_source import PromptSource
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.transcript.transcript_widget import Transcript

WIDTH_STEP = 4
"""How much wider or narrower a pane gets at a time, in cells."""


class PaneCommands:
    """Opens panes, and brings those that are not in view there first."""

    def __init__(
        self,
        panes: SidePanes,
        prompts: PromptSource,
        transcript: Transcript,
        open_chats: OpenChats,
        *,
        type_here: Callable[[], None],
        remark: Remark,
    ) -> None:
        """Be ready.

        Args:
            panes: The panes.
            prompts: The exact inputs.
            transcript: The conversation.
            open_chats: The session on screen.
            type_here: Gives the composer the keys.
            remark: Says that there is nothing to resize.
        """
        self._panes, self._prompts, self._transcript, self._open_chats = panes, prompts, transcript, open_chats
        self._type_here, self._remark = type_here, remark

    def rows(self) -> Rows:
        """What does what."""
        return {
            **{name: partial(self._toggle, name) for name in PANES},
            "wider": partial(self._widen, WIDTH_STEP),
            "narrower": partial(self._widen, -WIDTH_STEP),
            "show-reasoning": self._show_reasoning,
            "show-request": self._show_request,
            "filter-sessions": self._filter_sessions,
            **{
                action_id: partial(self._act, "sessions", action_id) for action_id in ("open-session", "rename-session")
            },
            **{action_id: partial(self._act, "settings", action_id) for action_id in ("reset-field", "unset-field")},
            **{action_id: partial(self._copy, action_id) for action_id in FORMS},
        }

    def _toggle(self, name: str) -> None:
        if not self._panes.toggle(name):
            self._type_here()

    def _widen(self, columns: int) -> None:
        if not self._panes.widen(columns):
            self._remark("There is no side pane to resize; open one first.", "There is no side pane to resize.")

    def _show_reasoning(self) -> None:
        """Show the reasoning of the chosen message, which stays chosen."""
        chosen = self._transcript.chosen
        self._panes.show_pane("reasoning")
        self._transcript.choose(chosen)
        self._panes.bring_up_to_date("reasoning")

    def _show_request(self) -> None:
        message = self._open_chats.current.target(self._transcript.chosen)
        if message is None or message.role is not Role.ASSISTANT:
            raise UsageError("Only a reply has a request.")
        self._prompts.past = message.id
        self._panes.show_pane("prompt")
        self._panes.bring_up_to_date("prompt")

    def _filter_sessions(self) -> None:
        self._panes.show_pane("sessions")
        if (panel := self._panes.in_view("sessions")) is not None:
            panel.call_after_refresh(panel.acts["filter-sessions"])

    def _act(self, name: str, action_id: str) -> None:
        """Do something where a pane's cursor stands; a pane that is not in view is only shown: it is to be seen."""
        panel = self._panes.in_view(name)
        self._panes.show_pane(name)
        if panel is not None:
            panel.acts[action_id]()

    def _copy(self, action_id: str) -> None:
        """Copy the input that the pane shows, else that of the next turn."""
        panel = self._panes.in_view("prompt")
        if panel is not None:
            panel.acts[action_id]()
        else:
            self._prompts.copy_as(FORMS[action_id])
