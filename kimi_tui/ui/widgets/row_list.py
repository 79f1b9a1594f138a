"""A list of rows with a cursor: only those in view are drawn, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kimi_tui.ui.text.fit import fit
from kimi_tui.ui.text.role_styles import Styles

MARGIN = 1
Run = tuple[str, Style]
RowT = TypeVar("RowT")


class RowList(Generic[RowT], ScrollView, can_focus=True):
    """What is made of it says what its rows look like; the cursor skips those that cannot be chosen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--cursor"}
    DEFAULT_CSS = """
    RowList {
        height: 1fr;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        & > .row-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
    }
    """

    class Chosen(Message):
        """The row under the cursor was chosen with the mouse."""

    class Scrolled(Message):
        """Other rows are in view, or the rows stand elsewhere."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.note = ""
        """What stands there where there are no rows."""
        self._rows: Sequence[RowT] = ()
        self._cursor = 0
        self._styles: tuple[tuple[str, Style], Styles] | None = None
        self._has_click_moved = False

    # -- what its rows are

    def runs(self, row: RowT, width: int, styles: Styles) -> list[Run]:
        """What is drawn of a row, in so many cells."""
        raise NotImplementedError

    def words_from(self, row: RowT) -> int:
        """How many cells stand before its words."""
        raise NotImplementedError

    def can_be_chosen(self, row: RowT) -> bool:
        del row
        return True

    def reach(self, number: int) -> tuple[int, int]:
        """The numbers of the first and the last row that are to be in view with that one."""
        return number, number

    def clicked(self, row: RowT, x: int, *, is_choice: bool) -> None:
        """`x` in cells; `is_choice` = the row had the cursor, and the first click of a double one did not choose it."""
        del row, x
        if is_choice:
            self.post_message(self.Chosen())

    # -- the cursor

    @property
    def cursor(self) -> int:
        return self._cursor

    @property
    def cursor_row(self) -> RowT | None:
        """None = no row can be chosen."""
        row = self._rows[self._cursor] if self._cursor < len(self._rows) else None
        return row if row is not None and self.can_be_chosen(row) else None

    def key_move(self, key: str, *, is_typing: bool) -> Callable[[], None] | None:
        """How a key moves the cursor; None = not at all. Home and End belong to a line that is typed in."""
        moves: dict[str, Callable[[], None]] = {
            "up": lambda: self.move(-1),
            "down": lambda: self.move(1),
            "pageup": lambda: self.move(-self._page),
            "pagedown": lambda: self.move(self._page),
        }
        edges: dict[str, Callable[[], None]] = {
            "home": lambda: self.move(-len(self._rows)),
            "end": lambda: self.move(len(self._rows)),
        }
        return moves.get(key) or (None if is_typing else edges.get(key))

    @property
    def _page(self) -> int:
        """One row stays in view."""
        return max(self.size.height - 1, 1)

    def move(self, rows: int) -> None:
        """Skips rows that cannot be chosen; negative = up."""
        if not self._rows:
            return
        wanted = min(max(self._cursor + rows, 0), len(self._rows) - 1)
        step = 1 if rows > 0 else -1
        onward = range(wanted, len(self._rows) if step > 0 else -1, step)
        self.go_to(self.first_of(onward, self.first_of(range(wanted, self._cursor, -step), self._cursor)))

    def first_of(self, numbers: Iterable[int], otherwise: int) -> int:
        return next((n for n in numbers if self.can_be_chosen(self._rows[n])), otherwise)

    def go_to(self, number: int) -> None:
        old, self._cursor = self._cursor, number
        self.refresh_line(old)
        self.refresh_line(number)
        self.show_cursor()

    def show_cursor(self) -> None:
        """Scroll until the cursor is in view, with what is to be in view with it."""
        height, top = self.scrollable_content_region.height, self.scroll_offset.y
        if not height:
            return
        first, last = self.reach(self._cursor)
        wanted = min(max(top, last - height + 1), first) if height > last - first else self._cursor
        if wanted != top:
            self.scroll_to(y=wanted, animate=False)

    def words_region(self) -> Region | None:
        """Where the words of the row under the cursor stand in this widget; None = it is out of view."""
        row, line = self.cursor_row, self._cursor - self.scroll_offset.y
        width, height = self.scrollable_content_region.size
        if row is None or not 0 <= line < height:
            return None
        left = self.words_from(row)
        return Region(left, line, max(width - left - MARGIN, 1), 1)

    # -- drawing

    def render_line(self, y: int) -> Strip:
        width, number, styles = self.scrollable_content_region.width, y + self.scroll_offset.y, self._look()
        if number < len(self._rows):
            runs = self.runs(self._rows[number], width, styles)
            if number == self._cursor and self.cursor_row is not None:
                style = self.get_component_rich_style("row-list--cursor")
                runs = [(text, style) for text, _ in runs]
        elif not self._rows and y == 0:
            runs = [(" " * MARGIN, styles.base), (fit(self.note, width - MARGIN), styles.role("dim-text"))]
        else:
            return Strip.blank(width, styles.base)
        strip = Strip([Segment(text, style) for text, style in runs if text])
        return strip.adjust_cell_length(width, styles.base)

    def _look(self) -> Styles:
        key = self.app.theme, self.rich_style
        if self._styles is None or self._styles[0] != key:
            self._styles = key, Styles(self.app.theme_variables, self.rich_style)
        return self._styles[1]

    # -- what happens to it

    def on_resize(self) -> None:
        self.show_cursor()
        self.post_message(self.Scrolled())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())

    def on_click(self, event: events.Click) -> None:
        event.stop()
        number = event.y + self.scroll_offset.y
        if number >= len(self._rows) or not self.can_be_chosen(self._rows[number]):
            return
        has_moved = number != self._cursor
        if has_moved:
            self.go_to(number)
        is_choice = not has_moved and (event.chain == 1 or self._has_click_moved)
        self._has_click_moved = has_moved
        self.clicked(self._rows[number], event.x, is_choice=is_choice)
