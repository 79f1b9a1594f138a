"""Where one editor may be open among the rows, and the keys that come when it cannot take them itself.

An editor takes a moment to open, and is gone a moment after its value was taken. Keys that are typed meanwhile are
kept: those before go to the editor, those after to what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from textual import events

from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.settings_pane.block_editor import BlockEditor
from kimi_tui.ui.panes.settings_pane.editor import Editor
from kimi_tui.ui.panes.settings_pane.setting_rows import SettingRows


class EditorSlot:
    """The editor at the row under the cursor, while one is open."""

    def __init__(self, rows: SettingRows, new_line_keys: Collection[str], leave: Callable[[], None]) -> None:
        """Start with none.

        Args:
            rows: Where it is opened.
            new_line_keys: Keys that begin a line where a text has several, besides Enter.
            leave: Called for Escape: the editor is to be closed without taking what stands in it.
        """
        self._rows = rows
        self._new_line_keys = frozenset(new_line_keys)
        self._leave = leave
        self._editor: Editor | None = None
        self._early: list[events.Key] = []
        """Keys that were typed before the editor could take them, or after it was done."""
        self._takes_focus = True
        self._is_narrow = False

    @property
    def editor(self) -> Editor | None:
        """The editor that is open; None = none is."""
        return self._editor

    def open(self, editor: Editor, *, takes_focus: bool) -> None:
        """Put an editor below the row under the cursor, or in its place.

        Args:
            editor: The editor.
            takes_focus: Whether keys are its own once it is there.
        """
        self._editor, self._takes_focus = editor, takes_focus
        editor.set_class(self._is_narrow, "-narrow")
        if isinstance(editor, BlockEditor):
            editor.new_line_keys = self._new_line_keys
        self._fill()
        if (row := self._rows.cursor_widget) is not None:
            row.display = not editor.IS_IN_PLACE
        self._rows.mount(editor, after=row)

    def begin(self) -> None:
        """Give the editor the focus, and the keys that were typed meanwhile; it is there now."""
        if self._editor is None or not self._editor.is_mounted:
            return
        if self._takes_focus:
            self._editor.begin()
        self._press_early(self._editor)

    def close(self) -> list[events.Key]:
        """Take the editor away.

        Returns:
            The keys that came when it was done already.
        """
        editor, self._editor = self._editor, None
        early, self._early = self._early, []
        if editor is None:
            return []
        has_focus = editor.has_focus_within
        if (row := self._rows.cursor_widget) is not None:
            row.display = True
        editor.remove()
        if has_focus:
            take_keys(self._rows)
        self._rows.show_cursor()
        return early if editor.is_done else []

    # -- keys

    def take_focus(self) -> None:
        """Give the focus to the editor that is open, else to the rows."""
        if self._editor is not None:
            self._editor.begin()
        else:
            take_keys(self._rows)

    def take_key(self, event: events.Key) -> bool:
        """Do what a key says that came as far as the pane.

        Returns:
            Whether an editor is open, so that the key is not for the rows.
        """
        editor = self._editor
        if editor is None:
            return False
        is_from_rows = editor.last_key is not event  # it was on its way to the rows when the editor opened
        if event.key != "escape" and not is_from_rows and not editor.is_done:
            return True
        event.stop()
        event.prevent_default()
        self._early.append(event)
        if editor.is_mounted:
            self._press_early(editor)
        return True

    def _press_early(self, editor: Editor) -> None:
        while self._early and not editor.is_done:
            event = self._early.pop(0)
            if event.key == "escape":
                self._leave()
                return
            editor.press(event)

    # -- size

    def set_narrow(self, *, is_narrow: bool) -> None:
        """Lay the editor out for a narrow pane, or for a wide one."""
        self._is_narrow = is_narrow
        if self._editor is not None:
            self._editor.set_class(is_narrow, "-narrow")

    def keep_in_view(self) -> None:
        """Fit the editor into the rows and scroll to it; where none is open, to the row under the cursor."""
        self._fill()
        shown = self._editor or self._rows.cursor_widget
        if shown is not None and shown.is_attached:
            shown.scroll_visible(animate=False)

    def _fill(self) -> None:
        if isinstance(self._editor, BlockEditor):
            self._editor.fill(self._rows.size.height - 1)  # its row stays in view above it
