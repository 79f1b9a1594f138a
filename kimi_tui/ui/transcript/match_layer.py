"""Third layer of the transcript: the search in its texts, those of folded reasoning included."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from kimi_tui.ui.transcript.cursor import CursorPane
from kimi_tui.ui.transcript.painter import SPOT, Mark, RowLook, Span
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.search import Hit, Search
from kimi_tui.ui.transcript.viewport import Place

PAUSE_S = 0.005
"""Between two slices of reading, in seconds: a key goes through several hands before it is seen."""
SLICES_TOLD = 8
"""After how many slices it is told what is known: to show it costs as much as to read."""


class FindingPane(CursorPane):
    """Entries in which a text can be looked for."""

    @dataclass
    class Found(Message, namespace="transcript"):
        """The search knows more, or stands elsewhere."""

        text: str
        """What is looked for; "" = nothing any more."""
        count: int
        """How many hits there are, as far as the texts were read."""
        current: int
        """Which of them is the current one, from 1; 0 = none is."""
        is_reading: bool
        """Whether more may be found."""

    def __init__(self, *, fold_reasoning: bool = True, id: str | None = None) -> None:
        """Start empty and following, without a search.

        Args:
            fold_reasoning: Whether think blocks are closed at first.
            id: The widget's id.
        """
        super().__init__(fold_reasoning=fold_reasoning, id=id)
        self._search: Search | None = None
        self._origin: Hit | None = None  # where the search was begun: another letter looks from there again
        self._is_awaited = False  # whether the first hit behind the origin is still to be shown
        self._is_read_due = False  # whether a slice will be read after a pause
        self._slices = 0
        self._told = ("", 0, 0, False)

    def find(self, text: str) -> None:
        """Look for a text as it stands, whichever case its letters have; "" ends the search.

        The first hit at or below the top of the view becomes the current one and is shown; typing on looks from the
        same place again. Long conversations are read in slices, from there on: `Found` tells what is known so far.
        """
        before, count = self._search, len(self._view.items)
        if before is not None and text == before.text:
            return
        if not text:
            self._search = self._origin = None
        else:
            self._origin = self._origin or self._hit_at_top()
            self._search = Search(text, count)
            places = range(count) if before is None else before.places_for(text, count)
            first = bisect_left(places, self._origin.item)
            self._search.look_at((*places[first:], *places[:first]))
            self._is_awaited = True
            self._slices = 0
            self._read()
        self._tell()
        self._invalidate()

    def move_hit(self, step: int) -> None:
        """Go to the next (1) or previous (-1) hit, at the end to the other end; one in folded reasoning unfolds it.

        When the current hit is hidden in folded reasoning, that is the one that is gone to.
        """
        search = self._search
        if search is None:
            return
        is_hidden = search.current is not None and self._is_hidden(search.current)
        if not is_hidden:
            start = search.current or self._hit_at_top()
            search.current = search.next_hit(start, 1 if step > 0 else -1)
        if search.current is not None:
            self._origin = search.current
            self._show_hit(search.current, unfold=True)
        self._tell()
        self._invalidate()

    # -- reading

    def _read(self) -> None:
        """Read a slice, and the next one after a pause, in which keys and drawing have their turn."""
        search = self._search
        if search is None:
            return
        changed = search.read(self._view.items)
        was_awaited, self._slices = self._is_awaited, self._slices + 1
        if self._is_awaited and search.count:
            self._show_first(search)
        if search.is_done:
            self._is_awaited = False  # what arrives later is counted, and moves nothing
        if was_awaited != self._is_awaited or search.is_done or self._slices % SLICES_TOLD == 0:
            self._tell()
        if not changed.isdisjoint(place.item for place, _ in self._rows):
            self._invalidate()
        if not search.is_done and self.is_attached and not self._is_read_due:
            self._is_read_due = True
            self.set_timer(PAUSE_S, self._read_on)

    def _read_on(self) -> None:
        """Read the slice that is due."""
        self._is_read_due = False
        self._read()

    def _show_first(self, search: Search) -> None:
        """Show the first hit behind the origin, as soon as it is known for certain."""
        origin = self._origin
        if origin is None:
            return
        found = search.next_hit(origin._replace(chars=origin.chars - 1), 1)
        if found is None or (found.item == origin.item and found < origin and not search.is_done):
            return  # all is read from the origin's entry on: what stands in that one before the origin is the last
        self._is_awaited = False
        search.current = found
        self._show_hit(found, unfold=False)
        self._invalidate()

    def _text_grew(self, key: str) -> None:
        super()._text_grew(key)
        self._look_at([self._places[key]])

    def _look_at(self, items: Sequence[int]) -> None:
        """Read entries that are new or that have grown."""
        if self._search is not None and items:
            was_done = self._search.is_done
            self._search.look_at(items)
            if was_done and self.is_attached:
                self.call_next(self._read)

    def _text_changed(self, key: str) -> None:
        super()._text_changed(key)
        if self._search is not None:
            self._search.forget(self._places[key])
            self._text_grew(key)

    def _entries_moved(self, places: dict[int, int]) -> None:
        super()._entries_moved(places)
        if self._search is not None:
            self._search.move(places)
            if self._origin is not None:
                self._origin = self._origin._replace(item=places.get(self._origin.item, 0))
            self._look_at(sorted(set(range(len(self._view.items))).difference(places.values())))
            self._tell()

    # -- where hits are

    def _hit_at_top(self) -> Hit:
        """Where the view begins, in characters of the source."""
        self._update_frame()
        if not self._rows:
            return Hit(0, Section.HEAD, 0)
        place = self._rows[0][0]
        chars = 0
        if place.section in {Section.REASONING, Section.BODY}:
            chunk = self._view.chunk(place)
            chars = chunk.source.start + chunk.pieces[place.piece].start
        return Hit(place.item, Section(place.section), chars)

    def _is_hidden(self, hit: Hit) -> bool:
        return hit.section is Section.REASONING and not self._view.items[hit.item].section(hit.section).chunks

    def _show_hit(self, hit: Hit, *, unfold: bool) -> None:
        if self._is_hidden(hit):
            item = self._view.items[hit.item]
            if not unfold:
                self._show(Place(hit.item, Section.HEAD, 0, 0, item.thought_line or 0))
                return
            self.toggle_fold(item.key)
        self._show(self._line_of(hit))

    def _line_of(self, hit: Hit) -> Place:
        """The line that shows a hit; the first of its piece, or of the one behind, when what was found is not shown."""
        part = self._view.items[hit.item].section(hit.section)
        at = Place(hit.item, hit.section, part.source.chunk_at(hit.chars))
        chunk = self._view.chunk(at)
        at = at._replace(piece=chunk.piece_at(hit.chars - chunk.source.start))
        at = next(self._view.pieces_from(at), at)  # a chunk that only says where links lead has no piece
        for number, spans in enumerate(self._spans(at)):
            if any(span.mark is Mark.CURRENT_HIT for span in spans):
                return at._replace(line=number)
        return self._first_line(at)

    def _spans(self, place: Place) -> list[list[Span]]:
        """The marks of each line of a piece; none where nothing of it was found."""
        search, lines = self._search, self._view.lines(place)
        if search is None or place.section not in {Section.REASONING, Section.BODY}:
            return [[] for _ in lines]
        chunk, piece = self._view.chunk(place), self._view.piece(place)
        start = chunk.source.start + piece.start
        section = Section(place.section)
        hits = search.hits_in(place.item, section, start, start + len(piece.source))
        if not hits:
            return [[] for _ in lines]
        current = search.current
        is_here = current is not None and current[:2] == (place.item, section)
        order = hits.index(current.chars) if is_here and current is not None and current.chars in hits else None
        return search.spans(lines, order)

    # -- drawing

    def _row_looks(self) -> list[RowLook]:
        looks = super()._row_looks()
        if self._search is None or not self._search.count:
            return looks
        known: dict[Place, list[list[Span]]] = {}
        for row, (place, _) in enumerate(self._rows):
            if place.of_piece not in known:
                known[place.of_piece] = self._spans(place.of_piece)
            if spans := known[place.of_piece][place.line]:
                looks[row] = looks[row]._replace(spans=(*looks[row].spans, *spans))
                if any(span.mark is Mark.CURRENT_HIT for span in spans):
                    looks[row] = looks[row]._replace(margin=SPOT)
        return looks

    def _tell(self) -> None:
        search = self._search
        told = ("", 0, 0, False)
        if search is not None:
            told = search.text, search.count, search.number, not search.is_done
        if told != self._told:
            self._told = told
            self.post_message(self.Found(*told))
