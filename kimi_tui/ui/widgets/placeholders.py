"""Placeholders for characters that an editor cannot hold, such as those that the library takes for line ends.

They come from a private-use plane, so that what is taken from the widget is exactly what was put into it.
"""

from __future__ import annotations

from kimi_tui.ui.terminal.terminal_input import CONTROLS

LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r"
"""What `str.splitlines` splits at besides LF; Source: Python's documentation of str.splitlines."""
BASE = 0x10F700
"""First placeholder, near the end of the last private-use plane, where no font and no user puts anything."""


class Placeholders:
    def __init__(self, held: str = LINE_ENDS, controls: str = "", base: int = BASE) -> None:
        """Of the characters in `held`, and behind those of the `controls`."""
        self.pairs = [(char, chr(base + place)) for place, char in enumerate(held + controls)]
        self._few = len(held)
        self._used: dict[str, str] = {}  # those that may stand in a text

    def put_into(self, text: str) -> str:
        pairs = self.pairs if CONTROLS.search(text) else self.pairs[: self._few]
        for char, placeholder in pairs:  # `translate` takes ten times as long
            if char in text:
                self._used[char] = placeholder
                text = text.replace(char, placeholder)
        return text

    def take_out_of(self, text: str) -> str:
        for char, placeholder in self._used.items():
            text = text.replace(placeholder, char)
        return text
