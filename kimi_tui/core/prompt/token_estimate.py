"""How many tokens a text has, about; the tokeniser is the endpoint's own."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from kimi_tui.core.prompt.template import ALL_MARKERS
from kimi_tui.core.session.session import Message
from kimi_tui.core.text.text_pieces import pieces_of

MAX_CHARS_PER_TOKEN = 6
"""No ordinary text has more characters to a token: characters / 6 is a lower bound. A guess on the safe side."""
SAMPLE_CHARS = 200_000
"""About how many characters are looked at where a figure is only shown: some milliseconds."""
SAMPLED_AT_ONCE = 50
"""Characters of a sample that follow one another."""
JOINED_AT_ONCE = 200
"""So many of these are estimated in one go."""
USUAL_PER_BYTE = 1 / 4
"""Tokens, of alphabets and code in UTF-8; a guess."""
USUAL_PER_IDEOGRAPH = 1.0
PER_BYTE_ENDS = (1 / 8, 1 / 2)
"""Sane bounds: no tokeniser of ordinary text is beyond them. A guess."""
PER_IDEOGRAPH_ENDS = (0.4, 2.0)
MOST_TOKENS_PER_CHAR = max(PER_IDEOGRAPH_ENDS[1], 4 * PER_BYTE_ENDS[1])
"""No character is estimated at more."""


@functools.cache
def _ideographs() -> re.Pattern[str]:
    """Match characters that are tokens by themselves; this takes longer to compile than a short prompt to send."""
    return re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")


@dataclass(frozen=True, slots=True)
class TextCounts:
    """What a text is made of, as far as it says how many tokens it has."""

    markers: int = 0
    ideographs: int = 0
    """CJK characters."""
    other_bytes: int = 0
    """Of all other text, in UTF-8."""


def counts_of(*texts: str) -> TextCounts:
    """Count texts that follow one another; no marker may stand in two of them."""
    markers = ideographs = size_bytes = 0
    for text in texts:
        rest, found = ALL_MARKERS.taken_from(text)
        markers += found
        if rest.isascii():
            size_bytes += len(rest)
            continue
        for piece in pieces_of(rest):
            others = _ideographs().sub("", piece)
            ideographs += len(piece) - len(others)
            size_bytes += len(others.encode("utf-8", "replace"))
    return TextCounts(markers, ideographs, size_bytes)


@dataclass(frozen=True, slots=True)
class Calibration:
    per_byte: float = USUAL_PER_BYTE
    per_ideograph: float = USUAL_PER_IDEOGRAPH

    def of(self, counts: TextCounts) -> float:
        """Estimate the tokens of a text that was counted."""
        return counts.markers + counts.ideographs * self.per_ideograph + counts.other_bytes * self.per_byte

    def size(self, counts: TextCounts) -> int:
        """The same in whole tokens, rounded up."""
        return math.ceil(self.of(counts))

    def tokens(self, *texts: str) -> int:
        """Estimate those of texts; of very long ones a sample is looked at."""
        return rough_tokens(*texts, estimate=self._tokens)

    def _tokens(self, text: str) -> float:
        return self.of(counts_of(text))


UNCALIBRATED = Calibration()


def estimate_tokens(*texts: str) -> int:
    """Estimate the tokens of texts that follow one another; no marker may stand in two of them."""
    return UNCALIBRATED.size(counts_of(*texts))


def rough_tokens(*texts: str, estimate: Callable[[str], float] | None = None) -> int:
    """Add up the estimates of texts; of very long ones a sample is looked at, since keys wait meanwhile.

    `estimate` None = the usual one.
    """
    estimate = estimate or estimate_tokens
    chars = sum(map(len, texts))
    if chars <= SAMPLE_CHARS:
        return round(sum(map(estimate, texts)))
    step = SAMPLED_AT_ONCE * _rounded_up(chars, SAMPLE_CHARS)
    found = (text[start : start + SAMPLED_AT_ONCE] for text in texts for start in range(0, len(text), step))
    tokens, sampled = 0.0, 0
    while sample := "".join(islice(found, JOINED_AT_ONCE)):  # all at once would take as much memory as the texts
        tokens += estimate(sample)
        sampled += len(sample)
    return round(tokens * chars / sampled)


def written_tokens(reply: Message) -> int | None:
    """Estimate the tokens of a reply that the endpoint has not counted; None = it has no text."""
    return rough_tokens(reply.reasoning or "", reply.content) or None


def received_tokens(reply: Message) -> int | None:
    """The same, without thinking that it took over: that was paid with another reply."""
    return rough_tokens(reply.content) or None if reply.took_thinking else written_tokens(reply)


def _rounded_up(size: int, per_token: int) -> int:
    return -(-size // per_token)


def least_tokens(*texts: str) -> int:
    """Say how many tokens such texts have at least."""
    chars = markers = 0
    for text in texts:
        rest, found = ALL_MARKERS.taken_from(text)
        chars, markers = chars + len(rest), markers + found
    return markers + _rounded_up(chars, MAX_CHARS_PER_TOKEN)
