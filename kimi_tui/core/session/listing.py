"""What lies in a folder of sessions, as values; and which session a text names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import Session, SessionSummary

NO_SESSION = "There is no session yet."
SHOWN_CANDIDATES = 5


class Unreadable(NamedTuple):
    path: str
    reason: str
    """In one line."""

    @property
    def words(self) -> str:
        """In one line."""
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


def summary_of(session: Session, path: str) -> SessionSummary:
    return SessionSummary(
        id=session.id,
        title=session.title,
        created=session.created,
        updated=session.updated,
        messages=len(session.messages),
        model=session.model,
        tags=session.tags,
        path=path,
    )


def names_of(summaries: Sequence[SessionSummary]) -> list[str]:
    """What each of several sessions is named by: its id, or its file's name where another has the same id."""
    counts = Counter(summary.id for summary in summaries)
    return [summary.id if counts[summary.id] == 1 else _file_name(summary.path) for summary in summaries]
