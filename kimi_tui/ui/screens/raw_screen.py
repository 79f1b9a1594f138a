"""The editor of a raw input: the whole text as it is sent, its size above it, what keys do below it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static, TextArea

from kimi_tui.core.prompt.template import Template
from kimi_tui.core.session.raw_draft import RawDraft
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.screens.above import Above
from kimi_tui.ui.text import words
from kimi_tui.ui.widgets.raw_area import RawArea
from kimi_tui.ui.widgets.told_lines import Note

SIZE_AFTER_S = 0.2
"""Pause in typing after which the size is told anew, in seconds (debounce)."""
HINTS = ("Ctrl+S sends it once, as it stands", "Escape keeps it", "Ctrl+G in $EDITOR", "Ctrl+R begins anew")
UNCHANGED_HINTS = (HINTS[0], "Escape leaves", HINTS[2])

EditOutside = Callable[[str], Awaitable[tuple[str, str]]]
"""Has another program edit a text: what it became, and what is to be told, "" = nothing."""


class RawScreen(Above[RawDraft | None]):
    """Its result is what is to be sent; None = it was left."""

    DEFAULT_CSS = """
    RawScreen {
        background: $background;
        & > Static { width: 100%; height: auto; padding: 0 1; background: $surface; }
        & > #raw-title { text-style: bold; &.-over { color: $warning; } }
        & > Note { color: $warning; }
        & > #raw-hints { color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("ctrl+s", "send"),
        ("ctrl+g", "edit_outside"),
        ("ctrl+r", "begin_anew"),
    ]

    def __init__(
        self,
        fresh: RawDraft,
        kept: RawDraft | None,
        template: Template,
        *,
        tokens_of: Callable[[str], int],
        window_tokens: int,
        typed: Callable[[], object],
        left: Callable[[], object],
        edit_outside: EditOutside,
    ) -> None:
        """Edit what was kept, else `fresh`, which it can begin anew with.

        `tokens_of` estimates a text, in any thread. `typed` is called when it has changed, `left` when what stands in
        it is settled.
        """
        super().__init__()
        self._fresh, self._kept = fresh, kept
        self._area = RawArea((kept or fresh).text, template, id="raw-area")
        self._tokens_of, self._window_tokens = tokens_of, window_tokens
        self._typed, self._left, self._edit_outside = typed, left, edit_outside
        self._measuring: Timer | None = None
        self._is_away = False

    @property
    def _draft(self) -> RawDraft:
        return RawDraft(self._area.exact_text, (self._kept or self._fresh).reply_to)

    @property
    def changed_draft(self) -> RawDraft | None:
        """What has to be kept; None = it can be had again, or is empty."""
        draft = self._draft
        return draft if draft.text not in {"", self._fresh.text} else None

    def compose(self) -> ComposeResult:
        yield Static(id="raw-title", markup=False)
        yield self._area
        yield Note(id="raw-told")
        yield Static(id="raw-hints", markup=False)

    def on_mount(self) -> None:
        take_keys(self._area)
        self._area.move_cursor(self._area.document.end)
        self._measure()

    @on(TextArea.Changed)
    def _changed(self) -> None:
        self._typed()
        if self._measuring is None:
            self._measuring = self.set_timer(SIZE_AFTER_S, self._measure)

    def _measure(self) -> None:
        self._measuring = None
        text = self._area.exact_text
        self._say_what_keys_do(text)
        self.run_newest(self._tell_size, text)

    async def _tell_size(self, text: str) -> None:
        """It takes longer than a key may where the text is long."""
        tokens = await asyncio.to_thread(self._tokens_of, text)
        is_over = tokens > self._window_tokens
        name = "Raw input" if self._kept is None else "Raw input, kept from before"
        size = f"{'⚠ ' if is_over else ''}~{words.count(tokens)} tok of {words.count(self._window_tokens)}"
        title = self.query_one("#raw-title", Static)
        title.set_class(is_over, "-over")
        title.update(Content(dotted(name, size, "nothing is made harmless")))

    @on(RawArea.Pasted)
    def _pasted(self, event: RawArea.Pasted) -> None:
        self._tell(event.told)

    def _tell(self, what: str) -> None:
        self.query_one(Note).say(visible_line(what))

    def _say_what_keys_do(self, text: str) -> None:
        hints = HINTS if text not in {"", self._fresh.text} else UNCHANGED_HINTS
        self.query_one("#raw-hints", Static).update(Content(dotted(*hints)))

    # -- keys

    def dismiss(self, result: RawDraft | None = None) -> AwaitComplete:
        """What stands in it is settled before anything else happens: the program may be about to end."""
        if self.is_active:
            self._left()
        return super().dismiss(result)

    def action_send(self) -> None:
        """An empty input is none."""
        if (draft := self._draft).text:
            self.dismiss(draft)

    def action_begin_anew(self) -> None:
        """Undo brings back what stood there."""
        self._kept = None
        if self._area.exact_text != self._fresh.text:
            self._area.put(self._fresh.text)

    async def action_edit_outside(self) -> None:
        if self._is_away:
            return
        self._is_away = True
        try:
            before = self._area.exact_text
            after, told = await self._edit_outside(before)
            if after != before:
                self._area.put(after)
            self._tell(told)
        finally:
            self._is_away = False
