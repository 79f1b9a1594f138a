"""The rows of the sessions pane: only those in view are drawn, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.style import Style
from textual.geometry import Size

from kimi_tui.core.session.listing import UNTITLED, Row, RowKind
from kimi_tui.ui.text.fit import fit
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.widgets.row_list import MARGIN, RowList, Run

OPEN_MARK = "▸"
BROKEN_MARK = "!"
RUNNING_MARK = "●"
UNREAD_MARK = "✓"
"""A reply has ended well since the session was looked at."""
FAILED_MARK = "✗"
"""A reply has failed or was cut since the session was looked at."""
INDENT = 3
"""A margin, the mark, a blank."""
TIME_WIDTH = 5
TIME_FROM_WIDTH = 24
"""A narrower list has no room for times."""

_BOLD, _ITALIC = Style(bold=True), Style(italic=True)


class SessionRows(RowList[Row]):
    DEFAULT_CSS = """
    SessionRows > .row-list--cursor {
        background: $block-cursor-blurred-background;
        color: $block-cursor-blurred-foreground;
        text-style: $block-cursor-blurred-text-style;
    }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._current = ""
        self._busy: Collection[str] = frozenset()
        self._fresh: Collection[str] = frozenset()
        self._failed: Collection[str] = frozenset()

    # -- content

    def set_rows(self, rows: Sequence[Row], path: str | None) -> None:
        """Put the cursor on a file, on what took its place where that is gone; None = the first that can be chosen."""
        old, was_scrolled = self._cursor, self.scroll_offset.y
        self._rows = rows
        self.virtual_size = Size(0, len(rows))
        found = self._find(path)
        if found is None:
            found = self._nearest(0 if path is None else old)
        elif was_scrolled:  # what is looked at stays on its line
            self.scroll_to(y=was_scrolled + found - old, animate=False)
        self._cursor = found
        self.show_cursor()
        self.refresh()

    def set_marks(
        self, current: str, running: Collection[str], unread: Collection[str], failed: Collection[str] = ()
    ) -> None:
        self._current, self._busy, self._fresh, self._failed = current, running, unread, failed
        self.refresh()

    def _find(self, path: str | None) -> int | None:
        if not path:
            return None
        return next((n for n, row in enumerate(self._rows) if row.path == path and row.can_be_chosen), None)

    def _nearest(self, number: int) -> int:
        """The row there, or the next one that can be chosen, or the last one before."""
        size = len(self._rows)
        before = range(min(number, size) - 1, -1, -1)
        return self.first_of(range(min(number, size), size), self.first_of(before, 0))

    # -- what its rows are

    def can_be_chosen(self, row: Row) -> bool:
        return row.can_be_chosen

    def words_from(self, row: Row) -> int:
        del row
        return INDENT

    def reach(self, number: int) -> tuple[int, int]:
        """The heading above and the reason below."""
        has_heading = number > 0 and self._rows[number - 1].kind is RowKind.HEADING
        has_reason = number + 1 < len(self._rows) and self._rows[number + 1].kind is RowKind.REASON
        return number - has_heading, number + has_reason

    def runs(self, row: Row, width: int, styles: Styles) -> list[Run]:
        if row.kind is RowKind.HEADING:
            return [(" " * MARGIN, styles.base), (fit(row.text, width - 2 * MARGIN), styles.role("heading") + _BOLD)]
        if row.kind is RowKind.REASON:
            return [(" " * INDENT, styles.base), (fit(row.text, width - INDENT - MARGIN), styles.role("dim-text"))]
        if row.kind is RowKind.BROKEN:
            style = styles.role("error-text")
            return [(f" {BROKEN_MARK} ", style + _BOLD), (fit(row.text, width - INDENT - MARGIN), style)]
        return self._session_runs(row, width, styles)

    def _session_runs(self, row: Row, width: int, styles: Styles) -> list[Run]:
        is_open = row.path == self._current
        right = self._badge(row, styles)
        if width >= TIME_FROM_WIDTH:
            right.append((f" {row.time:>{TIME_WIDTH}}", styles.role("dim-text")))
        room = width - INDENT - MARGIN - sum(len(text) for text, _ in right)
        title = (fit(row.text.strip(), room), styles.base + _BOLD if is_open else styles.base)
        if not row.text.strip():
            title = (fit(UNTITLED, room), styles.role("dim-text") + _ITALIC)
        mark = (f" {OPEN_MARK} " if is_open else " " * INDENT, styles.role("marker") + _BOLD)
        return [mark, title, *right, (" " * MARGIN, styles.base)]

    def _badge(self, row: Row, styles: Styles) -> list[Run]:
        if row.path in self._busy:
            return [(f" {RUNNING_MARK}", styles.role("assistant-name"))]
        if row.path in self._failed:
            return [(f" {FAILED_MARK}", styles.role("error-text") + _BOLD)]
        if row.path in self._fresh:
            return [(f" {UNREAD_MARK}", styles.role("marker") + _BOLD)]
        return []
