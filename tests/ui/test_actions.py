"""Every action of the registry has its row in the one table of what does them, which can be called as it will be."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path

from kimi_tui.core.settings.actions import ACTIONS
from kimi_tui.ui.app.chat_screen import ChatScreen
from tests.ui.program import prepare


async def test_every_action_is_a_row_of_the_table(tmp_path: Path) -> None:
    async with prepare(tmp_path).app.run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, ChatScreen)
        rows: Mapping[str, object] = screen.dispatcher.rows
        assert sorted(rows) == sorted(action.id for action in ACTIONS)
        for action in ACTIONS:
            row = rows[action.id]
            assert callable(row)
            signature(row).bind(*([""] if action.argument else []))
