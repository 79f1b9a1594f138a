"""The settings of one session, each edited in place: request fields, mode, preset and system prompt."""

from kimi_tui.ui.widgets.settings_pane.pane import SettingsPane

__all__ = ["SettingsPane"]
