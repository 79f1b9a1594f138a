"""The settings pane at work: shows what the session sends, and changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.message import Message

from kimi_tui.core.errors import KimiError
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.actions import BY_ID, Scope
from kimi_tui.core.settings.field_text import field_named_in
from kimi_tui.core.settings.settings_view import settings_view
from kimi_tui.ui.panes.desk import Desk
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.settings_pane import messages
from kimi_tui.ui.panes.settings_pane.settings_widget import SettingsPane


class SettingsPanel(SettingsPane, Panel):
    """Keeps the session's settings in view."""

    scope: ClassVar[Scope] = Scope.SETTINGS
    """What its keys mean."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        super().__init__(keys=desk.keyboard.table.keys, id="settings-pane")
        self._desk = desk

    def come_into_view(self) -> None:
        """Begin at the field that was spoken of last in the conversation, else at the first row."""
        notices = self._desk.chat.notices
        self.begin_at(field_named_in(notices[-1].entry.text) if notices else "")

    def refresh_pane(self) -> None:
        """Show the settings as they are now."""
        self.show(settings_view(self._desk.services.settings, self._desk.chat.session))

    def _change(self, event: Message, change: Callable[[Session], Session]) -> None:
        event.stop()
        try:
            self._desk.change(change(self._desk.chat.session))
        except KimiError as error:
            self._desk.say_error(error)

    @on(messages.HintsChanged)
    def _hints_changed(self, event: messages.HintsChanged) -> None:
        """Have the footer say what keys do now."""
        event.stop()
        self._desk.refresh_hints()

    @on(messages.SettingChanged)
    def _setting_changed(self, event: messages.SettingChanged) -> None:
        settings = self._desk.services.settings
        self._change(event, lambda session: settings_changes.with_setting(settings, session, event.name, event.value))

    @on(messages.SettingReset)
    def _setting_reset(self, event: messages.SettingReset) -> None:
        settings = self._desk.services.settings
        self._change(event, lambda session: settings_changes.without_own(settings, session, event.name))

    @on(messages.ActionRequested)
    def _action_requested(self, event: messages.ActionRequested) -> None:
        event.stop()
        self._desk.perform(BY_ID[event.action_id], event.argument)

    @on(messages.PresetRenameRequested)
    def _preset_rename_requested(self, event: messages.PresetRenameRequested) -> None:
        event.stop()
        self._desk.rename_preset(event.old, event.new)
