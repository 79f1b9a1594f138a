"""Where a copied text went, and what may be said of it: only a program that took it knows that it is copied.

A terminal is sent the text with OSC 52 and never answers: some take it, some do not, tmux passes it on only where it is
set so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kimi_tui.core.text.counts import counted


class Delivery(NamedTuple):
    """Who took a text that was copied, besides the terminal, which is always sent it."""

    tool: str = ""
    """Name of the program that put it into the system's clipboard; "" = none did."""
    is_in_tmux: bool = False
    """Whether it is tmux's newest buffer, and was passed on to the terminal around it."""
    failed: str = ""
    """Name of a program that should have taken it and did not, told where no other did; "" = none."""


TO_TERMINAL = Delivery()


def copied_words(what: str, text: str, delivery: Delivery) -> Sequence[str]:
    """From the long form to the one for narrow terminals; `what` = what it is, such as "The message"."""
    size = counted(len(text), "character")
    if delivery.tool:
        return f"{what} is copied: {size}.", f"{what} is copied."
    if delivery.is_in_tmux:
        short = f"{what} is in tmux's buffer"
        return f"{short} and sent to the terminal: {size}.", f"{short}: {size}.", f"{short}."
    short = f"{what} is sent to the terminal"
    if delivery.failed:
        return f"{short}: {size}; {delivery.failed} failed.", f"{short}; {delivery.failed} failed.", f"{short}."
    return f"{short}: {size}.", f"{short}."
