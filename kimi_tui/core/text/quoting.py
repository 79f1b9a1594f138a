"""A value in words, as a message repeats it: written as JSON (a date as TOML), short, on one line, and harmless."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, time

from kimi_tui.core.text.visible import visible_line

SHOWN_CHARS = 60
"""Most characters of a wrong value that a message repeats."""
HUGE = 10**40
"""A number from here on is described, since to write it out takes too long."""
_PASSWORD = re.compile(r"//[^/\s]*@")


def quoted(value: object) -> str:
    """A wrong value as a message repeats it: short, on one line, without the password of an address."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= HUGE:
        return "a number of more than 40 digits"
    if isinstance(value, date | time):
        return value.isoformat()  # as TOML writes it
    if isinstance(value, str):
        value = value[: 20 * SHOWN_CHARS]
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        return "a value too large to show"
    return shortened(without_password(visible_line(text)))


def shortened(text: str) -> str:
    """Cut a text to what a message repeats; what cannot be printed becomes U+FFFD."""
    clean = "".join(char if char.isprintable() else "\ufffd" for char in text[: SHOWN_CHARS + 1])
    return clean if len(clean) <= SHOWN_CHARS else clean[: SHOWN_CHARS - 1] + "…"


def without_password(text: str) -> str:
    """Blank out name and password where a text holds an address with them."""
    return _PASSWORD.sub("//…@", text)


def either(words: Sequence[str]) -> str:
    """Several words as a choice: "a, b or c"."""
    *some, last = words
    return f"{', '.join(some)} or {last}" if some else last
