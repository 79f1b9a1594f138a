"""The search in the texts of a transcript, those of folded reasoning included: reads, goes to hits, marks them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from kimi_tui.ui.transcript.entry_list import EntriesChange
from kimi_tui.ui.transcript.folds import Folds
from kimi_tui.ui.transcript.hits import TEXT_SECTIONS, Hit, HitIndex
from kimi_tui.ui.transcript.painter import SPOT, Mark, RowLook, Span
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Place

PAUSE_S = 0.005
"""Between two slices of reading: a key goes through several hands before it is seen."""
SLICES_TOLD = 8
"""What is known is told after so many slices: to show it costs as much as to read."""


class Search:
    def __init__(
        self,
        view: View,
        folds: Folds,
        call_after: Callable[[float, Callable[[], None]], object],
        on_progress: Callable[[str, int, int, bool], object],
    ) -> None:
        """`call_after` calls back after some seconds, in which keys and drawing have their turn.

        `on_progress` is told the text, how many hits, which is the current one (from 1; 0 = none) and whether more may
        be found. `folds` opens the reasoning that a hit is in.
        """
        self._view, self._folds, self._call_after, self._on_progress = view, folds, call_after, on_progress
        self._hits: HitIndex | None = None
        self._origin: Hit | None = None  # where the search was begun: another letter looks from there again
        self._is_awaited = False  # whether the first hit behind the origin is still to be shown
        self._is_read_due = False  # whether a slice will be read after a pause
        self._slices = 0
        self._told = ("", 0, 0, False)

    def find(self, text: str) -> None:
        """The text is taken as it stands, whichever case its letters have; "" ends the search.

        The first hit at or below the top of the view becomes the current one and is shown; typing on looks from the
        same place again. Long conversations are read in slices, from there on.
        """
        before, count = self._hits, len(self._view.viewport.items)
        if before is not None and text == before.text:
            return
        if not text:
            self._hits = self._origin = None
        else:
            self._origin = self._origin or self._hit_at_top()
            self._hits = HitIndex(text, count)
            indices = range(count) if before is None else before.places_for(text, count)
            first = bisect_left(indices, self._origin.item)
            self._hits.look_at((*indices[first:], *indices[:first]))
            self._is_awaited = True
            self._slices = 0
            self._read()
        self._tell()
        self._view.repaint()

    def move_hit(self, step: int) -> None:
        """Go to the next (1) or previous (-1) hit, at the end to the other end; one in folded reasoning unfolds it.

        When the current hit is hidden in folded reasoning, that is the one that is gone to.
        """
        hits = self._hits
        if hits is None:
            return
        if hits.current is None or not self._is_hidden(hits.current):
            hits.current = hits.next_hit(hits.current or self._hit_at_top(), 1 if step > 0 else -1)
        if hits.current is not None:
            self._origin = hits.current
            self._show_hit(hits.current, unfold=True)
        self._tell()
        self._view.repaint()

    # -- reading

    def _read(self) -> None:
        hits = self._hits
        if hits is None:
            return
        changed = hits.read(self._view.viewport.items)
        was_awaited, self._slices = self._is_awaited, self._slices + 1
        if self._is_awaited and hits.count:
            self._show_first(hits)
        if hits.is_done:
            self._is_awaited = False  # what arrives later is counted, and moves nothing
        if was_awaited != self._is_awaited or hits.is_done or self._slices % SLICES_TOLD == 0:
            self._tell()
        if not changed.isdisjoint(place.item for place, _ in self._view.rows):
            self._view.repaint()
        if not hits.is_done:
            self._read_after(PAUSE_S)

    def _read_after(self, pause_s: float) -> None:
        if not self._is_read_due:
            self._is_read_due = True
            self._call_after(pause_s, self._read_on)

    def _read_on(self) -> None:
        self._is_read_due = False
        self._read()

    def _show_first(self, hits: HitIndex) -> None:
        """Show the first hit behind the origin, as soon as it is known for certain."""
        origin = self._origin
        if origin is None:
            return
        found = hits.next_hit(origin._replace(chars=origin.chars - 1), 1)
        if found is None or (found.item == origin.item and found < origin and not hits.is_done):
            return  # all is read from the origin's entry on: what stands in that one before the origin is the last
        self._is_awaited = False
        hits.current = found
        self._show_hit(found, unfold=False)
        self._view.repaint()

    def entries_changed(self, change: EntriesChange) -> None:
        hits = self._hits
        if hits is None:
            return
        was_done = hits.is_done
        if change.moved is not None:
            hits.move(change.moved)
            if self._origin is not None:
                self._origin = self._origin._replace(item=change.moved.get(self._origin.item, 0))
        for index in change.replaced:
            hits.forget(index)
        hits.look_at((*change.replaced, *change.grown))
        if change.moved is not None:
            self._tell()
        if was_done and not hits.is_done:
            self._read_after(0)

    # -- where hits are

    def _hit_at_top(self) -> Hit:
        """Where the view begins, in characters of the source."""
        place = self._view.top
        if not self._view.rows:
            return Hit(0, Section.HEAD, 0)
        chars = 0
        if place.section in TEXT_SECTIONS:
            chunk = self._view.viewport.chunk(place)
            chars = chunk.source.start + chunk.pieces[place.piece].start
        return Hit(place.item, place.section, chars)

    def _is_hidden(self, hit: Hit) -> bool:
        item = self._view.viewport.items[hit.item]
        return hit.section is Section.REASONING and not item.section(hit.section).chunks

    def _show_hit(self, hit: Hit, *, unfold: bool) -> None:
        if self._is_hidden(hit):
            item = self._view.viewport.items[hit.item]
            if not unfold:
                self._view.bring_into_view(Place(hit.item, Section.HEAD, 0, 0, item.thought_line or 0))
                return
            self._folds.toggle(item.key)
        self._view.bring_into_view(self._line_of(hit))

    def _line_of(self, hit: Hit) -> Place:
        """The first line of its piece, or of the one behind, when what was found is not shown."""
        viewport = self._view.viewport
        part = viewport.items[hit.item].section(hit.section)
        at = Place(hit.item, hit.section, part.source.chunk_at(hit.chars))
        chunk = viewport.chunk(at)
        at = at._replace(piece=chunk.piece_at(hit.chars - chunk.source.start))
        at = next(viewport.pieces_from(at), at)  # a chunk that only says where links lead has no piece
        for number, spans in enumerate(self._spans(at)):
            if any(span.mark is Mark.CURRENT_HIT for span in spans):
                return at._replace(line=number)
        return viewport.first_line(at)

    def _spans(self, place: Place) -> Sequence[Sequence[Span]]:
        """None are marked in a piece of which nothing was found."""
        hits, lines = self._hits, self._view.viewport.lines(place)
        if hits is None or place.section not in TEXT_SECTIONS:
            return [()] * len(lines)
        piece, section = self._view.viewport.piece(place), place.section
        start = self._view.viewport.chunk(place).source.start + piece.start
        found = hits.hits_in(place.item, section, start, start + len(piece.source))
        if not found:
            return [()] * len(lines)
        current = hits.current
        is_here = current is not None and current[:2] == (place.item, section)
        order = found.index(current.chars) if is_here and current is not None and current.chars in found else None
        return hits.spans(lines, order)

    # -- drawing

    def mark(self, looks: list[RowLook]) -> None:
        if self._hits is None or not self._hits.count:
            return
        known: dict[Place, Sequence[Sequence[Span]]] = {}
        for row, (place, _) in enumerate(self._view.rows):
            if place.of_piece not in known:
                known[place.of_piece] = self._spans(place.of_piece)
            if spans := known[place.of_piece][place.line]:
                looks[row] = looks[row]._replace(spans=(*looks[row].spans, *spans))
                if any(span.mark is Mark.CURRENT_HIT for span in spans):
                    looks[row] = looks[row]._replace(gutter=SPOT)

    def _tell(self) -> None:
        hits = self._hits
        told = ("", 0, 0, False) if hits is None else (hits.text, hits.count, hits.number, not hits.is_done)
        if told != self._told:
            self._told = told
            self._on_progress(*told)
