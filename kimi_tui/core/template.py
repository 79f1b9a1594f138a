"""The prompt template: a conversation as the one text that the endpoint reads, and back.

    <|im_system|>ChatMessageRole.SYSTEM<|im_middle|>…<|im_end|>
    <|im_user|>ChatMessageRole.USER<|im_middle|>…<|im_end|>
    <|im_assistant|>assistant<|im_middle|><think></think>…<|im_end|>
    <|im_assistant|>assistant<|im_middle|><think>

without the line breaks: nothing stands between turns. Source: API reference, "Input format". The markers stand in
this module and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kimi_tui.core.neutralise import PromptText
from kimi_tui.core.session import Role

MIDDLE = "<|im_middle|>"
END = "<|im_end|>"
THINK_OPEN = "<think>"
THINK_CLOSE = "</think>"
OPENINGS: Mapping[Role, str] = {
    Role.SYSTEM: "<|im_system|>",
    Role.USER: "<|im_user|>",
    Role.ASSISTANT: "<|im_assistant|>",
}
STOP_SEQUENCES = (END, "[EOS]")
"""What ends generation. Source: API reference, both SDK examples."""


@dataclass(frozen=True, slots=True)
class Template:
    """The role names of a template; the rest is the same for all."""

    name: str
    """What settings call it."""
    system_role: str
    """Name behind the system marker."""
    user_role: str
    """Name behind the user marker."""
    assistant_role: str = "assistant"
    """Name behind the assistant marker."""

    def opening(self, role: Role) -> str:
        """Everything before a turn's text."""
        names = {Role.SYSTEM: self.system_role, Role.USER: self.user_role, Role.ASSISTANT: self.assistant_role}
        return OPENINGS[role] + names[role] + MIDDLE


TEMPLATES: Mapping[str, Template] = {
    "deepinfra": Template("deepinfra", "ChatMessageRole.SYSTEM", "ChatMessageRole.USER"),
    "kimi": Template("kimi", "system", "user"),
}
"""By name. "deepinfra" is what the API reference shows, "kimi" the model's own chat template."""
DEFAULT_TEMPLATE = "deepinfra"


@dataclass(frozen=True, slots=True)
class PromptTurn:
    """One turn as it goes into a prompt."""

    role: Role
    """Who speaks."""
    text: PromptText
    """The text, made harmless."""


@dataclass(frozen=True, slots=True)
class ParsedTurn:
    """One turn as it was found in a prompt."""

    role: Role
    """Who speaks."""
    text: str
    """The text, still neutralised; of a past answer without its think block."""
    reasoning: str = ""
    """What stood inside a past answer's think block."""


@dataclass(frozen=True, slots=True)
class ParsedPrompt:
    """A prompt understood."""

    turns: tuple[ParsedTurn, ...]
    """Every closed turn, in order."""
    template: Template
    """The template that its role names belong to."""
    thinking: bool
    """Whether the open turn stands inside its think block."""
    open_reasoning: str = ""
    """Reasoning that the open turn begins with."""
    open_answer: str = ""
    """Answer that the open turn begins with, behind its closed think block."""


class PromptSyntaxError(ValueError):
    """A text is not a prompt of either template."""

    def __init__(self, problem: str, offset: int) -> None:
        """Say what is wrong and at which code point."""
        super().__init__(f"{problem} at character {offset}")
        self.problem = problem
        self.offset = offset


def render_prompt(turns: Iterable[PromptTurn], template: Template, *, thinking: bool) -> str:
    """Write a conversation as a prompt that ends with the open assistant turn.

    Args:
        turns: The conversation; past answers stand behind an empty think block.
        template: Whose role names to use.
        thinking: Whether the think block is left open. The closed one of instant mode is not in the API reference;
            raw endpoints take it.
    """
    openings = {role: template.opening(role) for role in Role}
    openings[Role.ASSISTANT] += THINK_OPEN + THINK_CLOSE
    parts = [piece for turn in turns for piece in (openings[turn.role], turn.text, END)]
    tail = THINK_OPEN if thinking else THINK_OPEN + THINK_CLOSE
    return "".join(parts) + template.opening(Role.ASSISTANT) + tail


_OPENING = re.compile(r"<\|im_(system|user|assistant)\|>([^<]*)<\|im_middle\|>")
_CONTROL = re.compile(r"<\|[A-Za-z0-9_]+\|>|</?think>|\[(?:BOS|EOS|EOT|UNK|PAD)\]")


def parse_prompt(prompt: str) -> ParsedPrompt:
    """Read a prompt back, strictly: no marker may stand where the template has none.

    Raises:
        PromptSyntaxError: It is not a prompt of one of the templates, or has no open assistant turn.
    """
    turns: list[ParsedTurn] = []
    template: Template | None = None
    offset = 0
    while True:
        opening = _OPENING.match(prompt, offset)
        if opening is None:
            raise PromptSyntaxError("a turn has to begin here", offset)
        role = Role(opening[1])
        template = _template_of(role, opening, template)
        end = prompt.find(END, opening.end())
        if end < 0:
            return _open_turn(prompt, opening, tuple(turns), template)
        turns.append(_closed_turn(prompt, role, opening.end(), end))
        offset = end + len(END)


def _template_of(role: Role, opening: re.Match[str], known: Template | None) -> Template | None:
    fitting = [t for t in TEMPLATES.values() if t.opening(role) == opening[0] and known in {None, t}]
    if not fitting:
        raise PromptSyntaxError(f"the role name {opening[2]!r} does not fit", opening.start(2))
    return known if role is Role.ASSISTANT else fitting[0]


def _closed_turn(prompt: str, role: Role, start: int, end: int) -> ParsedTurn:
    text, reasoning = prompt[start:end], ""
    if role is Role.ASSISTANT:
        if not text.startswith(THINK_OPEN) or THINK_CLOSE not in text:
            raise PromptSyntaxError("a past answer needs its closed think block", start)
        reasoning, _, text = text.removeprefix(THINK_OPEN).partition(THINK_CLOSE)
    for part in (reasoning, text):
        if (stray := _CONTROL.search(part)) is not None:
            raise PromptSyntaxError(f"the marker {stray[0]} stands inside a text", start)
    return ParsedTurn(role, text, reasoning)


def _open_turn(
    prompt: str, opening: re.Match[str], turns: tuple[ParsedTurn, ...], template: Template | None
) -> ParsedPrompt:
    rest = prompt[opening.end() :]
    if opening[1] != Role.ASSISTANT or not rest.startswith(THINK_OPEN):
        raise PromptSyntaxError("the prompt has to end with an open assistant turn and <think>", opening.start())
    reasoning, closing, answer = rest.removeprefix(THINK_OPEN).partition(THINK_CLOSE)
    for part in (reasoning, answer):
        if (stray := _CONTROL.search(part)) is not None:
            raise PromptSyntaxError(f"the marker {stray[0]} stands inside the open turn", opening.end())
    return ParsedPrompt(turns, template or TEMPLATES[DEFAULT_TEMPLATE], not closing, reasoning, answer)
