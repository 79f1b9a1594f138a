"""The settings pane: rows with a cursor, an editor in its place, and help below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from kimi_tui.core.settings.actions import ACTIONS, BY_ID, Scope
from kimi_tui.core.settings.settings_view import SettingsView
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.keys.key_lookup import character_of
from kimi_tui.ui.panes.settings_pane import row_values
from kimi_tui.ui.panes.settings_pane.editor import Editor, LookAtForm
from kimi_tui.ui.panes.settings_pane.edits import Change, Edit, Outcome, SettingChanged, Texts
from kimi_tui.ui.panes.settings_pane.row_values import ALERT, Row, RowKind, rows_of
from kimi_tui.ui.panes.settings_pane.setting_rows import COLUMN_FROM_CELLS, MOVES, SettingRow, SettingRows
from kimi_tui.ui.text.safe_text import content

DEFAULT_KEYS: Mapping[str, tuple[str, ...]] = {
    action.id: action.keys for action in ACTIONS if action.scope is Scope.SETTINGS
}


@dataclass(frozen=True, slots=True)
class UnsavedEdit:
    """What stood in an editor that was left without taking it."""

    typed: Texts = ()
    """() = none."""
    about: str = ""
    """See `Edit.about`."""
    is_open: bool = False
    """Whether it is to be opened again when its session is shown again: another session's coming closed it."""


