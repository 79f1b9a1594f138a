"""The transcript: the library's part, in which the view, the cursor, the search and the selection meet.

It draws itself (`render_lines`), since the library's own way costs a style lookup and a crop per line. There is no
virtual size: a growing reply costs no layout of the screen, and only rows that changed are drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.selection import SELECT_ALL
from textual.selection import Selection as ScreenSelection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.state.entries import MessageEntries, Source
from kimi_tui.ui.state.entry import MESSAGES, Entry
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.text.words import ANSWER_NOW
from kimi_tui.ui.transcript import copying
from kimi_tui.ui.transcript.code_blocks import CodeBlocks
from kimi_tui.ui.transcript.cursor import Cursor
from kimi_tui.ui.transcript.entry_chrome import arrow_at
from kimi_tui.ui.transcript.entry_list import EntriesChange, EntryList
from kimi_tui.ui.transcript.folds import Folds
from kimi_tui.ui.transcript.jumps import Jumps
from kimi_tui.ui.transcript.lines import Line, target_at
from kimi_tui.ui.transcript.message_links import MessageLinks
from kimi_tui.ui.transcript.mouse_selection import MouseSelection
from kimi_tui.ui.transcript.painter import GUTTER, NEW_BELOW, PLAIN_ROW, Painter, char_at
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.scrollbar import NONE
from kimi_tui.ui.transcript.search import Search
from kimi_tui.ui.transcript.selection import HINTS, Selection
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Viewport

MAX_TEXT_WIDTH = 104
"""Longer lines are hard to read, however wide the screen is."""
WHEEL_LINES = 3
DRAG_SCROLL_S = 1 / 20
_NOTHING = Line((), 0)


class Transcript(Widget, can_focus=True):
    """Only the lines in view are laid out; what its methods do is told at the parts that do it."""

    DEFAULT_CSS = """
    Transcript { height: 1fr; background: $background; color: $foreground; }
    """
    ALLOW_SELECT = False  # the library selects within what is on screen; see `selection`

    @dataclass
    class Chosen(Message):
        """The message cursor stands elsewhere."""

        key: str | None
        """None = no message is chosen."""

    @dataclass
    class AlternativeClicked(Message):
        """Another alternative of a message is asked for."""

        key: str
        step: int
        """-1 = the one before, 1 = the next."""

    class AnswerNowClicked(Message):
        """The thinking of the growing reply is to end."""

    @dataclass
    class LinkClicked(Message):
        target: str
        """Where the text says that it goes: any address."""

    @dataclass
    class Found(Message):
        """The search knows more, or stands elsewhere."""

        text: str
        """"" = nothing is looked for any more."""
        count: int
        """As far as the texts were read."""
        current: int
        """The number of the current hit, from 1; 0 = there is none."""
        is_reading: bool
        """Whether more may be found."""

    class SelectionModeChanged(Message):
        """Selecting with the keyboard began or ended."""

    @dataclass
    class CopyRequested(Message):
        """What was selected with the keyboard is to be copied."""

        text: str

    def __init__(self, *, fold_reasoning: bool = True, id: str | None = None) -> None:
        """Start empty and following; `fold_reasoning` closes think blocks at first."""
        super().__init__(id=id)
        self._look = Look(Styles({}, Style()), 80)
        viewport = Viewport(self._look, 0, fold_reasoning=fold_reasoning)
        self._entries = EntryList(viewport)
        self.view = View(viewport, self._measure, self._redraw)
        self.selection = Selection(
            self.view,
            self._tell_selected,
            lambda _: self.post_message(self.SelectionModeChanged()),
            lambda text: self.post_message(self.CopyRequested(text)),
        )
        self.folds = Folds(self._entries, self.view, self.selection.drop_hidden)
        self.cursor = Cursor(self._entries, self.view, lambda key: self.post_message(self.Chosen(key)))
        self.jumps = Jumps(self.view)
        self.code = CodeBlocks(self._entries, self.view)
        self.links = MessageLinks(self._entries, self.view)
        self.search = Search(
            self.view, self.folds, self._call_after, lambda *told: self.post_message(self.Found(*told))
        )
        self._mouse = MouseSelection(self.view, self.selection)
        self._drag_timer: Timer | None = None
        self._grip: int | None = None  # which row of the scroll bar's thumb the mouse holds
        self._colours: tuple[object, ...] = ()
        self._painter: Painter | None = None
        self._is_stale = True
        self._frame: list[Strip] = []
        self._drawn: list[Strip] = []  # the frame that was last asked to be drawn

    # -- entries

    def prepare(self, sources: Sequence[Source], messages: MessageEntries | None = None) -> None:
        """This may be done in a thread."""
        self.view.viewport.items.prepare(sources, messages)

    def set_entries(self, sources: Sequence[Source], messages: MessageEntries | None = None) -> None:
        """`messages` makes the entries of messages."""
        self._entries_changed(self._entries.set_entries(sources, messages))

    def update_entry(self, entry: Entry) -> None:
        """Show an entry anew; one that is not there is ignored."""
        self._entries_changed(self._entries.update(entry))

    def grow(self, key: str, part: ReplyPart) -> None:
        """Show what the view of an entry has grown by; several calls are laid out and drawn as one."""
        self._entries_changed(self._entries.grow(key, part))

    def _entries_changed(self, change: EntriesChange) -> None:
        for part in (self.view, self.cursor, self.jumps, self.search, self.selection):
            part.entries_changed(change)

    def set_thought_label(self, key: str, label: str) -> None:
        """Change the one line of a think block, and nothing else."""
        if (item := self._entries.item(key)) is not None and item.set_thought_label(label):
            self.view.invalidate()

    # -- what is asked

    @property
    def is_following(self) -> bool:
        return self.view.viewport.is_following

    def plain_text_of(self, key: str) -> str:
        """The text as it is shown, without the marks of Markdown; "" when the entry is not there."""
        item = self._entries.item(key)
        return "" if item is None else copying.plain_text(item)

    @property
    def hints(self) -> str:
        """For a footer; "" = the keys do what they always do."""
        return HINTS if self.selection.has_keys else ""

    def _call_after(self, pause_s: float, callback: Callable[[], None]) -> None:
        if self.is_attached:
            self.set_timer(pause_s, callback) if pause_s else self.call_next(callback)

    # -- the selection

    def start_selection(self) -> None:
        """Begin at the text of the chosen message when it is in view, else at the top."""
        self.selection.begin(self._entries.index(self.cursor.chosen))

    def get_selection(self, selection: ScreenSelection) -> tuple[str, str] | None:
        del selection
        text = self.selection.text()
        return (text, "\n") if text else None

    def selection_updated(self, selection: ScreenSelection | None) -> None:
        del selection  # told late: what counts is what the screen knows now
        if self not in self.screen.selections:
            self.selection.forget()

    def _tell_selected(self, is_any: bool) -> None:
        """Have it show up in `Screen.get_selected_text`, and go with Escape or a click elsewhere."""
        others = {widget: other for widget, other in self.screen.selections.items() if widget is not self}
        self.screen.selections = {**others, self: SELECT_ALL} if is_any else others

    # -- keys and mouse

    def on_key(self, event: events.Key) -> None:
        if self.selection.press(event.key):
            event.stop()
            event.prevent_default()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.view.scroll_lines(-WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.view.scroll_lines(WHEEL_LINES)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button != 1:
            return
        if event.x == self.size.width - 1:
            event.stop()
            self.capture_mouse()
            self._take_thumb(event.y)
        else:
            self._mouse.press(event.offset)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._grip is not None:
            self._drag_thumb(event.y - self._grip)
        elif event.button == 1 and self._mouse.drag(event.offset):
            self.capture_mouse()
            if self._mouse.is_outside and self._drag_timer is None:
                self._drag_timer = self.set_interval(DRAG_SCROLL_S, self._mouse.scroll_on)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._grip is not None:
            event.stop()
            self._grip = None
            self.release_mouse()
        elif self._mouse.release():
            event.stop()
            self.release_mouse()
        if self._drag_timer is not None:
            self._drag_timer.stop()
            self._drag_timer = None

    def _take_thumb(self, row: int) -> None:
        """A press beside the thumb brings its middle there first."""
        thumb = self.view.scroll_bar().thumb
        self._grip = row - thumb.start if row in thumb else len(thumb) // 2
        self._drag_thumb(row - self._grip)

    def _drag_thumb(self, start: int) -> None:
        bar = self.view.scroll_bar()
        if bar.thumb and bar.thumb.start != start:
            self.view.scroll_to_line(bar.line_at(start))

    def on_click(self, event: events.Click) -> None:
        rows = self.view.rows
        if event.y >= len(rows) or event.x >= self.size.width - 1 or self._mouse.has_dragged:
            return
        is_last_row = event.y == self.size.height - 1
        if self.view.has_new_below and is_last_row and event.x >= self.size.width - 2 - len(NEW_BELOW):
            self.view.follow_tail()
            return
        place, line = rows[event.y]
        item = self.view.viewport.items[place.item]
        is_heading = place.section == Section.HEAD and place.line == 0
        if is_heading and (step := arrow_at(item.entry, line.text, char_at(line, event.x - GUTTER))):
            self.post_message(self.AlternativeClicked(item.key, step))
        elif event.chain > 1:
            self._mouse.select_around(event.offset, is_word=event.chain == 2)
        elif place.section == Section.HEAD and item.thought_line == place.line:
            before, link, _ = line.text.partition(ANSWER_NOW)
            if link and 0 <= event.x - GUTTER - cell_len(before) < len(ANSWER_NOW):
                self.post_message(self.AnswerNowClicked())
            else:
                self.folds.toggle(item.key)
        elif item.kind in MESSAGES:
            self.cursor.choose(item.key, brings_into_view=False)
            if target := target_at(line, char_at(line, event.x - GUTTER)):
                self.post_message(self.LinkClicked(target))

    # -- drawing

    def _redraw(self) -> None:
        """Rows are drawn once, when the current messages are dealt with."""
        if not self._is_stale:
            self._is_stale = True
            if self.is_attached:
                self.call_next(self._draw)

    def _draw(self) -> None:
        self._update_frame()
        old, new, width = self._drawn, self._frame, self.size.width
        self._drawn = new
        if len(old) != len(new):
            self.refresh()
            return
        changed = [row for row, before in enumerate(old) if before is not new[row] and before != new[row]]
        for first, end in _runs(changed):
            self.refresh(Region(0, first, width, end - first))

    def _measure(self) -> tuple[Look, int]:
        width = max(min(self.size.width - GUTTER - 2, MAX_TEXT_WIDTH), 1)
        filters = tuple(type(line_filter) for line_filter in self.get_line_filters())  # an app may make them anew
        colours = (self.app.theme, self.rich_style, filters)
        if colours != self._colours:
            self._colours = colours
            self._look = Look(Styles(self.app.theme_variables, self.rich_style), width)
            self._painter = None
        elif width != self._look.width:
            self._look = Look(self._look.styles, width)
        return self._look, self.size.height

    def _painter_now(self) -> Painter:
        known = self._painter
        if known is None or not known.fits(self._look, self.size.width):
            known = Painter(
                self._look, self.size.width, self.get_line_filters(), self.background_colors[1], self._selection_style()
            )  # fmt: skip
            self._painter = known
        return known

    def _selection_style(self) -> Style:
        """The theme's, whose text colour some themes leave open ("transparent")."""
        name = "screen--selection"
        marked, base = self.screen.get_component_rich_style(name), self._look.styles.base.color
        if marked.bgcolor is None:
            return Style(color=base, reverse=True)
        is_open = not self.screen.get_component_styles(name).color.a
        return Style(color=base if is_open else marked.color, bgcolor=marked.bgcolor, reverse=False)

    def _update_frame(self) -> None:
        if len(self._frame) != self.size.height:
            self.view.invalidate()
        elif not self._is_stale:
            return
        view, height = self.view, self.size.height
        rows, looks, bar = view.rows, view.row_looks(), view.scroll_bar().glyphs()
        for part in (self.jumps, self.cursor, self.code, self.search, self.selection):
            part.mark(looks)
        painter = self._painter_now()
        painter.begin()
        self._frame = []
        for row in range(height):
            line, look = (rows[row][1], looks[row]) if row < len(rows) else (_NOTHING, PLAIN_ROW)
            is_new = row == height - 1 and view.has_new_below
            if is_new or bar[row] != NONE:
                look = look._replace(bar=bar[row], is_new_below=is_new)
            self._frame.append(painter.row(line, look))
        view.viewport.trim()
        self._is_stale = False
        if not view.is_laid_out and self.is_attached:
            self.call_later(view.invalidate)

    def render_lines(self, crop: Region) -> list[Strip]:
        self._update_frame()
        rows = self._frame[crop.y : crop.bottom]
        if crop.x == 0 and crop.right >= self.size.width:
            return rows
        return [strip.crop(crop.x, crop.right) for strip in rows]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        del viewport, width
        return container.height

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.view.invalidate()
        self.refresh()

    def on_resize(self) -> None:
        self.view.invalidate()
        self.refresh()


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for row in rows:
        first = runs.pop()[0] if runs and runs[-1][1] == row else row
        runs.append((first, row + 1))
    return runs
