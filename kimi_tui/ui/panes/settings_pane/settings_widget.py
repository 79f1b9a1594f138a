"""The settings pane: rows with a cursor, an editor in its place, and help below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Self

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from kimi_tui.core.settings.actions import ACTIONS, Scope
from kimi_tui.core.settings.settings_view import SettingsView
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.settings_pane import messages, row_actions
from kimi_tui.ui.panes.settings_pane.block_editor import NEW_LINE_KEYS
from kimi_tui.ui.panes.settings_pane.editor import Editor
from kimi_tui.ui.panes.settings_pane.editor_slot import EditorSlot
from kimi_tui.ui.panes.settings_pane.row import COLUMN_FROM_CELLS, SettingRow
from kimi_tui.ui.panes.settings_pane.row_hints import editor_hints, help_content, row_hints
from kimi_tui.ui.panes.settings_pane.row_values import RowKind, rows_of
from kimi_tui.ui.panes.settings_pane.setting_rows import MOVES, SettingRows
from kimi_tui.ui.panes.settings_pane.unsaved_edits import UnsavedEdit, UnsavedEdits

DEFAULT_KEYS: Mapping[str, tuple[str, ...]] = {
    action.id: action.keys for action in ACTIONS if action.scope is Scope.SETTINGS
}
"""The registry's keys of the pane's own actions."""


class SettingsPane(Vertical):
    """Shows what a session sends, and asks for changes by `messages`; it changes nothing itself."""

    DEFAULT_CSS = """
    SettingsPane {
        background: $background;
        & > #settings-help {
            height: 7;
            max-height: 40%;
            padding: 0 1;
            border-top: solid $panel;
            color: $text-muted;
            background: $background;
        }
        &.-narrow > #settings-help { height: 9; max-height: 45%; }
    }
    """

    def __init__(self, *, keys: Mapping[str, tuple[str, ...]] = DEFAULT_KEYS, id: str | None = None) -> None:
        """Start empty.

        Args:
            keys: Keys by action id, for the actions of this pane and "new-line"; others are ignored.
            id: The widget's id.
        """
        super().__init__(id=id)
        self.border_title = "Settings"
        self._keys = keys
        self._acts: dict[str, Callable[[], None]] = {key: partial(self._move, move) for key, move in MOVES.items()}
        self._acts |= dict.fromkeys(("enter", "space"), self._edit)
        self._acts |= dict.fromkeys(keys.get("reset-field", ()), self.do_reset_field)
        self._acts |= dict.fromkeys(keys.get("unset-field", ()), self.do_unset_field)
        self._hints = ""
        self._view: SettingsView | None = None
        self._unsaved_edits = UnsavedEdits()
        self._rows = SettingRows(id="settings-rows")
        self._slot = EditorSlot(self._rows, keys.get("new-line", NEW_LINE_KEYS), self._leave_editor)

    def compose(self) -> ComposeResult:
        """The rows, and the help."""
        yield self._rows
        yield Static(id="settings-help", markup=False)

    def on_mount(self) -> None:
        """Show what came before."""
        self._show_rows()

    # -- showing

    def show(self, view: SettingsView) -> None:
        """Show the settings of a session.

        An editor that is open stays as it is; where another session comes, what stands in it is set aside, and it is
        opened with that when its own session is shown again.
        """
        before, self._view = self._view, view
        if view == before:
            return
        is_other = before is not None and before.session_id != view.session_id
        if is_other and before is not None:
            self._set_editor_aside(before)
        if self.is_mounted:
            self._show_rows()
            if is_other:
                self._take_up_again(view)

    @property
    def is_editing(self) -> bool:
        """Whether an editor is open, so that Escape closes it."""
        return self._slot.editor is not None

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the editor that is open, else to the rows."""
        self._slot.take_focus()
        return self

    def begin_at(self, row_id: str) -> None:
        """Put the cursor on a row, or the first where there is none of that id; an editor that is open stays."""
        if not self.is_editing:
            self._rows.begin_at(row_id)
            self._say("")
            self._keep_in_view()

    def _show_rows(self) -> None:
        if self._view is not None:
            self._rows.show(rows_of(self._view, self._unsaved_edits.rows(self._view.session_id)))
            self._say("")

    def _say(self, words: str) -> None:
        """Show the help of the row under the cursor, below a word on what was just tried."""
        row = self._rows.row
        if row is None:
            return
        self.query_one("#settings-help", Static).update(help_content(row, words, self._slot.editor))
        hints = self.hints
        if hints != self._hints:
            self._hints = hints
            self.post_message(messages.HintsChanged())

    @property
    def hints(self) -> str:
        """What keys do now, for the screen's footer: "Enter change · Del reset"; "" = nothing is shown yet.

        In the rows it says what can be done with the row under the cursor, while an editor is open how that is ended.
        `HintsChanged` tells when it has become another.
        """
        row, editor = self._rows.row, self._slot.editor
        if editor is not None:
            return editor_hints(editor)
        return row_hints(row, self._keys) if row is not None else ""

    @property
    def idle_actions(self) -> frozenset[str]:
        """Ids of actions that do nothing with the row under the cursor, where `hints` does not name all that do."""
        return frozenset() if self.hints else frozenset({"reset-field", "unset-field"})

    def on_resize(self, event: events.Resize) -> None:
        """Lay narrow panes out in another way."""
        is_narrow = event.size.width < COLUMN_FROM_CELLS
        self.set_class(is_narrow, "-narrow")
        self._slot.set_narrow(is_narrow=is_narrow)
        self._keep_in_view()

    def _keep_in_view(self) -> None:
        self.call_after_refresh(self._slot.keep_in_view)

    # -- keys and mouse

    async def _on_key(self, event: events.Key) -> None:
        """Do what a key says; while an editor is open the keys are its own."""
        if self._slot.take_key(event):
            return
        char = event.character or ""
        act = self._acts.get(event.key) or self._acts.get(char) or self._type_over(char)
        if act is not None:
            event.stop()
            event.prevent_default()
            act()

    def _type_over(self, char: str) -> Callable[[], None] | None:
        row = self._rows.row
        editor = row_actions.type_over(row, char) if row is not None else None
        return partial(self._carry_out, editor) if editor is not None else None

    def _move(self, move: Callable[[SettingRows], None]) -> None:
        move(self._rows)
        self._say("")

    @on(SettingRow.Clicked)
    def _clicked(self, event: SettingRow.Clicked) -> None:
        """Put the cursor there; on the row that has it already, edit."""
        event.stop()
        if self.is_editing:
            self._slot.take_focus()  # what is being typed goes on; Escape leaves it
            return
        row = self._rows.find(event.row_id)
        if row is None or row.kind is RowKind.HEADING:
            return
        take_keys(self._rows)
        is_again = row.id == self._rows.cursor
        self._rows.put_cursor(row.id)
        self._say("")
        if is_again or row.kind is RowKind.ACTION:
            self._edit()

    # -- what is done with a row

    def do_reset_field(self) -> None:
        """Take back what the session sets for the row under the cursor."""
        row = self._rows.row
        if row is not None and not self.is_editing:
            self._carry_out(row_actions.reset(row))

    def do_unset_field(self) -> None:
        """Leave the field under the cursor out of the request."""
        row = self._rows.row
        if row is not None and not self.is_editing:
            self._carry_out(row_actions.unset(row))

    def _edit(self, *, takes_focus: bool = True) -> None:
        """Edit the row under the cursor, or do what it says."""
        row, view = self._rows.row, self._view
        if row is not None and view is not None:
            aside = self._unsaved_edits.find(view.session_id, row.id)
            self._carry_out(row_actions.edit(row, view, aside), takes_focus=takes_focus)

    def _carry_out(self, outcome: row_actions.Outcome, *, takes_focus: bool = True) -> None:
        match outcome:
            case Editor():
                self._slot.open(outcome, takes_focus=takes_focus)
                self._say("")
            case Message():
                self.post_message(outcome)
            case str():
                self._say(outcome)

    # -- the editor

    @on(Editor.Ready)
    def _begin(self, event: Editor.Ready) -> None:
        """Let the editor be typed into."""
        event.stop()
        self._slot.begin()
        self._keep_in_view()

    @on(Editor.Resized)
    def _resized(self, event: Editor.Resized) -> None:
        """Keep all of the editor in sight."""
        event.stop()
        self._keep_in_view()

    @on(Editor.Cancelled)
    def _cancelled(self, event: Editor.Cancelled) -> None:
        event.stop()
        self._leave_editor()

    @on(Editor.Accepted)
    def _accepted(self, event: Editor.Accepted) -> None:
        """Ask for the change."""
        event.stop()
        row, view = self._rows.row, self._view
        self._close_editor()
        if row is None or view is None:
            return
        if row_actions.is_typed_over(row, event):
            self._unsaved_edits.drop(view.session_id, row.id)
            self._show_rows()
        self._carry_out(row_actions.follow(row, view, event))

    def _close_editor(self) -> None:
        for event in self._slot.close():
            self.post_message(events.Key(event.key, event.character))
        self._say("")

    # -- what was typed and not taken

    def _leave_editor(self) -> None:
        """Close the editor without taking what stands in it; that is set aside for its row."""
        editor = self._slot.editor
        if editor is None:
            return
        if self._view is not None:
            self._keep_typed(editor, self._view)
        editor.is_done = True
        self._close_editor()
        self._show_rows()

    def _keep_typed(self, editor: Editor, view: SettingsView) -> bool:
        """Set aside what stands in an editor; False = nothing is typed there, or what holds."""
        if not editor.is_mounted or not editor.typed:
            return False
        if editor.is_changed:
            self._unsaved_edits.keep(view.session_id, self._rows.cursor, UnsavedEdit(editor.typed, editor.about))
        else:
            self._unsaved_edits.drop(view.session_id, self._rows.cursor)
        return editor.is_changed

    def _set_editor_aside(self, view: SettingsView) -> None:
        """Close the editor because another session comes."""
        editor = self._slot.editor
        if editor is None:
            return
        if self._keep_typed(editor, view):
            self._unsaved_edits.mark_open(view.session_id, self._rows.cursor)
        self._close_editor()

    def _take_up_again(self, view: SettingsView) -> None:
        """Open the editor again that another session's coming closed."""
        row_id = self._unsaved_edits.take_open(view.session_id)
        if self._rows.find(row_id) is not None:
            self._rows.put_cursor(row_id)
            self._say("")
            self._edit(takes_focus=False)
