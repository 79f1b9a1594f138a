"""What is said of a session that can only be read here."""

from __future__ import annotations

from kimi_tui.core.ports import HeldSession

READ_ONLY = "read-only"
"""The word for it on screen, and what notices on it are about."""


def way_out(held: HeldSession, key: str) -> str:
    """What to do with a session that can only be read; "" = nothing can be done here."""
    return "" if held.is_free is None else f"{_ways(key)} goes on with a copy of it."


def opening_words(reason: str, key: str, *, is_held: bool) -> str:
    way = f" {_ways(key)} makes it a copy of your own." if is_held else ""
    return f"{READ_ONLY}: {reason}\nIt can be read, searched, copied and exported; nothing is sent or saved.{way}"


FREE = "whoever held the session has gone."


def free_way(key: str) -> str:
    return f"{_ways(key)} goes on with it here."


def let_go_words(key: str) -> str:
    return f"The session is free now: {FREE} {free_way(key)}"


def _ways(key: str) -> str:
    return f"{key} or /open-copy" if key else "/open-copy"
