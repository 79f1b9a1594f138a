"""What an endpoint reads as control tokens, where such texts stand, and how they are made harmless.

`encode` puts one U+2060 (word joiner, it has no width) behind the first character of everything that could be such a
token, and one more where joiners stand there already, so that `decode` gives back exactly the text that came in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kimi_tui.core.text.text_pieces import PIECE_CHARS

JOINER = "\u2060"


@dataclass(frozen=True)
class ControlTokens:
    brackets: tuple[tuple[str, str], ...] = ()
    """What stands around a name of A-Z a-z 0-9 _, such as ("<|", "|>")."""
    words: tuple[str, ...] = ()
    """Whole tokens, such as "[EOS]"."""

    def with_words(self, *words: str) -> ControlTokens:
        return ControlTokens(self.brackets, self.words + words)

    @cached_property
    def exact(self) -> re.Pattern[str]:
        """Matches a token that an endpoint would read as one."""
        return self._pattern("{first}(?:{rest})")

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Say where tokens stand, harmless or not: code-point ranges [start, end)."""
        return [match.span() for match in self._loose.finditer(text)] if self._may_stand_in(text) else []

    def encode(self, text: str) -> str:
        if len(text) <= PIECE_CHARS:
            return self._encoded(text)
        if not any(map(self._may_stand_in, self._pieces(text))):
            return text  # not copied: it may be very long
        return "".join(map(self._encoded, self._pieces(text)))

    def _encoded(self, text: str) -> str:
        return self._firsts.sub(lambda first: first[0] + JOINER, text) if self._may_stand_in(text) else text

    def decode(self, text: str) -> str:
        return self._first_joiners.sub("", text)

    def taken_from(self, text: str) -> tuple[str, int]:
        """Take the tokens out that an endpoint would read; the rest, and how many there were."""
        if len(text) <= PIECE_CHARS:
            return self._rest(text)
        if not any(map(self._may_stand_in, self._pieces(text))):
            return text, 0
        rests = list(map(self._rest, self._pieces(text)))
        return "".join(rest for rest, _ in rests), sum(found for _, found in rests)

    def _rest(self, text: str) -> tuple[str, int]:
        return self.exact.subn("", text) if self._may_stand_in(text) else (text, 0)

    def _pieces(self, text: str) -> Iterator[str]:
        """Cut a long text where no token can stand; a stretch without such a place stays whole, however long it is."""
        start = 0
        while len(text) - start > PIECE_CHARS:
            cut = self._outside.search(text, start + PIECE_CHARS - 1)
            end = cut.end() if cut else len(text)
            yield text[start:end]
            start = end
        yield text[start:]

    @cached_property
    def _outside(self) -> re.Pattern[str]:
        """Matches a character that is in no token."""
        inside = "".join({*JOINER, *"".join(self.words), *"".join(map("".join, self.brackets))})
        return re.compile(f"[^A-Za-z0-9_{re.escape(inside)}]")

    @cached_property
    def _loose(self) -> re.Pattern[str]:
        return self._pattern("{first}{joiner}*(?:{rest})")

    @cached_property
    def _firsts(self) -> re.Pattern[str]:
        return self._pattern("{first}(?={joiner}*(?:{rest}))")

    @cached_property
    def _first_joiners(self) -> re.Pattern[str]:
        return self._pattern("(?<={first}){joiner}(?={joiner}*(?:{rest}))")

    def _pattern(self, form: str) -> re.Pattern[str]:
        rests: dict[str, list[str]] = {}
        for left, right in self.brackets:
            rests.setdefault(left[0], []).append(rf"{re.escape(left[1:])}[A-Za-z0-9_]+{re.escape(right)}")
        for word in self.words:
            rests.setdefault(word[0], []).append(re.escape(word[1:]))
        pairs = ((re.escape(first), "|".join(rest)) for first, rest in rests.items())
        # Without any token the pattern has to match nowhere.
        return re.compile("|".join(form.format(first=f, rest=r, joiner=JOINER) for f, r in pairs) or "(?!)")

    @cached_property
    def _edges(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """What tokens begin with, one character each, and what they end with, whatever joiners they hold."""
        firsts = frozenset(token[0] for token in (*(left for left, _ in self.brackets), *self.words))
        return firsts, (*(right for _, right in self.brackets), *(word[1:] for word in self.words))

    def _may_stand_in(self, text: str) -> bool:
        """Whether any may be there: told in a hundredth of the time that looking for them takes."""
        firsts, ends = self._edges
        for first in firsts:  # a loop: most texts are short, and a generator takes longer than the look
            if first in text:
                return any(end in text for end in ends)
        return False
