"""Going to the headings and to the code of answers, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.ui.state.entry import EntryKind
from kimi_tui.ui.transcript.code_blocks import begins_code
from kimi_tui.ui.transcript.entry_list import EntriesChange
from kimi_tui.ui.transcript.painter import SPOT, RowLook
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Place

HEADING_SIGNS = ("#", "\n=", "\n-")
"""Without one of these a text has no heading."""
CODE_SIGNS = ("```", "~~~", "    ", "\t")


class Jumps:
    """Puts the line that is gone to at the top, and marks it until the view moves."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._target: tuple[Place, Place] | None = None  # the line that was gone to, and the top of the view since then

    def move_heading(self, step: int) -> None:
        """`step` is 1 or -1, from the heading that was gone to or the top line."""
        self._go(step, HEADING_SIGNS, lambda block: block.kind == "heading")

    def move_code(self, step: int) -> None:
        self._go(step, CODE_SIGNS, begins_code)

    def _go(self, step: int, signs: tuple[str, ...], is_meant: Callable[[Block], bool]) -> None:
        viewport = self._view.viewport
        if not viewport.items:
            return
        start = self._shown_target() or self._view.top
        for place in self._candidates(start, step, signs):
            content = viewport.piece(place).content
            if isinstance(content, Block) and is_meant(content):
                target = viewport.first_line(place)
                self._view.scroll_to(target)
                self._target = target, viewport.top
                return

    def _shown_target(self) -> Place | None:
        """The line that was gone to; None when the view has moved since."""
        return self._target[0] if self._target is not None and self._target[1] == self._view.top else None

    def _candidates(self, start: Place, step: int, signs: tuple[str, ...]) -> Iterable[Place]:
        """Entries in which no sign stands are not parsed."""
        items = self._view.viewport.items
        for index in range(start.item, len(items) if step > 0 else -1, step):
            text = items.text(index, Section.BODY) if items.kind(index) is EntryKind.ASSISTANT else ""
            if any(sign in text for sign in signs):
                yield from self._pieces_behind(start, index) if step > 0 else self._pieces_above(start, index)

    def _pieces_behind(self, start: Place, index: int) -> Iterable[Place]:
        viewport = self._view.viewport
        for place in viewport.pieces_from(max(start.of_piece, Place(index, Section.BODY))):
            if place.item != index or place.section != Section.BODY:
                return
            if viewport.first_line(place) > start:
                yield place

    def _pieces_above(self, start: Place, index: int) -> Iterable[Place]:
        viewport, end = self._view.viewport, Place(index, Section.TAIL)
        if start < end:
            end = start
            if start.section == Section.BODY and viewport.first_line(start) < start:
                yield start.of_piece
        for place in viewport.pieces_before(end):
            if place.item != index or place.section != Section.BODY:
                return
            yield place

    def entries_changed(self, change: EntriesChange) -> None:
        if change.moved is not None:
            self._target = None

    def mark(self, looks: list[RowLook]) -> None:
        target = self._shown_target()
        row = None if target is None else self._view.row_of(target)
        if row is not None:
            looks[row] = looks[row]._replace(gutter=SPOT)
