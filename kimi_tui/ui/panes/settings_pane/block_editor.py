"""The editor of a text of several lines."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from kimi_tui.core.settings.actions import BY_ID
from kimi_tui.ui.keys.key_lookup import TAKE_KEY
from kimi_tui.ui.panes.settings_pane.editor import Problem, TextEditor
from kimi_tui.ui.panes.settings_pane.guarded import GuardedInput, GuardedTextArea
from kimi_tui.ui.panes.settings_pane.unsaved_edits import Texts
from kimi_tui.ui.text.safe_text import content

NEW_LINE_KEYS = BY_ID["new-line"].keys
"""The registry's keys that begin a line, besides Enter."""
LEAST_LINES = 3
"""Lines of a text that are shown however little room there is."""


class BlockEditor(TextEditor):
    """A text of several lines, with a name above it where it has one; Ctrl+O, or the button, takes it."""

    DEFAULT_CSS = """
    BlockEditor {
        padding: 0 0 0 1;
        & .editor-label { height: auto; color: $text-muted; }
        & Input { height: 1; border: none; margin: 0 0 0 1; background: $surface; }
        & TextArea { height: 3; border: none; padding: 0 1; background: $surface; }
        & .editor-buttons { height: 1; }
        & Button { height: 1; min-width: 6; width: auto; border: none; margin: 0 1 0 0; padding: 0 1; }
    }
    """

    ACCEPT_KEY = TAKE_KEY  # Enter begins a line
    ACCEPT_WORD = "take"

    new_line_keys = frozenset(NEW_LINE_KEYS)
    """Keys that begin a line, besides Enter."""
    _room = LEAST_LINES

    def compose(self) -> ComposeResult:
        """The label, the name, the text, what is wrong, and two buttons."""
        yield Static(content(self.label), classes="editor-label")
        if len(self.begins_with) > 1:
            yield GuardedInput(self.begins_with[0], self.guard, placeholder="name")
        yield GuardedTextArea(self.begins_with[-1], self.guard)
        yield Problem()
        with Horizontal(classes="editor-buttons"):
            yield Button("Ctrl+O take", id="take", compact=True)
            yield Button("Escape leave", id="leave", compact=True)

    def on_mount(self) -> None:
        """Begin at the end of the text."""
        self.field.move_cursor(self.field.document.end)

    @property
    def field(self) -> GuardedTextArea:
        """The text."""
        return self.query_one(GuardedTextArea)

    @property
    def typed(self) -> Texts:
        """The name, where there is one, and the text, exactly."""
        return (*(name.value for name in self.query(Input)), self.field.exact_text)

    def fill(self, rows: int) -> None:
        """Be as tall as there is room: so many rows, or what is needed at least."""
        self._room = rows
        if self.is_mounted:
            self._fit()

    def on_resize(self) -> None:
        """Leave the text what the other parts do not need; they may have more or fewer lines than before."""
        self._fit()

    def _fit(self) -> None:
        area = self.field
        others = sum(child.outer_size.height for child in self.children if child is not area and child.display)
        area.styles.height = max(self._room - others, LEAST_LINES)

    def guard(self, event: events.Key) -> bool:
        """See a key before the widget inside does; in the text some begin a line."""
        if self.is_done or not self._begins_line(event.key):
            return super().guard(event)
        event.stop()
        event.prevent_default()
        if self.field.has_focus:
            self.field.type_text("\n")
        else:
            self.begin()
        return True

    def _begins_line(self, key: str) -> bool:
        return key in self.new_line_keys and key != self.ACCEPT_KEY

    def press(self, event: events.Key) -> None:
        """Begin a line, or do what a key does in every text."""
        if event.key == "enter" or self._begins_line(event.key):
            self.field.type_text("\n")
        else:
            super().press(event)

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        """Go from the name to the text."""
        event.stop()
        self.begin()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "take":
            self.accept()
        else:
            self.cancel()
