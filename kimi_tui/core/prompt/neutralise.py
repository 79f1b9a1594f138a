"""The doors through which text reaches the template.

A raw endpoint reads `<|im_end|>` in a pasted text as the end of the turn: what looks like a control token is made
harmless (see `control_tokens`) before it may stand in a prompt. What the model itself wrote keeps its think marks,
which are text wherever they cannot open or close the think block.

The template accepts `PromptText` only, and only this module makes it: a type checker holds that door shut.
"""

from __future__ import annotations

from dataclasses import dataclass

from kimi_tui.core.prompt.template import Template
from kimi_tui.core.text.surrogates import replace_lone


class PromptText(str):
    """Text that may stand inside a prompt, without lone surrogates: no request can carry them."""

    __slots__ = ()


NO_TEXT = PromptText()


def verbatim(text: str) -> PromptText:
    """Let a text pass as it stands, markers and all; a lone surrogate becomes U+FFFD here and in every door."""
    return PromptText(replace_lone(text))


@dataclass(frozen=True, slots=True)
class TextDoor:
    """Lets texts into the prompts of one template."""

    template: Template
    """Whose markers are looked for."""
    neutralise: bool = True
    """Whether they are made harmless: the switch `[chat] neutralise`."""

    def foreign(self, text: str) -> PromptText:
        """Let in what somebody typed or pasted: no marker in it may work."""
        text = replace_lone(text)
        return PromptText(self.template.markers.encode(text) if self.neutralise else text)

    def own_answer(self, text: str) -> PromptText:
        """Let in the model's own words behind its think block: they keep their think marks."""
        text = replace_lone(text)
        return PromptText(self.template.control.encode(text) if self.neutralise else text)

    def own_reasoning(self, text: str) -> PromptText:
        """Let in the model's own words inside its think block.

        A mark that opens a block is text there. One that closes it ends the reasoning where it stands, so that the
        model writes none: one that came from elsewhere (a file, an edit) is made harmless, even where nothing else is.
        """
        return PromptText(self.template.reasoning_ends.encode(self.own_answer(text)))
