"""What an endpoint reads as control tokens, where such texts stand, and how they are made harmless.

`encode` puts one U+2060 (word joiner, it has no width) behind the first character of everything that could be such a
token, and one more where joiners stand there already, so that `decode` gives back exactly the text that came in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

JOINER = "\u2060"


@dataclass(frozen=True)
class ControlTokens:
    """The control tokens of a template, and what is done about texts that look like them."""

    brackets: tuple[tuple[str, str], ...] = ()
    """What stands around a name of A-Z a-z 0-9 _, such as ("<|", "|>")."""
    words: tuple[str, ...] = ()
    """Whole tokens, such as "[EOS]"."""

    def with_words(self, *words: str) -> ControlTokens:
        """Add tokens."""
        return ControlTokens(self.brackets, self.words + words)

    @cached_property
    def exact(self) -> re.Pattern[str]:
        """Matches a token that an endpoint would read as one."""
        return self._pattern("{first}(?:{rest})")

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Say where tokens stand, harmless or not: code-point ranges [start, end)."""
        return [match.span() for match in self._loose.finditer(text)] if self._may_stand_in(text) else []

    def encode(self, text: str) -> str:
        """Make every token in a text harmless."""
        return self._firsts.sub(lambda first: first[0] + JOINER, text) if self._may_stand_in(text) else text

    def decode(self, text: str) -> str:
        """Undo `encode`."""
        return self._first_joiners.sub("", text)

    def taken_from(self, text: str) -> tuple[str, int]:
        """Take the tokens out that an endpoint would read; the rest, and how many there were."""
        return self.exact.subn("", text) if self._may_stand_in(text) else (text, 0)

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
