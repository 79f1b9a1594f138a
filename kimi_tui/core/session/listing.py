"""What lies in a folder of sessions, as values and as rows of a list; and which session a text names."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Self

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import Session

NO_SESSION = "There is no session yet."
SHOWN_CANDIDATES = 5
TODAY = "Today"
YESTERDAY = "Yesterday"
WEEK_DAYS = 7
"""From that age in days on a heading is a date, since the name of the day would mean two."""
BROKEN = "Cannot be read"
UNTITLED = "untitled"


@dataclass(frozen=True, slots=True)
class SessionSummary:
    id: str
    title: str
    created: datetime
    updated: datetime
    messages: int
    model: str
    tags: tuple[str, ...] = ()
    path: str = field(default="", compare=False)

    @classmethod
    def of(cls, session: Session, path: str) -> Self:
        return cls(
            session.id,
            session.title,
            session.created,
            session.updated,
            len(session.messages),
            session.model,
            session.tags,
            path,
        )


class Unreadable(NamedTuple):
    path: str
    reason: str
    """In one line."""

    @property
    def words(self) -> str:
        return f"{self.path} cannot be read: {self.reason}"


class Listing(NamedTuple):
    summaries: tuple[SessionSummary, ...] = ()
    """Last changed first."""
    unreadable: tuple[Unreadable, ...] = ()
    is_whole: bool = True
    """Whether nothing is missing, and nothing out of date, since files are still being read."""

    def words_for_none(self, absent: str) -> str:
        """Why none is listed: `absent` where none is there; that those there cannot be read is another thing."""
        count = len(self.unreadable)
        if count == 0:
            return absent
        more = f", nor can {count - 1} more" if count > 1 else ""
        return f"{self.unreadable[0].words.rstrip('.')}{more}."

    def latest(self, has_draft: Callable[[str], bool]) -> str:
        """The file of the session that was changed last; one that holds nothing at all only where there is no other.

        `has_draft` says of a file whether something that was typed, and not sent, is kept with it. Raises StorageError
        where there is no session, or none that can be read.
        """
        if not self.summaries:
            hint = (
                "`kimi-tui sessions check` looks at each." if self.unreadable else "Start kimi-tui and send a message."
            )
            raise StorageError(self.words_for_none(NO_SESSION), hint)
        held = (summary.path for summary in self.summaries if summary.messages or has_draft(summary.path))
        return next(held, self.summaries[0].path)

    def find(self, text: str, what: str, hint: str) -> str:
        """Find the file of the one session that a text names: by id, file, beginning of an id, or title.

        `what` = what it should name, in words; `hint` = what to do where none fits. Raises StorageError where none or
        several fit; it lists several, and names what cannot be read and may be the one that was meant.
        """
        word = text.casefold()
        rules = (
            [s for s in self.summaries if s.id == text and _stem(s.path) == text],
            [s for s in self.summaries if s.id == text],
            [s for s in self.summaries if text in {_stem(s.path), _file_name(s.path)}],
            [s for s in self.summaries if text and s.id.startswith(text)],
            [s for s in self.summaries if s.title.casefold() == word],
            [s for s in self.summaries if word and word in s.title.casefold()],
        )
        found = next((matches for matches in rules if matches), [])
        if len(found) == 1:
            return found[0].path
        unreadable = self.words_for_none("")
        if not found:
            raise StorageError(f"There is no {what} {text!r}. {unreadable}".rstrip(), hint)
        names = names_of(found)
        shown = [f"{name} {s.title}".rstrip() for name, s in zip(names, found, strict=True)][:SHOWN_CANDIDATES]
        more = ["…"] if len(found) > len(shown) else []
        raise StorageError(
            f"{text!r} fits {len(found)} sessions: {'; '.join(shown + more)}. {unreadable}".rstrip(),
            "Name one by its id or file.",
        )

    def unreadable_named(self, text: str) -> str | None:
        """Find the file that cannot be read and has that name, where no session has that id; None = there is none."""
        if any(summary.id == text for summary in self.summaries):
            return None
        return next((bad.path for bad in self.unreadable if text in {_stem(bad.path), _file_name(bad.path)}), None)


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


def _stem(path: str) -> str:
    name = _file_name(path)
    return name.rpartition(".")[0] or name


def names_of(summaries: Sequence[SessionSummary]) -> list[str]:
    """What each of several sessions is named by: its id, or its file's name where another has the same id."""
    counts = Counter(summary.id for summary in summaries)
    return [summary.id if counts[summary.id] == 1 else _file_name(summary.path) for summary in summaries]


# -- as rows


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


class _Entry(NamedTuple):
    """A file with everything worked out."""

    key: str
    """The text that is searched."""
    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class SessionList:
    """The list of sessions as rows: newest first under the names of their days, narrowed by what is typed.

    What a row needs is worked out once per listing, so that a keystroke in the filter looks at ready texts only.
    """

    _entries: tuple[_Entry, ...] = ()
    is_whole: bool = True

    @property
    def has_any(self) -> bool:
        return bool(self._entries)

    def rows(self, filter_text: str = "", kept: Collection[str] = ()) -> list[Row]:
        """Give the rows that fit: every word occurs in the title, the tags or the id, however it is written.

        `kept` = files of sessions that stay, whether they fit or not.
        """
        fitting = self._entries
        for word in search_key(filter_text).split():
            fitting = tuple(
                it for it in fitting if word in it.key or (it.heading != BROKEN and it.rows[0].path in kept)
            )
        found, heading = list[Row](), ""
        for entry in fitting:
            if entry.heading != heading:
                heading = entry.heading
                found.append(Row(RowKind.HEADING, heading))
            found += entry.rows
        return found


def session_list(listing: Listing, now: datetime, to_local: Callable[[datetime], datetime]) -> SessionList:
    """`now` has its zone; `to_local` gives a time in the zone that days are counted in."""
    today = to_local(now).date()
    newest_first = sorted(listing.summaries, key=lambda summary: (summary.updated, summary.id), reverse=True)
    names: dict[date, str] = {}
    entries = list[_Entry]()
    for summary in newest_first:
        local = to_local(summary.updated)
        day = local.date()
        if day not in names:
            names[day] = day_name(day, today)
        # A word never holds a line end, so it cannot fit across two of these.
        key = search_key("\n".join((summary.title, summary.id, *summary.tags)))
        entries.append(_Entry(key, names[day], (Row(RowKind.SESSION, summary.title, summary.path, local),)))
    for path, reason in listing.unreadable:
        name = _file_name(path)
        rows = Row(RowKind.BROKEN, name, path), Row(RowKind.REASON, reason, path)
        entries.append(_Entry(search_key(name), BROKEN, rows))
    return SessionList(tuple(entries), listing.is_whole)


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
