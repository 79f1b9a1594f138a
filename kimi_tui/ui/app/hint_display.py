"""The footer: what keys do where the focus is."""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import Screen

from kimi_tui.core.settings.actions import Need, Scope
from kimi_tui.ui.commands import situation
from kimi_tui.ui.keys.focus import scope_of
from kimi_tui.ui.keys.key_lookup import Keyboard
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.widgets.composer import Composer

FRAME_CELLS = 6
"""What the composer's border takes of the footer's width, in cells."""


class HintDisplay:
    """Shows it on the composer's edge, and where a pane covers that, below the pane."""

    def __init__(
        self,
        screen: Screen[None],
        keyboard: Keyboard,
        open_chats: OpenChats,
        *,
        transcript: Transcript,
        composer: Composer,
        drafts: Drafts,
        find_bar: FindBar,
        panes: SidePanes,
        offers: Callable[[], set[Need]],
    ) -> None:
        """Be ready.

        Args:
            screen: Where the focus is.
            keyboard: The keys.
            open_chats: What is on screen.
            transcript: Where a message may be chosen.
            composer: May offer commands.
            drafts: May hold an edit.
            find_bar: May be open.
            panes: May cover the composer.
            offers: Gives what there is for actions to work on.
        """
        self._screen, self._keyboard, self._open_chats, self._transcript = screen, keyboard, open_chats, transcript
        self._composer, self._drafts, self._find_bar, self._panes = composer, drafts, find_bar, panes
        self._offers = offers
        self._told_send_word = ""

    def refresh(self) -> None:
        """Show it as it is now."""
        focused = self._screen.focused
        nodes = focused.ancestors_with_self if focused is not None else ()
        own = next((hints for node in nodes if (hints := getattr(node, "hints", ""))), "")
        idle = (name for node in nodes for name in getattr(node, "idle_actions", ()))
        scope, width = scope_of(focused), max(self._screen.size.width - FRAME_CELLS, 0)
        words_now = self._words_now(scope) | dict.fromkeys(idle, "")
        hints = situation.hints(scope, self._offers(), self._keyboard, width, instead=own, words_now=words_now)
        self._composer.show_hints(hints)
        self._panes.show_hints(hints)

    def refresh_send_word(self) -> None:
        """Show what Enter means, where that is something else for what is being typed now."""
        if self._send_word != self._told_send_word:
            self.refresh()

    @property
    def _send_word(self) -> str:
        """What sending means for what is in the composer now, in a word; "" = it would be refused."""
        beginning = self._composer.document.get_line(0)[:2]
        if beginning.startswith("/") and beginning != "//":
            return "run"
        if self._open_chats.current.turn is None:
            return "send"
        return "queue" if self._drafts.edited is None else ""

    def _words_now(self, scope: Scope) -> dict[str, str]:
        """What actions mean now where that is something else than their own word, by id; "" = nothing."""
        self._told_send_word = self._send_word
        words_now = {"send": self._told_send_word}
        if self._composer.has_completions or self._find_bar.is_open:
            words_now["back"] = "close"
        elif self._drafts.is_aside:
            words_now["back"] = "cancel"
        target = self._open_chats.current.target(self._transcript.chosen)
        if target is not None and target.excluded:
            words_now["leave-out"] = "take in"
        if scope is Scope.SESSIONS and not self._open_chats.trashed:
            words_now["restore-session"] = ""
        return words_now
