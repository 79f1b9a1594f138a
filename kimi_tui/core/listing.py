"""What lies in a folder of sessions, as values."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_tui.core.session import SessionSummary


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A session file that cannot be read."""

    path: str
    """Where it lies."""
    reason: str
    """Why, in one line."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in the folder."""

    summaries: tuple[SessionSummary, ...] = ()
    """The sessions, last changed first."""
    unreadable: tuple[Unreadable, ...] = ()
    """Files that are no readable sessions."""
