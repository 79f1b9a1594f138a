"""What a request says besides the conversation, after every layer of settings has been resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.neutralise import TextDoor
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, Template
from kimi_tui.core.session.kept_thinking import KeptThinking
from kimi_tui.core.session.reply_edits import ReplyStart
from kimi_tui.core.session.session import DEFAULT_MODEL
from kimi_tui.core.session.written import CONTENT, REASONING, whole

SLOWEST_TOKENS_PER_S = 10.0
"""The slowest pace of generation that is waited for where nothing is seen of it. A guess on the safe side."""
USUAL_MAX_TOKENS = 16_384
"""Length of a reply to wait for where the request sets none. Source: the preset `recommended`."""


@dataclass(frozen=True, slots=True)
class RequestSettings:
    fields: Mapping[str, object] = field(default_factory=dict)
    """Every request field but the prompt, checked."""
    extra: Mapping[str, object] = field(default_factory=dict)
    thinking: bool = True
    """Whether the prompt leaves the think block open."""
    template: Template = DEFAULT_TEMPLATE
    neutralise: bool = True
    kept_thinking: KeptThinking = 0
    """Of how many earlier turns the prompt holds the thinking."""
    over_budget: OverBudget = OverBudget.REFUSE
    context_tokens: int = 262_144
    """Source: the model's card."""
    retries: int = 3
    silence_s: float = 120.0
    """Longest time without a token, in seconds; keep-alive comments do not count."""
    model: str = DEFAULT_MODEL

    @property
    def door(self) -> TextDoor:
        return TextDoor(self.template, self.neutralise)

    @property
    def reply_tokens(self) -> int:
        """How much of the window is kept for the reply: as long as it may be, nothing where no input would fit."""
        most = most_tokens(self.fields)
        return most if most < self.context_tokens else 0

    @property
    def room_tokens(self) -> int:
        """What is left of the window for the input."""
        return self.context_tokens - self.reply_tokens

    @property
    def open_turn(self) -> OpenTurn:
        """What an ordinary prompt ends with: an open think block, or for instant mode an empty closed one.

        The closed one is not in the API reference; raw endpoints take it.
        """
        return OpenTurn.of(self.door, is_closed=not self.thinking)

    def open_turn_of(self, start: ReplyStart | None) -> OpenTurn:
        """What a prompt ends with where the reply is to begin with words of the user's."""
        if start is None:
            return self.open_turn
        texts = {"answer" if start.is_answer else "reasoning": start.text}
        written = whole(CONTENT if start.is_answer else REASONING, start.text)
        return OpenTurn.of(self.door, is_closed=start.is_answer, **texts, written=written)


def most_tokens(fields: Mapping[str, object]) -> int:
    """How many a reply may have; 0 = the request does not say."""
    most = fields.get("max_new_tokens")
    return most if isinstance(most, int) else 0


def first_silence_s(fields: Mapping[str, object], silence_s: float) -> float:
    """In seconds, as `silence_s` is.

    A streamed reply shows its first token soon. An unstreamed one shows nothing until it has been written to its end,
    so that the wait grows with the tokens it may have.
    """
    if fields.get("stream") is True:
        return silence_s
    return silence_s + (most_tokens(fields) or USUAL_MAX_TOKENS) / SLOWEST_TOKENS_PER_S
