"""What stands on screen while the library is still imported: the composer's outline and the program's name.

It is what the real first frame shows in the same cells, so nothing jumps when that comes.
"""

from __future__ import annotations

from kimi_tui.core.settings.theme_palette import Palette
from kimi_tui.ui.state.arrangement import MIN_COLUMNS, MIN_ROWS

NAME = "kimi-tui"
PLACEHOLDER = "Message Kimi …"
"""What an empty composer shows."""
BOX_ROWS = 4
"""Rows from the composer's upper edge to the end: its outline, its line, the status line."""


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
    return _colours(palette) + "".join(
        f"\x1b[{row};1H{line}"
        for row, line in (
            (1, f" {NAME}"),
            (top, f"╭{'─' * inner}╮"),
            (top + 1, f"│ {PLACEHOLDER:<{inner - 1}}│"),
            (top + 2, f"╰{'─' * inner}╯"),
        )
    )


def _colours(palette: Palette | None) -> str:
    """Switch to the theme's background and text, and fill the screen with it."""
    if palette is None or not {"foreground", "background"} <= palette.colors.keys():
        return ""
    text, ground = (_rgb(palette.colors[name]) for name in ("foreground", "background"))
    return f"\x1b[38;2;{text};48;2;{ground}m\x1b[2J"


def _rgb(colour: str) -> str:
    return ";".join(str(channel) for channel in bytes.fromhex(colour[1:]))
