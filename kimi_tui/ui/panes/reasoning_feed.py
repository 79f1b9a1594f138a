"""The reasoning pane: the running, chosen or last reply's reasoning, with its time, size and rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Self

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.written import CONTENT, REASONING, WrittenRange
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.growing_text import TextView
from kimi_tui.core.wire.turn_events import ReplyDelta
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.state.entries import message_entry
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_replies import Running
from kimi_tui.ui.text.safe_text import content
from kimi_tui.ui.transcript.transcript_widget import Transcript


class ReasoningPanel(Vertical, Panel):
    scope: ClassVar[Scope] = Scope.REASONING
    DEFAULT_CSS = """
    ReasoningPanel {
        height: 1fr;
        #reasoning-head { height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
    }
    """

    def __init__(self, open_chats: OpenChats, chosen: Callable[[], str | None], now_s: Callable[[], float]) -> None:
        """`chosen` gives the key of the message with the message cursor; None = none has it."""
        super().__init__(id="reasoning-pane")
        self._open_chats, self._chosen, self._now_s = open_chats, chosen, now_s
        self._head = Static(id="reasoning-head", markup=False)
        self.lines = Transcript(id="reasoning-lines")
        self._shown, self._is_growing = "", False
        self._takes_two: bool | None = None

    def compose(self) -> ComposeResult:
        yield self._head
        yield self.lines

    def focus(self, scroll_visible: bool = True) -> Self:
        del scroll_visible
        take_keys(self.lines)
        return self

    def refresh_pane(self) -> None:
        """Show the reasoning of the chosen reply or of that to the chosen question, else of the last one."""
        reply = self._open_chats.current.reply_at(self._chosen())
        if isinstance(reply, Running):
            live = reply.live
            self._show(live.key, live.shown(ReplyPart.REASONING), live.label, live.reply.written, is_streaming=True)
        elif reply is not None and reply.reasoning:
            label = message_entry(reply).thought_label
            self._show(reply.id, reply.reasoning, label, reply.written)
        else:
            self._show("", "", "There is no reasoning." if reply is None else "This reply has no reasoning.")

    def _show(
        self,
        key: str,
        text: str | TextView,
        head: str,
        written: Sequence[WrittenRange] = (),
        *,
        is_streaming: bool = False,
    ) -> None:
        self._show_head([head or "Waiting for the first token …"])
        own = tuple(replace(it, field=CONTENT) for it in written if it.field == REASONING)  # it is all that is shown
        entry = Entry(key, EntryKind.REASONING, heading="", text=text, is_streaming=is_streaming, written=own)
        self.lines.set_entries([entry] if key else [])
        if (key, is_streaming) != (self._shown, self._is_growing):
            self._shown, self._is_growing = key, is_streaming
            if is_streaming:
                self.lines.view.follow_tail()
            else:
                self.lines.view.scroll_to_top()

    def delta_arrived(self, delta: ReplyDelta) -> None:
        """The answer ends the reasoning."""
        live = self._open_chats.current.replies.live
        if live is None or self._shown != live.key:
            self.refresh_pane()
            return
        if delta.part is ReplyPart.REASONING:
            self.lines.grow(live.key, ReplyPart.ANSWER)

    def label_changed(self) -> None:
        live = self._open_chats.current.replies.live
        if live is not None and self._shown == live.key:
            rate = live.thinking_rate(self._now_s())
            self._show_head([part for part in (live.label, "" if rate is None else f"{rate:.0f} tok/s") if part])

    def _show_head(self, parts: list[str]) -> None:
        """All is arranged anew only where they take more or fewer rows than before."""
        text = dotted(*parts)
        takes_two = cell_len(text) > self._head.content_size.width
        self._head.update(content("\n".join(parts) if takes_two else text), layout=takes_two != self._takes_two)
        self._takes_two = takes_two

    @on(Transcript.Chosen)
    def _stop_here(self, event: Message) -> None:
        """These lines are not the conversation's; only what a search finds is told on."""
        event.stop()
