"""What stands on screen while the library is still imported: the composer's outline and the program's name.

It is what the real first frame shows in the same cells, so nothing jumps when that comes.
"""

from __future__ import annotations

from codecs import getincrementaldecoder

from kimi_tui.core.settings.theme_palette import Palette
from kimi_tui.ui.state.arrangement import MIN_COLUMNS, MIN_ROWS

NAME = "kimi-tui"
PLACEHOLDER = "Message Kimi …"
"""What an empty composer shows."""
BOX_ROWS = 4
"""Rows from the composer's upper edge to the end: its outline, its line, the status line."""

BACKSPACES = "\x7f\x08"
"""What terminals send for the Backspace key."""
EDGES = 6
"""Columns of the composer's line that no early letter stands in: its edges, and room for the cursor and a scrollbar."""


def first_frame(columns: int, rows: int, palette: Palette | None) -> str:
    """Write the frame, beginning on a cleared screen.

    Args:
        columns: Width of the terminal in cells.
        rows: Its height.
        palette: The colours, for a terminal that shows them all; None = the terminal's own.

    Returns:
        Text and control sequences; "" where the terminal is too small for the program.
    """
    if columns < MIN_COLUMNS or rows < MIN_ROWS:
        return ""
    inner, top = columns - 2, rows - BOX_ROWS + 1
    return (
        _colours(palette)
        + "".join(
            f"\x1b[{row};1H{line}"
            for row, line in (
                (1, f" {NAME}"),
                (top, f"╭{'─' * inner}╮"),
                (top + 2, f"╰{'─' * inner}╯"),
            )
        )
        + _composer_line(columns, rows, PLACEHOLDER)
    )


def _composer_line(columns: int, rows: int, text: str) -> str:
    """Write the line between the composer's edges."""
    return f"\x1b[{rows - BOX_ROWS + 2};1H│ {text:<{columns - 3}}│"


class EarlyEcho:
    """The letters typed so far, shown in the frame's composer: plainly, and as long as there is no doubt how."""

    def __init__(self, columns: int, rows: int) -> None:
        """Begin with an empty composer, in a frame of that size."""
        self._size = columns, rows
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._text = ""
        self.is_over = columns < MIN_COLUMNS or rows < MIN_ROWS
        """Whether something was typed that only the program can show."""

    def feed(self, data: bytes) -> str:
        """Take what was typed, in pieces of any length.

        Returns:
            What to write to the terminal; "" = nothing.
        """
        before = self._text
        for char in self._decode(data):
            if self.is_over:
                break
            if char in BACKSPACES:
                self._text = self._text[:-1]
            elif _is_letter(char) and len(self._text) < self._size[0] - EDGES:
                self._text += char
            else:
                self.is_over = True
        return _composer_line(*self._size, self._text or PLACEHOLDER) if self._text != before else ""


def _is_letter(char: str) -> bool:
    """Whether it takes one column in every terminal and joins nothing: Latin, Greek and Cyrillic do."""
    return char.isprintable() and (char < "\u02b0" or "\u0391" <= char <= "\u0481")


def _colours(palette: Palette | None) -> str:
    """Switch to the theme's background and text, and fill the screen with it."""
    if palette is None or not {"foreground", "background"} <= palette.colors.keys():
        return ""
    text, ground = (_rgb(palette.colors[name]) for name in ("foreground", "background"))
    return f"\x1b[38;2;{text};48;2;{ground}m\x1b[2J"


def _rgb(colour: str) -> str:
    return ";".join(str(channel) for channel in bytes.fromhex(colour[1:]))
