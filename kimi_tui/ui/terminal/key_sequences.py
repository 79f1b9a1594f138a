"""Key sequences that terminals send and Textual does not know."""

from __future__ import annotations

from typing import Any, cast

from textual import _ansi_sequences

MORE_SEQUENCES = {
    "\x1b\r": "alt+enter",
    "\x1b[27;2;13~": "shift+enter",
    "\x1b[27;3;13~": "alt+enter",
    "\x1b[27;5;13~": "ctrl+enter",
}
"""ESC CR, and xterm's modifyOtherKeys forms. Source: XTerm control sequences, "modifyOtherKeys"."""


def register_key_sequences() -> None:
    """Teach the library's parser the missing sequences; it has no public place for them."""
    table = cast("dict[str, Any]", _ansi_sequences.ANSI_SEQUENCES_KEYS)
    for sequence, name in MORE_SEQUENCES.items():
        table[sequence] = (_Named(name),)


class _Named(str):
    """A key name that looks like a member of the library's enum."""

    __slots__ = ()

    @property
    def value(self) -> str:
        """The name itself."""
        return str(self)
