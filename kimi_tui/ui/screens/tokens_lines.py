"""The tokens of a reply to move about in: only the rows in view are drawn, and long replies are laid out in slices.

Tokens have two shades in turn, and a tint where the model was not sure; what is unlikely is underlined, too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.color import Color
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.token_trace import Token, TokenTrace
from kimi_tui.core.settings.theme_palette import TEXT_CONTRAST, contrast
from kimi_tui.core.text.growing_text import TextView
from kimi_tui.ui.screens.tokens_layout import BORDER, TokenRows
from kimi_tui.ui.text.role_styles import Styles

SLICE = 3_000
"""So many tokens are laid out at once, which takes some milliseconds; keys act between two slices."""
UNCERTAIN = 0.5
"""A token that was less likely than that is gone to as an uncertain one."""
LEVELS = (math.log(0.9), math.log(UNCERTAIN), math.log(0.1))
"""From the first on a token is tinted; each further one makes the tint stronger."""
SHADE = 0.08
"""Of the foreground, in every second token's ground."""
TINTS = (0.0, 0.2, 0.38, 0.5)
"""Of the warning's colour (of the error's where it is strongest), as far as the text can be read on it."""
STEP = 0.02


class TokenLines(ScrollView, can_focus=True):
    DEFAULT_CSS = """
    TokenLines {
        height: 1fr;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("left", "step(-1)"),
        ("right", "step(1)"),
        ("up", "line_step(-1)"),
        ("down", "line_step(1)"),
        ("pageup", "page(-1)"),
        ("pagedown", "page(1)"),
        ("home", "row_end(False)"),
        ("end", "row_end(True)"),
        ("ctrl+home", "end(False)"),
        ("ctrl+end", "end(True)"),
        ("n", "uncertain(1)"),
        ("N,shift+n", "uncertain(-1)"),
    ]

    @dataclass
    class Moved(Message):
        """The cursor stands on another token, or more tokens are there."""

    @dataclass
    class NoneFound(Message):
        """There is no further uncertain token that way."""

        by: int

    def __init__(self, trace: TokenTrace, texts: Mapping[ReplyPart, TextView]) -> None:
        super().__init__()
        self._trace, self._texts = trace, texts
        self._rows = TokenRows(texts, 2)
        self._waiting: Iterator[Token] = iter(())
        self._is_laying_out = False
        self._cursor: int | None = None
        self._look: tuple[object, TokenStyles] | None = None
        self._told = dict.fromkeys(ReplyPart, 0)
        """How much of each part is laid out, or about to be."""

    @property
    def cursor(self) -> Token | None:
        """None = no token is there."""
        return None if self._cursor is None else self._rows.tokens[self._cursor]

    @property
    def number(self) -> int:
        """The place of the cursor's token in the reply, from 1; text whose tokens are not known is none."""
        return 0 if self._cursor is None else self._rows.number(self._cursor)

    # -- laying out

    def on_resize(self) -> None:
        if self.size.width != self.virtual_size.width:
            self._begin()
        else:
            self._show_cursor()

    def _begin(self) -> None:
        """Lay all of it out anew; the cursor stays on its token."""
        self._rows = TokenRows(self._texts, self.size.width - 1)
        self._told = {part: len(self._texts[part]) for part in ReplyPart}
        self._waiting = itertools.chain(*(self._trace.tokens(part, chars) for part, chars in self._told.items()))
        self._lay_out()

    def grow(self) -> None:
        now = {part: len(self._texts[part]) for part in ReplyPart}
        if any(now[part] < told for part, told in self._told.items()):
            self._cursor = None
            self._begin()
        elif now != self._told:
            before, self._told = self._told, now
            new = [self._trace.tokens(part, chars, before[part]) for part, chars in now.items()]
            self._waiting = itertools.chain(self._waiting, *new)
            self._lay_out()

    def _lay_out(self) -> None:
        if self._is_laying_out:
            return
        count = len(self._rows.tokens)
        self._rows.add(itertools.islice(self._waiting, SLICE))
        self._is_laying_out = len(self._rows.tokens) - count == SLICE
        if self._is_laying_out:
            self.call_later(self._lay_out_more)
        self.virtual_size = Size(self.size.width, len(self._rows.rows))
        if self._cursor is None:
            self._go(self._rows.first())
        elif self._cursor < len(self._rows.tokens):
            self._show_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def _lay_out_more(self) -> None:
        self._is_laying_out = False
        self._lay_out()

    # -- the cursor

    def _go(self, token: int | None) -> None:
        if token is not None and token != self._cursor:
            self._cursor = token
            self._show_cursor()
            self.refresh()
            self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        if self._cursor is None or self._cursor >= len(self._rows.tokens):
            return
        row = self._rows.row_of(self._cursor)
        if self._cursor == self._rows.first():
            row = 0  # what stands above it is seen, too
        self.scroll_to_region(Region(0, row, 1, 1), animate=False, force=True, immediate=True)

    def action_step(self, by: int) -> None:
        if self._cursor is not None:
            self._go(self._rows.step(self._cursor, by))

    def action_line_step(self, by: int) -> None:
        if self._cursor is not None:
            self._go(self._rows.line_step(self._cursor, by))

    def action_page(self, pages: int) -> None:
        self.action_line_step(pages * max(self.size.height - 2, 1))

    def action_row_end(self, is_last: bool) -> None:
        if self._cursor is not None:
            self._go(self._rows.row_end(self._cursor, is_last=is_last))

    def action_end(self, is_last: bool) -> None:
        self._go(self._rows.last() if is_last else self._rows.first())

    def action_uncertain(self, by: int) -> None:
        if self._cursor is None:
            return
        tokens = self._rows.tokens
        places = range(self._cursor + 1, len(tokens)) if by > 0 else range(self._cursor - 1, -1, -1)
        logprob, least = self._trace.logprob, LEVELS[1]
        found = next((place for place in places if (p := logprob(tokens[place])) is not None and p < least), None)
        if found is None:
            self.post_message(self.NoneFound(by))
        self._go(found)

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is not None:
            self._go(self._rows.at(at.y + self.scroll_offset.y, at.x))

    # -- drawing

    def _styles(self) -> TokenStyles:
        key = self.app.theme, self.rich_style
        if self._look is None or self._look[0] != key:
            self._look = key, TokenStyles(Styles(self.app.theme_variables, self.rich_style))
        return self._look[1]

    def render_line(self, y: int) -> Strip:
        width, place = self.size.width, y + self.scroll_offset.y
        if place >= len(self._rows.rows):
            return Strip.blank(width, self.rich_style)
        row, styles = self._rows.rows[place], self._styles()
        segments = (
            [Segment(row.heading, styles.unknown if row.heading[0] == "(" else styles.heading)] if row.heading else []
        )
        for fragment in row.fragments:
            segments.append(Segment(fragment.text, self._style(styles, fragment.token)))
            if fragment.has_border:
                segments.append(Segment(BORDER, styles.border))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _style(self, styles: TokenStyles, place: int) -> Style:
        token = self._rows.tokens[place]
        if not token.is_known:
            return styles.unknown
        return styles.of(level_of(self._trace.logprob(token)), bool(place % 2), place == self._cursor)


