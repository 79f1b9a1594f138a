"""The footer: what keys do where the focus is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from textual.screen import Screen

from kimi_tui.core.settings.actions import Need, Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.ui.commands import situation
from kimi_tui.ui.keys.focus import scope_of
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.widgets.composer import Composer

FRAME_CELLS = 6
"""What the composer's border takes of the footer."""


@dataclass(eq=False)
class HintDisplay:
    """They stand on the composer's edge, and where a pane covers that, below the pane."""

    screen: Screen[None]
    keymap: KeyTable
    open_chats: OpenChats
    transcript: Transcript
    composer: Composer
    drafts: Drafts
    find_bar: FindBar
    panes: SidePanes
    offers: Callable[[], set[Need]]  # gives what there is for actions to work on
    _told_of_draft: tuple[object, ...] = field(default=(), init=False)

    def refresh(self) -> None:
        focused = self.screen.focused
        nodes = focused.ancestors_with_self if focused is not None else ()
        own = next((hints for node in nodes if (hints := getattr(node, "hints", ""))), "")
        idle = (name for node in nodes for name in getattr(node, "idle_actions", ()))
        scope, width = scope_of(focused), max(self.screen.size.width - FRAME_CELLS, 0)
        words_now = self._words_now(scope) | dict.fromkeys(idle, "")
        hints = situation.hints(scope, self.offers(), self.keymap, width, instead=own, words_now=words_now)
        self.composer.show_hints(hints)
        self.panes.show_hints(hints)

    def refresh_for_draft(self) -> None:
        """Called at every keystroke: little of what is typed changes what keys do."""
        if self._of_draft != self._told_of_draft:
            self.refresh()

    @property
    def _of_draft(self) -> tuple[object, ...]:
        """All that hints depend on in what the composer holds."""
        return self._send_word, self.drafts.is_aside, self.drafts.edited, self.drafts.edited_part

    @property
    def _send_word(self) -> str:
        """What sending what is in the composer means now; "" = it would be refused."""
        beginning = self.composer.document.get_line(0)[:2]
        if beginning.startswith("/") and beginning != "//":
            return "run"
        if self.open_chats.current.open_session.read_only:
            return ""
        if self.open_chats.current.replies.turn is None:
            return "send"
        return "queue" if self.drafts.edited is None else ""

    def _words_now(self, scope: Scope) -> dict[str, str]:
        """What actions mean now where that is something else than their own word, by id; "" = nothing."""
        self._told_of_draft = self._of_draft
        words_now = {"send": self._send_word}
        if self.composer.has_completions or self.find_bar.is_open:
            words_now["back"] = "close"
        elif self.drafts.is_aside:
            words_now["back"] = "cancel"
        target = self.open_chats.current.target(self.transcript.cursor.chosen)
        if target is not None and scope is Scope.TRANSCRIPT and self.open_chats.current.hides_reply_to(target):
            words_now["undo"] = "reply again"
        if target is not None and target.excluded:
            words_now["leave-out"] = "take in"
        if self.open_chats.current.is_let_go:
            words_now["open-copy"] = "take over"
        if scope is Scope.SESSIONS and not self.open_chats.trashed:
            words_now["restore-session"] = ""
        return words_now
