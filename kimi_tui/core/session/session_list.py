"""The list of sessions as rows: newest first under the names of their days, narrowed by what is typed.

What a row needs is worked out once per listing, so that a keystroke in the filter looks at ready texts only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from kimi_tui.core.session.listing import Listing, Unreadable
from kimi_tui.core.session.session import SessionSummary

TODAY = "Today"
YESTERDAY = "Yesterday"
WEEK_DAYS = 7
"""From that age in days on a heading is a date, since the name of the day would mean two."""
BROKEN = "Cannot be read"
UNTITLED = "untitled"


class RowKind(StrEnum):
    HEADING = "heading"
    """The name of a group; it cannot be chosen."""
    SESSION = "session"
    BROKEN = "broken"
    REASON = "reason"
    """Why the file above cannot be read; it cannot be chosen."""


@dataclass(frozen=True, slots=True)
class Row:
    """Its text is foreign: make it visible before it is shown."""

    kind: RowKind
    text: str
    """The heading, the title ("" = none), the file's name, or the reason."""
    path: str = ""
    """The file; "" = it has none."""
    changed: datetime | None = None
    """When it last changed, in the zone that days are counted in; None = not known."""

    @property
    def time(self) -> str:
        """The time of day of the last change, such as "14:05"; "" = not known."""
        return f"{self.changed:%H:%M}" if self.changed else ""

    @property
    def can_be_chosen(self) -> bool:
        return self.kind in {RowKind.SESSION, RowKind.BROKEN}


_Known = tuple[str, str, Row]
"""A session with everything worked out: the text that is searched, its heading, its row."""


@dataclass(frozen=True, slots=True)
class SessionList:
    _sessions: tuple[_Known, ...] = ()
    _broken: tuple[tuple[str, Row, Row], ...] = ()
    is_whole: bool = True

    @property
    def has_any(self) -> bool:
        return bool(self._sessions or self._broken)

    def rows(self, filter_text: str = "", kept: Collection[str] = ()) -> list[Row]:
        """Give the rows that fit: every word occurs in the title, the tags or the id, however it is written.

        `kept` = files of sessions that stay, whether they fit or not.
        """
        words = search_key(filter_text).split()
        return [*self._session_rows(words, kept), *self._broken_rows(words)]

    def _session_rows(self, words: list[str], kept: Collection[str]) -> Iterator[Row]:
        fitting = self._sessions
        for word in words:
            fitting = tuple(known for known in fitting if word in known[0] or known[2].path in kept)
        heading = ""
        for _, day, row in fitting:
            if day != heading:
                heading = day
                yield Row(RowKind.HEADING, heading)
            yield row

    def _broken_rows(self, words: list[str]) -> Iterator[Row]:
        fitting = [(row, reason) for key, row, reason in self._broken if all(word in key for word in words)]
        if fitting:
            yield Row(RowKind.HEADING, BROKEN)
        for row, reason in fitting:
            yield row
            yield reason


def session_list(listing: Listing, now: datetime, to_local: Callable[[datetime], datetime]) -> SessionList:
    """`now` has its zone; `to_local` gives a time in the zone that days are counted in."""
    today = to_local(now).date()
    newest_first = sorted(listing.summaries, key=lambda summary: (summary.updated, summary.id), reverse=True)
    names: dict[date, str] = {}
    sessions = []
    for summary in newest_first:
        local = to_local(summary.updated)
        day = local.date()
        if day not in names:
            names[day] = day_name(day, today)
        row = Row(RowKind.SESSION, summary.title, summary.path, local)
        sessions.append((_key_of(summary), names[day], row))
    broken = tuple(_broken(unreadable) for unreadable in listing.unreadable)
    return SessionList(tuple(sessions), broken, listing.is_whole)


def _key_of(summary: SessionSummary) -> str:
    # A word never holds a line end, so it cannot fit across two of these.
    return search_key("\n".join((summary.title, summary.id, *summary.tags)))


def _broken(unreadable: Unreadable) -> tuple[str, Row, Row]:
    name = unreadable.path.rpartition("/")[2]
    row = Row(RowKind.BROKEN, name, unreadable.path)
    return search_key(name), row, Row(RowKind.REASON, unreadable.reason, unreadable.path)


def search_key(text: str) -> str:
    """A text as it is compared: neither case nor the way its accents are coded counts."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def day_name(day: date, today: date) -> str:
    """Today, Yesterday, Monday, 3 November, 3 November 2025."""
    age_days = (today - day).days
    if age_days in {0, 1}:
        return YESTERDAY if age_days else TODAY
    if 0 < age_days < WEEK_DAYS:
        return f"{day:%A}"
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day.day} {day:%B}{year}"
