"""The bars above and below, kept as things are now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.timer import Timer

from kimi_tui.core.prompt.context_meter import Context
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.status_line import READ_ONLY_MARK, UNSAVED, Bars, context_words, elsewhere
from kimi_tui.ui.widgets.bars import Bar

REMARK_S = 3.0
NARROW_COLUMNS = 60
"""Below that the bar above says no more than what is open and how it is asked."""
TICK_S = 0.2
"""Time between two looks at the clock while a turn runs."""


class BarDisplay:
    def __init__(self, bars: Bars, open_chats: OpenChats, now_s: Callable[[], float]) -> None:
        self.title, self.status = Bar(id="title-bar"), Bar(id="status-bar")
        self._open_chats = open_chats
        self._on_tick: Callable[[], None] | None = None
        self._on_refresh: Callable[[], None] | None = None
        self._now_s, self._bars = now_s, bars
        self._ticker: Timer | None = None
        self._remark: Sequence[str] = ()
        self._remark_timer: Timer | None = None

    def begin(self, on_tick: Callable[[], None], on_refresh: Callable[[], None]) -> None:
        """`on_tick` is called again and again while turns run, `on_refresh` whenever sessions may have been saved."""
        self._on_tick, self._on_refresh = on_tick, on_refresh
        self._ticker = self.status.set_interval(TICK_S, self.tick, pause=True)

    def prepare(self, chat: Chat) -> None:
        """Make the words for the time when the chat is shown; this may be done in a thread."""
        self._bars.texts(chat)

    def context(self, chat: Chat) -> Context:
        """How full the window is, with what is being typed."""
        return self._bars.texts(chat).context.with_typed(chat.room.typed_tokens)

    def tick(self) -> None:
        if self._on_tick is not None:
            self._on_tick()
        self.refresh()
        if self._ticker is not None and not any(chat.replies.turn for chat in self._open_chats.all):
            self._ticker.pause()

    def remark(self, *texts: str) -> None:
        """Put a word into the status line; figures that change do not take it away before its time.

        `texts` go from its long form to its short one: the first that fits is shown.
        """
        if self._remark_timer is not None:
            self._remark_timer.stop()
        self._remark, self._remark_timer = texts, self.status.set_timer(REMARK_S, self._end_remark)
        self.refresh()

    def _end_remark(self) -> None:
        self._remark, self._remark_timer = (), None
        self.refresh()

    def refresh(self) -> None:
        """Beside a remark only figures that have room are shown."""
        chat = self._open_chats.current
        texts, live = self._bars.texts(chat), chat.replies.live
        others = elsewhere(self._open_chats.all[1:])
        is_narrow = self.title.app.size.width < NARROW_COLUMNS
        title, places = (texts.short_title, texts.short_places) if is_narrow else (texts.title, (texts.place,))
        title = f"{READ_ONLY_MARK if chat.open_session.read_only else ''}{title}"
        title = title if chat.unsaved is None else f"{UNSAVED}{title}"
        self.title.variants = tuple((title, f"{others}{place}") for place in places)
        if live is None:
            variants = texts.last.variants("○", context_words(self.context(chat)))
        else:
            figures = live.figures(self._now_s(), texts.last)
            if beside := chat.replies.beside_words:
                figures = replace(figures, state=f"{figures.state}, {beside}")
            variants = figures.variants("●", context_words(texts.context, live.tokens))
            if self._ticker is not None:
                self._ticker.resume()
        remarks = tuple((text, right) for text in self._remark for right in (variants[0][1], ""))
        self.status.variants = remarks or variants
        if self._on_refresh is not None:
            self._on_refresh()
