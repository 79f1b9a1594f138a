"""The one door through which foreign text reaches the template.

A raw endpoint reads `<|im_end|>` in a pasted text as the end of the turn. `encode` puts one U+2060 (word joiner, it
has no width) behind the first character of everything that could be such a marker, and one more where joiners stand
there already, so that `decode` gives back exactly the text that came in.

The template accepts `PromptText` only, and only this module makes it: a type checker holds that door shut.
"""

from __future__ import annotations

import re

from kimi_tui.core.text.surrogates import replace_lone

JOINER = "\u2060"
_ANGLED = rf"{JOINER}*(?:\|[A-Za-z0-9_]+\|>|/?think>)"
_SQUARE = rf"{JOINER}*(?:BOS|EOS|EOT|UNK|PAD)\]"
_MARKER = re.compile(rf"<{_ANGLED}|\[{_SQUARE}")
_FIRST = re.compile(rf"<(?={_ANGLED})|\[(?={_SQUARE})")
_FIRST_AND_JOINER = re.compile(rf"(<){JOINER}(?={_ANGLED})|(\[){JOINER}(?={_SQUARE})")


_ENDS = ("|>", "think>", "BOS]", "EOS]", "EOT]", "UNK]", "PAD]")


class PromptText(str):
    """Text that may stand inside a prompt. Made by `encode` and `verbatim` alone."""

    __slots__ = ()


def encode(text: str) -> PromptText:
    """Make every control marker in a text harmless.

    Lone surrogates become U+FFFD first, since no request can carry them.
    """
    text = replace_lone(text)
    if not _may_have_markers(text):
        return PromptText(text)
    return PromptText(_FIRST.sub(lambda first: first[0] + JOINER, text))


def decode(text: str) -> str:
    """Undo `encode`: `decode(encode(s)) == s` for every text without lone surrogates."""
    return _FIRST_AND_JOINER.sub(r"\1\2", text)


def verbatim(text: str) -> PromptText:
    """Let a text pass as it stands, markers and all: the switch `[chat] neutralise = false`."""
    return PromptText(replace_lone(text))


def marker_spans(text: str) -> list[tuple[int, int]]:
    """Say where `encode` would change a text: code-point ranges [start, end) of what looks like a marker."""
    return [match.span() for match in _MARKER.finditer(text)] if _may_have_markers(text) else []


def _may_have_markers(text: str) -> bool:
    """Whether any may be there: told in a hundredth of the time that looking for them takes."""
    return ("<" in text or "[" in text) and any(end in text for end in _ENDS)
