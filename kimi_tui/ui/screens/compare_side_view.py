"""One of two texts that are compared: what is told of it, and its rows, of which those in view are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.widgets import Static

from kimi_tui.core.text.cells import cells_of
from kimi_tui.core.text.dotted import dotted, packed
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.screens.compare_rows import TAB_CELLS, SideRows
from kimi_tui.ui.state.compare_sides import CompareSide
from kimi_tui.ui.text.fit import fit

GUTTER = 2
"""Cells before a row: its mark and a blank."""
BEHIND = 1
"""Cells behind it: for the mark of a line end that the other side has not."""
LEAST_CELLS = 10
LINE_END = "¶"
CURRENT = "▸"
MAX_SETTING_LINES = 4


def head_lines(side: CompareSide, settings: Sequence[str], width: int, setting_lines: int) -> Sequence[str]:
    """What is told of a side below its place; `setting_lines` = how many the settings in which it differs may take."""
    forms = [[side.state, *figures] for figures in side.figures]
    form = next((form for form in forms if cells_of(dotted(*form)) <= width), forms[-1])
    lines = packed(map(visible_line, form), width) if setting_lines > 1 else [dotted(*form)]
    own = packed(map(visible_line, settings), width)
    if len(own) > setting_lines:
        own = [*own[: setting_lines - 1], dotted(*own[setting_lines - 1 :])]
    return [*lines, *own]


class SideHead(Static):
    DEFAULT_CSS = """
    SideHead {
        height: auto; padding: 0 1 0 0; background: $surface; color: $text-muted;
        link-color: $accent; link-style: bold;
    }
    """

    def __init__(self, side: str, *, id: str) -> None:
        """`side` is "left" or "right", as the screen's actions name it."""
        super().__init__(id=id, markup=False)
        self._side = side
        self._shown: tuple[CompareSide, Sequence[str], bool] | None = None

    def show(self, side: CompareSide, lines: Sequence[str], *, is_focused: bool) -> None:
        self._shown = side, lines, is_focused
        self._draw()

    def _draw(self) -> None:
        if self._shown is None:
            return
        (side, lines, is_focused), width = self._shown, self.content_size.width
        steps = [(" ◂", -1), (" ▸", 1)] if side.alternatives[1] > 1 else []
        parts: list[str | tuple[str, str | Style]] = [
            (f"{CURRENT if is_focused else ' '} ", "bold $primary"),
            (fit(side.place, width - 2 * len(steps) - 2), "bold $foreground" if is_focused else "$foreground"),
        ]
        parts += [(text, Style.from_meta({"@click": f"screen.step('{self._side}', {step})"})) for text, step in steps]
        parts += [f"\n  {fit(line, width - 2)}" for line in lines]
        self.update(Content.assemble(*parts))

    on_resize = _draw


class SideBody(ScrollView, can_focus=True, inherit_bindings=False):
    DEFAULT_CSS = """
    SideBody {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        color: $foreground;
        background: $background;
        & > .compare--different { text-style: underline; }
        &.-left > .compare--different { background: $error 25%; }
        &.-right > .compare--different { background: $success 25%; }
        & > .compare--current { text-style: bold reverse; }
        & > .compare--sign { color: $text-muted; }
    }
    """
    COMPONENT_CLASSES: ClassVar = {"compare--different", "compare--current", "compare--sign"}

    @dataclass
    class Scrolled(Message):
        """Another row stands at its top."""

        body: SideBody
        row: int

        @property
        def control(self) -> SideBody:
            return self.body

    class Resized(Message):
        """Its rows have another width, or another number of them is in view."""

    def __init__(self, sign: str, *, id: str, classes: str) -> None:
        """`sign` stands before rows that have something different."""
        super().__init__(id=id, classes=classes)
        self._sign = sign
        self._rows: SideRows | None = None
        self._words = ""
        self.current: int | None = None
        """The number of the difference that was gone to; None = none was."""

    @property
    def row_cells(self) -> int:
        """How many cells a row of the text has; where there is less room, it is cut."""
        return max(self.scrollable_content_region.width - GUTTER - BEHIND, LEAST_CELLS)

    def show(self, rows: SideRows | None, words: str = "") -> None:
        """Show rows; None = there are none yet, which `words` say."""
        self._rows, self._words, self.current = rows, words, None
        self.refresh()

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def set_height(self, rows: int) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, rows)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled(self, round(new_value)))

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if self._rows is None:
            return Strip([Segment(f"  {self._words}" if not y else "", base)]).adjust_cell_length(width, base)
        strip = Strip(list(self._segments(self._rows, y + self.scroll_offset.y)))
        return strip.adjust_cell_length(width, base)

    def _segments(self, rows: SideRows, number: int) -> Iterator[Segment]:
        row = rows.rows[number] if number < len(rows.rows) else None
        if row is None:
            return
        base = self.rich_style
        different = self.get_component_rich_style("compare--different")
        current = self.get_component_rich_style("compare--current")
        pieces = list(rows.pieces(row))
        has_end = rows.has_different_end(row)
        numbers = {span for _, _, span in pieces} | ({rows.span_at(row[1])} if has_end else set())
        sign = CURRENT if self.current in numbers else self._sign if any(map(rows.is_different, numbers)) else " "
        yield Segment(f"{sign} ", self.get_component_rich_style("compare--sign"))

        def style_of(span: int) -> RichStyle:
            return current if span == self.current else different if rows.is_different(span) else base

        column = 0
        for start, end, span in pieces:
            text = _without_tabs(rows.text[start:end], column)
            column += cell_len(text)
            yield Segment(text, style_of(span))
        if has_end:
            yield Segment(LINE_END, style_of(rows.span_at(row[1])))


def _without_tabs(text: str, column: int) -> str:
    """`column` is where the text begins in its row, in cells."""
    drawn, *rest = text.split("\t")
    for part in rest:
        at = column + cell_len(drawn)
        drawn += " " * (TAB_CELLS - at % TAB_CELLS) + part
    return drawn


class SideView(Vertical):
    DEFAULT_CSS = """
    SideView { width: 1fr; height: 1fr; }
    """

    def __init__(self, side: str, sign: str) -> None:
        super().__init__(id=f"compare-{side}")
        self.head = SideHead(side, id=f"compare-{side}-head")
        self.body = SideBody(sign, id=f"compare-{side}-body", classes=f"-{side}")

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.body
