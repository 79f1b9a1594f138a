"""Second layer of the transcript: the message cursor, and going to headings, code and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from textual.message import Message

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.ui.state.entry import MESSAGES, EntryKind
from kimi_tui.ui.transcript import copying
from kimi_tui.ui.transcript.entry_rows import LinesPane
from kimi_tui.ui.transcript.painter import CHOSEN_BAR, SPOT, RowLook
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.viewport import Place

PLAIN_WIDTH = 100
"""Width for which a plain text is laid out: rules and tables have one."""
HEADING_SIGNS = ("#", "\n=", "\n-")
"""Without one of these a text has no heading."""
CODE_SIGNS = ("```", "~~~", "    ", "\t")
"""Without one of these a text has no block of code."""


class CursorPane(LinesPane):
    """Entries of which one message may be chosen."""

    @dataclass
    class Chosen(Message, namespace="transcript"):
        """The message cursor stands elsewhere."""

        key: str | None
        """Key of the chosen message; None = none is."""

    def __init__(self, *, fold_reasoning: bool = True, id: str | None = None) -> None:
        """Start empty and following, without a chosen message.

        Args:
            fold_reasoning: Whether think blocks are closed at first.
            id: The widget's id.
        """
        super().__init__(fold_reasoning=fold_reasoning, id=id)
        self._chosen: str | None = None
        self._spot: tuple[Place, Place] | None = None  # the line that was gone to, and the top of the view since then
        self._numbered: str | None = None

    # -- the message cursor

    @property
    def chosen(self) -> str | None:
        """Key of the chosen message; None = none is."""
        return self._chosen

    def choose(self, key: str | None, *, brings_into_view: bool = True) -> None:
        """Put the message cursor on a message.

        Args:
            key: Its key; None, or that of what is no message: on none.
            brings_into_view: Whether it is scrolled to; else what is being read stays, and the message is only marked.
        """
        item = self._item(key)
        if item is None or item.kind not in MESSAGES:
            key = None
        if key is not None and brings_into_view:
            self._show_entry(self._places[key])
        if key != self._chosen:
            self._chosen = key
            self.post_message(self.Chosen(key))
        self._invalidate()

    def choose_in_view(self) -> None:
        """Choose the last message in view, of which a line of text is there; nothing is scrolled for it."""
        self._update_frame()
        seen = {place.item for place, _ in self._rows if place.section != Section.TAIL}
        keys = [self._view.items[place].key for place in sorted(seen) if self._view.items[place].kind in MESSAGES]
        if keys:
            self.choose(keys[-1], brings_into_view=False)
        else:
            self.choose_edge(False)

    def move_choice(self, step: int) -> None:
        """Move the message cursor by messages; negative = up. Without one it begins in view."""
        if self._chosen is None or self._chosen not in self._places:
            self.choose_in_view()
            return
        place = self._places[self._chosen]
        found = place
        while step:
            place += 1 if step > 0 else -1
            if not 0 <= place < len(self._view.items):
                break
            if self._view.items[place].kind in MESSAGES:
                found = place
                step -= 1 if step > 0 else -1
        self.choose(self._view.items[found].key)

    def choose_edge(self, first: bool) -> None:
        """Choose the first or the last message."""
        items = self._view.items if first else reversed(self._view.items)
        self.choose(next((item.key for item in items if item.kind in MESSAGES), None))

    def _show_entry(self, place: int) -> None:
        """Bring an entry into view: all of it, or its beginning."""
        self._update_frame()
        rows = [at for at, _ in self._rows if at.item == place]
        head = Place(place)
        end = Place(place, Section.TAIL)
        if head in rows and (end in rows or self._rows[0][0] == head):
            return
        below = bool(self._rows) and place >= self._rows[-1][0].item
        if below:  # scrolled down to just show its end, unless its beginning would leave the view
            at_top = self._view.back(end, max(self.size.height - 1, 0))
            self._show_at_top(min(at_top, head))
        else:
            self._show_at_top(head)

    def _renamed(self, old_key: str, key: str) -> None:
        super()._renamed(old_key, key)
        if self._chosen == old_key:
            self._chosen = key
            if key != old_key:
                self.post_message(self.Chosen(key))
        if self._numbered == old_key:
            self._numbered = key

    def _entries_moved(self, places: dict[int, int]) -> None:
        super()._entries_moved(places)
        self._spot = None
        if self._chosen is not None and self._chosen not in self._places:
            self._chosen = None
            self.post_message(self.Chosen(None))

    # -- moving to headings and code

    def move_heading(self, step: int) -> None:
        """Go to the next (1) or previous (-1) heading of an answer, from the one that was gone to or the top line."""
        self._go_to_block(step, HEADING_SIGNS, lambda block: block.kind == "heading")

    def move_code(self, step: int) -> None:
        """Go to the next (1) or previous (-1) block of code."""
        self._go_to_block(step, CODE_SIGNS, _begins_code)

    def _go_to_block(self, step: int, signs: tuple[str, ...], is_meant: Callable[[Block], bool]) -> None:
        self._update_frame()
        if not self._view.items:
            return
        top = self._view.top
        start = self._spot[0] if self._spot is not None and self._spot[1] == top else top
        for place in self._block_places(start, step, signs):
            content = self._view.piece(place).content
            if isinstance(content, Block) and is_meant(content):
                self._go_to(self._first_line(place))
                return

    def _go_to(self, place: Place) -> None:
        """Show a line at the top and mark it."""
        self._show_at_top(place)
        self._spot = place, self._view.top

    def _first_line(self, place: Place) -> Place:
        """The first line of a piece that has something on it."""
        lines = self._view.lines(place)
        return place._replace(line=next((number for number, line in enumerate(lines) if line.runs), 0))

    def _block_places(self, start: Place, step: int, signs: tuple[str, ...]) -> Iterable[Place]:
        """The pieces of answers that may be meant, without parsing entries in which no sign stands."""
        items = self._view.items
        for item in range(start.item, len(items) if step > 0 else -1, step):
            text = items[item].text(Section.BODY)
            if items[item].kind is not EntryKind.ASSISTANT or not any(sign in text for sign in signs):
                continue
            pieces = self._pieces_behind(start, item) if step > 0 else self._pieces_above(start, item)
            yield from pieces

    def _pieces_behind(self, start: Place, item: int) -> Iterable[Place]:
        for place in self._view.pieces_from(max(start.of_piece, Place(item, Section.BODY))):
            if place.item != item or place.section != Section.BODY:
                return
            if self._first_line(place) > start:
                yield place

    def _pieces_above(self, start: Place, item: int) -> Iterable[Place]:
        end = Place(item, Section.TAIL)
        if start < end:
            end = start
            if start.section == Section.BODY and self._first_line(start) < start:
                yield start.of_piece
        for place in self._view.pieces_before(end):
            if place.item != item or place.section != Section.BODY:
                return
            yield place

    # -- code

    def code_blocks(self, key: str) -> list[str]:
        """The code of a message's blocks, in order."""
        self._refresh_look()
        return copying.code_blocks(self._view, self._places[key]) if key in self._places else []

    def has_code(self, key: str) -> bool:
        """Whether a message has a block of code."""
        self._refresh_look()
        return key in self._places and copying.has_code(self._view, self._places[key])

    def show_code_numbers(self, key: str) -> None:
        """Number the code blocks of a message, from 1."""
        self._numbered = key
        self._invalidate()

    def code_blocks_above(self, key: str) -> int:
        """How many code blocks of a message begin above what is in view."""
        self._update_frame()
        item, above = self._places.get(key), 0
        if item is None or not self._rows:
            return 0
        first = self._rows[0][0]
        for place, count in self._code_pieces(item):
            if place >= first.of_piece:
                starts = copying.code_starts(self._view.lines(place))[:count] if place == first.of_piece else []
                return above + sum(place._replace(line=line) < first for line in starts)
            above += count
        return above

    def hide_code_numbers(self) -> None:
        """Show no numbers any more."""
        self._numbered = None
        self._invalidate()

    def plain_text_of(self, key: str) -> str:
        """The text of an entry as it is shown, without the marks of Markdown; "" when it is not there."""
        item = self._item(key)
        self._refresh_look()
        return "" if item is None else copying.plain_text(item, Look(self._look.styles, PLAIN_WIDTH))

    # -- drawing

    def _row_looks(self) -> list[RowLook]:
        looks = super()._row_looks()
        spot = self._spot[0] if self._spot is not None and self._rows and self._spot[1] == self._rows[0][0] else None
        for row, (place, _) in enumerate(self._rows):
            key = self._view.items[place.item].key
            if key == self._chosen and not self._is_last_line(place):
                looks[row] = looks[row]._replace(margin=CHOSEN_BAR)
            elif place == spot:
                looks[row] = looks[row]._replace(margin=SPOT)
        if self._numbered is not None:
            self._number_code(looks)
        return looks

    def _is_last_line(self, place: Place) -> bool:
        """Whether a line is the blank one behind an entry."""
        return place.section == Section.TAIL and place.line == len(self._view.lines(place)) - 1

    def _number_code(self, looks: list[RowLook]) -> None:
        """Put the numbers of its code blocks on the rows where they begin."""
        item = self._places.get(self._numbered or "")
        if item is None:
            return
        rows = {place: row for row, (place, _) in enumerate(self._rows) if place.item == item}
        number = 0
        for place, count in self._code_pieces(item) if rows else ():
            if any(at.of_piece == place for at in rows):
                for order, line in enumerate(copying.code_starts(self._view.lines(place))[:count]):
                    if (row := rows.get(place._replace(line=line))) is not None:
                        looks[row] = looks[row]._replace(hint=f"[{number + order + 1}]")
            number += count

    def _code_pieces(self, item: int) -> Iterator[tuple[Place, int]]:
        """The pieces of an entry in which blocks of code begin, in order, and how many do."""
        for place in self._view.pieces_from(Place(item, Section.BODY)):
            if place.item != item or place.section != Section.BODY:
                return
            content = self._view.piece(place).content
            if not isinstance(content, Block) or (content.goes_on and content.kind == "fence"):
                continue
            if count := len(copying.code_tokens(content)):
                yield place, count


def _begins_code(block: Block) -> bool:
    """Whether there is code in a block, other than what goes on with the block before."""
    return (not block.goes_on or block.kind not in copying.CODE_TOKENS) and bool(copying.code_tokens(block))
