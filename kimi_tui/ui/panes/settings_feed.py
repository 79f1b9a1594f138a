"""The settings pane at work: shows what the session sends, and changes it, or what is saved for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from textual import on
from textual.message import Message

from kimi_tui.core.errors import KimiError
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import with_system
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.field_text import field_named_in
from kimi_tui.core.settings.keymap import Keys
from kimi_tui.core.settings.settings_view import settings_view
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.settings_pane import messages
from kimi_tui.ui.panes.settings_pane.settings_widget import SettingsPane
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.entries import error_text
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import SettingsStore


class Presets(Protocol):
    """What is saved for all sessions; each raises KimiError where it cannot be done."""

    def save(self, name: str) -> None:
        """Save what the session sends as a preset."""

    def rename(self, old: str, new: str) -> None:
        """Rename a preset."""

    def delete(self, name: str) -> None:
        """Delete a preset."""

    def make_default(self) -> None:
        """Let new sessions begin with what the session sets."""


class SettingsPanel(SettingsPane, Panel):
    """Keeps the session's settings in view."""

    scope: ClassVar[Scope] = Scope.SETTINGS

    def __init__(
        self,
        store: SettingsStore,
        open_chats: OpenChats,
        presets: Presets,
        *,
        change: Callable[[Session], None],
        say: Say,
        keys: Keys,
    ) -> None:
        """Show what is on screen.

        Args:
            store: The settings below the session's own.
            open_chats: Whose settings are shown.
            presets: What is saved for all sessions.
            change: Takes the changed session.
            say: Says why something cannot be set.
            keys: Keys by action.
        """
        super().__init__(keys=keys, id="settings-pane")
        self._store, self._open_chats, self._presets = store, open_chats, presets
        self._change, self._tell = change, say
        self.acts = {"reset-field": self.do_reset_field, "unset-field": self.do_unset_field}

    def come_into_view(self) -> None:
        """Begin at the field that was spoken of last in the conversation, else at the first row."""
        notices = self._open_chats.current.notices
        self.begin_at(field_named_in(notices[-1].entry.text) if notices else "")

    def refresh_pane(self) -> None:
        """Show the settings as they are now."""
        self.show(settings_view(self._store.value, self._open_chats.current.session))

    @on(messages.FieldSet)
    @on(messages.FieldReset)
    @on(messages.AllResetRequested)
    @on(messages.ThinkingChanged)
    @on(messages.PresetChosen)
    @on(messages.SystemChanged)
    def _setting_changed(self, event: Message) -> None:
        event.stop()
        self._attempt(lambda: self._change(self._changed(event)))

    @on(messages.PresetSaveRequested)
    @on(messages.PresetRenameRequested)
    @on(messages.PresetDeleteRequested)
    @on(messages.DefaultRequested)
    def _presets_changed(self, event: Message) -> None:
        event.stop()
        match event:
            case messages.PresetSaveRequested(name=name):
                self._attempt(lambda: self._presets.save(name))
            case messages.PresetRenameRequested(old=old, new=new):
                self._attempt(lambda: self._presets.rename(old, new))
            case messages.PresetDeleteRequested(name=name):
                self._attempt(lambda: self._presets.delete(name))
            case _:
                self._attempt(self._presets.make_default)

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except KimiError as error:
            self._tell(error_text(error), "error")

    def _changed(self, event: Message) -> Session:
        """The session with what was asked for.

        Raises:
            KimiError: It cannot be.
        """
        settings, session = self._store.value, self._open_chats.current.session
        match event:
            case messages.FieldSet(name=name, value=value):
                return settings_changes.with_field(session, name, value)
            case messages.FieldReset(name=name):
                return settings_changes.without_own(settings, session, name)
            case messages.ThinkingChanged(thinking=thinking):
                return settings_changes.with_thinking(session, thinking=thinking)
            case messages.PresetChosen(name=name):
                return settings_changes.with_preset(settings, session, name)
            case messages.SystemChanged(text=text):
                return with_system(session, text)
            case _:
                return settings_changes.without_any_own(session)
