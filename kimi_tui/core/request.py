"""What a request says besides the conversation, after every layer of settings has been resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kimi_tui.core.template import DEFAULT_TEMPLATE, TEMPLATES, Template


@dataclass(frozen=True, slots=True)
class RequestSettings:
    """Everything the engine needs to know to send one turn."""

    fields: Mapping[str, object] = field(default_factory=dict)
    """Every request field but `input`, checked."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Fields of other servers, sent as they are."""
    thinking: bool = True
    """Whether the prompt leaves the think block open."""
    template: Template = TEMPLATES[DEFAULT_TEMPLATE]
    """Whose role names the prompt uses."""
    neutralise: bool = True
    """Whether control markers in texts are made harmless."""
    context_tokens: int = 262_144
    """Size of the context window. Source: the model's card."""
    retries: int = 3
    """Attempts after the first, [0, 3]."""
    silence_s: float = 120.0
    """Longest time without a token, in seconds; keep-alive comments do not count."""
