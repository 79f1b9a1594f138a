"""Two inputs beside each other: what differs, and how large that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kimi_tui.core.prompt.calibration import Calibration
from kimi_tui.core.prompt.prompt_diff import Change, DiffPiece, prompt_diff
from kimi_tui.core.prompt.prompt_view import PromptView


@dataclass(frozen=True, slots=True)
class PromptComparison:
    old: PromptView
    new: PromptView
    pieces: Sequence[DiffPiece]
    tokens: Mapping[Change, int]
    """Of all pieces of a kind, estimated; what is the same is the rest of the new input, as the pane tells it."""
    folded_tokens: Sequence[int]
    """Of each piece that is folded, in order, estimated."""


def compared(old: PromptView, new: PromptView, calibration: Calibration) -> PromptComparison:
    pieces = prompt_diff(old.parts, new.parts, new.template, old.template)
    sizes = [calibration.tokens(piece.text) for piece in pieces]
    tokens = dict.fromkeys(Change, 0)
    for piece, size in zip(pieces, sizes, strict=True):
        tokens[piece.change] += size
    tokens[Change.SAME] = max(new.tokens - tokens[Change.ADDED], 0)
    folded = [size for piece, size in zip(pieces, sizes, strict=True) if piece.is_folded]
    return PromptComparison(old, new, pieces, tokens, folded)
