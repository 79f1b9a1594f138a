"""What stands in for glyphs where the terminal does not show them: one table, applied to every line as it is drawn."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import split_graphemes
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

UNKNOWN = "?"
"""Stands for a cell of a character that is neither in the table nor in the encoding."""


def _table(*rows: tuple[str, str]) -> dict[str, str]:
    """Each character of a row's left string becomes the right one."""
    return {char: plain for chars, plain in rows for char in chars}


ASCII_FALLBACKS = _table(
    # marks and bullets
    ("▸▶►›»→", ">"), ("◂◀‹«←", "<"), ("▾▼↓", "v"), ("▴▲↑", "^"), ("●◉■▪▣◆", "*"), ("•", "*"), ("○◦□◌", "o"),
    ("☐", "_"), ("☑☒✗✘×", "x"), ("✓✔", "+"), ("⚠‼", "!"), ("ⓘℹ", "i"), ("·∙", "|"), ("…⋯", "~"), ("␦␡▯", UNKNOWN),
    ("🔎🔍", "> "), ("↵¶", "/"),
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
        self._fallback = lru_cache(4096)(self._find_fallback)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        if all(text.isascii() for text, _, _ in segments):
            return segments
        return [Segment(self.fit(text), style, control) for text, style, control in segments]

    def fit(self, text: str) -> str:
        if text.isascii():
            return text
        clusters, _ = split_graphemes(text)
        return "".join(self._fallback(text[start:end], cells) for start, end, cells in clusters)

    def _find_fallback(self, cluster: str, cells: int) -> str:
        """What is drawn for characters that stand in one place, such as a letter with its accents."""
        if self._has(cluster):
            return cluster
        plain = ASCII_FALLBACKS.get(cluster[0]) or "".join(filter(str.isascii, unicodedata.normalize("NFD", cluster)))
        return plain.ljust(cells) if 0 < len(plain) <= cells else UNKNOWN * cells

    def _has(self, char: str) -> bool:
        try:
            char.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True
