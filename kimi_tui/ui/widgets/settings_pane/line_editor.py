"""The editor of one line."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from kimi_tui.ui.text import content
from kimi_tui.ui.widgets.settings_pane.editor import Problem, TextEditor, Texts
from kimi_tui.ui.widgets.settings_pane.guarded import GuardedInput


class LineEditor(TextEditor):
    """One line, typed in the value's place; Enter takes it."""

    DEFAULT_CSS = """
    LineEditor {
        & .editor-label { width: 22; height: 1; padding: 0 0 0 2; }
        & Horizontal { height: auto; }
        & Input { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
        & Problem { padding: 0 0 0 2; }
        &.-narrow Horizontal { layout: vertical; }
        &.-narrow Input { margin: 0 0 0 2; }
    }
    """

    IS_IN_PLACE = True

    def __init__(
        self,
        row_id: str,
        label: str,
        text: str,
        check: Callable[[str], object | None],
        *,
        typed: Texts = (),
        about: str = "",
    ) -> None:
        """Edit a text that a line can hold; `check` makes a value of it, or raises KimiError."""
        super().__init__(row_id, label, (text,), lambda texts: check(texts[0]), typed=typed, about=about)

    def compose(self) -> ComposeResult:
        """The label, the line, and below it what is wrong."""
        with Horizontal():
            yield Static(content(self.label), classes="editor-label")
            yield GuardedInput(self.begins_with[0], self.guard)
        yield Problem()

    @property
    def typed(self) -> Texts:
        """The line."""
        return (self.query_one(Input).value,)

    def begin(self) -> None:
        """Type into the line."""
        self.screen.set_focus(self.query_one(Input))

    def press(self, event: events.Key) -> None:
        """Type a character, take one back, or take the value."""
        line = self.query_one(Input)
        if event.key == self.ACCEPT_KEY:
            self.accept()
        elif event.key == "backspace":
            line.action_delete_left()
        elif event.is_printable and event.character:
            line.insert_text_at_cursor(event.character)
