"""What the screen knows of a running turn: counts and moments, and the words made of them.

Every time is passed in, so that tests move it by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from kimi_tui.core.replies import Phase, ReplyDelta, ReplyPart
from kimi_tui.ui import words


@dataclass(slots=True)
class LiveTurn:
    """The figures of one turn while it runs."""

    key: str
    """Key of its entry in the transcript."""
    started_s: float
    """When it was sent, on the clock's own scale."""
    phase: Phase = Phase.WAITING
    """Where it stands."""
    first_token_s: float | None = None
    """Moment of the first token."""
    thinking_end_s: float | None = None
    """Moment the reasoning ended."""
    reasoning_tokens: int = 0
    """Tokens of reasoning so far."""
    answer_tokens: int = 0
    """Tokens of answer so far."""
    retry: str = ""
    """What is said while an attempt waits; "" = none does."""

    @property
    def tokens(self) -> int:
        """All tokens so far."""
        return self.reasoning_tokens + self.answer_tokens

    def feed(self, delta: ReplyDelta, now_s: float) -> None:
        """Count a delta."""
        self.retry = ""
        if self.first_token_s is None:
            self.first_token_s = now_s
        if delta.part is ReplyPart.REASONING:
            self.reasoning_tokens += delta.tokens
            return
        if self.thinking_end_s is None:
            self.thinking_end_s = now_s
        self.answer_tokens += delta.tokens

    def thought_label(self, now_s: float) -> str:
        """The think block's one line at this moment."""
        if self.first_token_s is None:
            return ""
        is_running = self.thinking_end_s is None
        end_s = now_s if self.thinking_end_s is None else self.thinking_end_s
        return words.thought_label(end_s - self.first_token_s, self.reasoning_tokens, is_running=is_running)

    def status(self, now_s: float) -> str:
        """State, rate and time to first token, for the status line."""
        if self.retry:
            return self.retry
        if self.first_token_s is None:
            return f"waiting {words.seconds(now_s - self.started_s)}"
        parts = ["thinking" if self.phase is Phase.REASONING else "answering"]
        if rate := words.rate(self.tokens, now_s - self.first_token_s):
            parts.append(f"{rate:.0f} tok/s")
        parts.append(f"first token {words.seconds(self.first_token_s - self.started_s)}")
        parts.append(f"{words.count(self.tokens)} tok")
        return " · ".join(parts)
