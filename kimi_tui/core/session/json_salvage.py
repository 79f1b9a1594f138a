"""What can still be read of a damaged session file in JSON: value by value, as far as each is closed."""

from __future__ import annotations

import json
import re

from kimi_tui.core.session import session_json
from kimi_tui.core.session.salvage import TORN, Damage, Row, Salvaged, line_at

SPACE = re.compile(r"[ \t\r\n]*")
TOKEN = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|[\[\]{},]')
"""A string, which ends with its line at the latest, a bracket or a comma."""
CLOSED = '}]"'
"""What a value ends with of which no more can follow; a number could go on."""
_DECODER = json.JSONDecoder()


def salvage(text: str) -> Salvaged:
    found = Salvaged()
    at = _behind_space(text, 0)
    if text[at : at + 1] != "{":
        found.damages.append(Damage(line_at(text, at), f"found {text[at : at + 1]!r}, an object is needed."))
        return found
    at = _behind_space(text, at + 1)
    while text[at : at + 1] not in {"}", ""}:
        at = _take_entry(text, at, found)
    found.is_torn |= at >= len(text)
    if (rest := _behind_space(text, at + 1)) < len(text):
        found.damages.append(Damage(line_at(text, rest), "something stands behind the end of the session."))
    return found


def _take_entry(text: str, at: int, found: Salvaged) -> int:
    """Take a key and its value; where the next one begins."""
    key, behind, _ = _value(text, at)
    colon = _behind_space(text, behind)
    if not isinstance(key, str) or text[colon : colon + 1] != ":":
        return _skip(text, at, "a key and a colon are needed.", found)
    start = _behind_space(text, colon + 1)
    if key == "messages" and text[start : start + 1] == "[":
        return _behind_comma(text, _take_rows(text, start + 1, found))
    value, end, error = _value(text, start)
    if error:
        return _skip(text, start, f"{key}: {error}", found)
    found.head[key] = value
    return _behind_comma(text, end)


def _skip(text: str, at: int, words: str, found: Salvaged) -> int:
    found.damages.append(Damage(line_at(text, at), words))
    return _behind_comma(text, _end_of_value(text, at))


def _take_rows(text: str, at: int, found: Salvaged) -> int:
    """Take the messages; where their list ends."""
    at = _behind_space(text, at)
    while at < len(text) and text[at] != "]":
        data, end, error = _value(text, at)
        if error:
            end = _next_row(text, at)
        found.rows.append(Row(line_at(text, at), data, TORN if error and end >= len(text) else error))
        at = _behind_comma(text, end)
    if at >= len(text):
        found.is_torn = True
    return at + 1


def _next_row(text: str, at: int) -> int:
    """Where the message behind a broken one begins: on a line that begins as its own does, else behind its brackets."""
    indent = text[text.rfind("\n", 0, at) + 1 : at]
    following = text.find(f"\n{indent}{{", at) if indent and not indent.strip() else -1
    return following if following >= 0 else _end_of_value(text, at)


def _value(text: str, at: int) -> tuple[object, int, str]:
    """Read the value at a place, where it is closed; its end, and why it cannot be read, "" = it can."""
    try:
        _, end = _DECODER.raw_decode(text, at)
        behind = _behind_space(text, end)
        if behind >= len(text):
            if text[end - 1] not in CLOSED:
                return None, end, TORN
        elif text[behind] not in ",]}:":
            return None, end, f"a comma is missing behind it (line {line_at(text, end)})."
        return session_json.decode(text[at:end]), end, ""
    except json.JSONDecodeError as error:
        return None, at, f"{error.msg} (line {line_at(text, error.pos)})."
    except (ValueError, RecursionError):
        return None, at, "it cannot be read."


def _end_of_value(text: str, at: int) -> int:
    """Where the value at a place ends, as far as its brackets tell: with the text, where they are never closed.

    It is behind that place, so that whoever passes over values comes to an end.
    """
    depth = 0
    for token in TOKEN.finditer(text, at):
        mark = token[0]
        if mark in "[{":
            depth += 1
        elif mark in "]}" and depth:
            depth -= 1
        elif mark in ",]}" and not depth:
            return max(token.start(), at + 1)
    return len(text)


def _behind_space(text: str, at: int) -> int:
    match = SPACE.match(text, at)
    return match.end() if match else at


def _behind_comma(text: str, at: int) -> int:
    at = _behind_space(text, at)
    return _behind_space(text, at + 1) if text[at : at + 1] == "," else at
