"""What lies in a folder of sessions, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kimi_tui.core.session.session import SessionSummary

NO_SESSION = "There is no session yet."
"""What is told of an empty folder."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A session file that cannot be read."""

    path: str
    """Where it lies."""
    reason: str
    """Why, in one line."""

    @property
    def words(self) -> str:
        """What is told of it, in one line."""
        return f"{self.path} cannot be read: {self.reason}"


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in the folder."""

    summaries: tuple[SessionSummary, ...] = ()
    """The sessions, last changed first."""
    unreadable: tuple[Unreadable, ...] = ()
    """Files that are no readable sessions."""
    is_whole: bool = True
    """Whether nothing is missing, and nothing out of date, since files are still being read."""

    def words_for_none(self, absent: str) -> str:
        """Why none is listed: `absent` where none is there; that those there cannot be read is another thing."""
        count = len(self.unreadable)
        if count == 0:
            return absent
        more = f", nor can {count - 1} more" if count > 1 else ""
        return f"{self.unreadable[0].words.rstrip('.')}{more}."


def names_of(summaries: Sequence[SessionSummary]) -> list[str]:
    """What each of several sessions is named by: its id, or its file's name where another has the same id."""
    counts = Counter(summary.id for summary in summaries)
    return [summary.id if counts[summary.id] == 1 else summary.path.rpartition("/")[2] for summary in summaries]
