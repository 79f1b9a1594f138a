"""A list of rows with what stands around it: a line that narrows it, words below, and an editor laid over one row."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.widgets.editing import EditLine
from kimi_tui.ui.widgets.row_list import RowList
from kimi_tui.ui.widgets.told_lines import Note


class RowEditor(EditLine):
    """The line that is laid over the words of a row while they are edited; it closes when the focus goes elsewhere."""

    DEFAULT_CSS = """
    RowEditor { layer: editor; position: absolute; background: $surface; }
    """

    def __init__(self, rows: RowList[Any], placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False)
        self._rows = rows
        self.display = False
        self.about = ""
        """What it is that the words are of; "" = nothing is edited."""

    def open(self, about: str, text: str) -> None:
        """Let a text be edited over the row under the cursor."""
        self.about, self.value = about, text
        self.display = True
        self.place()
        take_keys(self)
        self.select_all()
        self.call_after_refresh(self._show_cursor)

    def _show_cursor(self) -> None:
        """It was put where it is before the line had a width."""
        selection, self.cursor_position = self.selection, 0
        self.selection = selection

    def place(self) -> None:
        """Stay over that row; where it is out of view, stay where it was."""
        region = self._rows.words_region() if self.display else None
        if region is not None:
            region = region.translate(self._rows.virtual_region.offset)
            self.styles.offset = region.offset
            self.styles.width = region.width

    def close(self) -> None:
        self.display, self.about = False, ""

    def on_blur(self) -> None:
        if self.app.app_focus:  # else the whole terminal has lost it
            self.close()

    @on(Input.Changed)
    @on(Input.Submitted)
    def _stop_here(self, event: Message) -> None:
        event.stop()


class FilteredRows(Vertical):
    DEFAULT_CSS = """
    FilteredRows {
        layers: rows editor;
        background: $background;
        & > Horizontal { height: 1; padding: 0 1; }
        & > Horizontal > Static { width: 2; color: $text-muted; }
        & > Horizontal > Input { width: 1fr; background: $background; }
        & > Horizontal > Input > .input--placeholder { color: $text-muted; }
        & > Note { padding: 0 1; background: $surface; }
    }
    """

    def __init__(
        self, rows: RowList[Any], filter_words: str, *below: Widget, name_words: str = "", id: str | None = None
    ) -> None:
        """`filter_words` and `name_words` stand in the empty lines; what is `below` stands under all of it."""
        super().__init__(id=id)
        self._rows, self._below = rows, below
        self.filter = EditLine(placeholder=filter_words, compact=True, select_on_focus=False)
        self.editor = RowEditor(rows, name_words)
        self._said = Note()

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("/", markup=False)
            yield self.filter
        yield self._rows
        yield self._said
        yield from self._below
        yield self.editor

    def say(self, words: str) -> None:
        """Say it below the list; "" = nothing."""
        self._said.say(words)

    @on(RowList.Scrolled)
    def _on_scrolled(self, event: RowList.Scrolled) -> None:
        event.stop()
        self.place_editor()

    def place_editor(self) -> None:
        self.editor.place()

    @on(Input.Submitted)
    def _on_submitted(self, event: Input.Submitted) -> None:
        event.stop()
