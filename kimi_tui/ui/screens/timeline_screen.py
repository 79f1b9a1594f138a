"""The timeline of a reply, drawn anew while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from kimi_tui.core.session.timeline import Timeline
from kimi_tui.ui.screens.above import Above
from kimi_tui.ui.screens.timeline_lines import timeline_lines

LOOK_S = 0.25
"""Time between two drawings while it runs."""
BESIDE_CELLS = 5
"""What edge, padding and scroll bar take."""
PLOT_ROWS, FEW_PLOT_ROWS, FEW_ROWS = 6, 3, 30


class TimelineScreen(Above[None]):
    DEFAULT_CSS = """
    TimelineScreen {
        & VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
        & VerticalScroll > Static { width: 100%; height: auto; color: $foreground; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "cancel", "Close")]

    def __init__(self, look: Callable[[], Timeline], is_running: Callable[[], bool]) -> None:
        """`look` gives the timeline as it is at the moment."""
        super().__init__()
        self._look, self._is_running = look, is_running
        self._text = Static(markup=False)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as box:
            box.border_title = "Timeline"
            box.border_subtitle = "Up, Down scroll · Escape closes"
            with VerticalScroll():
                yield self._text

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self._timer = self.set_interval(LOOK_S, self._draw)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._timer is not None and not self._is_running():
            self._timer.stop()
        line = self._look()
        rows = FEW_PLOT_ROWS if self.app.size.height < FEW_ROWS else PLOT_ROWS
        width = max(self.app.size.width - BESIDE_CELLS, 1)
        lines = [Content.assemble(*spans) for spans in timeline_lines(line, width, rows)]
        self._text.update(Content("\n").join(lines))
