"""Which marks of emphasis open and close: CommonMark's rules, made to fit what models write.

CommonMark asks for blanks around words, which Chinese, Japanese and (partly) Korean do without: beside a quotation mark
or a full stop of theirs its marks would open nothing, or close the wrong words. So the flanking rules are those of the
"CommonMark CJK-friendly Amendments Specification" (github.com/tats-u/markdown-cjk-friendly). And between the factors of
a product (`2*3*4`, `a*b`, `2**8`) a star is no mark at all: CommonMark would take `3` for emphasised.

This module imports the parser, so it is itself imported when there is a text to parse.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from markdown_it.common.utils import isPunctChar, isWhiteSpace
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.utils import EnvType

_EMOJI = re.compile("[\u2300-\u2328\u232b-\u2bff\U0001f000-\U0001faff]")
"""Wide signs there are emoji."""
_SELECTOR = re.compile("[\ufe00-\ufe0e]")
"""A variation selector, which belongs to the character before it; U+FE0F makes an emoji of it."""
_IDEOGRAPH_SELECTOR = re.compile("[\U000e0100-\U000e01ef]")
_FULLWIDTH_QUOTES = frozenset("‘’“”")
"""They are East Asian punctuation before U+FE01 (Unicode's StandardizedVariants.txt)."""


class EmphasisState(StateInline):
    def __init__(self, src: str, md: MarkdownIt, env: EnvType, out_tokens: list[Token]) -> None:
        super().__init__(src, md, env, out_tokens)
        self._operators = set[int]()  # where each star that multiplies ends

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - the parser's own names
        end, mark = start, self.src[start]
        while end < self.posMax and self.src[end] == mark:
            end += 1
        if mark == "*" and self._multiplies(start, end):
            self._operators.add(end)
            return Scanned(False, False, end - start)
        before = self.src[max(start - 2, 0) : start] or " "
        after = self.src[end] if end < self.posMax else " "
        is_left, is_right = _opens(before, after), _closes(before, after)
        can_open = is_left and (canSplitWord or not is_right or isPunctChar(_base(before)))
        can_close = is_right and (canSplitWord or not is_left or isPunctChar(after))
        return Scanned(can_open, can_close, end - start)

    def _multiplies(self, start: int, end: int) -> bool:
        """Whether stars stand between two factors: digits, single letters, brackets.

        One star also multiplies where a word stands on one side (`2*pi`); two of them rather begin a word in bold.
        What stands before an opening bracket can only close (`2*(x)`, `*in 2026*(then)`): without an opener it stays.
        """
        is_single = end - start == 1
        is_sure = is_single and (self.src[max(start - 1, 0)] + self.src[end : end + 1]).isdigit()
        kinds = self._factor_before(start, is_sure=is_sure) + self._factor_after(end)
        return kinds in ({"ff", "fw", "wf", "bf", "bw", "bb"} if is_single else {"ff"})

    def _factor_before(self, place: int, *, is_sure: bool) -> str:
        """What ends there: "f" a number or a single letter, "w" a longer word, "b" a bracket, "" none of them."""
        text, start = self.src, place
        if text[place - 1 : place] in {")", "]"} and place:
            return "b"
        while start and is_word(text[start - 1]):
            start -= 1
        # What a mark stands before may be what it marks, as in `*a*b`.
        is_marked = not is_sure and start > 0 and text[start - 1] == "*" and start not in self._operators
        if start == place or is_marked:
            return ""
        return "w" if text[start:place].isalpha() and place - start > 1 else "f"

    def _factor_after(self, place: int) -> str:
        """What begins there, in the same words."""
        first, second = self.src[place : place + 1], self.src[place + 1 : place + 2]
        if place >= self.posMax:
            return ""
        if first in {"(", "["}:
            return "b"
        if not is_word(first):
            return ""
        return "w" if first.isalpha() and is_word(second) and second.isalpha() else "f"


def is_word(char: str) -> bool:
    """Whether a character (or none) is a letter or digit of a script that parts words by blanks."""
    return char.isalnum() and not _is_cjk(char)


def _opens(before: str, after: str) -> bool:
    """Whether a run of marks is left-flanking; `before` = one or two characters, `after` = one."""
    if isWhiteSpace(ord(after)):
        return False
    if not isPunctChar(after) or _is_cjk(after):
        return True
    last = _base(before)
    return isWhiteSpace(ord(last)) or isPunctChar(last) or _is_cjk_end(before)


def _closes(before: str, after: str) -> bool:
    """Whether a run of marks is right-flanking."""
    last = _base(before)
    if isWhiteSpace(ord(last)):
        return False
    if not isPunctChar(last) or _is_cjk_end(before):
        return True
    return isWhiteSpace(ord(after)) or isPunctChar(after) or _is_cjk(after)


def _base(before: str) -> str:
    """The last character, a variation selector left out."""
    return before[-2] if len(before) > 1 and _SELECTOR.match(before[-1]) else before[-1]


def _is_cjk_end(before: str) -> bool:
    """Whether a CJK character ends there, with or without a selector."""
    last = _base(before)
    return (
        _is_cjk(last)
        or _IDEOGRAPH_SELECTOR.match(last) is not None
        or (last in _FULLWIDTH_QUOTES and before[-1] == "\ufe01")
    )


@lru_cache(maxsize=1024)
def _is_cjk(char: str) -> bool:
    """Whether a character is a wide one of East Asia, a narrow form of one, or Hangul (UAX #11 and #24)."""
    if char < "\u1100":
        return False
    if unicodedata.east_asian_width(char) in {"W", "F", "H"}:
        return _EMOJI.match(char) is None
    return unicodedata.name(char, "").startswith("HANGUL")
