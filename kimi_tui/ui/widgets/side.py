"""A place for panes at one side of the conversation, with an edge that can be dragged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static


class Side(Vertical):
    """Shows one of its panes at a time; hidden while none is in view."""

    DEFAULT_CSS = """
    Side {
        height: 1fr;
        display: none;
        border-left: tall $panel;
        &.-left { border-left: none; border-right: tall $panel; }
        &:focus-within { border-left: tall $primary; }
        &.-left:focus-within { border-left: none; border-right: tall $primary; }
        &.-overlay, &.-overlay:focus-within { border: none; }
        & > .side-foot { display: none; dock: bottom; height: 1; padding: 0 1; color: $text-muted; }
        &.-overlay > .side-foot { display: block; }
        & > .side-head { height: 1; padding: 0 0 0 1; color: $text-muted; background: $surface; }
    }
    """

    @dataclass
    class PaneClicked(Message):
        """The name of a pane was clicked."""

        pane: str

    @dataclass
    class Dragged(Message):
        """The edge was dragged."""

        pane: str
        columns: int
        """Width it would have then, in cells."""

    def __init__(self, tabs: Sequence[tuple[str, str]], *, is_left: bool, id: str) -> None:
        """`tabs` are names of the panes that may stand here, each with its key."""
        super().__init__(id=id)
        self._tabs = tabs
        self._head = Static(classes="side-head", markup=False)
        self._foot = Static(classes="side-foot", markup=False)
        self._is_left = is_left
        self._pane = ""
        self._panes: list[Widget] = []
        self._is_dragging = False
        self.set_class(is_left, "-left")

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._foot

    def show_hints(self, text: str) -> None:
        """Show what keys do, where the pane covers the composer that shows it otherwise."""
        if self.has_class("-overlay"):
            self._foot.update(Content(text))

    def _spans(self) -> Iterator[tuple[str, str]]:
        """What the line of names says, each piece with its pane; where there is little room without the keys."""
        full = [(name, f"{name.capitalize()} {key}".rstrip()) for name, key in self._tabs]
        room = self.size.width - 1
        is_short = sum(len(text) + 2 for _, text in full) > room
        return iter([(name, name.capitalize()) for name, _ in full] if is_short else full)

    def _show_head(self) -> None:
        parts = (
            (f"[{text}]", "bold $foreground") if name == self._pane else f" {text} " for name, text in self._spans()
        )
        self._head.update(Content.assemble(*parts))

    on_resize = _show_head

    def on_click(self, event: events.Click) -> None:
        if event.widget is not self._head:
            return
        event.stop()
        at = event.get_content_offset_capture(self._head).x
        for name, text in self._spans():
            at -= len(text) + 2
            if at < 0:
                if name != self._pane:
                    self.post_message(self.PaneClicked(name))
                return

    def show(self, pane: str, panel: Widget | None, columns: int | None) -> None:
        """Show the pane of that name, "" = none; the width is in cells, None = all there is."""
        self._pane = pane
        self.display = bool(pane)
        self.set_class(columns is None, "-overlay")
        self.styles.width = "1fr" if columns is None else columns
        for child in self._panes:
            child.display = child is panel
        self._show_head()

    def mount_pane(self, widget: Widget) -> None:
        """Take a pane in, hidden."""
        widget.display = False
        self._panes.append(widget)
        self.mount(widget)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        offset = event.get_content_offset(self)
        if offset is None and not self.has_class("-overlay"):
            event.stop()
            self._is_dragging = True
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._is_dragging:
            event.stop()
            right = self.region.right
            columns = event.screen_x - self.region.x + 1 if self._is_left else right - event.screen_x
            self.post_message(self.Dragged(self._pane, int(columns)))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._is_dragging:
            event.stop()
            self._is_dragging = False
            self.release_mouse()
