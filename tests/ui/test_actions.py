"""Every action of the registry has the one method that does it."""

from __future__ import annotations

import pytest

from kimi_tui.core.settings.actions import ACTIONS, Action, Scope
from kimi_tui.ui.commands.file_commands import FileCommands
from kimi_tui.ui.commands.message_commands import MessageCommands
from kimi_tui.ui.commands.pane_commands import PaneCommands
from kimi_tui.ui.commands.screen_commands import ScreenCommands
from kimi_tui.ui.commands.session_commands import SessionCommands
from kimi_tui.ui.commands.view_commands import ViewCommands

ON_SCREEN = [action for action in ACTIONS if action.is_command or action.in_palette or action.scope is Scope.SCREEN]


@pytest.mark.parametrize("action", ON_SCREEN, ids=lambda action: action.id)
def test_an_action_is_done_in_one_place(action: Action) -> None:
    homes = [
        home
        for home in (FileCommands, MessageCommands, PaneCommands, ScreenCommands, SessionCommands, ViewCommands)
        if hasattr(home, action.method)
    ]
    assert len(homes) == 1
