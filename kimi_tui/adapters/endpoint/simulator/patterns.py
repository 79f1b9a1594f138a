"""A text that a regular expression matches, for the usual patterns.

Literals, classes, groups, alternatives and counted repetition are understood; look-around, back-references and flags
are not.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Iterable

from kimi_tui.core.text.foreign_pattern import is_soon_compiled, pattern_mistake

MAX_CHARS = 4096
MAX_REPEATS = 64
"""Most repetitions of one part, where the pattern does not ask for more."""
MAX_STEPS = 50_000
"""Most pieces that are joined in all."""
ATTEMPTS = 20

_Maker = Callable[[random.Random], str]
_CLASSES = {"d": string.digits, "w": string.ascii_lowercase, "s": " ", "D": "x", "W": "-", "S": "x"}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_ANCHORS = {"A": "\U000f0000", "Z": "\U000f0001", "$": "\U000f0002", "b": "\U000f0003", "B": "\U000f0004"}
"""Marks in a text that is made, for what a pattern asks of a place; nobody uses these characters."""
_MARKS = re.compile(f"[{''.join(_ANCHORS.values())}]")
_COUNT = re.compile(r"\{(\d{1,6})?(,)?(\d{1,6})?\}")
_PRINTABLE = string.ascii_letters + string.digits + " -_.,:;!?'()/+*=@#%&"


def matching(pattern: str, chance: random.Random) -> str | None:
    """Make a text that a pattern matches from end to end; None where the pattern is beyond this module.

    The pattern itself is never run: on some texts that takes for ever.
    """
    if not is_soon_compiled(pattern) or pattern_mistake(pattern) or any(mark in pattern for mark in _ANCHORS.values()):
        return None
    try:
        maker = _Reader(pattern).read()
        texts = (maker(chance) for _ in range(ATTEMPTS))
        return next((_without_marks(text) for text in texts if _stand_rightly(text)), None)
    except (_UnsupportedError, RecursionError, OverflowError):
        return None


def _without_marks(text: str) -> str:
    return _MARKS.sub("", text)


def _stand_rightly(text: str) -> bool:
    """Whether what is asked of places in a text is so; each is marked there."""
    plain, place = _without_marks(text), 0
    for char in text:
        if _MARKS.match(char) is None:
            place += 1
        elif not _is_right(char, plain[max(place - 1, 0) : place], plain[place : place + 2]):
            return False
    return True


def _is_right(mark: str, before: str, after: str) -> bool:
    is_edge = _is_word(before) != _is_word(after[:1])
    return {
        _ANCHORS["A"]: not before,
        _ANCHORS["Z"]: not after,
        _ANCHORS["$"]: after in {"", "\n"},
        _ANCHORS["b"]: is_edge,
        _ANCHORS["B"]: not is_edge and bool(before + after),
    }[mark]


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


class _UnsupportedError(Exception):
    """The pattern holds something that is not understood."""


def _members_of(escaped: str) -> str:
    r"""All that a class such as `\D` has among the characters that are made."""
    named = {"d": string.digits, "w": string.ascii_letters + string.digits + "_", "s": string.whitespace}
    found = named[escaped.lower()]
    return found if escaped.islower() else "".join(char for char in _PRINTABLE if char not in found)


def _constant(text: str) -> _Maker:
    return lambda chance: text


def _one_of(characters: str) -> _Maker:
    return lambda chance: chance.choice(characters)


class _Reader:
    """Reads a pattern once, from left to right, into functions that make texts."""

    def __init__(self, pattern: str) -> None:
        self._rest, self._place, self._steps = pattern, 0, 0

    def read(self) -> _Maker:
        maker = self._alternatives()
        if self._peek():
            raise _UnsupportedError
        return maker

    def _peek(self) -> str:
        return self._rest[self._place : self._place + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise _UnsupportedError
        self._place += 1
        return char

    def _takes(self, text: str) -> bool:
        found = self._rest.startswith(text, self._place)
        self._place += len(text) if found else 0
        return found

    def _alternatives(self) -> _Maker:
        makers = [self._sequence()]
        while self._takes("|"):
            makers.append(self._sequence())
        return makers[0] if len(makers) == 1 else lambda chance: chance.choice(makers)(chance)

    def _sequence(self) -> _Maker:
        makers = []
        while self._peek() not in {"", "|", ")"}:
            is_group = self._peek() == "("
            makers.append(self._repeated(self._atom(), is_group=is_group))
        return lambda chance: self._joined(maker(chance) for maker in makers)

    def _atom(self) -> _Maker:
        match self._take():
            case "(":
                return self._group()
            case "[":
                return _one_of(self._class())
            case "\\":
                return self._escape()
            case ".":
                return _one_of(string.ascii_lowercase)
            case "^" | "$" as anchor:
                return _constant(_ANCHORS["A" if anchor == "^" else "$"])
            case char:
                return _constant(char)

    def _group(self) -> _Maker:
        if self._takes("?P<"):
            while self._take() != ">":
                pass
        elif self._peek() == "?" and not self._takes("?:"):
            raise _UnsupportedError
        maker = self._alternatives()
        if not self._takes(")"):
            raise _UnsupportedError
        return maker

    def _escape(self) -> _Maker:
        char = self._take()
        if char in _ANCHORS and char != "$":
            return _constant(_ANCHORS[char])
        if char in _CLASSES:
            return _one_of(_CLASSES[char])
        if char.isalnum() and char not in _CONTROLS:
            raise _UnsupportedError
        return _constant(_CONTROLS.get(char, char))

    def _class(self) -> str:
        is_negated, members = self._takes("^"), ""
        while True:
            char = self._take()
            if char == "]" and members:
                break
            members += self._members(char, is_negated=is_negated)
        if not is_negated:
            return members
        others = "".join(char for char in _PRINTABLE if char not in members)
        if not others:
            raise _UnsupportedError
        return others

    def _members(self, char: str, *, is_negated: bool) -> str:
        if char == "\\":
            escaped = self._take()
            if escaped in _CLASSES:
                return _members_of(escaped) if is_negated else _CLASSES[escaped]
            if escaped.isalnum() and escaped not in _CONTROLS:
                raise _UnsupportedError
            char = _CONTROLS.get(escaped, escaped)
        if self._peek() != "-" or self._rest[self._place + 1 : self._place + 2] in {"]", ""}:
            return char
        self._take()
        last = self._take()
        last = self._take() if last == "\\" else last
        # A range as large as a script needs no more than its beginning.
        return "".join(map(chr, range(ord(char), min(ord(last), ord(char) + 255) + 1)))

    def _repeated(self, maker: _Maker, *, is_group: bool) -> _Maker:
        begin = self._place
        low, high = self._count()
        if self._place == begin:
            return maker
        if self._takes("+") and (is_group or self._peek()):  # possessive: it could take what was made for what follows
            raise _UnsupportedError
        self._takes("?")  # lazy: the same texts
        return lambda chance: self._joined(maker(chance) for _ in range(chance.randint(low, high)))

    def _count(self) -> tuple[int, int]:
        if self._takes("*") or self._takes("+"):
            return 1, 3
        if self._takes("?"):
            return 0, 1
        found = _COUNT.match(self._rest, self._place)
        if found is None or found[0] == "{}":
            return 1, 1
        self._place = found.end()
        low = int(found[1] or 0)
        high = low if not found[2] else int(found[3] or low + 2)
        return low, max(low, min(high, MAX_REPEATS))

    def _joined(self, pieces: Iterable[str]) -> str:
        """Join pieces, unless they are unreasonably long or many, empty ones included."""
        found, size_chars = [], 0
        for piece in pieces:
            self._steps += 1
            size_chars += len(piece)
            if size_chars > MAX_CHARS or self._steps > MAX_STEPS:
                raise _UnsupportedError
            found.append(piece)
        return "".join(found)
