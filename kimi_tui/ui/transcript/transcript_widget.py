"""The transcript: the library's part, in which the view, the cursor, the search and the selection meet.

It draws itself (`render_lines`), since the library's own way costs a style lookup and a crop per line. There is no
virtual size: a growing reply costs no layout of the screen, and only rows that changed are drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
from kimi_tui.ui.state.entry import MESSAGES, Entry
from kimi_tui.ui.transcript import copying
from kimi_tui.ui.transcript.code_blocks import CodeBlocks
from kimi_tui.ui.transcript.cursor import Cursor
from kimi_tui.ui.transcript.entry_chrome import arrow_at
from kimi_tui.ui.transcript.entry_list import EntriesChange, EntryList
from kimi_tui.ui.transcript.folds import Folds
from kimi_tui.ui.transcript.jumps import Jumps
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.mouse_selection import MouseSelection
from kimi_tui.ui.transcript.painter import GUTTER, NEW_BELOW, PLAIN_ROW, Painter, char_at
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.scrollbar import NONE
from kimi_tui.ui.transcript.search import Search
from kimi_tui.ui.transcript.selection import HINTS, Selection
from kimi_tui.ui.transcript.styles import Styles
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Viewport

MAX_TEXT_WIDTH = 104
"""Longer lines are hard to read, however wide the screen is."""
WHEEL_LINES = 3
"""Lines per turn of the wheel."""
DRAG_SCROLL_S = 1 / 20
"""Seconds between two steps of scrolling while the mouse selects beyond the edge."""
_NOTHING = Line((), 0)


class Transcript(Widget, can_focus=True):
    """A conversation, its reasoning or its prompt as lines, of which those in view are laid out."""

    DEFAULT_CSS = """
    Transcript { height: 1fr; background: $background; color: $foreground; }
    """
    ALLOW_SELECT = False  # the library selects within what is on screen; see `selection`

    @dataclass
    class Chosen(Message):
        """The message cursor stands elsewhere."""

        key: str | None
        """Key of the chosen message; None = none is."""

    @dataclass
    class AlternativeClicked(Message):
        """Another alternative of a message is asked for."""

        key: str
        """Key of the message."""
        step: int
        """-1 = the one before, 1 = the next."""

    @dataclass
    class Found(Message):
        """The search knows more, or stands elsewhere."""

        text: str
        """What is looked for; "" = nothing any more."""
        count: int
        """How many hits there are, as far as the texts were read."""
        current: int
        """Which of them is the current one, from 1; 0 = none is."""
        is_reading: bool
        """Whether more may be found."""

    @dataclass
    class SelectionModeChanged(Message):
        """Selecting with the keyboard began or ended."""

        is_selecting: bool
        """Whether the arrow keys select now."""

    @dataclass
    class CopyRequested(Message):
        """What was selected with the keyboard is to be copied."""

        text: str
        """It, as it was written."""

    def __init__(self, *, fold_reasoning: bool = True, id: str | None = None) -> None:
        """Start empty and following.

        Args:
            fold_reasoning: Whether think blocks are closed at first.
            id: The widget's id.
        """
        super().__init__(id=id)
        self._look = Look(Styles({}, Style()), 80)
        viewport = Viewport(self._look, 0)
        self._entries = EntryList(viewport, fold_reasoning=fold_reasoning)
        self._view = View(viewport, self._measure, self._redraw)
        self._folds = Folds(self._entries, self._view)
        self._cursor = Cursor(self._entries, self._view, lambda key: self.post_message(self.Chosen(key)))
        self._jumps = Jumps(self._view)
        self._code = CodeBlocks(self._entries, self._view)
        self._search = Search(
            self._view, self._folds, self._call_after, lambda *told: self.post_message(self.Found(*told))
        )
        self._selection = Selection(
            self._view,
            self._tell_selected,
            lambda has_keys: self.post_message(self.SelectionModeChanged(has_keys)),
            lambda text: self.post_message(self.CopyRequested(text)),
        )
        self._mouse = MouseSelection(self._view, self._selection)
        self._drag_timer: Timer | None = None
        self._grip: int | None = None  # which row of the scroll bar's thumb the mouse holds
        self._colours: tuple[object, ...] = ()
        self._painter: Painter | None = None
        self._is_stale = True
        self._frame: list[Strip] = []
        self._drawn: list[Strip] = []  # the frame that was last asked to be drawn

    # -- entries

    def prepare(self, entries: Sequence[Entry]) -> None:
        """Begin with what takes long of entries that will be shown; this may be done in a thread."""
        self._entries.prepare(entries)

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries; those that stay the same keep their lines and their fold."""
        self._entries_changed(self._entries.set_entries(entries))

    def rename_entry(self, old_key: str, entry: Entry) -> None:
        """Show an entry under another key: it keeps its place, its lines, its fold; one that is not there is ignored.

        A live reply becomes the message with its own id this way.
        """
        self._entries_changed(self._entries.rename(old_key, entry))

    def update_entry(self, entry: Entry) -> None:
        """Show an entry anew; one that is not there is ignored."""
        self.rename_entry(entry.key, entry)

    def append(self, key: str, part: ReplyPart, text: str) -> None:
        """Add text to the growing reply; several calls are laid out and drawn as one."""
        self._entries_changed(self._entries.append(key, part, text))

    def _entries_changed(self, change: EntriesChange) -> None:
        for part in (self._view, self._cursor, self._jumps, self._code, self._search, self._selection):
            part.entries_changed(change)

    def set_thought_label(self, key: str, label: str) -> None:
        """Change the one line of a think block, and nothing else."""
        if (item := self._entries.item(key)) is not None and item.set_thought_label(label):
            self._view.invalidate()

    # -- folds, and moving about

    def toggle_fold(self, key: str) -> None:
        """Open or close one think block; its line stays on its row, else the line at the top stays."""
        self._folds.toggle(key)

    def toggle_all_folds(self) -> None:
        """Open all think blocks, or close them where all are open."""
        self._folds.toggle_all()

    @property
    def is_following(self) -> bool:
        """Whether the end is kept in view."""
        return self._view.viewport.is_following

    def follow_tail(self) -> None:
        """Show the end and keep it in view."""
        self._view.follow_tail()

    def scroll_to_top(self) -> None:
        """Show the beginning."""
        self._view.scroll_to_top()

    def scroll_lines(self, lines: int) -> None:
        """Scroll by lines; negative = up, which stops following; down to the end follows again."""
        self._view.scroll_lines(lines)

    def scroll_page(self, pages: int) -> None:
        """Scroll by pages; negative = up. Two lines stay in view."""
        self._view.scroll_pages(pages)

    # -- the message cursor, headings and code

    @property
    def chosen(self) -> str | None:
        """Key of the chosen message; None = none is."""
        return self._cursor.chosen

    def choose(self, key: str | None, *, brings_into_view: bool = True) -> None:
        """Put the message cursor on a message, or on none; it is scrolled to where that is asked for."""
        self._cursor.choose(key, brings_into_view=brings_into_view)

    def choose_in_view(self) -> None:
        """Choose the last message in view; nothing is scrolled for it."""
        self._cursor.choose_in_view()

    def move_choice(self, step: int) -> None:
        """Move the message cursor by messages; negative = up. Without one it begins in view."""
        self._cursor.move(step)

    def choose_edge(self, first: bool) -> None:
        """Choose the first or the last message."""
        self._cursor.choose_edge(first)

    def move_heading(self, step: int) -> None:
        """Go to the next (1) or previous (-1) heading of an answer."""
        self._jumps.move_heading(step)

    def move_code(self, step: int) -> None:
        """Go to the next (1) or previous (-1) block of code."""
        self._jumps.move_code(step)

    def code_blocks(self, key: str) -> list[str]:
        """The code of a message's blocks, in order."""
        return self._code.sources(key)

    def has_code(self, key: str) -> bool:
        """Whether a message has a block of code."""
        return self._code.has_any(key)

    def code_blocks_above(self, key: str) -> int:
        """How many code blocks of a message begin above what is in view."""
        return self._code.count_above(key)

    def show_code_numbers(self, key: str) -> None:
        """Number the code blocks of a message, from 1."""
        self._code.show_numbers(key)

    def hide_code_numbers(self) -> None:
        """Show no numbers any more."""
        self._code.hide_numbers()

    def plain_text_of(self, key: str) -> str:
        """The text of an entry as it is shown, without the marks of Markdown; "" when it is not there."""
        item = self._entries.item(key)
        return "" if item is None else copying.plain_text(item)

    # -- the search

    def find(self, text: str) -> None:
        """Look for a text, whichever case its letters have; "" ends the search. `Found` tells what is known so far."""
        self._search.find(text)

    def move_hit(self, step: int) -> None:
        """Go to the next (1) or previous (-1) hit, at the end to the other end."""
        self._search.move_hit(step)

    def _call_after(self, pause_s: float, callback: Callable[[], None]) -> None:
        if self.is_attached:
            self.set_timer(pause_s, callback) if pause_s else self.call_next(callback)

    # -- the selection

    @property
    def hints(self) -> str:
        """What the keys do now, for a footer; "" = what they always do."""
        return HINTS if self._selection.has_keys else ""

    def start_selection(self) -> None:
        """Begin to select with the keyboard: at the text of the chosen message when it is in view, else at the top."""
        self._selection.begin(self._entries.index(self.chosen))

    def get_selection(self, selection: ScreenSelection) -> tuple[str, str] | None:
        """What is selected, for the library."""
        del selection
        text = self._selection.text()
        return (text, "\n") if text else None

    def selection_updated(self, selection: ScreenSelection | None) -> None:
        """Nothing is selected any more when the library says so."""
        del selection  # told late: what counts is what the screen knows now
        if self not in self.screen.selections:
            self._selection.forget()

    def _tell_selected(self, is_any: bool) -> None:
        """Have it show up in `Screen.get_selected_text`, and go with Escape or a click elsewhere."""
        others = {widget: other for widget, other in self.screen.selections.items() if widget is not self}
        self.screen.selections = {**others, self: SELECT_ALL} if is_any else others

    # -- keys and mouse

    def on_key(self, event: events.Key) -> None:
        """Extend a selection that is made with the keyboard."""
        if self._selection.press(event.key):
            event.stop()
            event.prevent_default()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Turn the wheel."""
        event.stop()
        self.scroll_lines(-WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Turn the wheel."""
        event.stop()
        self.scroll_lines(WHEEL_LINES)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll bar, or of a text."""
        if event.button != 1:
            return
        if event.x == self.size.width - 1:
            event.stop()
            self.capture_mouse()
            self._take_thumb(event.y)
        else:
            self._mouse.press(event.offset)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the scroll bar, or select; beyond the edge it scrolls on by itself."""
        if self._grip is not None:
            self._drag_thumb(event.y - self._grip)
        elif event.button == 1 and self._mouse.drag(event.offset):
            self.capture_mouse()
            if self._mouse.is_outside and self._drag_timer is None:
                self._drag_timer = self.set_interval(DRAG_SCROLL_S, self._mouse.scroll_on)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go."""
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
        """Hold the thumb where it is; a press beside it brings its middle there first."""
        thumb = self._view.scroll_bar().thumb
        self._grip = row - thumb.start if row in thumb else len(thumb) // 2
        self._drag_thumb(row - self._grip)

    def _drag_thumb(self, start: int) -> None:
        """Scroll so that the thumb begins at a row."""
        bar = self._view.scroll_bar()
        if bar.thumb and bar.thumb.start != start:
            self._view.scroll_to_line(bar.line_at(start))

    def on_click(self, event: events.Click) -> None:
        """Fold, follow, choose another alternative or the message, select the word or block, as what is clicked."""
        rows = self._view.rows
        if event.y >= len(rows) or event.x >= self.size.width - 1 or self._mouse.has_dragged:
            return
        is_last_row = event.y == self.size.height - 1
        if self._view.has_new_below and is_last_row and event.x >= self.size.width - 2 - len(NEW_BELOW):
            self.follow_tail()
            return
        place, line = rows[event.y]
        item = self._view.viewport.items[place.item]
        is_heading = place.section == Section.HEAD and place.line == 0
        if is_heading and (step := arrow_at(item.header, line.text, char_at(line, event.x - GUTTER))):
            self.post_message(self.AlternativeClicked(item.key, step))
        elif event.chain > 1:
            self._mouse.select_around(event.offset, is_word=event.chain == 2)
        elif place.section == Section.HEAD and item.thought_line == place.line:
            self.toggle_fold(item.key)
        elif item.kind in MESSAGES:
            self.choose(item.key, brings_into_view=False)

    # -- drawing

    def _redraw(self) -> None:
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

    def _measure(self) -> tuple[Look, int]:
        """Take the theme and the size as they are now."""
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
        """The style of selected text: the theme's, whose text colour some themes leave open ("transparent")."""
        name = "screen--selection"
        marked, base = self.screen.get_component_rich_style(name), self._look.styles.base.color
        if marked.bgcolor is None:
            return Style(color=base, reverse=True)
        is_open = not self.screen.get_component_styles(name).color.a
        return Style(color=base if is_open else marked.color, bgcolor=marked.bgcolor, reverse=False)

    def _update_frame(self) -> None:
        """Make the strips of what is in view."""
        if len(self._frame) != self.size.height:
            self._view.invalidate()
        elif not self._is_stale:
            return
        view, height = self._view, self.size.height
        rows, looks, bar = view.rows, view.row_looks(), view.scroll_bar().glyphs()
        for part in (self._jumps, self._cursor, self._code, self._search, self._selection):
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
        """Draw the rows in view."""
        self._update_frame()
        rows = self._frame[crop.y : crop.bottom]
        if crop.x == 0 and crop.right >= self.size.width:
            return rows
        return [strip.crop(crop.x, crop.right) for strip in rows]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as there is room."""
        del viewport, width
        return container.height

    def notify_style_update(self) -> None:
        """Take other colours."""
        super().notify_style_update()
        self._view.invalidate()
        self.refresh()

    def on_resize(self) -> None:
        """Lay out what is in view at another size."""
        self._view.invalidate()
        self.refresh()


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Rows that follow one another, as first rows and ends."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        first = runs.pop()[0] if runs and runs[-1][1] == row else row
        runs.append((first, row + 1))
    return runs
