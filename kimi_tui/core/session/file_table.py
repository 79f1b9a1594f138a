"""A table of a session file, read key by key: each value's type is checked, and what nobody asks for is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import NOTHING
from kimi_tui.core.text.quoting import quoted
from kimi_tui.core.text.shared_words import shared
from kimi_tui.core.text.surrogates import replace_lone

Enum = TypeVar("Enum", bound=StrEnum)
Value = TypeVar("Value")


@lru_cache(maxsize=64)
def _time(text: str) -> datetime:
    """The same time as one object, UTC: a reply often ends in the second in which the next question is asked."""
    return _as_utc(datetime.fromisoformat(text))


@lru_cache(maxsize=256)
def _as_utc(value: datetime) -> datetime:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)


class FileTable:
    """A table of a file: takes known keys out with their types checked, and keeps the rest."""

    def __init__(self, data: object, place: str) -> None:
        if not isinstance(data, dict):
            raise StorageError(f"{place or 'the file'}: a table is needed, found {quoted(data)}.")
        self._rest = dict(data)
        self._place = place

    @property
    def rest(self) -> dict[str, object]:
        return self._rest

    def others(self) -> Mapping[str, object]:
        """What was not taken. Thousands of messages have nothing here, and share it."""
        return dict(self._rest) if self._rest else NOTHING

    def path(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def take(self, key: str, allowed: str, *kinds: type[Value]) -> Value | None:
        """Take a value of one of those types; None = the key is missing or null."""
        value = self._rest.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise StorageError(f"{self.path(key)}: found {quoted(value)}, allowed {allowed}.")
        return value

    def text(self, key: str) -> str | None:
        value = self.take(key, "a string", str)
        return None if value is None else replace_lone(value)

    def word(self, key: str) -> str | None:
        """Take a short text that many messages share: it is kept once."""
        value = self.text(key)
        return None if value is None else shared(value)

    def needed_text(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            raise StorageError(f"{self.path(key)}: is missing.")
        return value

    def flag(self, key: str) -> bool | None:
        return self.take(key, "true or false", bool)

    def count(self, key: str) -> int | None:
        return self.take(key, "a whole number", int)

    def number(self, key: str) -> float | None:
        return self.take(key, "a number", int, float)

    def time(self, key: str) -> datetime | None:
        value = self.take(key, "a time such as 2026-11-23T08:15:00Z", str, datetime)
        try:
            if isinstance(value, str):
                return _time(value)
            return _as_utc(value) if isinstance(value, datetime) else None
        except ValueError:
            raise StorageError(
                f"{self.path(key)}: found {quoted(value)}, allowed a time such as 2026-11-23T08:15:00Z."
            ) from None
        except OverflowError:
            raise StorageError(f"{self.path(key)}: found {value}, allowed a time of the years 1 to 9999.") from None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.take(key, "a list of strings", list) or ()
        if not all(isinstance(item, str) for item in value):
            raise StorageError(f"{self.path(key)}: found something else, allowed a list of strings.")
        return tuple(replace_lone(item) for item in value)

    def table(self, key: str) -> dict[str, object] | None:
        return self.take(key, "a table", dict)

    def choice(self, key: str, kind: type[Enum]) -> Enum | None:
        value = self.text(key)
        if value is None:
            return None
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(str(member) for member in kind)
            raise StorageError(f"{self.path(key)}: found {quoted(value)}, allowed {allowed}.") from None

    def rows(self, key: str, decode: Callable[[object, str], Value]) -> tuple[Value, ...]:
        value = self.take(key, "a list of tables", list)
        if value is None:
            return ()
        count = len(value)
        value.reverse()
        # Each table goes as soon as it is read, so that thousands of them and what they become are never there at once.
        return tuple(decode(value.pop(), self.path(f"{key}[{place}]")) for place in range(count))

    def yes(self, key: str) -> bool:
        """Others may say more than yes with it: that stays as an unknown key does."""
        return self._rest.get(key) is True and self._rest.pop(key) is True

    def text_if_any(self, key: str) -> str | None:
        """What is no text stays as an unknown key does."""
        return self.text(key) if isinstance(self._rest.get(key), str) else None

    def inner(self, key: str) -> FileTable | None:
        """Take a table that stands below; None = there is none."""
        data = self.table(key)
        return None if data is None else FileTable(data, self.path(key))
