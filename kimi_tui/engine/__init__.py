"""Drives turns: prompt out, bytes in, events to whoever listens, the reply into the session.

It knows neither the screen nor the network; a front end calls `Engine.start` and consumes the turn's events:

    turn = engine.start(open_session, "Hello!", request)
    async for event in turn:
        …
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kimi_tui.engine.engine import Engine
    from kimi_tui.engine.open_session import OpenSession
    from kimi_tui.engine.script import NextRequest, RequestStep, TurnSoFar
    from kimi_tui.engine.turn import Turn

__all__ = ["Engine", "NextRequest", "OpenSession", "RequestStep", "Turn", "TurnSoFar"]

HOMES = {
    "Engine": "engine",
    "NextRequest": "script",
    "OpenSession": "open_session",
    "RequestStep": "script",
    "Turn": "turn",
    "TurnSoFar": "script",
}
"""The module of each name. It is imported when the name is first asked for: a screen opens without any turn."""


def __getattr__(name: str) -> object:
    """Import a name with its module."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
