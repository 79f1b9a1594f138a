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

from kimi_tui.core.prompt.neutralise import PromptText
from kimi_tui.core.session.session import Role

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
SHOWN_CHARS = 40
"""Most characters of a wrong name that an error repeats."""


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
    return "".join(parts) + open_turn(template, thinking=thinking)


def open_turn(template: Template, *, thinking: bool) -> str:
    """Write the end of every prompt: the assistant's turn, its think block open or, for instant mode, closed."""
    return template.opening(Role.ASSISTANT) + THINK_OPEN + ("" if thinking else THINK_CLOSE)


def render_turn(turn: PromptTurn, template: Template) -> str:
    """Write one closed turn; a past answer stands behind an empty think block."""
    think = THINK_OPEN + THINK_CLOSE if turn.role is Role.ASSISTANT else ""
    return template.opening(turn.role) + think + turn.text + END


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
        raise PromptSyntaxError(f"the role name {opening[2][:SHOWN_CHARS]!r} does not fit", opening.start(2))
    return known if role is Role.ASSISTANT else fitting[0]


def _closed_turn(prompt: str, role: Role, start: int, end: int) -> ParsedTurn:
    if role is not Role.ASSISTANT:
        return ParsedTurn(role, _text_between(prompt, start, end))
    closing = prompt.find(THINK_CLOSE, start, end)
    if closing < 0 or not prompt.startswith(THINK_OPEN, start):
        raise PromptSyntaxError("a past answer needs its closed think block", start)
    reasoning = _text_between(prompt, start + len(THINK_OPEN), closing)
    return ParsedTurn(role, _text_between(prompt, closing + len(THINK_CLOSE), end), reasoning)


def _text_between(prompt: str, start: int, end: int) -> str:
    if (stray := _CONTROL.search(prompt, start, end)) is not None:
        raise PromptSyntaxError(f"the marker {stray[0][:SHOWN_CHARS]} stands inside a text", stray.start())
    return prompt[start:end]


def _open_turn(
    prompt: str, opening: re.Match[str], turns: tuple[ParsedTurn, ...], known: Template | None
) -> ParsedPrompt:
    if opening[1] != Role.ASSISTANT or not prompt.startswith(THINK_OPEN, opening.end()):
        raise PromptSyntaxError("the prompt has to end with an open assistant turn and <think>", opening.start())
    template = known or TEMPLATES[DEFAULT_TEMPLATE]
    start, end = opening.end() + len(THINK_OPEN), len(prompt)
    closing = prompt.find(THINK_CLOSE, start)
    if closing < 0:
        return ParsedPrompt(turns, template, thinking=True, open_reasoning=_text_between(prompt, start, end))
    reasoning = _text_between(prompt, start, closing)
    answer = _text_between(prompt, closing + len(THINK_CLOSE), end)
    return ParsedPrompt(turns, template, thinking=False, open_reasoning=reasoning, open_answer=answer)
