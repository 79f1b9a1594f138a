"""Commands that move the view of the conversation and its message cursor, and what is looked for in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.keys.focus import scope_of, take_keys
from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.transcript.transcript_widget import Transcript


@dataclass(eq=False)
class ViewCommands:
    transcript: Transcript
    find_bar: FindBar
    open_chats: OpenChats
    shown: Callable[[], None]  # shows the conversation anew
    type_here: Callable[[], None]  # gives the composer the keys

    def rows(self) -> Rows:
        view, jumps, cursor = self.transcript.view, self.transcript.jumps, self.transcript.cursor
        return {
            "fold": self.transcript.folds.toggle_all,
            "fold-this": self._fold_this,
            "top": view.scroll_to_top,
            "follow": view.follow_tail,
            "page-up": partial(view.scroll_pages, -1),
            "page-down": partial(view.scroll_pages, 1),
            "line-up": partial(view.scroll_lines, -1),
            "line-down": partial(view.scroll_lines, 1),
            "previous-heading": partial(jumps.move_heading, -1),
            "next-heading": partial(jumps.move_heading, 1),
            "previous-code": partial(jumps.move_code, -1),
            "next-code": partial(jumps.move_code, 1),
            "choose-message": self._choose_message,
            "previous-message": partial(cursor.move, -1),
            "next-message": self._next_message,
            "first-message": partial(cursor.choose_edge, first=True),
            "last-message": partial(cursor.choose_edge, first=False),
            "find": self._find,
            "previous-hit": partial(self.find_bar.move_hit, -1),
            "next-hit": partial(self.find_bar.move_hit, 1),
            "dismiss": self._dismiss,
            "select": self._select,
        }

    def _find(self, text: str) -> None:
        """Look for a text; "" = open the search: in the reasoning, where that has the keys."""
        focused, searched = self.transcript.screen.focused, None
        if isinstance(focused, Transcript) and scope_of(focused) is Scope.REASONING:
            searched = focused
        self.find_bar.open(text.strip() or None, searched)

    def _choose_message(self) -> None:
        take_keys(self.transcript)
        self.transcript.cursor.choose_in_view()

    def _next_message(self) -> None:
        """Below the last message is the composer."""
        chat, cursor = self.open_chats.current, self.transcript.cursor
        if chat.branch and cursor.chosen == chat.branch[-1].id and chat.replies.turn is None:
            self.type_here()
        else:
            cursor.move(1)

    def _fold_this(self) -> None:
        last = self.open_chats.current.last_reply
        key = self.transcript.cursor.chosen or (None if last is None else last.id)
        if key is not None:
            self.transcript.folds.toggle(key)

    def _dismiss(self) -> None:
        self.open_chats.current.notices.clear()
        self.shown()

    def _select(self) -> None:
        take_keys(self.transcript)
        self.transcript.start_selection()
