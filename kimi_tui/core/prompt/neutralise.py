"""The doors through which text reaches the template.

A raw endpoint reads `<|im_end|>` in a pasted text as the end of the turn: what looks like a control token is made
harmless (see `control_tokens`) before it may stand in a prompt. What the model itself wrote keeps its think marks,
which are text wherever they cannot open or close the think block.

The template accepts `PromptText` only, and only this module makes it: a type checker holds that door shut.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from kimi_tui.core.prompt.control_tokens import JOINER
from kimi_tui.core.prompt.template import Template
from kimi_tui.core.session.written import Span
from kimi_tui.core.text.surrogates import replace_lone


class PromptText(str):
    """Text that may stand inside a prompt, without lone surrogates: no request can carry them."""

    __slots__ = ()


NO_TEXT = PromptText()


def verbatim(text: str) -> PromptText:
    """Let a text pass as it stands, markers and all; a lone surrogate becomes U+FFFD here and in every door."""
    return PromptText(replace_lone(text))


class TextDoor(NamedTuple):
    template: Template
    neutralise: bool = True
    """The switch `[chat] neutralise`: whether markers are made harmless."""

    def foreign(self, text: str) -> PromptText:
        """Let in what somebody typed or pasted: no marker in it may work."""
        text = replace_lone(text)
        return PromptText(self.template.markers.encode(text) if self.neutralise else text)

    def own_answer(self, text: str, written: Sequence[Span] = ()) -> PromptText:
        """Let in the model's own words behind its think block: they keep their think marks.

        `written` = what of them the user wrote, in order: a think mark of which a character is theirs is made harmless.
        """
        text = replace_lone(text)
        return self._own(text, self._touched_marks(text, written))

    def own_reasoning(self, text: str, written: Sequence[Span] = ()) -> PromptText:
        """Let in the model's own words inside its think block; `written` as for an answer.

        A mark that opens a block is text there. One that closes it ends the reasoning where it stands, so that the
        model writes none: one that came from elsewhere (a file, an edit) is made harmless, even where nothing else is.
        """
        text = replace_lone(text)
        return self._own(text, {*self.template.reasoning_ends.spans(text), *self._touched_marks(text, written)})

    def _touched_marks(self, text: str, written: Sequence[Span]) -> set[Span]:
        if not written or not self.neutralise:
            return set()
        marks = self.template.think_words.spans(text)
        return {mark for mark in marks if any(start < mark[1] and mark[0] < end for start, end in written)}

    def _own(self, text: str, marks: Collection[Span]) -> PromptText:
        """Make these marks harmless, as control tokens are everywhere."""
        pieces, start = list[str](), 0
        for first, _ in sorted(marks):
            pieces += text[start : first + 1], JOINER
            start = first + 1
        if pieces:
            text = "".join((*pieces, text[start:]))
        return PromptText(self.template.control.encode(text) if self.neutralise else text)
