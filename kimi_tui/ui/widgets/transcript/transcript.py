"""The transcript: one widget over cached lines, with its own viewport.

The viewport is anchored, not scrolled: it knows the entry and the line at its top, or that it follows the tail. Only
entries that are on screen are ever laid out, and nothing that arrives below or is corrected above can move what is
being read. There is no virtual size, so a growing reply costs no layout of the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from kimi_tui.core.replies import ReplyPart
from kimi_tui.ui.widgets.transcript.entries import Entry
from kimi_tui.ui.widgets.transcript.item import Item
from kimi_tui.ui.widgets.transcript.layout import CONSOLE
from kimi_tui.ui.widgets.transcript.styles import Styles

MAX_TEXT_WIDTH = 104
"""Longer lines are hard to read, however wide the screen is."""
MARGIN = 1
"""Blank columns at the left; at the right stands the scroll bar behind one blank."""
WHEEL_LINES = 3
NEW_BELOW = " ↓ new "


class Transcript(Widget, can_focus=True):
    """A conversation as lines."""

    DEFAULT_CSS = """
    Transcript { height: 1fr; background: $background; color: $foreground; }
    """
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_lines(-1)", show=False),
        Binding("down", "scroll_lines(1)", show=False),
        Binding("home", "scroll_to_top", show=False),
        Binding("end", "follow_tail", show=False),
        Binding("space,enter", "toggle_nearest", show=False),
    ]

    @dataclass
    class FoldToggled(Message):
        """A think block was opened or closed."""

        key: str
        is_folded: bool

    def __init__(self, *, fold_reasoning: bool = True, id: str | None = None) -> None:
        """Start empty and following."""
        super().__init__(id=id)
        self._fold_reasoning = fold_reasoning
        self._items: list[Item] = []
        self._places: dict[str, int] = {}
        self._is_following = True
        self._top = (0, 0)
        self._has_new = False
        self._roles: Styles | None = None

    # -- content

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries; those that stay the same keep their lines and their fold."""
        old = {item.entry.key: item for item in self._items}
        self._items = []
        for entry in entries:
            known = old.get(entry.key)
            if known is None or known.entry != entry:
                folded = self._fold_reasoning if known is None else known.is_folded
                known = Item(entry, is_folded=folded)
            self._items.append(known)
        self._places = {item.entry.key: place for place, item in enumerate(self._items)}
        self._changed()

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        self._places[entry.key] = len(self._items)
        self._items.append(Item(entry, is_folded=self._fold_reasoning))
        self._changed()

    def update_entry(self, entry: Entry) -> None:
        """Show an entry anew; one that is not there is ignored."""
        if (item := self._item(entry.key)) is not None:
            item.update(entry)
            self._changed()

    def remove_entry(self, key: str) -> None:
        """Take an entry away; one that is not there is ignored."""
        if self._item(key) is not None:
            self.set_entries([item.entry for item in self._items if item.entry.key != key])

    def append(self, key: str, part: ReplyPart, text: str) -> None:
        """Add text to the growing reply."""
        if (item := self._item(key)) is not None:
            item.append(part, text)
            self._changed()

    def set_thought_label(self, key: str, label: str) -> None:
        """Change the one line of a think block, and nothing else."""
        if (item := self._item(key)) is not None and item.entry.thought_label != label:
            item.update(replace(item.entry, thought_label=label))
            self._changed()

    def _item(self, key: str) -> Item | None:
        place = self._places.get(key)
        return None if place is None else self._items[place]

    def _changed(self) -> None:
        self._has_new = not self._is_following
        self.refresh()

    # -- folding

    def is_folded(self, key: str) -> bool:
        """Whether a think block is closed."""
        item = self._item(key)
        return item is None or item.is_folded

    def toggle_fold(self, key: str) -> None:
        """Open or close one think block."""
        if (item := self._item(key)) is not None:
            item.fold(not item.is_folded)
            self.post_message(self.FoldToggled(key, item.is_folded))
            self.refresh()

    def toggle_all_folds(self) -> None:
        """Open all think blocks, or close them where all are open."""
        self._fold_reasoning = (
            not any(item.is_folded for item in self._items) if self._items else not self._fold_reasoning
        )
        for item in self._items:
            item.fold(self._fold_reasoning)
        self.refresh()

    def action_toggle_nearest(self) -> None:
        """Open or close the last think block in view."""
        shown = {place for place, _ in self._view(self.size.height)}
        for place in sorted(shown, reverse=True):
            if self._items[place].thought_line is not None:
                self.toggle_fold(self._items[place].entry.key)
                return

    # -- the viewport

    @property
    def is_following(self) -> bool:
        """Whether the tail is kept in view."""
        return self._is_following

    def follow_tail(self) -> None:
        """Show the end and keep it in view."""
        self._is_following, self._has_new = True, False
        self.refresh()

    action_follow_tail = follow_tail

    def scroll_to_top(self) -> None:
        """Show the beginning."""
        self._is_following, self._top = False, (0, 0)
        self._follow_where_it_fits()
        self.refresh()

    action_scroll_to_top = scroll_to_top

    def scroll_page(self, pages: int) -> None:
        """Scroll by pages; negative = up."""
        self.scroll_lines(pages * max(self.size.height - 2, 1))

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll by lines; negative = up."""
        self.scroll_lines(lines)

    def scroll_lines(self, lines: int) -> None:
        """Scroll by lines; up stops following at once, down to the end follows again."""
        if not self._items:
            return
        place, line = self._tail_top() if self._is_following else self._clamped_top()
        self._is_following = False
        line += lines
        while line < 0 and place > 0:
            place -= 1
            line += len(self._lines(place))
        while place < len(self._items) - 1 and line >= len(self._lines(place)):
            line -= len(self._lines(place))
            place += 1
        self._top = (place, max(line, 0))
        self._follow_where_it_fits()
        self.refresh()

    def _follow_where_it_fits(self) -> None:
        """Being at the end is following."""
        if not self._items or self._top >= self._tail_top():
            self._is_following, self._has_new = True, False

    def _clamped_top(self) -> tuple[int, int]:
        place, line = self._top
        place = min(place, len(self._items) - 1)
        return place, min(line, max(len(self._lines(place)) - 1, 0))

    def _tail_top(self) -> tuple[int, int]:
        """Where the view begins when its last line is the last one there is."""
        left = self.size.height
        for place in range(len(self._items) - 1, -1, -1):
            height = len(self._lines(place))
            if height >= left:
                return place, height - left
            left -= height
        return 0, 0

    def _view(self, height: int) -> list[tuple[int, int]]:
        """The entry and the line of every row in view, from the top."""
        if not self._items:
            return []
        place, line = self._tail_top() if self._is_following else self._clamped_top()
        rows: list[tuple[int, int]] = []
        while place < len(self._items) and len(rows) < height:
            count = len(self._lines(place))
            rows += [(place, at) for at in range(line, min(count, line + height - len(rows)))]
            place, line = place + 1, 0
        return rows

    # -- drawing

    def _lines(self, place: int) -> list[Strip]:
        if self._roles is None:
            self._roles = Styles(self.app.theme_variables, self.rich_style)
        return self._items[place].strips(self._roles, self._text_width, self._to_strip)

    @property
    def _text_width(self) -> int:
        return max(min(self.size.width - MARGIN - 2, MAX_TEXT_WIDTH), 1)

    def _to_strip(self, line: Text) -> Strip:
        """A line as the strip that is drawn: filtered here, since nothing filters what `render_lines` gives."""
        base = self._roles.base if self._roles else self.rich_style
        segments = [Segment(" " * MARGIN, base)]
        segments += [Segment(s.text, base + s.style if s.style else base) for s in line.render(CONSOLE) if s.text]
        strip = Strip(segments).adjust_cell_length(max(self.size.width - 1, 1), base)
        background = self.background_colors[1]
        for line_filter in self.app.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        return strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the rows in view."""
        width, height = self.size
        rows = self._view(height)
        base = self.rich_style
        thumb = self._thumb(height, rows)
        strips = [self._lines(place)[line] for place, line in rows]
        strips += [Strip.blank(max(width - 1, 1), base)] * (height - len(strips))
        drawn = [Strip([*strip, self._bar_cell(row in thumb)]) for row, strip in enumerate(strips)]
        if self._has_new and not self._is_following and drawn:
            drawn[-1] = self._with_new_mark(drawn[-1], width)
        return [strip.crop(crop.x, crop.right) for strip in drawn[crop.y : crop.bottom]]

    def _bar_cell(self, is_thumb: bool) -> Segment:
        assert self._roles is not None or not self._items
        style = self._roles.role("dim-text" if is_thumb else "rule") if self._roles else self.rich_style
        return Segment("┃" if is_thumb else " ", style)

    def _thumb(self, height: int, rows: list[tuple[int, int]]) -> range:
        """The rows of the scroll bar's thumb, by estimates for what was never laid out."""
        sizes = [item.estimate(self._text_width) for item in self._items]
        total = sum(sizes)
        if total <= height or not rows:
            return range(0)
        first = sum(sizes[: rows[0][0]]) + rows[0][1]
        length = max(height * height // total, 1)
        start = height - length if self._is_following else min(first * height // total, height - length)
        return range(start, start + length)

    def _with_new_mark(self, strip: Strip, width: int) -> Strip:
        style = self.rich_style + self._roles.role("marker") if self._roles else self.rich_style
        at = max(width - len(NEW_BELOW) - 2, 0)
        mark = Strip([Segment(NEW_BELOW, style)])
        return Strip.join([strip.crop(0, at), mark, strip.crop(at + len(NEW_BELOW), width)])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as there is room."""
        del viewport, width
        return container.height

    # -- what happens to it

    def on_mount(self) -> None:
        """Be told of another theme."""
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, theme: Theme) -> None:
        del theme
        self._roles = None
        for item in self._items:
            item.forget()
        self.refresh()

    def on_resize(self) -> None:
        """Keep the line that is read where it is: by its share of its entry, since lines break elsewhere now."""
        self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Turn the wheel."""
        event.stop()
        self.scroll_lines(-WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Turn the wheel."""
        event.stop()
        self.scroll_lines(WHEEL_LINES)

    def on_click(self, event: events.Click) -> None:
        """Open or close the think block whose line was clicked."""
        rows = self._view(self.size.height)
        if event.y < len(rows):
            place, line = rows[event.y]
            if line == self._items[place].thought_line:
                self.toggle_fold(self._items[place].entry.key)
