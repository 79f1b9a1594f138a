"""Stand-ins for the characters that the library's text area would take for line ends, while a text is being edited.

They come from a private-use plane, so that what is taken from the widget is exactly what was put into it.
"""

from __future__ import annotations

import re

LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r"
"""What `str.splitlines` splits at besides LF; Source: Python's documentation of str.splitlines."""
_BASE = 0x10F700
"""First stand-in, near the end of the last private-use plane, where no font and no user puts anything."""
_HELD = {ord(char): chr(_BASE + place) for place, char in enumerate(LINE_ENDS)}
_EXACT = {_BASE + place: char for place, char in enumerate(LINE_ENDS)}
_STAND_IN = re.compile(f"[{chr(_BASE)}-{chr(_BASE + len(LINE_ENDS) - 1)}]")


def with_stand_ins(text: str) -> str:
    return text.translate(_HELD)


def without_stand_ins(text: str) -> str:
    return text.translate(_EXACT)


def has_stand_ins(text: str) -> bool:
    return not text.isascii() and _STAND_IN.search(text) is not None
