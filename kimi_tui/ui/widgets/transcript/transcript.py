"""The transcript widget: draws the lines in view, and takes keys and mouse.

It draws itself (`render_lines`), since the library's own way costs a style lookup and a crop per line; so it applies
the line filters itself as well, once per strip. There is no virtual size: a growing reply costs no layout of the
screen, and only rows that changed are drawn again. Which lines are in view is the viewport's affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from kimi_tui.core.replies import ReplyPart
from kimi_tui.ui.widgets.transcript.entries import Entry
from kimi_tui.ui.widgets.transcript.item import Item, Look, Section
from kimi_tui.ui.widgets.transcript.lines import Line
from kimi_tui.ui.widgets.transcript.styles import Styles
from kimi_tui.ui.widgets.transcript.viewport import TOP, Place, Viewport, number_of, place_of

MAX_TEXT_WIDTH = 104
"""Longer lines are hard to read, however wide the screen is."""
MARGIN = 1
"""Blank columns at the left; at the right stands the scroll bar behind one blank."""
WHEEL_LINES = 3
"""Lines per turn of the wheel."""
NEW_BELOW = " ↓ new "
"""Shown while something arrived below what is in view."""


class Transcript(Widget, can_focus=True):
    """A conversation as lines."""

    DEFAULT_CSS = """
    Transcript { height: 1fr; background: $background; color: $foreground; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_lines(-1)", show=False),
        Binding("down", "scroll_lines(1)", show=False),
        Binding("pageup", "scroll_page(-1)", show=False),
        Binding("pagedown", "scroll_page(1)", show=False),
        Binding("home", "scroll_to_top", show=False),
        Binding("end", "follow_tail", show=False),
        Binding("space,enter", "toggle_nearest", show=False),
    ]

    @dataclass
    class FoldToggled(Message):
        """A think block was opened or closed."""

        key: str
        """Key of its entry."""
        is_folded: bool
        """Whether it is closed now."""

    @dataclass
    class FollowChanged(Message):
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
        self._colours: tuple[str, Style] | None = None
        self._view = Viewport(self._look, 0)
        self._places: dict[str, int] = {}
        self._has_new = False
        self._was_following = True
        self._is_stale = True
        self._rows: list[tuple[Place, Line]] = []
        self._frame: list[Strip] = []
        self._strips: dict[int, tuple[Line, Strip]] = {}  # by identity; the line is kept so that it stays unique
        self._drag_row: int | None = None

    # -- content

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries; those that stay the same keep their lines and their fold."""
        old = {item.key: item for item in self._view.items}
        items = []
        for entry in entries:
            known = old.get(entry.key)
            if known is None:
                known = Item(entry, is_folded=self.fold_reasoning)
            elif known.entry != entry:
                known.update(entry)
            items.append(known)
        self._view.set_items(items)
        self._places = {item.key: place for place, item in enumerate(items)}
        self._changed()

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        self._places[entry.key] = len(self._view.items)
        self._view.add(Item(entry, is_folded=self.fold_reasoning))
        self._changed()

    def update_entry(self, entry: Entry) -> None:
        """Show an entry anew; one that is not there is ignored."""
        if (item := self._item(entry.key)) is not None:
            item.update(entry)
            self._changed()

    def remove_entry(self, key: str) -> None:
        """Take an entry away; one that is not there is ignored."""
        if self._item(key) is not None:
            items = [item for item in self._view.items if item.key != key]
            self._view.set_items(items)
            self._places = {item.key: place for place, item in enumerate(items)}
            self._changed()

    def append(self, key: str, part: ReplyPart, text: str) -> None:
        """Add text to the growing reply; several calls are laid out and drawn as one."""
        if (item := self._item(key)) is not None:
            item.append(part, text)
            self._changed()

    def set_thought_label(self, key: str, label: str) -> None:
        """Change the one line of a think block, and nothing else."""
        if (item := self._item(key)) is not None and item.set_thought_label(label):
            self._invalidate()

    def _item(self, key: str) -> Item | None:
        place = self._places.get(key)
        return None if place is None else self._view.items[place]

    def _changed(self) -> None:
        self._has_new = not self._view.is_following
        self._invalidate()

    # -- folding

    def is_folded(self, key: str) -> bool:
        """Whether a think block is closed."""
        item = self._item(key)
        return item is None or item.is_folded

    def toggle_fold(self, key: str) -> None:
        """Open or close one think block; its line stays on its row."""
        item = self._item(key)
        if item is None:
            return
        self._update_frame()
        line = Place(self._places[key], Section.HEAD, 0, item.thought_line or 0)
        row = next((row for row, (place, _) in enumerate(self._rows) if place == line), None)
        item.fold(not item.is_folded)
        if row is not None and not (self._view.is_following and item.is_streaming):
            self._view.keep_row(line, row)
        self.post_message(self.FoldToggled(key, item.is_folded))
        self._invalidate()

    def fold_all(self, is_folded: bool) -> None:
        """Open or close all think blocks, those to come as well; the line being read stays."""
        self.fold_reasoning = is_folded
        for item in self._view.items:
            item.fold(is_folded)
        self._invalidate()

    def toggle_all_folds(self) -> None:
        """Open all think blocks, or close them where all are open."""
        with_thought = [item for item in self._view.items if item.has_thought]
        are_open = not any(item.is_folded for item in with_thought) if with_thought else not self.fold_reasoning
        self.fold_all(are_open)

    def action_toggle_nearest(self) -> None:
        """Open or close the last think block in view."""
        self._update_frame()
        for place in sorted({place.item for place, _ in self._rows}, reverse=True):
            if self._view.items[place].has_thought:
                self.toggle_fold(self._view.items[place].key)
                return

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

    action_follow_tail = follow_tail
    action_scroll_to_top = scroll_to_top
    action_scroll_lines = scroll_lines
    action_scroll_page = scroll_page

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
        old = self._frame
        self._update_frame()
        new, width = self._frame, self.size.width
        if len(old) != len(new):
            self.refresh()
            return
        for row, (before, after) in enumerate(zip(old, new, strict=True)):
            if before is not after and before != after:
                self.refresh(Region(0, row, width, 1))

    def _refresh_look(self) -> None:
        """Take the theme and the size as they are now."""
        width = max(min(self.size.width - MARGIN - 2, MAX_TEXT_WIDTH), 1)
        colours = (self.app.theme, self.rich_style)
        if colours != self._colours:
            self._colours = colours
            self._look = Look(Styles(self.app.theme_variables, self.rich_style), width)
            self._strips.clear()
        elif width != self._look.width:
            self._look = Look(self._look.styles, width)
            self._strips.clear()
        self._view.set_look(self._look)
        self._view.height = self.size.height

    def _update_frame(self) -> None:
        """Lay out what is in view and make its strips."""
        if not self._is_stale and len(self._frame) == self.size.height:
            return
        self._is_stale = False
        self._refresh_look()
        width, height = self.size
        self._rows = self._view.rows()
        thumb = self._thumb()
        selection = self.text_selection
        old, self._strips = self._strips, {}
        self._frame = []
        for row in range(height):
            place, line = self._rows[row] if row < len(self._rows) else (self._view.end(), _NOTHING)
            known = old.get(id(line))
            strip = known[1] if known is not None else self._strip(line, max(width - 1, 1))
            self._strips[id(line)] = line, strip
            if selection is not None:
                strip = self._with_selection(strip, selection.get_span(number_of(place)))
            self._frame.append(self._with_bar(strip, row in thumb, width))
        if self._has_new and not self._view.is_following and self._frame:
            self._frame[-1] = self._with_new_mark(self._frame[-1], width)

    def _strip(self, line: Line, width: int) -> Strip:
        """A line as the strip that is drawn, filtered here, since nothing filters what `render_lines` gives."""
        base = self._look.styles.base
        segments = [Segment(" " * MARGIN, base), *(Segment(text, style) for text, style in line.runs)]
        used = MARGIN + line.width
        if line.padding is not None:
            text_end = min(MARGIN + self._look.width, width)
            segments.append(Segment(" " * max(text_end - used, 0), line.padding))
            used = max(used, text_end)
        segments.append(Segment(" " * max(width - used, 0), base))
        strip = Strip([segment for segment in segments if segment.text], max(used, width))
        return self._filtered(strip.adjust_cell_length(width, base))

    def _filtered(self, strip: Strip) -> Strip:
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        return strip

    def _with_bar(self, strip: Strip, is_thumb: bool, width: int) -> Strip:
        style = self._look.styles.role("dim-text" if is_thumb else "rule")
        bar = self._filtered(Strip([Segment("┃" if is_thumb else " ", style)], 1))
        return Strip([*strip, *bar], width)

    def _thumb(self) -> range:
        """The rows of the scroll bar's thumb."""
        height = self.size.height
        above, total = self._view.extent()
        if total <= height or not height:
            return range(0)
        length = max(height * height // total, 1)
        start = height - length if self._view.is_following else above * (height - length) // max(total - height, 1)
        start = max(min(start, height - length), 0)
        return range(start, start + length)

    def _with_new_mark(self, strip: Strip, width: int) -> Strip:
        style = self._look.styles.role("marker") + Style(reverse=True)
        mark_width = cell_len(NEW_BELOW)
        at = max(width - mark_width - 2, 0)
        mark = self._filtered(Strip([Segment(NEW_BELOW, style)], mark_width))
        return Strip.join([strip.crop(0, at), mark, strip.crop(at + mark_width, width)]).crop(0, width)

    def _with_selection(self, strip: Strip, span: tuple[int, int] | None) -> Strip:
        if span is None:
            return strip
        text = strip.text
        start, end = span[0], len(text) if span[1] == -1 else span[1]
        first, last = cell_len(text[:start]), cell_len(text[:end])
        if last <= first:
            return strip
        style = self.screen.get_component_rich_style("screen--selection")
        marked = self._filtered(Strip(Segment.apply_style(strip.crop(first, last), None, style)))
        return Strip.join([strip.crop(0, first), marked, strip.crop(last, strip.cell_length)])

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the rows in view."""
        self._update_frame()
        rows = self._frame[crop.y : crop.bottom]
        if crop.x == 0 and crop.right >= self.size.width:
            return rows
        return [strip.crop(crop.x, crop.right) for strip in rows]

    def render_line(self, y: int) -> Strip:
        """One row, telling where its characters stand: the library asks when text is selected with the mouse."""
        self._update_frame()
        place = self._rows[y][0] if y < len(self._rows) else self._view.end()
        strip = self._frame[y] if y < len(self._frame) else Strip.blank(self.size.width)
        return strip.apply_offsets(0, number_of(place))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as there is room."""
        del viewport, width
        return container.height

    # -- selection

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the marks anew."""
        del selection
        self._invalidate()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text: wrapped lines joined as they were, without margin, bars and padding."""
        self._refresh_look()
        start = TOP if selection.start is None else place_of(selection.start.y)
        last = self._view.end() if selection.end is None else place_of(selection.end.y)
        parts: list[str] = []
        joint = "\n"
        for place, line in self._view.walk(start):
            if place > last:
                break
            lead = MARGIN + line.lead_chars
            first = selection.start.x if selection.start is not None and place == start else 0
            end = selection.end.x if selection.end is not None and place == last else len(line.text) + MARGIN
            if first < lead and joint == "\n":
                parts.append(line.copied_lead)
            parts.append(line.text[max(first - MARGIN, line.lead_chars) : max(end - MARGIN, 0)])
            joint = line.joint
            parts.append("" if place == last else joint)
        return "".join(parts).rstrip("\n"), "\n"

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

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Turn the wheel."""
        event.stop()
        self.scroll_lines(-WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Turn the wheel."""
        event.stop()
        self.scroll_lines(WHEEL_LINES)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll bar."""
        if event.x == self.size.width - 1:
            event.stop()
            self.capture_mouse()
            self._drag_row = event.y
            self._drag_to(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the scroll bar."""
        if self._drag_row is not None and event.y != self._drag_row:
            self._drag_row = event.y
            self._drag_to(event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the scroll bar."""
        if self._drag_row is not None:
            event.stop()
            self._drag_row = None
            self.release_mouse()

    def _drag_to(self, row: int) -> None:
        """Scroll so that the middle of the thumb is on a row."""
        self._refresh_look()
        height = self.size.height
        _, total = self._view.extent()
        if total <= height:
            return
        length = max(height * height // total, 1)
        start = min(max(row - length // 2, 0), height - length)
        if start == height - length:
            self._view.follow()
        else:
            self._view.scroll_to_line(start * (total - height) // max(height - length, 1))
        self._moved()

    def on_click(self, event: events.Click) -> None:
        """Open or close the think block whose line was clicked."""
        self._update_frame()
        if event.y >= len(self._rows) or event.x >= self.size.width - 1:
            return
        place = self._rows[event.y][0]
        item = self._view.items[place.item]
        if place.section == Section.HEAD and item.thought_line == place.line:
            self.toggle_fold(item.key)


_NOTHING = Line((), 0)
