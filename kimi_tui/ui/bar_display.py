"""The bars above and below, and the footer with the keys, kept as things are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.css.query import NoMatches
from textual.timer import Timer

from kimi_tui.ui import situation
from kimi_tui.ui.status import Bars, elsewhere
from kimi_tui.ui.widgets.bars import Bar

if TYPE_CHECKING:  # the screen makes this and hands itself in
    from kimi_tui.ui.screens.chat import ChatScreen

REMARK_S = 3.0
"""How long a word stays in the status line, in seconds."""
TICK_S = 0.2
"""Time between two looks at the clock while a turn runs, in seconds."""
FRAME_CELLS = 6
"""What the composer's border takes of the footer's width, in cells."""


class BarDisplay:
    """Shows titles, figures and hints."""

    def __init__(self, screen: ChatScreen) -> None:
        """Show them on that screen."""
        self._screen = screen
        self._bars = Bars(screen.services)
        self._ticker: Timer | None = None

    def begin(self) -> None:
        """Be ready to keep the figures of running turns moving."""
        self._ticker = self._screen.set_interval(TICK_S, self.tick, pause=True)

    def tick(self) -> None:
        """Show how far running turns are."""
        self._screen.display_of_turns.tick(self._screen.services.clock.monotonic())
        self.refresh()
        if self._ticker is not None and not any(chat.turn for chat in self._screen.open_chats.all):
            self._ticker.pause()

    def remark(self, text: str) -> None:
        """Put a word into the status line, until something else stands there."""
        status = self._screen.query_one("#status-bar", Bar)
        status.variants = ((text, status.variants[0][1]), (text, ""))
        self._screen.set_timer(REMARK_S, self.refresh)

    def refresh(self) -> None:
        """Show the figures as they are now."""
        screen = self._screen
        try:
            title, status = screen.query_one("#title-bar", Bar), screen.query_one("#status-bar", Bar)
        except NoMatches:  # the screen is being taken down
            return
        texts, live = self._bars.texts(screen.chat.session), screen.chat.live
        title.variants = ((texts.title, f"{elsewhere(screen.open_chats.all[1:])}{texts.place}"),)
        if live is None:
            status.variants = texts.last.variants("○", texts.context.words())
            return
        figures = live.figures(screen.services.clock.monotonic(), texts.last.session_usd)
        status.variants = figures.variants("●", texts.context.words(live.tokens))
        if self._ticker is not None:
            self._ticker.resume()

    def hints(self) -> str:
        """What keys do where the focus is; a widget's own words come first."""
        screen = self._screen
        nodes = screen.focused.ancestors_with_self if screen.focused is not None else ()
        own = next((hints for node in nodes if (hints := getattr(node, "hints", ""))), "")
        width = max(screen.size.width - FRAME_CELLS, 0)
        return situation.hints(screen.scope_of_focus(), screen.offers(), screen.keyboard, width, own)
