"""A conversation as the one text that the endpoint reads, and back: `parse_prompt(write_prompt(prompt)) == prompt`.

A closed turn is its opening, an assistant's think block, the text, its end and what stands between turns. The first
mark that closes a think block is the one that counts; behind it think marks are text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kimi_tui.core.prompt.control_tokens import ControlTokens
from kimi_tui.core.prompt.neutralise import NO_TEXT, PromptText, verbatim
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.template import TEMPLATES, Template
from kimi_tui.core.session.session import Role

SHOWN_CHARS = 40
"""Most characters of what is wrong that an error repeats."""


@dataclass(frozen=True, slots=True)
class PromptTurn:
    role: Role
    text: PromptText
    """Of a past answer what stands behind its think block."""
    reasoning: PromptText = NO_TEXT
    """What stands inside a past answer's think block; never holds the mark that closes it."""


@dataclass(frozen=True, slots=True)
class Prompt:
    turns: tuple[PromptTurn, ...]
    open_turn: OpenTurn
    template: Template


class PromptSyntaxError(ValueError):
    def __init__(self, problem: str, offset: int) -> None:
        """`offset` counts code points."""
        super().__init__(f"{problem} at character {offset}")
        self.offset = offset


# -- writing


def write_prompt(prompt: Prompt) -> str:
    template = prompt.template
    return "".join(write_turn(turn, template) for turn in prompt.turns) + write_open_turn(prompt.open_turn, template)


def write_turn(turn: PromptTurn, template: Template) -> str:
    """Write also what stands between it and the next.

    Raises ValueError where it has reasoning that the template has no place for, or that would end too early.
    """
    marks, block = template.marks(turn.role), ""
    if turn.reasoning or (turn.role is Role.ASSISTANT and _needs_block(turn.text, template)):
        if turn.role is not Role.ASSISTANT:
            raise ValueError("only the assistant has reasoning")
        block = _block(turn.reasoning, template, is_closed=True)
    return "".join((marks.opening, block, turn.text, marks.end, template.separator))  # copied once: it may be long


def write_open_turn(turn: OpenTurn, template: Template) -> str:
    """Raises ValueError where the template has no think marks for it, or its reasoning would end too early."""
    has_block = template.think is not None or turn.reasoning or not turn.is_closed
    block = _block(turn.reasoning, template, is_closed=turn.is_closed) if has_block else ""
    return template.assistant.opening + block + turn.answer


def _needs_block(answer: str, template: Template) -> bool:
    """Whether an answer without reasoning stands behind an empty block: always, or where it would be taken for one."""
    return template.think is not None and (template.has_empty_block or answer.startswith(template.think.open))


def _block(reasoning: str, template: Template, *, is_closed: bool) -> str:
    if template.think is None:
        raise ValueError(f"the template {template.name} has no think marks")
    if template.think.close in reasoning:
        raise ValueError(f"reasoning ends at {template.think.close}")
    return template.think.block(reasoning, is_closed=is_closed)


# -- reading


def parse_prompt(prompt: str, templates: Iterable[Template] = TEMPLATES.values()) -> Prompt:
    """Read a prompt back, strictly: no marker may stand where the template has none.

    The first of the templates (at least one) that fits is taken. Raises PromptSyntaxError where none does, or there is
    no open assistant turn; what is wrong is said of the one that fits furthest.
    """
    errors: list[PromptSyntaxError] = []
    for template in templates:
        try:
            return _Reader(prompt, template).read()
        except PromptSyntaxError as error:
            errors.append(error)
    raise max(errors, key=lambda error: error.offset)


class _Reader:
    def __init__(self, prompt: str, template: Template) -> None:
        self._prompt, self._template = prompt, template
        # Of two openings that fit, the longer one is meant.
        self._roles = sorted(Role, key=lambda role: -len(template.marks(role).opening))

    def read(self) -> Prompt:
        turns, offset = list[PromptTurn](), 0
        while True:
            role = self._role_at(offset)
            marks = self._template.marks(role)
            start = offset + len(marks.opening)
            end = self._prompt.find(marks.end, start)
            if end < 0:
                return Prompt(tuple(turns), self._open_turn(role, offset, start), self._template)
            turns.append(self._closed_turn(role, start, end))
            offset = end + len(marks.end)
            if not self._prompt.startswith(self._template.separator, offset):
                raise PromptSyntaxError("a turn has to begin here", offset)
            offset += len(self._template.separator)

    def _role_at(self, offset: int) -> Role:
        prompt, template = self._prompt, self._template
        for role in self._roles:
            if prompt.startswith(template.marks(role).opening, offset):
                return role
        for role in self._roles:  # an opening's first token without what has to follow it
            token = template.control.exact.match(template.marks(role).opening)
            if token is not None and prompt.startswith(token[0], offset):
                start = offset + token.end()
                following = template.control.exact.search(prompt, start)
                name = prompt[start : following.start() if following else None]
                raise PromptSyntaxError(f"the role name {name[:SHOWN_CHARS]!r} does not fit", start)
        raise PromptSyntaxError("a turn has to begin here", offset)

    def _closed_turn(self, role: Role, start: int, end: int) -> PromptTurn:
        think = self._template.think
        if role is not Role.ASSISTANT:
            return PromptTurn(role, self._text(start, end, self._template.markers))
        if think is None or not (self._template.has_empty_block or self._prompt.startswith(think.open, start)):
            return PromptTurn(role, self._text(start, end))
        closing = self._prompt.find(think.close, start, end)
        if closing < 0 or not self._prompt.startswith(think.open, start):
            raise PromptSyntaxError("a past answer needs its closed think block", start)
        reasoning = self._text(start + len(think.open), closing)
        return PromptTurn(role, self._text(closing + len(think.close), end), reasoning)

    def _open_turn(self, role: Role, offset: int, start: int) -> OpenTurn:
        think, end = self._template.think, len(self._prompt)
        if role is not Role.ASSISTANT or (think and not self._prompt.startswith(think.open, start)):
            marks = f" and {think.open}" if think else ""
            raise PromptSyntaxError(f"the prompt has to end with an open assistant turn{marks}", offset)
        if think is None:
            return OpenTurn(is_closed=True, answer=self._text(start, end))
        start += len(think.open)
        closing = self._prompt.find(think.close, start)
        if closing < 0:
            return OpenTurn(self._text(start, end))
        answer = self._text(closing + len(think.close), end)
        return OpenTurn(self._text(start, closing), is_closed=True, answer=answer)

    def _text(self, start: int, end: int, tokens: ControlTokens | None = None) -> PromptText:
        """The text of a range, in which none of the tokens may stand; of the assistant's, think marks may."""
        stray = (tokens or self._template.control).exact.search(self._prompt, start, end)
        if stray is not None:
            raise PromptSyntaxError(f"the marker {stray[0][:SHOWN_CHARS]} stands inside a text", stray.start())
        return verbatim(self._prompt[start:end])
