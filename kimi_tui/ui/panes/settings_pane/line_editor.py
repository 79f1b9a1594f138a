"""The editor of one line."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from kimi_tui.ui.panes.settings_pane.editor import Problem, TextEditor
from kimi_tui.ui.panes.settings_pane.guarded import GuardedInput
from kimi_tui.ui.panes.settings_pane.row import CURSOR
from kimi_tui.ui.panes.settings_pane.unsaved_edits import Texts
from kimi_tui.ui.text.safe_text import content


class LineEditor(TextEditor):
    """One line, typed in the value's place; Enter takes it."""

    DEFAULT_CSS = """
    LineEditor {
        & .editor-label { width: 22; height: 1; text-style: bold; }
        & Horizontal { height: auto; }
        & Input { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
        & Problem { padding: 0 0 0 2; }
        &.-narrow Horizontal { layout: vertical; }
        &.-narrow Input { margin: 0 0 0 2; }
    }
    """

    IS_IN_PLACE = True

    def on_mount(self) -> None:
        """Select the value that holds, so that typing replaces it; what was typed before goes on where it ends."""
        if not self.is_changed:
            self.field.select_all()

    def compose(self) -> ComposeResult:
        """The label, the line, and below it what is wrong."""
        with Horizontal():
            yield Static(content(f"{CURSOR} ").stylize("$primary") + content(self.label), classes="editor-label")
            yield GuardedInput(self.begins_with[0], self.guard)
        yield Problem()

    @property
    def field(self) -> GuardedInput:
        """The line."""
        return self.query_one(GuardedInput)

    @property
    def typed(self) -> Texts:
        """What stands in the line."""
        return (self.field.value,)