def level_of(logprob: float | None) -> int:
    """0 = sure, or nothing says it, up to 3."""
    return 0 if logprob is None else sum(logprob < level for level in LEVELS)


class TokenStyles:
    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self.of = lru_cache(64)(self._of)

    def _of(self, level: int, is_odd: bool, is_cursor: bool) -> Style:
        base = self._styles.base
        style = base + Style(underline=level > 1, bold=level > 2)
        if base.color is None or base.bgcolor is None:
            return style + Style(reverse=is_cursor)
        text, ground = Color.from_rich_color(base.color), Color.from_rich_color(base.bgcolor)
        ground = ground.blend(text, SHADE) if is_odd else ground
        tint = self._styles.role("error-text" if level > 2 else "warning-text").color
        if level and tint is not None:
            ground = _tinted(ground, Color.from_rich_color(tint), TINTS[level], text)
        return style + Style(bgcolor=ground.rich_color, reverse=is_cursor)

    @cached_property
    def border(self) -> Style:
        return self._styles.role("dim-text")

    @cached_property
    def unknown(self) -> Style:
        return self._styles.role("dim-text")

    @cached_property
    def heading(self) -> Style:
        return self._styles.role("heading") + Style(bold=True)


def _tinted(ground: Color, tint: Color, share: float, text: Color) -> Color:
    while share > 0:
        found = ground.blend(tint, share)
        if contrast(found.hex6, text.hex6) >= TEXT_CONTRAST:
            return found
        share -= STEP
    return ground
