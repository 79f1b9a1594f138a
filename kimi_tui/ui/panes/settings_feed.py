"""The settings pane at work: shows what the session sends, and changes it, or what is saved for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.field_text import field_named_in
from kimi_tui.core.settings.keymap import Keys
from kimi_tui.core.settings.settings_view import settings_view
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.settings_pane import edits
from kimi_tui.ui.panes.settings_pane.editor import LookAtForm
from kimi_tui.ui.panes.settings_pane.settings_widget import SettingsPane
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.entries import about, error_text
from kimi_tui.ui.state.open_chats import OpenChats


class SettingsPanel(SettingsPane, Panel):
    scope: ClassVar[Scope] = Scope.SETTINGS

    def __init__(
        self,
        store: SettingsStore,
        open_chats: OpenChats,
        *,
        perform: Callable[[str, str], None],
        rename_preset: Callable[[str, str], None],
        change: Callable[[Session], None],
        say: Say,
        keys: Keys,
        look_at_form: LookAtForm | None = None,
    ) -> None:
        """`store` holds the settings below the session's own; `perform` does an action with an argument.

        `rename_preset` gives the preset of the first name the second; `change` takes the changed session; `say` tells
        why something cannot be set.
        """
        super().__init__(self._take, keys=keys, look_at_form=look_at_form, id="settings-pane")
        self._store, self._open_chats = store, open_chats
        self._perform, self._rename_preset = perform, rename_preset
        self._change, self._say_in_conversation = change, say
        self.acts = {"reset-field": self.do_reset_field, "unset-field": self.do_unset_field}

    def come_into_view(self) -> None:
        """Begin at the field that was spoken of last in the conversation, else at the first row."""
        notices = self._open_chats.current.notices
        self.begin_at(field_named_in(str(notices[-1].entry.text)) if notices else "")

    def refresh_pane(self) -> None:
        self.show(settings_view(self._store.value, self._open_chats.current.session))

    def _take(self, change: edits.Change) -> None:
        settings, session = self._store.value, self._open_chats.current.session
        try:
            match change:
                case edits.SettingChanged(name, value):
                    self._change(settings_changes.with_setting(settings, session, name, value))
                case edits.SettingReset(name):
                    self._change(settings_changes.without_own(settings, session, name))
                case edits.ActionRequested(action_id, argument):
                    self._perform(action_id, argument)
                case edits.PresetRenamed(old, new):
                    self._rename_preset(old, new)
        except KimiError as error:
            self._say_in_conversation(error_text(error), "error", about=about(error))
