"""The settings pane: rows with a cursor, an editor in its place, and help below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from kimi_tui.core.actions import ACTIONS, Scope, key_label
from kimi_tui.core.settings_view import FieldRow, PresetOrigin, SettingsView
from kimi_tui.ui.focus import take_keys
from kimi_tui.ui.text import content
from kimi_tui.ui.widgets.settings_pane import openers
from kimi_tui.ui.widgets.settings_pane.asides import NO_ASIDE, Aside, Asides
from kimi_tui.ui.widgets.settings_pane.editors import ACCEPT_KEY, NEW_LINE_KEYS, BlockEditor, Editor, LineEditor
from kimi_tui.ui.widgets.settings_pane.row import ALERT, COLUMN_FROM_CELLS, SettingRow
from kimi_tui.ui.widgets.settings_pane.rows import ActionRow, Row, RowKind, pending_help, rows_of

DEFAULT_KEYS: Mapping[str, tuple[str, ...]] = {
    action.id: action.keys for action in ACTIONS if action.scope is Scope.SETTINGS
}
"""The registry's keys of the pane's own actions."""
NUMBER_STARTS = frozenset("0123456789-.")
"""Characters that begin an edit where a number stands."""
RESET_SYSTEM, REMOVE_SYSTEM, DROP_TYPED = "reset-system", "remove-system", "drop-typed"
"""Questions before the system prompt is replaced, and before what was typed and not taken is thrown away."""
BETWEEN_HINTS = " · "
"""What stands between two hints."""


class SettingsPane(Vertical):
    """Shows what a session sends, and asks for changes; it changes nothing itself."""

    DEFAULT_CSS = """
    SettingsPane {
        background: $background;
        & > #settings-rows {
            height: 1fr;
            background: $background;
            scrollbar-size-vertical: 1;
            scrollbar-background: $background;
            scrollbar-color: $panel;
        }
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

    NAVIGATION: ClassVar[dict[str, str]] = {
        "up": "cursor_up",
        "down": "cursor_down",
        "pageup": "page_up",
        "pagedown": "page_down",
        "home": "cursor_first",
        "end": "cursor_last",
        "enter": "edit",
        "space": "edit",
    }
    """Keys that no user changes."""

    @dataclass
    class FieldSet(Message):
        """A request field is to have a value in this session; None = it is not sent."""

        name: str
        value: object | None

    @dataclass
    class FieldReset(Message):
        """What the session sets for a field is to be taken back.

        `name` may also be "thinking", "preset", "unset", "extra" or "extra.NAME"; see `settings_changes.without_own`.
        """

        name: str

    @dataclass
    class ThinkingChanged(Message):
        """The session is to think first, or to answer at once."""

        thinking: bool

    @dataclass
    class PresetChosen(Message):
        """The session is to have that preset."""

        name: str

    @dataclass
    class SystemChanged(Message):
        """The session is to have that system prompt; None = none."""

        text: str | None

    @dataclass
    class PresetSaveRequested(Message):
        """What the session sends is to be saved as a preset."""

        name: str

    @dataclass
    class PresetRenameRequested(Message):
        """A preset is to have another name."""

        old: str
        new: str

    @dataclass
    class PresetDeleteRequested(Message):
        """A preset of the user's own is to go."""

        name: str

    class DefaultRequested(Message):
        """What the session sets is to be what new ones begin with."""

    class AllResetRequested(Message):
        """Everything that the session sets is to be taken back, but its system prompt."""

    class HintsChanged(Message):
        """`hints` says something else than before."""

    def __init__(self, *, keys: Mapping[str, tuple[str, ...]] = DEFAULT_KEYS, id: str | None = None) -> None:
        """Start empty.

        Args:
            keys: Keys by action id, for the actions of this pane and "new-line"; others are ignored.
            id: The widget's id.
        """
        super().__init__(id=id)
        self.border_title = "Settings"
        self._key_methods = dict(self.NAVIGATION)
        for action_id in DEFAULT_KEYS:
            names = keys.get(action_id, ())
            self._key_methods |= dict.fromkeys(names, "do_" + action_id.replace("-", "_"))
        self._keys = keys
        self._hints = ""
        self._view: SettingsView | None = None
        self._widgets: dict[str, SettingRow] = {}
        self._cursor = "thinking"
        self._editor: Editor | None = None
        self._early: list[events.Key] = []
        """Keys that were typed before the editor could take them, or after it was done."""
        self._takes_focus = True
        self._asides = Asides()
        self._format_kind = ""
        """The type of the response format whose details are edited."""
        self._renamed = ""
        """The preset for which another name is typed."""

    def compose(self) -> ComposeResult:
        """The rows, and the help."""
        yield _Rows(id="settings-rows")
        yield Static(id="settings-help", markup=False)

    def on_mount(self) -> None:
        """Show what came before."""
        if self._view is not None:
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

    def go_to(self, row_id: str) -> None:
        """Put the cursor on a field, "thinking", "preset" or "system"; an open editor keeps it where it is."""
        if self._editor is None and row_id in self._widgets:
            self._cursor = row_id
            self._show_cursor(is_moved=True)

    @property
    def is_editing(self) -> bool:
        """Whether an editor is open, so that Escape closes it."""
        return self._editor is not None

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the editor that is open, else to the rows."""
        if self._editor is not None:
            self._editor.begin()
        else:
            take_keys(self._rows)
        return self

    @property
    def _rows(self) -> VerticalScroll:
        return self.query_one("#settings-rows", VerticalScroll)

    def _show_rows(self) -> None:
        if self._view is None:
            return
        wanted = {row.id: row for row in rows_of(self._view, self._asides.rows(self._view.session_id))}
        for gone in [row_id for row_id in self._widgets if row_id not in wanted]:
            self._widgets.pop(gone).remove()
        self._mount_missing(wanted)
        if self._cursor not in wanted:
            self._cursor = "thinking"
        self._show_cursor()

    def _mount_missing(self, wanted: Mapping[str, Row]) -> None:
        widgets: dict[str, SettingRow] = {}
        new: list[SettingRow] = []
        for row_id, row in wanted.items():
            widget = self._widgets.get(row_id)
            if widget is None:
                widget = SettingRow(row)
                new.append(widget)
            widget.show(row)
            widgets[row_id] = widget
        is_first = not self._widgets
        self._widgets = widgets
        if is_first:
            self._rows.mount_all(new)
            return
        order = list(widgets.values())
        for widget in new:
            self._rows.mount(widget, before=self._next_mounted(order, widget))

    @staticmethod
    def _next_mounted(order: list[SettingRow], widget: SettingRow) -> SettingRow:
        """The next row that is there already; the last rows always are."""
        return next(other for other in order[order.index(widget) :] if other.is_attached)

    def _show_cursor(self, *, is_moved: bool = False) -> None:
        for row_id, widget in self._widgets.items():
            widget.put_cursor(is_here=row_id == self._cursor)
        self._say("")
        if is_moved:
            self._widgets[self._cursor].scroll_visible(animate=False)

    def _say(self, text: str) -> None:
        """Show the help of the row under the cursor, below a word on what was just tried."""
        row = self._row
        if row is None:
            return
        first = [content(text).stylize("bold")] if text else []
        alerts = [
            content(f"{ALERT} {words}").stylize(style)
            for words, style in ((row.error, "$error"), (row.warning, "$warning"))
            if words
        ]
        keys = [content(self.hints)] if isinstance(self._editor, LineEditor | BlockEditor) else []
        pending = pending_help(row) if self._editor is None else ()
        lines = [*first, *keys, *alerts, *(content(line) for line in (*pending, *row.help))]
        self.query_one("#settings-help", Static).update(Content("\n").join(lines))
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
        row = self._row
        if self._editor is not None:
            accept = ACCEPT_KEY if isinstance(self._editor, BlockEditor) else "enter"
            words = [f"{key_label(accept)} {self._editor.accept_word}", f"{key_label('escape')} leave"]
        elif row is not None:
            words = list(self._row_hints(row))
        else:
            words = []
        return BETWEEN_HINTS.join(words)

    def _row_hints(self, row: Row) -> Iterator[str]:
        is_action = row.kind is RowKind.ACTION
        if is_action and not row.is_unset:
            yield f"{key_label('enter')} do it"
        elif not is_action and row.kind not in {RowKind.EXTRA, RowKind.PROBLEM}:
            yield f"{key_label('enter')} change"
        own_keys = (
            ("reset-field", row.is_own or row.is_pending, "reset"),
            ("unset-field", self._can_unset(row), "not sent"),
        )
        for action_id, is_possible, words in own_keys:
            if is_possible and (keys := self._keys.get(action_id)):
                yield f"{key_label(keys[0])} {words}"

    @staticmethod
    def _can_unset(row: Row) -> bool:
        is_system = row.kind is RowKind.SYSTEM and not row.is_unset
        return is_system or (row.field is not None and (bool(row.error) or row.field.value is not None))

    @property
    def _row(self) -> Row | None:
        widget = self._widgets.get(self._cursor)
        return widget.row if widget else None

    def on_resize(self, event: events.Resize) -> None:
        """Lay narrow panes out in another way."""
        is_narrow = event.size.width < COLUMN_FROM_CELLS
        self.set_class(is_narrow, "-narrow")
        if self._editor is not None:
            self._editor.set_class(is_narrow, "-narrow")
        if self._row is not None:
            self.call_after_refresh(self._keep_in_view)

    def _keep_in_view(self) -> None:
        if isinstance(self._editor, BlockEditor):
            self._editor.fill(self._rows.size.height - 1)  # its row stays in view above it
        shown = self._editor or self._widgets.get(self._cursor)
        if shown is not None and shown.is_attached:
            shown.scroll_visible(animate=False)

    # -- moving

    async def _on_key(self, event: events.Key) -> None:
        """Do what a key says; while an editor is open the keys are its own."""
        if self._editor is not None:
            self._key_while_editing(event, self._editor)
            return
        method = self._key_methods.get(event.key) or self._key_methods.get(event.character or "")
        row = self._row
        if method is not None:
            event.stop()
            event.prevent_default()
            getattr(self, method)()
        elif row is not None and row.is_number and row.field and event.character in NUMBER_STARTS:
            event.stop()
            event.prevent_default()
            self._open_field(row.field, Aside((event.character or "",)))

    def _key_while_editing(self, event: events.Key, editor: Editor) -> None:
        is_from_rows = editor.last_key is not event  # it was on its way to the rows when the editor opened
        if event.key != "escape" and not is_from_rows and not editor.is_done:
            return
        event.stop()
        event.prevent_default()
        if event.key == "escape" and not editor.is_done and editor.is_mounted:
            self._leave_editor(editor)
            return
        self._early.append(event)
        if editor.is_mounted:
            self._press_early(editor)

    def _move(self, to: int, step: int) -> None:
        """Put the cursor on a row, or the nearest one that can have it."""
        ids = list(self._widgets)
        if not ids:
            return
        place = max(0, min(to, len(ids) - 1))
        while 0 <= place < len(ids) and self._widgets[ids[place]].row.kind is RowKind.HEADING:
            place += step
        if 0 <= place < len(ids):
            self._cursor = ids[place]
            self._show_cursor(is_moved=True)
        if place <= 1:
            self._rows.scroll_home(animate=False)  # the heading above the first row comes into view too

    @property
    def _place(self) -> int:
        return list(self._widgets).index(self._cursor)

    def cursor_up(self) -> None:
        """Move to the row above."""
        self._move(self._place - 1, -1)

    def cursor_down(self) -> None:
        """Move to the row below."""
        self._move(self._place + 1, 1)

    def page_up(self) -> None:
        """Move a page up."""
        self._move(max(self._place - self._rows.size.height, 1), -1)

    def page_down(self) -> None:
        """Move a page down."""
        self._move(self._place + self._rows.size.height, 1)

    def cursor_first(self) -> None:
        """Move to the first row."""
        self._move(0, 1)

    def cursor_last(self) -> None:
        """Move to the last row."""
        self._move(len(self._widgets) - 1, -1)

    @on(SettingRow.Clicked)
    def _clicked(self, event: SettingRow.Clicked) -> None:
        """Put the cursor there; on the row that has it already, edit."""
        event.stop()
        widget = self._widgets.get(event.row_id)
        if self._editor is not None:
            self._editor.begin()  # what is being typed goes on; Escape leaves it
            return
        if widget is None or widget.row.kind is RowKind.HEADING:
            return
        take_keys(self._rows)
        is_again = event.row_id == self._cursor
        self._cursor = event.row_id
        self._show_cursor()
        if is_again or widget.row.kind is RowKind.ACTION:
            self.edit()

    # -- what the keys do

    def do_reset_field(self) -> None:
        """Take back what the session sets for the row under the cursor."""
        row, view = self._row, self._view
        if row is None or view is None or self._editor is not None:
            return
        if row.is_pending:
            self._ask_to_drop(row)
        elif not row.is_own:
            is_action = row.kind is RowKind.ACTION
            self._say("" if is_action else "There is nothing to take back: the session does not set it.")
        elif row.kind is RowKind.SYSTEM:
            words = "Take the system prompt that new sessions begin with?"
            self._open(openers.question(RESET_SYSTEM, words, "Take it; this one is gone", "Keep this one"))
        else:
            self.post_message(self.FieldReset(row.id))

    def _ask_to_drop(self, row: Row) -> None:
        words, yes, no = "Throw away what was typed and not taken?", "Throw it away", "Keep it"
        if row.is_own:
            words = "Take back what this session sets here, and what was typed and not taken?"
            yes, no = "Take it back; what was typed is gone", "Keep both"
        self._open(openers.question(DROP_TYPED, words, yes, no))

    def do_unset_field(self) -> None:
        """Leave the field under the cursor out of the request."""
        row = self._row
        if row is None or self._editor is not None:
            return
        if row.kind is RowKind.SYSTEM and not row.is_unset:
            words = "Have no system prompt in this session?"
            self._open(openers.question(REMOVE_SYSTEM, words, "Have none; this one is gone", "Keep this one"))
        elif self._can_unset(row):
            self.post_message(self.FieldSet(row.id, None))
        else:
            self._say("It is not sent." if row.is_unset else "This cannot be left out.")

    def edit(self) -> None:
        """Edit the row under the cursor, or do what it says."""
        row, view = self._row, self._view
        if row is None or view is None or self._editor is not None:
            return
        aside = self._asides.find(view.session_id, row.id)
        match row.kind:
            case RowKind.THINKING:
                self.post_message(self.ThinkingChanged(not view.thinking))
            case RowKind.PRESET:
                self._open(openers.preset_editor(view))
            case RowKind.SYSTEM:
                self._open(openers.system_editor(view, aside.typed))
            case RowKind.FIELD if row.field is not None:
                self._open_field(row.field, aside)
            case RowKind.ACTION:
                self._act(ActionRow(row.id), view, aside.typed)
            case _:
                self._say("This is changed in the file that sets it.")

    def _open_field(self, field: FieldRow, aside: Aside = NO_ASIDE) -> None:
        """Edit a field, from where it was left; for a response format's details these are opened at once."""
        self._format_kind = aside.format_kind
        details = openers.format_editor(field, aside.format_kind, aside.typed)
        self._open(details or openers.field_editor(field, aside.typed))

    def _act(self, action: ActionRow, view: SettingsView, typed: openers.Typed) -> None:
        match action:
            case ActionRow.SAVE_PRESET:
                self._open(openers.preset_name_editor(view, action, typed=typed))
            case ActionRow.RENAME_PRESET if self._is_preset_own(view):
                self._renamed = view.preset
                self._open(openers.preset_name_editor(view, action, view.preset, typed))
            case ActionRow.RENAME_PRESET:
                self._say("Choose a preset of your own first; the others keep their names.")
            case ActionRow.DELETE_PRESET if self._is_preset_own(view):
                self.post_message(self.PresetDeleteRequested(view.preset))
            case ActionRow.DELETE_PRESET:
                self._say("Choose a preset of your own first; the others stay.")
            case ActionRow.MAKE_DEFAULT:
                self.post_message(self.DefaultRequested())
            case ActionRow.RESET_ALL if view.has_own:
                words = "Take back all that this session sets, but the system prompt?"
                self._open(openers.question(action, words, "Take it all back", "Keep it"))
            case ActionRow.RESET_ALL:
                self._say("There is nothing to take back.")

    @staticmethod
    def _is_preset_own(view: SettingsView) -> bool:
        return any(c.name == view.preset and c.origin is PresetOrigin.SAVED for c in view.presets)

    # -- the editor

    def _open(self, editor: Editor) -> None:
        """Put an editor below its row, or in its place where it is one line."""
        widget = self._widgets[self._cursor]
        self._editor = editor
        editor.set_class(self.has_class("-narrow"), "-narrow")
        if isinstance(editor, BlockEditor):
            editor.new_line_keys = frozenset(self._keys.get("new-line", NEW_LINE_KEYS))
            editor.fill(self._rows.size.height - 1)
        widget.display = not isinstance(editor, LineEditor)
        self._rows.mount(editor, after=widget)
        self._say("")
        self._takes_focus = True

    @on(Editor.Ready)
    def _begin(self, event: Editor.Ready) -> None:
        """Give the editor the focus, and the keys that were typed meanwhile."""
        event.stop()
        editor = self._editor
        if editor is None or not editor.is_mounted:
            return
        if self._takes_focus:
            editor.begin()
        self._press_early(editor)
        self.call_after_refresh(self._keep_in_view)

    @on(Editor.Resized)
    def _resized(self, event: Editor.Resized) -> None:
        """Keep all of the editor in sight."""
        event.stop()
        self.call_after_refresh(self._keep_in_view)

    def _press_early(self, editor: Editor) -> None:
        while self._early and not editor.is_done:
            event = self._early.pop(0)
            if event.key == "escape":
                self._leave_editor(editor)
                return
            editor.press(event)

    def _leave_editor(self, editor: Editor) -> None:
        """Close the editor without taking what stands in it; that is set aside for its row."""
        if self._view is not None:
            self._keep_typed(editor, self._view)
        editor.is_done = True
        self._close_editor()
        self._show_rows()

    def _keep_typed(self, editor: Editor, view: SettingsView) -> None:
        if not editor.is_mounted or not editor.typed:
            return
        if editor.is_changed:
            self._asides.keep(view.session_id, self._cursor, Aside(editor.typed, self._format_kind))
        else:
            self._asides.drop(view.session_id, self._cursor)

    def _close_editor(self) -> None:
        editor, self._editor = self._editor, None
        if editor is None:
            return
        early, self._early = self._early, []
        for event in early if editor.is_done else ():
            self.post_message(events.Key(event.key, event.character))
        has_focus = editor.has_focus_within
        self._widgets[self._cursor].display = True
        editor.remove()
        if has_focus:
            take_keys(self._rows)
        self._show_cursor(is_moved=True)

    def _set_editor_aside(self, view: SettingsView) -> None:
        if self._editor is not None:
            self._keep_typed(self._editor, view)
            if self._editor.typed:
                self._asides.mark_open(view.session_id, self._cursor)
            self._close_editor()

    def _take_up_again(self, view: SettingsView) -> None:
        """Open the editor again that another session's coming closed."""
        row_id = self._asides.take_open(view.session_id)
        if row_id in self._widgets:
            self._cursor = row_id
            self._show_cursor()
            self.edit()
            self._takes_focus = False

    @on(Editor.Cancelled)
    def _cancelled(self, event: Editor.Cancelled) -> None:
        event.stop()
        if self._editor is not None:
            self._leave_editor(self._editor)

    @on(Editor.Accepted)
    def _accepted(self, event: Editor.Accepted) -> None:
        """Ask for the change."""
        event.stop()
        row, view = self._row, self._view
        self._close_editor()
        if row is None or view is None:
            return
        if event.row_id == row.id:
            self._asides.drop(view.session_id, row.id)
            self._show_rows()
        if event.row_id == DROP_TYPED:
            self._drop_typed(row, view, is_sure=event.value is True)
        elif row.id == "response_format" and row.field and isinstance(event.value, str):
            self._choose_format(row.field, event.value)
        elif row.field is not None:
            self._set_field(row.field, event.value)
        elif (message := self._message_for(event.row_id, event.value, view)) is not None:
            self.post_message(message)

    def _drop_typed(self, row: Row, view: SettingsView, *, is_sure: bool) -> None:
        """Forget what was typed, and take back what the session sets."""
        if not is_sure:
            return
        self._asides.drop(view.session_id, row.id)
        self._show_rows()
        if row.kind is RowKind.SYSTEM and row.is_own:
            self.post_message(self.SystemChanged(view.config_system))
        elif row.is_own:
            self.post_message(self.FieldReset(row.id))

    def _choose_format(self, field: FieldRow, kind: str) -> None:
        details = openers.format_editor(field, kind)
        self._format_kind = kind if details is not None else ""
        if details is not None:
            self._open(details)
        else:
            self._set_field(field, {"type": kind} if kind else None)

    def _set_field(self, field: FieldRow, value: object | None) -> None:
        """Ask for a value, unless it is the one that is sent; one that cannot be used, or is overruled, is not sent."""
        if value != field.value or field.error or field.warning:
            self.post_message(self.FieldSet(field.spec.name, value))

    def _message_for(self, row_id: str, value: object | None, view: SettingsView) -> Message | None:
        """What an accepted value of another row asks for; None = nothing."""
        text = value if isinstance(value, str) else ""
        is_preset_new = text != view.preset
        is_preset_wrong = "preset" in view.errors
        messages: dict[str, tuple[bool, Message]] = {
            "preset": (is_preset_new or is_preset_wrong, self.PresetChosen(text)),
            "system": (text != (view.system or ""), self.SystemChanged(text or None)),
            RESET_SYSTEM: (value is True, self.SystemChanged(view.config_system)),
            REMOVE_SYSTEM: (value is True, self.SystemChanged(None)),
            ActionRow.SAVE_PRESET: (True, self.PresetSaveRequested(text)),
            ActionRow.RENAME_PRESET: (text != self._renamed, self.PresetRenameRequested(self._renamed, text)),
            ActionRow.RESET_ALL: (value is True, self.AllResetRequested()),
        }
        is_asked, message = messages[row_id]
        return message if is_asked else None


class _Rows(VerticalScroll, can_focus=True, inherit_bindings=False):
    """The rows; their keys are the pane's."""
