"""The text in what a terminal sent, where no program is there to make keys of it."""

from __future__ import annotations

import re

SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|O.?|[^\x1b]?)", re.DOTALL)
"""A key that is no character, or a mark around a paste; the last one may be cut off. Source: ECMA-48, section 5.4."""
ERASING = "\x7f\x08"


def text_in(sent: str) -> str:
    r"""Give the characters and line ends (as "\n") that were typed; Backspace takes one back, other keys are left out.

    Where an arrow moved between the letters, they come in the order in which they were typed.
    """
    text = list[str]()
    for char in SEQUENCE.sub("", sent).replace("\r\n", "\n").replace("\r", "\n"):
        if char in ERASING:
            del text[-1:]
        elif char in "\n\t" or not (char < " " or "\x80" <= char <= "\x9f"):
            text.append(char)
    return "".join(text)
