"""Text that is shown as it stands, as chunks that grow at the end only: the plain twin of a Markdown source."""

from __future__ import annotations

import re

MAX_LINES = 40
"""Lines in one chunk."""
MAX_CHARS = 4_000
"""Characters in one chunk; a line longer than that goes on in the next one."""
MARKER_CHARS = 64
"""A control marker is shorter than that."""
_HALF_MARKER = re.compile("[<\\[]\u2060*[|/]?\\w*\\|?\\Z")


class PlainSource:
    """A growing text; its chunks depend on the text alone, not on how it was cut when it came."""

    def __init__(self, text: str = "") -> None:
        """Begin with a text."""
        self.finished: list[str] = []
        """Chunks that do not change any more."""
        self.open: list[str] = []
        """The last chunk."""
        self._tail: list[str] = []
        self.append(text)

    def append(self, text: str) -> None:
        """Add text at the end."""
        tail = "".join(self._tail) + text
        start = 0
        while (end := _chunk_end(tail, start)) < len(tail):
            self.finished.append(tail[start:end])
            start = end
        self._tail = [tail[start:]]
        self.open = self._tail if tail[start:] else []


def _chunk_end(text: str, start: int) -> int:
    """Where the chunk ends that begins there; the text's end when it may still grow."""
    limit = start + MAX_CHARS
    end = start
    for _ in range(MAX_LINES):
        line_end = text.find("\n", end, limit) + 1
        if not line_end:
            break
        end = line_end
    else:
        return end
    if len(text) <= limit:
        return len(text)
    return end if end > start else before_marker(text, limit)


def before_marker(text: str, end: int) -> int:
    """Where to cut a text rather than inside of what may be a control marker that goes on behind `end`."""
    half = _HALF_MARKER.search(text[max(end - MARKER_CHARS, 0) : end])
    return end - len(half[0]) if half else end
