"""What terminals send and Textual does not know: key sequences, and bytes of other encodings."""

from __future__ import annotations

from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from textual import _ansi_sequences
from textual.drivers import linux_driver

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


def tolerate_foreign_bytes() -> None:
    """Let a byte that is no UTF-8, as other locales' keyboards send it, be U+FFFD; the library would end the program.

    Its input thread makes a strict decoder, found by name in its own module; that name is the only way in.
    """

    def tolerant(encoding: str) -> Callable[[], IncrementalDecoder]:
        return partial(getincrementaldecoder(encoding), errors="replace")

    vars(linux_driver)["getincrementaldecoder"] = tolerant


class _Named(str):
    """A key name that looks like a member of the library's enum."""

    __slots__ = ()

    @property
    def value(self) -> str:
        """The name itself."""
        return str(self)
