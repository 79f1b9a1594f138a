"""The settings pane at work: shows what the session sends, and changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.message import Message

from kimi_tui.core.errors import KimiError
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import with_system
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

    @on(messages.FieldSet)
    def _field_set(self, event: messages.FieldSet) -> None:
        """Set a field."""
        self._change(event, lambda session: settings_changes.with_field(session, event.name, event.value))

    @on(messages.FieldReset)
    def _field_reset(self, event: messages.FieldReset) -> None:
        """Take back what the session sets."""
        settings = self._desk.services.settings
        self._change(event, lambda session: settings_changes.without_own(settings, session, event.name))

    @on(messages.AllResetRequested)
    def _all_reset_requested(self, event: messages.AllResetRequested) -> None:
        """Take back all that the session sets."""
        self._change(event, settings_changes.without_any_own)

    @on(messages.ThinkingChanged)
    def _thinking_changed(self, event: messages.ThinkingChanged) -> None:
        """Switch between thinking and instant."""
        self._change(event, lambda session: settings_changes.with_thinking(session, thinking=event.thinking))

    @on(messages.PresetChosen)
    def _preset_chosen(self, event: messages.PresetChosen) -> None:
        """Choose a preset."""
        settings = self._desk.services.settings
        self._change(event, lambda session: settings_changes.with_preset(settings, session, event.name))

    @on(messages.SystemChanged)
    def _system_changed(self, event: messages.SystemChanged) -> None:
        """Set the system prompt."""
        self._change(event, lambda session: with_system(session, event.text))

    @on(messages.PresetSaveRequested)
    def _preset_save_requested(self, event: messages.PresetSaveRequested) -> None:
        """Save what the session sends as a preset."""
        event.stop()
        self._desk.perform(BY_ID["save-preset"], event.name)

    @on(messages.PresetRenameRequested)
    def _preset_rename_requested(self, event: messages.PresetRenameRequested) -> None:
        """Rename a preset."""
        event.stop()
        self._desk.rename_preset(event.old, event.new)

    @on(messages.PresetDeleteRequested)
    def _preset_delete_requested(self, event: messages.PresetDeleteRequested) -> None:
        """Delete a preset."""
        event.stop()
        self._desk.perform(BY_ID["delete-preset"], event.name)

    @on(messages.DefaultRequested)
    def _default_requested(self, event: messages.DefaultRequested) -> None:
        """Let new sessions begin so."""
        event.stop()
        self._desk.perform(BY_ID["make-default"], "")
