"""Prompt templates, as data: all markers that a model reads or writes stand in this table and nowhere else.

`prompt_syntax` writes and reads prompts by it. In the template `deepinfra` a prompt is

    <|im_system|>ChatMessageRole.SYSTEM<|im_middle|>…<|im_end|>
    <|im_user|>ChatMessageRole.USER<|im_middle|>…<|im_end|>
    <|im_assistant|>assistant<|im_middle|><think></think>…<|im_end|>
    <|im_assistant|>assistant<|im_middle|><think>

without the line breaks. Source: API reference, "Input format".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from kimi_tui.core.prompt.control_tokens import ControlTokens
from kimi_tui.core.session.session import Role


class TurnMarks(NamedTuple):
    opening: str
    """Everything before it, the role's name included."""
    end: str
    """What closes the turn; a template's marks contain no text that could end in the midst of one of them."""


class ThinkMarks(NamedTuple):
    open: str
    close: str

    def block(self, reasoning: str, *, is_closed: bool = True) -> str:
        return f"{self.open}{reasoning}{self.close if is_closed else ''}"


@dataclass(frozen=True, eq=False)  # a row is itself alone: to compare all it holds would cost every look-up
class Template:
    name: str
    system: TurnMarks
    user: TurnMarks
    assistant: TurnMarks
    control: ControlTokens
    """What the endpoint reads as control tokens, the think marks aside."""
    stops: tuple[str, ...]
    think: ThinkMarks | None = None
    """The marks of a think block, which the open turn begins with; None = the model does not think."""
    has_empty_block: bool = False
    """Whether a past answer whose reasoning is not sent stands behind an empty think block."""
    separator: str = ""

    def marks(self, role: Role) -> TurnMarks:
        if role is Role.ASSISTANT:
            return self.assistant
        return self.user if role is Role.USER else self.system

    @cached_property
    def markers(self) -> ControlTokens:
        """All that means something to the model: the control tokens and the think marks."""
        return self.control if self.think is None else self.control.with_words(self.think.open, self.think.close)

    @cached_property
    def think_words(self) -> ControlTokens:
        return ControlTokens(words=() if self.think is None else (self.think.open, self.think.close))

    @cached_property
    def reasoning_ends(self) -> ControlTokens:
        """The mark that no reasoning may hold, since it would end there."""
        return ControlTokens(words=() if self.think is None else (self.think.close,))


_KIMI = Template(
    name="kimi",
    system=TurnMarks("<|im_system|>system<|im_middle|>", "<|im_end|>"),
    user=TurnMarks("<|im_user|>user<|im_middle|>", "<|im_end|>"),
    assistant=TurnMarks("<|im_assistant|>assistant<|im_middle|>", "<|im_end|>"),
    control=ControlTokens((("<|", "|>"),), ("[BOS]", "[EOS]", "[EOT]", "[UNK]", "[PAD]")),
    stops=("<|im_end|>", "[EOS]"),
    think=ThinkMarks("<think>", "</think>"),
    has_empty_block=True,
)
"""The model's own chat template. Source of `stops`: API reference, both SDK examples."""
_DEEPINFRA = replace(
    _KIMI,
    name="deepinfra",
    system=TurnMarks("<|im_system|>ChatMessageRole.SYSTEM<|im_middle|>", "<|im_end|>"),
    user=TurnMarks("<|im_user|>ChatMessageRole.USER<|im_middle|>", "<|im_end|>"),
)
"""What the API reference shows."""
TEMPLATES: Mapping[str, Template] = {template.name: template for template in (_DEEPINFRA, _KIMI)}
"""By name; of those that fit a prompt the first one is meant."""
DEFAULT_TEMPLATE = _DEEPINFRA


def template_of(name: str | None) -> Template:
    """The template of that name, as a reply names it; of an unknown one, or none, the default."""
    return TEMPLATES.get(name or "", DEFAULT_TEMPLATE)


THINK_TEXTS = frozenset(mark for it in TEMPLATES.values() if it.think for mark in (it.think.open, it.think.close))
"""The think marks of every template, for what is read before the template is known."""
ALL_MARKERS = ControlTokens(
    tuple({pair: None for template in TEMPLATES.values() for pair in template.markers.brackets}),
    tuple({word: None for template in TEMPLATES.values() for word in template.markers.words}),
)
