"""What can still be read of a damaged session file in TOML.

Every message begins at a heading of its own, so that one that is broken costs no other. A heading may also be part of
a text: a piece that breaks off inside one goes on in the next.
"""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from itertools import pairwise

from kimi_tui.core.session.salvage import TORN, Damage, Row, Salvaged, line_at
from kimi_tui.core.session.session_toml import has_whole_end

HEADING = re.compile(r"^[ \t]*\[\[[ \t]*messages[ \t]*\]\][ \t]*(?:#[^\n]*)?$", re.MULTILINE)
AT_END = "(at end of document)"
"""How the parser's words end where it missed what the text does not say any more."""
TEXT_ENDS = ('"""', "'''")
"""A text over several lines ends with one of these; what has none cannot hold its end."""
VALUE_ENDS = (*TEXT_ENDS, "]", "}")
"""A value over several lines ends with one of these."""


def salvage(text: str) -> Salvaged:
    text = text.replace("\r\n", "\n")
    found = Salvaged(is_torn=not has_whole_end(text))
    starts = [0, *(match.start() for match in HEADING.finditer(text))]
    last_line = text.rfind("\n") + 1
    if last_line > starts[-1] and text[last_line:] and "[[messages]]".startswith(text[last_line:]):
        starts.append(last_line)
        found.is_torn = True
    ends = [*starts[1:], len(text)]
    number, torn_at = 0, len(text) if found.is_torn else -1
    while number < len(starts):
        start = starts[number]
        last, data, error = _read(text, start, ends, number)
        if data is not None and ends[last] == torn_at:
            data, error = None, TORN
        if data is not None:
            _take(data, line_at(text, start), found)
        elif number == 0:
            _take_statements(text[: ends[0]], found)
        else:
            line = line_at(text, start)
            found.rows.append(Row(line, fault=_words(error, line)))
        if data is None and error.endswith(AT_END) and not _is_followed(text, ends, number, found.head.get("head")):
            found.is_torn = True  # nobody can tell the messages behind it from its text
            break
        number = last + 1 if data is not None else number + 1
    return found


def _read(text: str, start: int, ends: list[int], first: int) -> tuple[int, dict[str, object] | None, str]:
    """Parse a piece, with those behind it that its texts reach into.

    The last piece that was taken, what it holds, and why it cannot be parsed where that is None.
    """
    last = first
    while True:
        try:
            return last, tomllib.loads(text[start : ends[last]]), ""
        except (ValueError, RecursionError) as error:
            words = str(error)
        following = (n for n in range(last + 1, len(ends)) if _may_end_text(text, ends[n - 1], ends[n]))
        further = next(following, None) if words.endswith(AT_END) else None
        if further is None:
            return last, None, words
        last = further


def _is_followed(text: str, ends: list[int], number: int, head: object) -> bool:
    """Whether what stands behind a piece that never ends are messages, and no text of it: the head is among them."""
    for start, end in pairwise(ends[number:]):
        if isinstance(head, str) and text.find(head, start, end) >= 0:
            with suppress(ValueError, RecursionError):
                rows = tomllib.loads(text[start:end]).get("messages")
                if isinstance(rows, list) and any(isinstance(row, dict) and row.get("id") == head for row in rows):
                    return True
    return False


def _may_end_text(text: str, start: int, end: int) -> bool:
    return any(text.find(mark, start, end) >= 0 for mark in TEXT_ENDS)


def _take(data: dict[str, object], line: int, found: Salvaged) -> None:
    rows = data.pop("messages", [])
    if isinstance(rows, list):
        found.rows += [Row(line, row) for row in rows]
    else:
        found.damages.append(Damage(line, "messages: a list of tables is needed."))
    for key, value in data.items():
        found.head.setdefault(key, value)


def _take_statements(text: str, found: Salvaged) -> None:
    """Take what can be read of the top of the file, a statement or a table at a time."""
    lines = text.split("\n")
    if not has_whole_end(text):
        lines[-1] = ""
    start = 0
    while start < len(lines):
        end = _end_of_table(lines, start) if lines[start].lstrip().startswith("[") else start + 1
        end, error = _statement(lines, start, end, found)
        if error:
            words = f"{_shown_key(lines[start])}{_words(error, start + 1)}"
            found.damages.append(Damage(start + 1, words))
        if error.endswith(AT_END):
            return
        start = end


def _end_of_table(lines: list[str], start: int) -> int:
    headings = (n for n in range(start + 1, len(lines)) if lines[n].startswith("["))
    return next(headings, len(lines))


def _statement(lines: list[str], start: int, end: int, found: Salvaged) -> tuple[int, str]:
    """Take the statement that begins on a line; the line behind it, and why it cannot be parsed, "" = it can."""
    error = ""
    for stop in range(end, len(lines) + 1):
        if stop > end and not any(mark in lines[stop - 1] for mark in VALUE_ENDS):
            continue
        try:
            _take(tomllib.loads("\n".join(lines[start:stop])), start + 1, found)
        except (ValueError, RecursionError) as problem:
            error = str(problem)
            if not error.endswith(AT_END):
                return end, error
        else:
            return stop, ""
    return end, error


def _words(error: str, first_line: int) -> str:
    """What the parser says of a piece that begins on a line, with the lines of the file."""
    if error.endswith(AT_END):
        return "a value that begins here never ends."
    place = re.search(r" \(at line (\d+), column (\d+)\)$", error)
    if place is None:
        return f"{error}."
    return f"{error[: place.start()]} (line {first_line - 1 + int(place[1])}, column {place[2]})."


def _shown_key(line: str) -> str:
    """What a line sets, for a message about it; "" = that cannot be told."""
    match = re.match(r"\s*\[*([A-Za-z0-9_.-]+)\]*\s*(?:=|$)", line)
    return f"{match[1]}: " if match else ""
