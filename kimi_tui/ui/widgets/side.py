"""A place for panes at one side of the conversation, with an edge that can be dragged."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget


class Side(Container):
    """Shows one of its panes at a time; hidden while none is in view."""

    DEFAULT_CSS = """
    Side {
        height: 1fr;
        display: none;
        border-left: tall $panel;
        &.-left { border-left: none; border-right: tall $panel; }
        &.-overlay { border: none; }
    }
    """

    @dataclass
    class Dragged(Message):
        """The edge was dragged."""

        pane: str
        """Name of the pane in view."""
        columns: int
        """Width it would have then, in cells."""

    def __init__(self, *, is_left: bool, id: str) -> None:
        """Begin without panes."""
        super().__init__(id=id)
        self._is_left = is_left
        self._pane = ""
        self._panes: list[Widget] = []
        self._is_dragging = False
        self.set_class(is_left, "-left")

    def show(self, pane: str, columns: int | None) -> None:
        """Show one pane.

        Args:
            pane: Its name, which is its widget's id without "-pane"; "" = none.
            columns: Width in cells; None = all there is.
        """
        self._pane = pane
        self.display = bool(pane)
        self.set_class(columns is None, "-overlay")
        self.styles.width = "1fr" if columns is None else columns
        for child in self._panes:
            child.display = child.id == f"{pane}-pane"

    def mount_pane(self, widget: Widget) -> None:
        """Take a pane in, hidden; its id is its name with "-pane" behind."""
        widget.display = False
        self._panes.append(widget)
        self.mount(widget)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the edge."""
        offset = event.get_content_offset(self)
        if offset is None and not self.has_class("-overlay"):
            event.stop()
            self._is_dragging = True
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the edge."""
        if self._is_dragging:
            event.stop()
            right = self.region.right
            columns = event.screen_x - self.region.x + 1 if self._is_left else right - event.screen_x
            self.post_message(self.Dragged(self._pane, int(columns)))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the edge."""
        if self._is_dragging:
            event.stop()
            self._is_dragging = False
            self.release_mouse()
