"""A reply token by token: where each ends, how likely it was, when it came; and a way to go on from before any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from kimi_tui.core.errors import KimiError
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.token_trace import Token, TokenTrace
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.growing_text import TextView
from kimi_tui.ui.screens.above import Above
from kimi_tui.ui.screens.tokens_layout import percent, shown
from kimi_tui.ui.screens.tokens_lines import UNCERTAIN, TokenLines
from kimi_tui.ui.text.words import seconds

LOOK_S = 0.1
"""Time between two looks at a reply that grows."""
SHOWN_CHARS = 40
"""Most characters of a token in the line about it."""
HINTS = f"Left, Right token · Up, Down line · n, N under {UNCERTAIN:.0%} · c cut here, go on"
WAYS_OUT = "Ctrl+Home, Ctrl+End · Escape closes"
NO_CERTAINTY = "This endpoint does not say how likely tokens are (logprob is 0, or missing, for every one)."
NOTHING_YET = "No token has come yet."


@dataclass(frozen=True)
class TokenView:
    trace: TokenTrace
    texts: Mapping[ReplyPart, TextView]
    is_running: Callable[[], bool]
    cut: Callable[[ReplyPart, int], None]
    """Lets an alternative go on from before so many characters of a part; raises KimiError where that cannot be."""


class TokensScreen(Above[None]):
    DEFAULT_CSS = """
    TokensScreen {
        & #token-about { height: auto; min-height: 2; max-height: 4; color: $foreground; }
        & #token-hints { height: auto; max-height: 3; color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "cancel"),
        ("c", "cut"),
    ]

    def __init__(self, view: TokenView) -> None:
        super().__init__()
        self._view = view
        self._lines = TokenLines(view.trace, view.texts)
        self._about = Static(id="token-about", markup=False)
        self._note = ""
        self._noted: Token | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as box:
            box.border_title, box.border_subtitle = self._title, WAYS_OUT
            yield self._lines
            yield self._about
            yield Static(Content(HINTS), id="token-hints", markup=False)

    def on_mount(self) -> None:
        self._lines.focus()
        self._timer = self.set_interval(LOOK_S, self._look)

    @property
    def _title(self) -> Content:
        is_running, count = self._view.is_running(), self._view.trace.in_reply
        return Content("Tokens of the running reply" if is_running else f"{counted(count, 'token')} of the reply")

    def _look(self) -> None:
        """Show what has come; when it has ended, for the last time."""
        if self._timer is not None and not self._view.is_running():
            self._timer.stop()
            self.query_one(Vertical).border_title = self._title
        self._lines.grow()

    @on(TokenLines.Moved)
    def _moved(self) -> None:
        if self._lines.cursor != self._noted:
            self._noted, self._note = self._lines.cursor, ""
        self._say()

    @on(TokenLines.NoneFound)
    def _none_found(self, event: TokenLines.NoneFound) -> None:
        way = "after" if event.by > 0 else "before"
        if self._view.trace.has_certainty:
            self._note = f"There is no token under {UNCERTAIN:.0%} {way} this one."
        self._say()

    def _say(self) -> None:
        token = self._lines.cursor
        lines = [] if self._view.trace.has_certainty or token is None else [NO_CERTAINTY]
        lines += [self._note] if self._note else []
        about = NOTHING_YET if token is None else self._words(token)
        self._about.update(Content("\n".join([about, *lines])))

    def _words(self, token: Token) -> str:
        trace = self._view.trace
        text = shown(self._view.texts[token.part].between(token.start, token.end))
        text = text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
        return dotted(f"“{text}”", f"token {self._lines.number} of {trace.in_reply}", *_figures(trace, token))

    def action_cut(self) -> None:
        token = self._lines.cursor
        if token is None:
            return
        try:
            self._view.cut(token.part, token.start)
        except KimiError as error:
            self._note = f"{error.summary} {error.hint}".strip()
            self._say()
        else:
            self.dismiss(None)


def _figures(trace: TokenTrace, token: Token) -> Sequence[str]:
    logprob = trace.logprob(token)
    place = trace.request_of(token)
    request = f"request {place + 1}" if len(trace.requests) > 1 else "the request"
    when = f"{trace.after_s(token):.2f} s" if trace.after_s(token) < 100 else seconds(trace.after_s(token))
    time = f"{when} after {request} was sent"
    if logprob is None or not trace.has_certainty:
        return [time]
    return [f"{percent(logprob):.3g} %", f"logprob {logprob:.4g}", time]
