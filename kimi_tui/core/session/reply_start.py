"""Words of the user's that a reply to come begins with: the answer, or the thinking."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from kimi_tui.core.session.session import Message
from kimi_tui.core.session.written import CONTENT, REASONING, Begun, whole
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.text.visible import one_line

SHOWN_CHARS = 40
"""Most characters of it that are shown where it is told of."""


class ReplyStart(NamedTuple):
    text: str
    """Exact, never empty."""
    is_answer: bool
    """Whether it begins the answer, behind an empty think block; else it begins the thinking."""

    @classmethod
    def prefill(cls, text: str) -> ReplyStart:
        """A lone surrogate becomes U+FFFD, as everywhere."""
        return cls(replace_lone(text), is_answer=True)

    @classmethod
    def seed(cls, text: str) -> ReplyStart:
        """Likewise."""
        return cls(replace_lone(text), is_answer=False)

    @property
    def words(self) -> str:
        """What it does, in words that follow "the next reply"."""
        shown = f"“{one_line(self.text, SHOWN_CHARS)}”"
        return f"begins with {shown}, without thinking" if self.is_answer else f"begins its thinking with {shown}"

    @property
    def command(self) -> str:
        """The slash command that says so."""
        return "prefill" if self.is_answer else "seed"

    def put_on(self, blank: Message) -> Message:
        """Let a reply that says nothing yet begin so."""
        if self.is_answer:
            begun, written = Begun(content=len(self.text)), whole(CONTENT, self.text)
            return replace(blank, thinking=False, content=self.text, written=written, begun=begun)
        begun, written = Begun(len(self.text)), whole(REASONING, self.text)
        return replace(blank, thinking=True, reasoning=self.text, written=written, begun=begun)
