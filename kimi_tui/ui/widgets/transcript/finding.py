"""Third layer of the transcript: the search in its texts, those of folded reasoning included."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from kimi_tui.ui.widgets.transcript.cursor import CursorPane
from kimi_tui.ui.widgets.transcript.painter import SPOT, Mark, RowLook, Span
from kimi_tui.ui.widgets.transcript.pieces import Section
from kimi_tui.ui.widgets.transcript.search import Hit, Search
from kimi_tui.ui.widgets.transcript.viewport import Place


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
        self._told = ("", 0, 0)

    def find(self, text: str) -> None:
        """Look for a text as it stands, whichever case its letters have; "" ends the search.

        The first hit at or below the top of the view becomes the current one and is shown; typing on looks from the
        same place again. Long conversations are read in slices: `Found` tells what is known so far.
        """
        if self._search is not None and text == self._search.text:
            return
        if not text:
            self._search = self._origin = None
        else:
            self._origin = self._origin or self._hit_at_top()
            self._search = Search(text)
            self._search.look_at(list(self._places))
            self._is_awaited = True
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
            search.current = search.next_hit(self._keys(), start, 1 if step > 0 else -1)
        if search.current is not None:
            self._origin = search.current
            self._show_hit(search.current, unfold=True)
        self._tell()
        self._invalidate()

    # -- reading

    def _read(self) -> None:
        """Read a slice, and the next one when keys and drawing had their turn."""
        search = self._search
        if search is None:
            return
        search.read(self._item)
        if self._is_awaited and search.count:
            self._show_first(search)
        self._tell()
        self._invalidate()
        if not search.is_done and self.is_attached:
            self.call_later(self._read)

    def _show_first(self, search: Search) -> None:
        """Show the first hit behind the origin, as soon as it is known for certain."""
        origin = self._origin
        if origin is None:
            return
        found = search.next_hit(self._keys(), origin._replace(chars=origin.chars - 1), 1)
        if found is None or not (search.is_done or self._is_behind(found, origin)):
            return
        self._is_awaited = False
        search.current = found
        self._show_hit(found, unfold=False)

    def _is_behind(self, hit: Hit, other: Hit) -> bool:
        return (self._places.get(hit.key, 0), *hit[1:]) >= (self._places.get(other.key, 0), *other[1:])

    def _text_grew(self, key: str) -> None:
        super()._text_grew(key)
        if self._search is not None:
            was_done = self._search.is_done
            self._search.look_at([key])
            if was_done and self.is_attached:
                self.call_next(self._read)

    def _text_changed(self, key: str) -> None:
        super()._text_changed(key)
        if self._search is not None:
            self._search.forget(key)
            self._text_grew(key)

    def _renamed(self, old_key: str, key: str) -> None:
        super()._renamed(old_key, key)
        if self._search is not None and key != old_key:
            self._search.rename(old_key, key)

    def _entries_moved(self, places: dict[int, int]) -> None:
        super()._entries_moved(places)
        if self._search is not None:
            for key in self._search.keys() - self._places.keys():
                self._search.forget(key)
            for key in self._places.keys() - self._search.keys():
                self._text_grew(key)
            self._tell()

    # -- where hits are

    def _keys(self) -> list[str]:
        return [item.key for item in self._view.items]

    def _hit_at_top(self) -> Hit:
        """Where the view begins, in characters of the source."""
        self._update_frame()
        if not self._rows:
            return Hit("", Section.HEAD, 0)
        place = self._rows[0][0]
        chars = 0
        if place.section in {Section.REASONING, Section.BODY}:
            stretch = self._view.stretch(place)
            chars = stretch.start + stretch.pieces[place.piece].start
        return Hit(self._view.items[place.item].key, Section(place.section), chars)

    def _is_hidden(self, hit: Hit) -> bool:
        item = self._item(hit.key)
        return item is not None and hit.section is Section.REASONING and not item.part(hit.section).stretches

    def _show_hit(self, hit: Hit, *, unfold: bool) -> None:
        item = self._item(hit.key)
        if item is None:
            return
        if self._is_hidden(hit):
            if not unfold:
                self._show(Place(self._places[hit.key], Section.HEAD, 0, 0, item.thought_line or 0))
                return
            self.toggle_fold(hit.key)
        self._show(self._line_of(hit))

    def _line_of(self, hit: Hit) -> Place:
        """The line that shows a hit; the first of its piece when what was found is not shown."""
        item = self._places[hit.key]
        part = self._view.items[item].part(hit.section)
        at = Place(item, hit.section, part.stretch_at(hit.chars))
        stretch = self._view.stretch(at)
        at = at._replace(piece=stretch.piece_at(hit.chars - stretch.start))
        for number, spans in enumerate(self._spans(at)):
            if any(span.mark is Mark.CURRENT_HIT for span in spans):
                return at._replace(line=number)
        return self._first_line(at)

    def _spans(self, place: Place) -> list[list[Span]]:
        """The marks of each line of a piece; none where nothing of it was found."""
        search, item = self._search, self._view.items[place.item]
        lines = self._view.lines(place)
        if search is None or place.section not in {Section.REASONING, Section.BODY}:
            return [[] for _ in lines]
        stretch, piece = self._view.stretch(place), self._view.piece(place)
        start = stretch.start + piece.start
        section = Section(place.section)
        hits = search.hits_in(item.key, section, start, start + len(piece.source))
        if not hits:
            return [[] for _ in lines]
        current = search.current
        is_here = current is not None and (current.key, current.section) == (item.key, section)
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
        told = ("", 0, 0) if search is None else (search.text, search.count, search.number(self._keys()))
        if told != self._told:
            self._told = told
            self.post_message(self.Found(*told))
