"""The rows in view: found when they are asked for, and again only when something is different.

Nothing here belongs to the library: the size and the theme are asked for, and whoever draws is told when to draw.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from kimi_tui.ui.transcript.entry_list import EntriesChange
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.painter import RowLook
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.scrollbar import ScrollBar
from kimi_tui.ui.transcript.viewport import TOP, Place, Viewport

EXTRA_LINES = 300
"""How many lines that are not in view are laid out for one frame, where there are few in all."""


class View:
    """What of the entries is on screen."""

    def __init__(self, viewport: Viewport, measure: Callable[[], tuple[Look, int]], redraw: Callable[[], None]) -> None:
        """Follow the end.

        Args:
            viewport: The entries and the anchor.
            measure: Gives the look and the rows of the screen as they are now.
            redraw: Called when what is drawn is not what should be; several calls may be answered by one drawing.
        """
        self.viewport = viewport
        self._measure, self.repaint = measure, redraw
        """Have the same rows drawn with other marks."""
        self._rows: list[tuple[Place, Line]] = []
        self._is_stale = True
        self.has_new_below = False
        """Whether something arrived below what is in view and was not seen yet."""
        self.is_laid_out = True
        """Whether nothing waits to be laid out, for the scroll bar, beyond what is in view."""

    # -- the rows

    @property
    def rows(self) -> list[tuple[Place, Line]]:
        """The lines in view, from top to bottom; fewer than the screen's rows where there are no more."""
        if self._is_stale:
            self._is_stale = False
            self.fit()
            self._rows = self.viewport.rows()
            self.is_laid_out = self.viewport.lay_out_short(self._rows, EXTRA_LINES)
            self.has_new_below = self.has_new_below and not self._is_end_in_view
        return self._rows

    @property
    def top(self) -> Place:
        """The line on the first row."""
        return self.rows[0][0] if self.rows else self.viewport.top

    def row_of(self, place: Place) -> int | None:
        """The row that a line is on; None = it is not in view."""
        return next((row for row, (at, _) in enumerate(self.rows) if at == place), None)

    def row_looks(self) -> list[RowLook]:
        """How each row looks before anything is marked: the text of what is not in the prompt is dim."""
        items = self.viewport.items
        dim = {place.item for place, _ in self.rows if items[place.item].is_excluded}
        return [RowLook(is_dimmed=place.item in dim and place.section != Section.HEAD) for place, _ in self.rows]

    @property
    def _is_end_in_view(self) -> bool:
        if self.viewport.is_following or len(self._rows) < self.viewport.height:
            return True
        return bool(self._rows) and len(list(islice(self.viewport.walk(self._rows[-1][0]), 2))) < 2

    def scroll_bar(self) -> ScrollBar:
        """Where the view is in all there is, by estimates for what was never seen."""
        above, total = self.viewport.extent(self.top)
        height = self.viewport.height
        return ScrollBar(height, max(total - height, 0) if self.viewport.is_following else above, total)

    # -- what makes them other ones

    def fit(self) -> None:
        """Take the screen's size and look as they are now."""
        look, height = self._measure()
        self.viewport.set_look(look)
        self.viewport.height = height

    def invalidate(self) -> None:
        """Find the rows anew, and have them drawn."""
        self._is_stale = True
        self.repaint()

    def entries_changed(self, change: EntriesChange) -> None:
        """Note what arrived below."""
        if change.has_other_end:
            self.has_new_below = False
        elif change.arrived is not None and not self.has_new_below:
            self.has_new_below = self._is_below(*change.arrived)
        self.invalidate()

    def _is_below(self, index: int, section: Section) -> bool:
        """Whether what is added to an entry is added below what is in view."""
        if self.viewport.is_following:
            return False
        last = self.rows[-1][0].item if self.rows else self.viewport.top.item
        is_hidden = section is Section.REASONING and self.viewport.items[index].is_folded
        return index > last or (index == last and not is_hidden)

    # -- moving

    def follow_tail(self) -> None:
        """Show the end and keep it in view."""
        self.viewport.follow()
        self.has_new_below = False
        self.invalidate()

    def scroll_to_top(self) -> None:
        """Show the beginning."""
        self.fit()
        self.viewport.scroll_to(TOP)
        self._moved()

    def scroll_lines(self, lines: int) -> None:
        """Scroll; negative = up, which stops following; down to the end follows again."""
        self.fit()
        self.viewport.scroll_lines(lines)
        self._moved()

    def scroll_pages(self, pages: int) -> None:
        """Scroll by pages; negative = up. Two lines stay in view."""
        self.fit()
        self.scroll_lines(pages * self.viewport.page_lines)

    def scroll_to_line(self, line: int | None) -> None:
        """Put about that line of all there are at the top, as a scroll bar knows it; None = follow the end."""
        if line is None:
            self.viewport.follow()
        else:
            self.viewport.scroll_to_line(line)
        self._moved()

    def scroll_to(self, place: Place) -> None:
        """Put a line at the top; a view that followed goes on to follow when all behind it fits."""
        self.fit()
        self.viewport.scroll_to(place, may_follow=self.viewport.is_following)
        self._moved()

    def bring_into_view(self, place: Place) -> None:
        """Show a line, with a third of the screen above it where it was not in view."""
        if self.row_of(place) is None:
            self.scroll_to(self.viewport.back(place, self.viewport.height // 3))

    def keep_row(self, place: Place, row: int) -> None:
        """Put a line on a row."""
        self.viewport.keep_row(place, row)
        self._moved()

    def _moved(self) -> None:
        self.has_new_below = self.has_new_below and not self.viewport.is_following
        self.invalidate()