class SettingsPane(Vertical):
    """Shows what a session sends, and asks for changes; it changes nothing itself."""

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
        &.-narrow Editor.-line Horizontal { layout: vertical; }
        &.-narrow Editor.-line Input { margin: 0 0 0 2; }
    }
    """

    class HintsChanged(Message):
        """The pane's `hints` say something else than before."""

    def __init__(
        self,
        ask: Callable[[Change], None],
        *,
        keys: Mapping[str, tuple[str, ...]] = DEFAULT_KEYS,
        look_at_form: LookAtForm | None = None,
        id: str | None = None,
    ) -> None:
        """`keys` are those of this pane's actions and "new-line"; others are ignored.

        `look_at_form` says what may be wrong with a response format while it is typed; it runs in a thread.
        """
        super().__init__(id=id)
        self._ask = ask
        self.border_title = "Settings"
        self._keys = keys
        self._acts: dict[str, Callable[[], None]] = {key: partial(self._move, key) for key in MOVES}
        self._acts |= dict.fromkeys(("enter", "space"), self._edit)
        self._acts |= dict.fromkeys(keys.get("reset-field", ()), self.do_reset_field)
        self._acts |= dict.fromkeys(keys.get("unset-field", ()), self.do_unset_field)
        self._new_line_keys = frozenset(keys.get("new-line", BY_ID["new-line"].keys))
        self._hints = ""
        self._view: SettingsView | None = None
        self._unsaved: dict[tuple[str, str], UnsavedEdit] = {}
        """By session and row, until it is taken or thrown away."""
        self._rows = SettingRows(id="settings-rows")
        self._look_at_form = look_at_form

    def compose(self) -> ComposeResult:
        yield self._rows
        yield Static(id="settings-help", markup=False)

    def on_mount(self) -> None:
        self._show_rows()

    # -- showing

    def show(self, view: SettingsView) -> None:
        """An editor that is open stays as it is.

        Where another session comes, what stands in it is set aside, and it is opened with that when its own session is
        shown again.
        """
        before = self._view
        is_other = before is not None and before.session_id != view.session_id
        if is_other:
            self._leave_editor(comes_back=True)
        self._view = view
        if self.is_mounted and view != before:
            self._show_rows()
            if is_other:
                self._open_again(view.session_id)

    @property
    def is_editing(self) -> bool:
        """Whether an editor is open, so that Escape closes it."""
        return self._rows.editor is not None

    def focus(self, scroll_visible: bool = True) -> Self:
        """The keys go to the editor that is open, else to the rows."""
        self._rows.give_keys()
        return self

    def begin_at(self, row_id: str) -> None:
        """The first where there is none of that id; an editor that is open stays."""
        if not self.is_editing:
            self._rows.begin_at(row_id)
            self._say("")
            self._keep_in_view()

    def _show_rows(self) -> None:
        if (view := self._view) is not None:
            self._rows.show(rows_of(view, {row_id for session, row_id in self._unsaved if session == view.session_id}))
            self._say("")

    def _say(self, words: str) -> None:
        """The help of the row under the cursor stands below it."""
        row = self._rows.row
        if row is None:
            return
        self.query_one("#settings-help", Static).update(_help(row, words, self._rows.editor))
        hints = self.hints
        if hints != self._hints:
            self._hints = hints
            self.post_message(self.HintsChanged())

    @property
    def hints(self) -> str:
        """What keys do now, for the screen's footer: "Enter change · Del reset"; "" = nothing is shown yet.

        In the rows it says what can be done with the row under the cursor, while an editor is open how that is ended.
        `HintsChanged` tells when it has become another.
        """
        row, editor = self._rows.row, self._rows.editor
        if editor is not None:
            return row_values.edit_hints(editor.edit)
        return row_values.row_hints(row, self._keys) if row is not None else ""

    @property
    def idle_actions(self) -> frozenset[str]:
        """Actions that do nothing with the row under the cursor, where `hints` does not name all that do."""
        return frozenset() if self.hints else frozenset({"reset-field", "unset-field"})

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < COLUMN_FROM_CELLS, "-narrow")
        self._keep_in_view()

    @on(Editor.Resized)
    def _editor_resized(self, event: Editor.Resized) -> None:
        event.stop()
        self._keep_in_view()

    def _keep_in_view(self) -> None:
        self.call_after_refresh(self._rows.keep_in_view)

    # -- keys and mouse

    async def on_key(self, event: events.Key) -> None:
        """While an editor is open it has dealt with the key, or is given it and all that follow."""
        if (editor := self._rows.editor) is not None:
            if self._rows.has_focus:
                event.stop()
                event.prevent_default()
                editor.begin()
                editor.hand_on(event)
            return
        char = character_of(event)
        act = self._acts.get(event.key) or self._acts.get(char) or self._type_over(char)
        if act is not None:
            event.stop()
            event.prevent_default()
            act()

    def _type_over(self, char: str) -> Callable[[], None] | None:
        row = self._rows.row
        edit = row_values.type_over(row, char) if row is not None else None
        return partial(self._carry_out, edit) if edit is not None else None

    def _move(self, key: str) -> None:
        self._rows.move(key)
        self._say("")

    @on(SettingRow.Clicked)
    def _clicked(self, event: SettingRow.Clicked) -> None:
        """Put the cursor there; on the row that has it already, edit."""
        event.stop()
        if self.is_editing:
            self._rows.give_keys()  # what is being typed goes on; Escape leaves it
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
        self._do(row_values.reset)

    def do_unset_field(self) -> None:
        self._do(row_values.unset)

    def _do(self, act: Callable[[Row], Outcome]) -> None:
        row = self._rows.row
        if row is not None and not self.is_editing:
            self._carry_out(act(row))

    def _edit(self, *, takes_focus: bool = True) -> None:
        row, view = self._rows.row, self._view
        if row is not None and view is not None:
            unsaved = self._unsaved.get((view.session_id, row.id), UnsavedEdit())
            outcome = row_values.edit(row, view, unsaved.typed, unsaved.about)
            self._carry_out(outcome, takes_focus=takes_focus)

    def _carry_out(self, outcome: Outcome, *, takes_focus: bool = True) -> None:
        view = self._view
        match outcome:
            case Edit():
                editor = Editor(
                    outcome,
                    new_line_keys=self._new_line_keys,
                    takes_focus=takes_focus,
                    look_at_form=self._look_at_form,
                )
                self._rows.open(editor)
                self._say("")
            case str():
                self._say(outcome)
            case SettingChanged(name, value) if view is not None and not view.settings[name].would_change(value):
                pass
            case _:
                self._ask(outcome)

    # -- the end of an editor

    @on(Editor.Cancelled)
    def _cancelled(self, event: Editor.Cancelled) -> None:
        event.stop()
        self._leave_editor()
        self._show_rows()

    @on(Editor.Accepted)
    def _accepted(self, event: Editor.Accepted) -> None:
        """What was typed for the row is done with where it was taken, or is to be thrown away."""
        event.stop()
        edit = event.editor.edit
        if event.editor is not self._rows.editor or self._view is None:
            return
        self._close_editor()
        if edit.texts or (edit.drops_typed and event.value):
            self._unsaved.pop((self._view.session_id, self._rows.cursor), None)
            self._show_rows()
        self._carry_out(edit.then(event.value))

    def _leave_editor(self, *, comes_back: bool = False) -> None:
        editor, view = self._rows.editor, self._view
        if editor is None or view is None:
            return
        place = (view.session_id, self._rows.cursor)
        if editor.is_changed:
            self._unsaved[place] = UnsavedEdit(editor.typed, editor.edit.about, comes_back)
        elif editor.typed:
            self._unsaved.pop(place, None)
        self._close_editor()

    def _close_editor(self) -> None:
        self._rows.close()
        self._say("")

    def _open_again(self, session_id: str) -> None:
        for place, unsaved in self._unsaved.items():
            if place[0] == session_id and unsaved.is_open and self._rows.find(place[1]) is not None:
                self._unsaved[place] = replace(unsaved, is_open=False)
                self._rows.put_cursor(place[1])
                self._edit(takes_focus=False)
                return


def _help(row: Row, said: str, editor: Editor | None) -> Content:
    """`said` is a word on what was just tried, which comes first; "" = none.

    Where the open editor takes text its keys are told, as Enter may begin a line.
    """
    alerts = ((row.setting.error, "$error"), (row.setting.warning, "$warning"))
    lines = [content(said).stylize("bold")] if said else []
    if editor is not None and editor.edit.texts:
        lines.append(content(row_values.edit_hints(editor.edit)))
    lines += [content(f"{ALERT} {words}").stylize(style) for words, style in alerts if words]
    if row.is_pending and editor is None:
        lines.append(content("Typed, but not taken; Enter shows it."))
        lines += [content(f"Until then: {row.value[:40]}")] if row.value else []
    return Content("\n").join([*lines, *map(content, row.help)])
