"""The transcript: the last layer, which takes wheel, clicks and the scroll bar.

The layers below it, each with one subject: `entry_rows` draws entries, `cursor` chooses messages, `match_layer`
searches, `selecting` selects. The screen binds the keys; while a selection is made with the keyboard, its keys are
taken there.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message

from kimi_tui.ui.state.entry import MESSAGES
from kimi_tui.ui.transcript.entry_chrome import NEXT, PREVIOUS, places
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.painter import MARGIN, NEW_BELOW, char_at
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.selecting import SelectingPane
from kimi_tui.ui.transcript.viewport import Place

WHEEL_LINES = 3
"""Lines per turn of the wheel."""


class Transcript(SelectingPane):
    """A conversation, its reasoning or its prompt as lines."""

    DEFAULT_CSS = """
    Transcript { height: 1fr; background: $background; color: $foreground; }
    """

    @dataclass
    class Clicked(Message, namespace="transcript"):
        """A message was clicked; it is chosen now."""

        key: str
        """Its key."""

    @dataclass
    class AlternativeClicked(Message, namespace="transcript"):
        """Another alternative of a message is asked for."""

        key: str
        """Key of the message."""
        step: int
        """-1 = the one before, 1 = the next."""

    def __init__(self, *, fold_reasoning: bool = True, id: str | None = None) -> None:
        """Start empty and following.

        Args:
            fold_reasoning: Whether think blocks are closed at first.
            id: The widget's id.
        """
        super().__init__(fold_reasoning=fold_reasoning, id=id)
        self._grip: int | None = None  # which row of the thumb the mouse holds

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Turn the wheel."""
        event.stop()
        self.scroll_lines(-WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Turn the wheel."""
        event.stop()
        self.scroll_lines(WHEEL_LINES)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll bar, or of a text."""
        if event.button != 1:
            return
        if event.x == self.size.width - 1:
            event.stop()
            self.capture_mouse()
            self._take_thumb(event.y)
        else:
            self._press(event.offset)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the scroll bar, or select."""
        if self._grip is not None:
            self._drag_to(event.y - self._grip)
        elif event.button == 1:
            self._drag(event.offset)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go."""
        if self._grip is not None:
            event.stop()
            self._grip = None
            self.release_mouse()
        elif self._release():
            event.stop()

    def _take_thumb(self, row: int) -> None:
        """Hold the thumb where it is; a press beside it brings its middle there first."""
        self._update_frame()
        thumb = self._scroll_bar().thumb
        if row in thumb:
            self._grip = row - thumb.start
        else:
            self._grip = len(thumb) // 2
            self._drag_to(row - self._grip)

    def _drag_to(self, start: int) -> None:
        """Scroll so that the thumb begins at a row."""
        self._update_frame()
        bar = self._scroll_bar()
        if not bar.thumb or bar.thumb.start == start:
            return
        line = bar.line_at(start)
        if line is None:
            self._view.follow()
        else:
            self._view.scroll_to_line(line)
        self._moved()

    def on_click(self, event: events.Click) -> None:
        """Fold, follow, choose another alternative or the message, select the word or block, as what is clicked."""
        self._update_frame()
        if event.y >= len(self._rows) or event.x >= self.size.width - 1 or self._has_dragged:
            return
        if self._has_new and event.y == self.size.height - 1 and event.x >= self.size.width - 2 - len(NEW_BELOW):
            self.follow_tail()
            return
        place, line = self._rows[event.y]
        item = self._view.items[place.item]
        if step := self._alternative_at(place, line, event.x):
            self.post_message(self.AlternativeClicked(item.key, step))
        elif event.chain > 1:
            self._select_around(event.offset, is_word=event.chain == 2)
        elif place.section == Section.HEAD and item.thought_line == place.line:
            self.toggle_fold(item.key)
        elif item.kind in MESSAGES:
            self.choose(item.key, brings_into_view=False)
            self.post_message(self.Clicked(item.key))

    def _alternative_at(self, place: Place, line: Line, x: int) -> int:
        """Which way the nearer arrow of a heading at a cell points; 0 = there is none."""
        shown = places(self._view.items[place.item].header)
        if place.section != Section.HEAD or place.line or not shown:
            return 0
        at, middle = char_at(line, x - MARGIN) - line.text.rfind(shown), shown.index("/")
        if 0 <= at < middle:
            return -1 if PREVIOUS in shown else 0
        return 1 if middle < at < len(shown) and NEXT in shown else 0
