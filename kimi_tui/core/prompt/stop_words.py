"""The stop sequences that a reply was asked to end at, beside those of every turn, and whether it met one."""

from __future__ import annotations

from kimi_tui.core.prompt.template import ALL_MARKERS
from kimi_tui.core.session.endings import ORDINARY_REASONS, ending
from kimi_tui.core.session.session import Message, MessageState
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.quoting import either
from kimi_tui.core.text.visible import visible

SHOWN_CHARS = 20
"""Most characters of a stop sequence that are told."""


def stop_words(message: Message) -> tuple[str, ...]:
    """Those of its last request."""
    stops = (message.last_sent or {}).get("stop")
    words = [stop for stop in stops if isinstance(stop, str)] if isinstance(stops, list) else []
    return tuple(word for word in words if word and not ALL_MARKERS.exact.fullmatch(word))


def stopped_at(message: Message) -> str:
    """Say at which word a reply ended; "" = at none.

    An endpoint says neither which stop it met nor whether it met one: a word that it returned tells for sure.
    """
    words = stop_words(message)
    if not words or message.state is not MessageState.COMPLETE or message.finish_reason not in ORDINARY_REASONS:
        return ""
    text = message.content or message.reasoning or ""
    if met := next((word for word in words if text.endswith(word)), ""):
        return f"stopped at {_quoted(met)}"
    return f"it may have stopped at {either([_quoted(word) for word in words])}"


def end_words(message: Message) -> str:
    """Say how a reply ended, where that is not the ordinary way; "" = it is whole."""
    return dotted(ending(message), stopped_at(message))


def _quoted(word: str) -> str:
    shown = visible(word.replace("\n", "↵").replace("\t", "⇥"))
    return f"“{shown if len(shown) <= SHOWN_CHARS else shown[: SHOWN_CHARS - 1] + '…'}”"
