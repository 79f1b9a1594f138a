"""Rows of long tables as they are written, for whoever measures all of them to show a few.

Not parsed for their number alone: the parser takes more than a second for 50,000 rows, patterns some hundredths. Which
lines are rows is what the parser says; what a cell shows is told closely enough for a measure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from kimi_tui.core.markdown.blocks import parse
from kimi_tui.core.markdown.inline import References, key_of
from kimi_tui.core.markdown.rules import BLANKS

MAX_ROW_CHARS = 3_000
"""A longer row is not measured."""
MAX_CELL_CHARS = 300
"""Marks in a longer cell are measured as they stand: it fills every room."""
# What begins no other block: a bar, a letter, a sign, a number that counts no item, emphasis, code.
_ROW = (
    r" {0,3}(?:[]|\[(){}\"'!&@/.,:;?%^]|[-+][^\s+-]|[^\W\d_]|[^\x00-\x7f\s]|\d+(?![\d.)])|[*_]{1,2}[^\s*_]|`{1,2}(?!`))"
)
_DOUBTFUL = re.compile(rf"\n(?!{_ROW})")
_PLAIN_LINK = re.compile(r"(?<![!`\\])\[([^][|\n*`_\\<]*)\]\((?!\1\))([^][()\s|<>\\*`_]+)\)")
_PLAIN_MARK = re.compile(r"(?<![\\`*])(\*\*|`)(?=\S)([^][|\n*`_\\<]*[^][|\s*`_\\<])\1(?![`*])")
_SPECIAL = re.compile(r"[\\`*_~\[<]")
_PLAIN = r"!-Z\]-{}~"
"""What a word may hold in ASCII; not "|", nor what may stand for something else: "\\" and "["."""
# Without `compile`: for few tables.
_MARKUP = (
    r"(?i)\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|(?P<image>!?)\[(?P<text>[^\[\]]*)\]"
    r"(?:\(\s*<?(?P<target>[^\s<>()]*(?:\([^\s()]*\)[^\s<>()]*)*)>?(?:\s+[\"'(][^\"']*[\"')])?\s*\)|\[(?P<label>[^\[\]]*)\])?"
    r"|(?P<mark>\*{2,3}|(?<!\d)(?<!(?<!\w)\w)\*|(?<!\w)_{1,3}|~~)(?=\S)(?P<marked>.*?\S)(?P=mark)(?!(?<=_)\w)"
    r"|(?P<line_end><br\s*/?>)"
)


class TableRows:
    def __init__(self, start: int) -> None:
        """`start` = where its head stands, in characters of the whole text."""
        self.end = start
        """How far it was read, in characters of the whole text."""
        self.is_over = False
        self.head: str | None = None
        """None = it was not read yet."""
        self.half = ""
        """The row that is being written, marks taken away as in `read`; "" = none is."""
        self._text = ""  # what is no whole line yet
        self._has_rule = False  # whether the line below the head was read

    def read(self, text: str) -> str:
        """Go on with more of the text, and give the rows of it, LF behind each; about what is shown of them."""
        self.end += len(text)
        text = self._text + text
        end = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        whole, self._text = text[:end].replace("\r\n", "\n").replace("\r", "\n"), text[end:]
        while whole and not self._has_rule:
            self._has_rule = self.head is not None
            line, _, whole = whole.partition("\n")
            self.head = line if self.head is None else self.head
        rows = whole[: rows_end(whole)]
        self.is_over = len(rows) < len(whole)
        is_row = self._has_rule and not self.is_over and len(self._text) <= MAX_ROW_CHARS and rows_end(self._text)
        self.half = without_plain_marks(self._text) if is_row else ""
        return without_plain_marks(rows)


def rows_end(text: str) -> int:
    """Where the rows end with which a text of LF lines begins; its length = they may go on."""
    for doubtful in _DOUBTFUL.finditer(f"\n{text}"):
        start = doubtful.start()
        if start < len(text) and not _is_row(text[start:].split("\n", 1)[0]):
            return start
    return len(text)


def _is_row(line: str) -> bool:
    """Whether a line that stands behind a row is one too, as the parser sees it."""
    if not line.strip(BLANKS):
        return False
    blocks, _ = parse(f"|a|\n|-|\n{line}")
    return [(block.kind, block.line_count) for block in blocks] == [("table", 3)]


def without_plain_marks(text: str) -> str:
    """Rows without the marks that most of the marked cells have: about what `cell_text` does, for many rows at once."""
    if "](" in text:
        text = _PLAIN_LINK.sub(r"\1 (\2)", text)
    return _PLAIN_MARK.sub(r"\2", text) if "`" in text or "**" in text else text


def small_rows(limits: Iterable[tuple[int, int]], others: str, *, has_references: bool) -> Callable[[str, int], int]:
    """Return `end(text, start)`: where the run of rows from `start` on ends whose cells keep `limits` and are plain.

    `limits` = characters of a cell and of a word in it, by column; `others` = the characters, as in brackets of a
    pattern, that a word may hold besides ASCII.
    """
    chars = f"{_PLAIN}{others}" if has_references else rf"{_PLAIN}{others}\["
    cells = [rf"(?= *+[^|\n]{{0,{cell}}} *+\|) *+(?:[{chars}]{{1,{word}}}+(?: ++|(?=\|)))*+\|" for cell, word in limits]
    rows = re.compile(rf"(?: {{0,3}}\|{''.join(cells)} *\n)*+")

    def end(text: str, start: int) -> int:
        found = rows.match(text, start)
        return start if found is None else found.end()

    return end


def cell_text(source: str, references: References) -> str:
    """About what is shown of a cell: without marks, with the targets of its links behind them."""
    if _SPECIAL.search(source) is None or len(source) > MAX_CELL_CHARS:
        return source

    def without_mark(match: re.Match[str]) -> str:
        if match["marked"] is not None:
            return cell_text(match["marked"], references)
        if match["text"] is not None:
            return _link(match, references)
        return "\n" if match["line_end"] else match["escaped"] or match["code"]

    return re.sub(_MARKUP, without_mark, source)


def _link(match: re.Match[str], references: References) -> str:
    text, target = cell_text(match["text"], references), match["target"]
    if target is None:
        target = references.get(key_of(match["label"] or match["text"]))
    if target is None:
        return match[0]
    if match["image"]:
        return f"▣ {text or 'image'} ({target})"
    return text if not target or target in {text, f"mailto:{text}"} else f"{text} ({target})"
