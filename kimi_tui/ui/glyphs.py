"""What stands in for glyphs where the terminal does not show them: one table, applied to every line as it is drawn."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

UNKNOWN = "?"
"""Stands for a cell of a character that is neither in the table nor in the encoding."""


def _table(*rows: tuple[str, str]) -> dict[str, str]:
    """Each character of a row's left string becomes the right one."""
    return {char: plain for chars, plain in rows for char in chars}


STAND_INS = _table(
    # marks and bullets
    ("▸▶►›»→", ">"), ("◂◀‹«←", "<"), ("▾▼↓", "v"), ("▴▲↑", "^"), ("●◉■▪▣◆", "*"), ("•", "*"), ("○◦□", "o"),
    ("☐", "_"), ("☑☒✗✘×", "x"), ("✓✔", "+"), ("⚠‼", "!"), ("ⓘℹ", "i"), ("·∙", "|"), ("…", "~"), ("␦␡", UNKNOWN),
    # lines: thin, heavy, double, round, dashed
    ("─━═╌╍┄┅┈┉╴╶╸╺╼╾", "-"), ("│┃║╎╏┆┇┊┋╵╷╹╻╽╿", "|"),
    ("┌┍┎┏┐┑┒┓└┕┖┗┘┙┚┛├┝┞┟┠┡┢┣┤┥┦┧┨┩┪┫┬┭┮┯┰┱┲┳┴┵┶┷┸┹┺┻┼┽┾┿╀╁╂╃╄╅╆╇╈╉╊╋", "+"),
    ("╒╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡╢╣╤╥╦╧╨╩╪╫╬╭╮╯╰", "+"), ("╱", "/"), ("╲", "\\"), ("╳", "X"),
    # blocks: bars, edges, meters
    ("█▉▓▒▛▜▙▟▚▞", "#"), ("▊▋▌▍▎▏▐▕", "|"), ("░", ":"), ("▁▂▃▄▖▗", "_"), ("▅▆▇", "#"), ("▔▀▘▝", "-"),
    # typography
    ("‘’‚‛′", "'"), ("“”„‟″", '"'), ("‐‑‒–—―−", "-"), ("\u00a0\u2002\u2003\u2009\u202f", " "), ("≤", "<"), ("≥", ">"),
)  # fmt: skip
"""ASCII of the same width for what the program and its library draw, and for common typography."""


class GlyphFilter(LineFilter):
    """Replaces what the terminal's encoding has not, whichever widget drew it; widths stay."""

    def __init__(self, encoding: str) -> None:
        """Fit lines into an encoding, which has ASCII."""
        super().__init__()
        self._encoding = encoding
        self._known: dict[str, str] = {}

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Filter the segments of one line."""
        del background
        if all(text.isascii() for text, _, _ in segments):
            return segments
        return [Segment(self.fit(text), style, control) for text, style, control in segments]

    def fit(self, text: str) -> str:
        """Write text with the characters of the encoding, as wide as before."""
        if text.isascii():
            return text
        known = self._known
        plain = "".join(known.get(char) or known.setdefault(char, self._stand_in(char)) for char in text)
        width = cell_len(text)  # of whole clusters: one emoji of several characters is two cells wide
        return plain if cell_len(plain) == width else set_cell_size(plain, width)

    def _stand_in(self, char: str) -> str:
        if self._has(char):
            return char
        if char in STAND_INS:
            return STAND_INS[char]
        base = "".join(filter(str.isascii, unicodedata.normalize("NFD", char)))
        width = cell_len(char)
        return base if base and len(base) == width else UNKNOWN * width

    def _has(self, char: str) -> bool:
        try:
            char.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True
