"""What differs between two inputs, and how large that is: line by line, a marker being the end of a line too.

Lines that stand in both inputs once are the anchors (patience diff): the longest run of them that is in the same order
on both sides stays, the gaps between are looked at in the same way. So the work grows with the size of the inputs, and
their pieces joined are the two inputs again, exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, groupby, pairwise

from kimi_tui.core.prompt.prompt_view import PromptView
from kimi_tui.core.prompt.prompt_writer import PromptPart
from kimi_tui.core.prompt.shared_prefix import whole_markers
from kimi_tui.core.prompt.template import Template
from kimi_tui.core.prompt.token_estimate import Calibration
from kimi_tui.core.text.text_pieces import common_chars
from kimi_tui.core.text.word_diff import Pairs, common_among, same_head, same_tail

CONTEXT_LINES = 2
"""How many lines beside a change are shown that are alike."""
CONTEXT_CHARS = 240
"""How many characters of one of them at most."""
FOLDED_CHARS = 80
"""How many characters are folded at least."""
LONG_LINE = 240
"""Of a longer line that changed only the middle is told to differ."""
MAX_LEVELS = 12
"""How often the gaps between anchors are looked at again; what is left then differs as a whole."""


class Change(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    """It stands in the old input alone."""
    ADDED = "added"
    """It stands in the new input alone."""


@dataclass(frozen=True, slots=True)
class DiffPiece:
    change: Change
    text: str
    part: PromptPart
    """Of what differs, the part that it stands in; else the one that it began in before it was cut."""
    is_folded: bool = False
    """Whether it is alike and far from any change."""
    parts: int = 1
    """How many parts it reached into before it was cut."""


@dataclass(frozen=True, slots=True)
class PromptComparison:
    old: PromptView
    new: PromptView
    pieces: Sequence[DiffPiece]
    tokens: Mapping[Change, int]
    """Of all pieces of a kind, estimated; what is the same is the rest of the new input, as the pane tells it."""
    folded_tokens: Sequence[int]
    """Of each piece that is folded, in order, estimated."""


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    part: int


def compared(old: PromptView, new: PromptView, calibration: Calibration) -> PromptComparison:
    pieces = prompt_diff(old.parts, new.parts, new.template, old.template)
    sizes = [calibration.tokens(piece.text) for piece in pieces]
    tokens = dict.fromkeys(Change, 0)
    for piece, size in zip(pieces, sizes, strict=True):
        tokens[piece.change] += size
    tokens[Change.SAME] = max(new.tokens - tokens[Change.ADDED], 0)
    folded = [size for piece, size in zip(pieces, sizes, strict=True) if piece.is_folded]
    return PromptComparison(old, new, pieces, tokens, folded)


def prompt_diff(
    old: Sequence[PromptPart], new: Sequence[PromptPart], template: Template, old_template: Template | None = None
) -> list[DiffPiece]:
    """Give the pieces of both in order; of the removed and the alike ones the old input is made, of the others the new.

    `template` is that of the new input; `old_template` None = the old one has the same.
    """
    before, after = _lines(old, old_template or template), _lines(new, template)
    pieces = list[DiffPiece]()
    # What differs is told part by part.
    for (change, _), run in groupby(_compared(before, after), key=_place_of):
        lines = [line for _, line in run]
        parts = old if change is Change.REMOVED else new
        text = "".join(line.text for line in lines)
        pieces.append(DiffPiece(change, text, parts[lines[0].part], parts=lines[-1].part - lines[0].part + 1))
    return list(_folded(_trimmed(pieces, template)))


def _place_of(compared: tuple[Change, _Line]) -> tuple[Change, int]:
    change, line = compared
    return change, -1 if change is Change.SAME else line.part


def _lines(parts: Sequence[PromptPart], template: Template) -> list[_Line]:
    return [_Line(line, place) for place, part in enumerate(parts) for line in _cut(part.text, template)]


def _cut(text: str, template: Template) -> Iterator[str]:
    """Cut behind each line end and each marker."""
    start = 0
    for marker in template.markers.exact.finditer(text):
        yield from text[start : marker.end()].splitlines(keepends=True)
        start = marker.end()
    yield from text[start:].splitlines(keepends=True)


def _compared(before: Sequence[_Line], after: Sequence[_Line]) -> Iterator[tuple[Change, _Line]]:
    """Each line of both in order, what was removed before what was added."""
    i = j = 0
    ends = (len(before), len(after), 0)
    for at, to, size in chain(matches([it.text for it in before], [it.text for it in after]), [ends]):
        yield from ((Change.REMOVED, line) for line in before[i:at])
        yield from ((Change.ADDED, line) for line in after[j:to])
        yield from ((Change.SAME, line) for line in after[to : to + size])
        i, j = at + size, to + size


def matches(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int, int]]:
    """Runs of equal items in both, in order: where they begin on either side, and how long they are."""
    found = list[tuple[int, int, int]]()
    gaps = [(0, len(left), 0, len(right), 0)]
    while gaps:
        i, i_end, j, j_end, level = gaps.pop()
        a, b = left[i:i_end], right[j:j_end]
        head = same_head(a, b)
        a, b = a[head:], b[head:]
        tail = same_tail(a, b)
        a, b = a[: len(a) - tail], b[: len(b) - tail]
        found += [(i, j, head)] if head else []
        i, j = i + head, j + head
        i_end, j_end = i + len(a), j + len(b)
        found += [(i_end, j_end, tail)] if tail else []
        if level < MAX_LEVELS and (anchors := _anchors(a, b)):
            ends = [(i, j), *((i + place, j + right_place) for place, right_place in anchors), (i_end, j_end)]
            gaps += [(a, c, b, d, level + 1) for (a, b), (c, d) in pairwise(ends)]
    return sorted(found)


def _anchors(a: Sequence[str], b: Sequence[str]) -> Pairs:
    """Items that either side has once, as many as stand in the same order."""
    return common_among(a, b, _once(a) & _once(b)) if a and b else []


def _once(items: Sequence[str]) -> set[str]:
    return {item for item, count in Counter(items).items() if count == 1}


def _trimmed(pieces: Sequence[DiffPiece], template: Template) -> Iterator[DiffPiece]:
    """Of a long text that became another one only what differs stays so."""
    place = 0
    while place < len(pieces):
        old, new = pieces[place], pieces[place + 1] if place + 1 < len(pieces) else None
        is_pair = new is not None and (old.change, new.change) == (Change.REMOVED, Change.ADDED)
        if new is None or not is_pair or min(len(old.text), len(new.text)) <= LONG_LINE:
            yield old
            place += 1
            continue
        yield from _differing(old, new, template)
        place += 2


def _differing(old: DiffPiece, new: DiffPiece, template: Template) -> Iterator[DiffPiece]:
    start = common_chars(old.text, new.text)
    start = min(whole_markers(old.text, start, template), whole_markers(new.text, start, template))
    start = max(start - LONG_LINE // 4, 0) if start < min(len(old.text), len(new.text)) else start
    rests = old.text[start:], new.text[start:]
    end = common_chars(rests[0][::-1], rests[1][::-1])
    end = max(end - LONG_LINE // 4, 0) if end < min(map(len, rests)) else end
    texts = (
        (Change.SAME, new.text[:start], new),
        (Change.REMOVED, rests[0][: len(rests[0]) - end], old),
        (Change.ADDED, rests[1][: len(rests[1]) - end], new),
        (Change.SAME, rests[1][len(rests[1]) - end :], new),
    )
    return (DiffPiece(change, text, of.part) for change, text, of in texts if text)


def _folded(pieces: Iterable[DiffPiece]) -> Iterator[DiffPiece]:
    """Cut what is alike into what stands beside a change and what does not."""
    all_ = list(_joined(pieces))
    for place, piece in enumerate(all_):
        if piece.change is not Change.SAME:
            yield piece
            continue
        head = _head_chars(piece.text) if place else 0
        tail = _tail_chars(piece.text) if place + 1 < len(all_) else 0
        end = len(piece.text) - tail
        if end - head < FOLDED_CHARS and len(all_) > 1:
            yield piece
            continue
        texts = (piece.text[:head], False), (piece.text[head:end], True), (piece.text[end:], False)
        yield from (
            DiffPiece(Change.SAME, text, piece.part, is_folded, piece.parts) for text, is_folded in texts if text
        )


def _joined(pieces: Iterable[DiffPiece]) -> Iterator[DiffPiece]:
    """What is alike and stands side by side as one piece."""
    for change, run in groupby(pieces, key=lambda piece: piece.change):
        group = list(run)
        if change is Change.SAME and len(group) > 1:
            parts = sum(piece.parts for piece in group)
            yield DiffPiece(change, "".join(piece.text for piece in group), group[0].part, parts=parts)
        else:
            yield from group


def _head_chars(text: str) -> int:
    end = -1
    for _ in range(CONTEXT_LINES):
        end = text.find("\n", end + 1, CONTEXT_CHARS)
        if end < 0:
            return min(len(text), CONTEXT_CHARS)
    return end + 1


def _tail_chars(text: str) -> int:
    first = max(len(text) - CONTEXT_CHARS, 0)
    start = len(text)
    for _ in range(CONTEXT_LINES + (not text.endswith("\n"))):
        start = text.rfind("\n", first, max(start - 1, 0)) + 1
        if not start:
            return len(text) - first
    return len(text) - start
