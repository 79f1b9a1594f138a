"""The widget below the transcript: entries as rows of the screen.

It draws itself (`render_lines`), since the library's own way costs a style lookup and a crop per line. There is no
virtual size: a growing reply costs no layout of the screen, and only rows that changed are drawn again. Which lines
are in view is the viewport's affair, how a row looks the painter's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.transcript.item import LARGE_TEXT, Item
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.painter import MARGIN, PLAIN_ROW, Painter, RowLook
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.scrollbar import NONE, ScrollBar
from kimi_tui.ui.transcript.styles import Styles
from kimi_tui.ui.transcript.viewport import TOP, Place, Viewport

MAX_TEXT_WIDTH = 104
"""Longer lines are hard to read, however wide the screen is."""
EXTRA_LINES = 300
"""How many lines that are not in view are laid out for one frame, where there are few in all."""
_NOTHING = Line((), 0)


class LinesPane(Widget, can_focus=True):
    """Entries as lines, of which those in view are laid out."""

    ALLOW_SELECT = False  # the library selects within what is on screen; see `Transcript`

    @dataclass
    class FoldToggled(Message, namespace="transcript"):
        """A think block was opened or closed."""

        key: str
        """Key of its entry."""
        is_folded: bool
        """Whether it is closed now."""

    @dataclass
    class FollowChanged(Message, namespace="transcript"):
        """The view began or stopped to follow the end."""

        is_following: bool
        """Whether it follows now."""

    def __init__(self, *, fold_reasoning: bool = True, id: str | None = None) -> None:
        """Start empty and following.

        Args:
            fold_reasoning: Whether think blocks are closed at first.
            id: The widget's id.
        """
        super().__init__(id=id)
        self.fold_reasoning = fold_reasoning
        self._look = Look(Styles({}, Style()), 80)
        self._colours: tuple[object, ...] = ()
        self._view = Viewport(self._look, 0)
        self._places: dict[str, int] = {}
        self._prepared: dict[str, Item] = {}  # of entries that will be shown
        self._has_new = False  # whether something arrived below what is in view and was not seen yet
        self._was_following = True
        self._is_stale = True
        self._rows: list[tuple[Place, Line]] = []
        self._frame: list[Strip] = []
        self._drawn: list[Strip] = []  # the frame that was last asked to be drawn
        self._painter: Painter | None = None

    # -- content

    def prepare(self, entries: Sequence[Entry]) -> None:
        """Begin with what takes long of entries that will be shown; this may be done in a thread."""
        large = (entry for entry in entries if len(entry.text) > LARGE_TEXT)
        items = {entry.key: Item(entry, is_folded=self.fold_reasoning) for entry in large}
        for item in items.values():
            item.prepare()
        self._prepared = items

    def _make_item(self, entry: Entry) -> Item:
        known = self._prepared.pop(entry.key, None)
        is_it = known is not None and known.entry is entry and known.is_folded == self.fold_reasoning
        return known if known is not None and is_it else Item(entry, is_folded=self.fold_reasoning)

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries; those that stay the same keep their lines and their fold."""
        shown = self._view.items
        same = sum(1 for _ in takewhile(_is_entry_of, zip(entries, shown, strict=False)))
        old = {item.key: item for item in shown[same:]}
        items = shown[:same]
        for entry in entries[same:]:
            known = old.get(entry.key)
            if known is None:
                known = self._make_item(entry)
            elif known.entry is not entry and known.entry != entry:
                known.update(entry)
                self._view.measure(self._places[entry.key])
                self._text_changed(entry.key)
            items.append(known)
        if shown and items[: len(shown)] == shown:  # nothing else than more at the end
            for item in items[len(shown) :]:
                self._append(item)
            self._invalidate()
        else:
            self._set_items(items)

    def _set_items(self, items: list[Item]) -> None:
        old, last = self._places, self._view.items[-1].key if self._view.items else None
        self._view.set_items(items)
        self._places = {item.key: place for place, item in enumerate(items)}
        self._entries_moved({place: self._places[key] for key, place in old.items() if key in self._places})
        if last is None or last not in self._places:  # another end, such as that of an alternative, is nothing new
            self._has_new = False
        elif any(item.key not in old for item in items[self._places[last] + 1 :]):
            self._has_new = True
        self._invalidate()

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        self._append(Item(entry, is_folded=self.fold_reasoning))
        self._invalidate()

    def _append(self, item: Item) -> None:
        self._places[item.key] = len(self._view.items)
        self._view.add(item)
        self._text_grew(item.key)
        self._has_new = True

    def update_entry(self, entry: Entry) -> None:
        """Show an entry anew; one that is not there is ignored."""
        self.rename_entry(entry.key, entry)

    def rename_entry(self, old_key: str, entry: Entry) -> None:
        """Show an entry under another key: it keeps its place, its lines, its fold; one that is not there is ignored.

        A live reply becomes the message with its own id this way.
        """
        place = self._places.pop(old_key, None)
        if place is None:
            return
        item = self._view.items[place]
        is_other_text = not _is_grown(item, entry)
        item.update(entry)
        self._places[entry.key] = place
        self._view.measure(place)
        self._renamed(old_key, entry.key)
        if is_other_text:
            self._text_changed(entry.key)
        self._text_grew(entry.key)
        self._invalidate()

    def append(self, key: str, part: ReplyPart, text: str) -> None:
        """Add text to the growing reply; several calls are laid out and drawn as one."""
        if (item := self._item(key)) is not None:
            self._has_new = self._has_new or bool(text and self._reaches_below(self._places[key], part))
            item.append(part, text)
            self._view.measure(self._places[key])
            self._text_grew(key)
            self._invalidate()

    def set_thought_label(self, key: str, label: str) -> None:
        """Change the one line of a think block, and nothing else."""
        if (item := self._item(key)) is not None and item.set_thought_label(label):
            self._invalidate()

    def _item(self, key: str | None) -> Item | None:
        place = None if key is None else self._places.get(key)
        return None if place is None else self._view.items[place]

    def _reaches_below(self, place: int, part: ReplyPart) -> bool:
        """Whether text that is added to an entry is added below what is in view."""
        if self._view.is_following:
            return False
        self._update_frame()
        last = self._rows[-1][0].item if self._rows else self._view.top.item
        is_hidden = part is ReplyPart.REASONING and self._view.items[place].is_folded
        return place > last or (place == last and not is_hidden)

    # What the layer above has to know of changes.

    def _text_grew(self, key: str) -> None:
        """More text stands in an entry, or it is new."""

    def _text_changed(self, key: str) -> None:
        """Another text stands in an entry."""

    def _renamed(self, old_key: str, key: str) -> None:
        """An entry has another key."""

    def _entries_moved(self, places: dict[int, int]) -> None:
        """Entries have other indices: the new ones by the old ones."""

    # -- folding

    def is_folded(self, key: str) -> bool:
        """Whether a think block is closed."""
        item = self._item(key)
        return item is None or item.is_folded

    def toggle_fold(self, key: str) -> None:
        """Open or close one think block; its line stays on its row, else the line at the top stays."""
        item = self._item(key)
        if item is None or not item.has_thought:
            return
        self._update_frame()
        line = Place(self._places[key], Section.HEAD, 0, 0, item.thought_line or 0)
        row = next((row for row, (place, _) in enumerate(self._rows) if place == line), None)
        item.fold(not item.is_folded)
        self._view.measure(self._places[key])
        if row is not None and not (self._view.is_following and item.is_streaming):
            self._view.keep_row(line, row)
        self.post_message(self.FoldToggled(key, item.is_folded))
        self._moved()

    def fold_all(self, is_folded: bool) -> None:
        """Open or close all think blocks, those to come as well; the line being read stays."""
        self.fold_reasoning = is_folded
        for place, item in enumerate(self._view.items):
            if item.is_folded != is_folded:
                item.fold(is_folded)
                self._view.measure(place)
        self._invalidate()

    def toggle_all_folds(self) -> None:
        """Open all think blocks, or close them where all are open."""
        with_thought = [item for item in self._view.items if item.has_thought]
        are_open = not any(item.is_folded for item in with_thought) if with_thought else not self.fold_reasoning
        self.fold_all(are_open)

    # -- moving

    @property
    def is_following(self) -> bool:
        """Whether the end is kept in view."""
        return self._view.is_following

    def follow_tail(self) -> None:
        """Show the end and keep it in view."""
        self._view.follow()
        self._moved()

    def scroll_to_top(self) -> None:
        """Show the beginning."""
        self._refresh_look()
        self._view.scroll_to(TOP)
        self._moved()

    def scroll_lines(self, lines: int) -> None:
        """Scroll by lines; negative = up, which stops following; down to the end follows again."""
        self._refresh_look()
        self._view.scroll_lines(lines)
        self._moved()

    def scroll_page(self, pages: int) -> None:
        """Scroll by pages; negative = up. Two lines stay in view."""
        self.scroll_lines(pages * max(self.size.height - 2, 1))

    def _show_at_top(self, place: Place) -> None:
        """Put a line at the top; a view that followed goes on to follow when all behind it fits."""
        self._refresh_look()
        self._view.scroll_to(place, may_follow=self._view.is_following)
        self._moved()

    def _show(self, place: Place) -> None:
        """Bring a line into view, with a third of the screen above it where it was not there."""
        self._update_frame()
        if any(row == place for row, _ in self._rows):
            return
        self._show_at_top(self._view.back(place, self.size.height // 3))

    def _moved(self) -> None:
        if self._view.is_following:
            self._has_new = False
        if self._was_following != self._view.is_following:
            self._was_following = self._view.is_following
            self.post_message(self.FollowChanged(self._view.is_following))
        self._invalidate()

    # -- drawing

    def _invalidate(self) -> None:
        """Draw what changed, once, when the current messages are dealt with."""
        if not self._is_stale:
            self._is_stale = True
            if self.is_attached:
                self.call_next(self._draw)

    def _draw(self) -> None:
        """Ask for the rows that are different now."""
        self._update_frame()
        old, new, width = self._drawn, self._frame, self.size.width
        self._drawn = new
        if len(old) != len(new):
            self.refresh()
            return
        changed = [row for row, before in enumerate(old) if before is not new[row] and before != new[row]]
        for first, end in _runs(changed):
            self.refresh(Region(0, first, width, end - first))

    def _refresh_look(self) -> None:
        """Take the theme and the size as they are now."""
        width = max(min(self.size.width - MARGIN - 2, MAX_TEXT_WIDTH), 1)
        filters = tuple(type(line_filter) for line_filter in self.get_line_filters())  # an app may make them anew
        colours = (self.app.theme, self.rich_style, filters)
        if colours != self._colours:
            self._colours = colours
            self._look = Look(Styles(self.app.theme_variables, self.rich_style), width)
            self._painter = None
        elif width != self._look.width:
            self._look = Look(self._look.styles, width)
        self._view.set_look(self._look)
        self._view.height = self.size.height

    def _painter_now(self) -> Painter:
        known = self._painter
        if known is None or not known.fits(self._look, self.size.width):
            known = Painter(
                self._look, self.size.width, self.get_line_filters(), self.background_colors[1], self._selection_style()
            )  # fmt: skip
            self._painter = known
        return known

    def _selection_style(self) -> Style:
        """The style of selected text: the theme's, whose text colour some themes leave open ("transparent")."""
        name = "screen--selection"
        marked, base = self.screen.get_component_rich_style(name), self._look.styles.base.color
        if marked.bgcolor is None:
            return Style(color=base, reverse=True)
        is_open = not self.screen.get_component_styles(name).color.a
        return Style(color=base if is_open else marked.color, bgcolor=marked.bgcolor, reverse=False)

    def _update_frame(self) -> None:
        """Lay out what is in view and make its strips."""
        if not self._is_stale and len(self._frame) == self.size.height:
            return
        self._is_stale = False
        self._refresh_look()
        self._rows = self._view.rows()
        if not self._view.lay_out_short(self._rows, EXTRA_LINES) and self.is_attached:
            self.call_later(self._invalidate)
        self._has_new = self._has_new and not self._is_end_in_view
        painter, bar = self._painter_now(), self._scroll_bar().glyphs()
        painter.begin()
        looks = self._row_looks()
        self._frame = []
        for row in range(self.size.height):
            is_there = row < len(self._rows)
            look = looks[row] if is_there else PLAIN_ROW
            line = self._rows[row][1] if is_there else _NOTHING
            is_new = row == self.size.height - 1 and self._has_new
            if is_new or bar[row] != NONE:
                look = look._replace(bar=bar[row], is_new_below=is_new)
            self._frame.append(painter.row(line, look))
        self._view.trim()

    def _row_looks(self) -> list[RowLook]:
        """How each row in view looks besides its line."""
        items = self._view.items
        dimmed = {place.item for place, _ in self._rows if items[place.item].is_excluded}
        return [RowLook(is_dimmed=place.item in dimmed and place.section != Section.HEAD) for place, _ in self._rows]

    @property
    def _is_end_in_view(self) -> bool:
        """Whether nothing stands below what is in view."""
        if self._view.is_following or len(self._rows) < self.size.height:
            return True
        return bool(self._rows) and len(list(islice(self._view.walk(self._rows[-1][0]), 2))) < 2

    def _scroll_bar(self) -> ScrollBar:
        above, total = self._view.extent(self._rows[0][0] if self._rows else None)
        height = self.size.height
        return ScrollBar(height, max(total - height, 0) if self._view.is_following else above, total)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the rows in view."""
        self._update_frame()
        rows = self._frame[crop.y : crop.bottom]
        if crop.x == 0 and crop.right >= self.size.width:
            return rows
        return [strip.crop(crop.x, crop.right) for strip in rows]

    def render_line(self, y: int) -> Strip:
        """One row."""
        self._update_frame()
        return self._frame[y] if 0 <= y < len(self._frame) else Strip.blank(self.size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as there is room."""
        del viewport, width
        return container.height

    # -- what happens to it

    def on_mount(self) -> None:
        """Draw what was given before there was a screen."""
        self._is_stale = True

    def notify_style_update(self) -> None:
        """Take other colours."""
        super().notify_style_update()
        self._is_stale = True
        self.refresh()

    def on_resize(self) -> None:
        """Lay out what is in view at another size."""
        self._is_stale = True
        self.refresh()


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Rows that follow one another, as first rows and ends."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        first = runs.pop()[0] if runs and runs[-1][1] == row else row
        runs.append((first, row + 1))
    return runs


def _is_entry_of(pair: tuple[Entry, Item]) -> bool:
    return pair[1].entry is pair[0]


def _is_grown(item: Item, entry: Entry) -> bool:
    """Whether an entry's texts begin with those that an item has."""
    return entry.text.startswith(item.text(Section.BODY)) and (entry.reasoning or "").startswith(
        item.text(Section.REASONING)
    )
