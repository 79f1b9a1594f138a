"""Taking secrets out of bytes that come in pieces, wherever the pieces are cut."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MASK = b"[key]"
HALF_BYTES = 6
"""From so many bytes on, the beginning of a secret at the very end counts as one: half a key is a key too."""


class Redactor:
    """Holds back what may become a secret: at most one byte less than the longest."""

    def __init__(self, secrets: Iterable[str], mask: bytes = MASK) -> None:
        """They are looked for as they are, and as JSON and addresses spell them."""
        self._mask = mask
        spelled = (word for secret in secrets if secret for word in _spellings(secret))
        self._words = sorted(set(spelled), key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._words))) if self._words else None
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        if self._pattern is None:
            return piece
        data, place, clean = self._held + piece, 0, list[bytes]()
        while True:
            match, end = self._pattern.search(data, place), self._open_end(data, place)
            if match is None or end <= match.start():  # a longer one may begin there
                break
            clean += (data[place : match.start()], self._mask)
            place = match.end()
        self._held = data[end:]
        return b"".join((*clean, data[place:end]))

    def close(self) -> bytes:
        """What was held back to the end."""
        rest, self._held = self._held, b""
        return self._mask if len(rest) >= HALF_BYTES else rest

    def whole(self, data: bytes) -> bytes:
        """Take them out of bytes that are all there."""
        return data if self._pattern is None else self._pattern.sub(lambda _: self._mask, data)

    def clean(self, words: str) -> str:
        """As `whole`, in a text."""
        return self.whole(words.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def _open_end(self, data: bytes, place: int) -> int:
        """Where the end of the data begins that may be the beginning of a secret; the data's end = nowhere."""
        end = len(data)
        for word in self._words:
            start = data.find(word[:1], max(len(data) - len(word) + 1, place), end)
            while start >= 0 and not word.startswith(data[start:]):
                start = data.find(word[:1], start + 1, end)
            end = end if start < 0 else start
        return end


def _spellings(secret: str) -> set[bytes]:
    inside = (json.dumps(secret, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))
    return {word.encode("utf-8", "replace") for word in (secret, *inside, quote(secret, safe="", errors="replace"))}
