"""Lone surrogates: halves of a UTF-16 pair that no file, request or terminal can carry.

JSON may spell an astral character as two escapes, and a stream may cut between them. Joined pairs become their
character, a half that stays alone becomes U+FFFD.
"""

from __future__ import annotations

import re

from kimi_tui.core.text.text_pieces import pieces_of

REPLACEMENT = "\ufffd"
_SURROGATES = re.compile("([\ud800-\udbff])([\udc00-\udfff])|[\ud800-\udfff]")


def _mend(match: re.Match[str]) -> str:
    high, low = match.groups()
    if high is None:
        return REPLACEMENT
    return chr(0x10000 + ((ord(high) - 0xD800) << 10) + (ord(low) - 0xDC00))


def replace_lone(text: str) -> str:
    if text.isascii():
        return text
    try:
        for piece in pieces_of(text):
            piece.encode("utf-8")  # a tenth of the time that looking for them takes
    except UnicodeEncodeError:
        return _SURROGATES.sub(_mend, text)
    return text


def without_half(text: str) -> str:
    """Drop the first half of a pair at the very end: of a text that was cut there, the other half has yet to come."""
    return text[:-1] if "\ud800" <= text[-1:] <= "\udbff" else text


class SurrogateJoiner:
    """Holds back at most one character, a high surrogate at the end; the next `feed` or `close` gives it out."""

    def __init__(self) -> None:
        self._high = ""

    def feed(self, text: str) -> str:
        if text.isascii() and not self._high:
            return text
        text = self._high + text
        whole = without_half(text)
        self._high = text[len(whole) :]
        return replace_lone(whole)

    @property
    def holds(self) -> bool:
        return bool(self._high)

    def close(self) -> str:
        """A half that stayed alone."""
        held, self._high = self._high, ""
        return REPLACEMENT if held else ""
