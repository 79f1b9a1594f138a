"""How far an input begins as an earlier one did: what does may come from the endpoint's cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from kimi_tui.core.prompt.prompt_writer import PromptPart
from kimi_tui.core.prompt.template import Template
from kimi_tui.core.text.text_pieces import common_chars

MARKER_CHARS = 64
"""Longest marker that is looked for around a place; a longer one is cut there."""


@dataclass(frozen=True, slots=True)
class SentInput:
    """The input of a request that was sent."""

    name: str
    """Whose it was, such as "m4"."""
    text: str
    tokens: int | None
    """As the endpoint counted them; None = it did not."""
    opening: str
    """The open turn that it ends with."""

    @classmethod
    def of(cls, parts: Sequence[PromptPart], name: str, tokens: int | None) -> Self:
        return cls(name, "".join(part.text for part in parts), tokens, parts[-1].text)


@dataclass(frozen=True, slots=True)
class SharedPrefix:
    last: str
    """Whose request the other one was, such as "m4"."""
    place: int
    """The first part that differs; the number of parts = none does."""
    offset: int
    """Where in that part, in code points."""
    is_all: bool
    """Whether the whole of the other input stands there."""
    tokens: int = 0
    is_told: bool = False


def whole_markers(text: str, at: int, template: Template) -> int:
    """Go back to the beginning of the marker that a place stands inside: it is one token."""
    start = max(at - MARKER_CHARS, 0)
    for first, end in template.markers.spans(text[start : at + MARKER_CHARS]):
        if start + first < at < start + end:
            return start + first
    return at


def shared_prefix(parts: Sequence[PromptPart], last: SentInput, template: Template) -> SharedPrefix:
    """Say where parts, which are an input from its beginning on, differ from the last one first."""
    start = 0
    for place, part in enumerate(parts):
        chars = common_chars(part.text, last.text[start : start + len(part.text)])
        if chars < len(part.text):
            is_all = start + chars == len(last.text)
            kept = chars if is_all else max(whole_markers(last.text, start + chars, template) - start, 0)
            return SharedPrefix(last.name, place, whole_markers(part.text, kept, template), is_all)
        start += len(part.text)
    return SharedPrefix(last.name, len(parts), 0, start == len(last.text))
