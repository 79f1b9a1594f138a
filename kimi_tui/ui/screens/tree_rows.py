"""The rows of the tree view: only those in view are put into words and drawn, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import datetime

from rich.cells import cell_len
from rich.style import Style
from textual.geometry import Size
from textual.message import Message

from kimi_tui.core.session.session import Role
from kimi_tui.core.session.tree_outline import MessageTree, OutlineRow
from kimi_tui.ui.state.tree_words import row_words
from kimi_tui.ui.text.fit import fit, fitted
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.widgets.row_list import RowList, Run

HEAD_MARK, ACTIVE_MARK = "●", "│"
FOLDED, OPEN = "▸", "▾"
LEFT_OUT = "‹"
"""Stands at the left where a row stands further left than the view reaches."""
STEP = 2
"""Cells that a row is set back for each level."""
TEXT_CELLS = 40
"""Cells that are left to a row's words, however deep it stands, where there are so many."""
LONG_FIGURES_FROM = 76
"""A narrower list has the figures in short."""

_BOLD = Style(bold=True)


class TreeRows(RowList[OutlineRow]):
    class MarkClicked(Message):
        """The mark of the row under the cursor was clicked, which folds."""

    def __init__(self, now: datetime, to_local: Callable[[datetime], datetime], id: str | None = None) -> None:
        super().__init__(id=id)
        self._now, self._to_local = now, to_local
        self._tree: MessageTree | None = None
        self._growing: Set[str] = frozenset()

    # -- content

    def set_rows(self, tree: MessageTree, rows: list[OutlineRow], cursor: int, growing: Set[str]) -> None:
        """Show these rows, which others may change; `rows_changed` is to be called then."""
        self._tree, self._rows, self._growing = tree, rows, growing
        self._cursor = min(max(cursor, 0), max(len(rows) - 1, 0))
        self.rows_changed()

    def rows_changed(self) -> None:
        self.virtual_size = Size(0, len(self._rows))
        self.show_cursor()
        self.refresh()
        self.post_message(self.Scrolled())

    # -- the cursor

    def go_to(self, number: int) -> None:
        shift = self._shift
        super().go_to(number)
        if self._shift != shift:
            self.refresh()

    @property
    def _shift(self) -> int:
        """How many levels the view leaves out at its left, so that the row under the cursor has room."""
        row = self.cursor_row
        room = max(self.scrollable_content_region.width - TEXT_CELLS, STEP) // STEP
        return 0 if row is None else max(row.depth - room, 0)

    # -- what its rows are

    def words_from(self, row: OutlineRow) -> int:
        return cell_len("".join(text for text, _ in self._lead(row, self._look())))

    def clicked(self, row: OutlineRow, x: int, *, is_choice: bool) -> None:
        if row.is_folded is not None and x < self.words_from(row):
            self.post_message(self.MarkClicked())
        else:
            super().clicked(row, x, is_choice=is_choice)

    def _lead(self, row: OutlineRow, styles: Styles) -> list[Run]:
        """What stands before the words: whether it is active, how deep it stands, whether it is folded."""
        is_active = self._tree is not None and row.place in self._tree.active
        has_head = row.has_head and (row.is_folded or not row.is_run)
        mark = HEAD_MARK if has_head else ACTIVE_MARK if is_active else " "
        depth = row.depth - self._shift
        back = LEFT_OUT if depth < 0 else " " * (STEP * depth)
        fold = " " if row.is_folded is None else FOLDED if row.is_folded else OPEN
        return [(mark, styles.role("marker") + _BOLD), (f" {back}{fold} ", styles.role("dim-text"))]

    def runs(self, row: OutlineRow, width: int, styles: Styles) -> list[Run]:
        tree = self._tree
        assert tree is not None, "there are no rows before there is a tree"
        words = row_words(tree, row, self._growing, self._now, self._to_local)
        is_active = row.place in tree.active
        base = styles.base + _BOLD if is_active else styles.base
        lead = self._lead(row, styles)
        figures = words.figures[0 if width >= LONG_FIGURES_FROM else 1]
        role = "user-name" if tree.messages[row.place].role is Role.USER else "assistant-name"
        left = [
            *lead,
            (f"{words.label}  " if words.label else "", styles.role("dim-text")),
            (f"{words.who} ", styles.role(role)),
        ]
        room = width - sum(cell_len(text) for text, _ in left) - cell_len(figures) - 3
        name = fitted(words.name, room // 2)
        if name:
            left.append((f"[{name}] ", styles.role("marker")))
            room -= cell_len(name) + 3
        return [*left, (fit(words.text, room), base), (f"  {figures} ", styles.role("dim-text"))]
