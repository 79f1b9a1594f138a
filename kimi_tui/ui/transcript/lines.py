"""Lines of the transcript, and wrapping: cells are measured, not characters, so that no border ever shifts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from rich.cells import cell_len, split_graphemes
from rich.style import Style

Run = tuple[str, Style]
"""Text of one style, without line ends."""

NARROW_CHARS = r"\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027\u2500-\u25fc\u2800-\u28ff"
"""Characters of one cell each besides those of ASCII, as in brackets of a pattern."""
_NARROW = re.compile(f"[ -~{NARROW_CHARS}]*")
"""Text in which every character takes one cell."""
_WIDE = re.compile(f"[^ -~{NARROW_CHARS}]+")
_NOT_FIRST = frozenset("、。，．：；！？）」』】〉》〕’”…ー・々ぁぃぅぇぉっゃゅょァィゥェォッャュョ％℃")
"""What East Asian typesetting keeps off the beginning of a line."""
_NOT_LAST = frozenset("（「『【〈《〔‘“￥＄")
"""What it keeps off the end."""
_TARGET = "target"
"""Under which a style says where a link goes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is drawn, without margin and padding."""

    runs: tuple[Run, ...]
    width: int
    """In cells."""
    joint: str = "\n"
    """What the source has between this line and the next: a line end, or the blanks (or nothing) it was wrapped at."""
    lead_chars: int = 0
    """How many of its characters are decoration in front of the text, such as a bar or a bullet."""
    copied_lead: str = ""
    """What is copied for that decoration."""
    padding: Style | None = None
    """Style of the blanks behind it up to the full width; None = the widget's own."""
    row: int = field(default=-1, compare=False)
    """Which row of a table it shows, the head being 0; -1 = none."""
    begins_code: bool = field(default=False, compare=False)
    """Whether a block of code begins with it."""

    def __hash__(self) -> int:
        # Of the text alone: it tells lines apart, and the hash of each style takes longer than all of that.
        return hash(self.text)

    @property
    def text(self) -> str:
        return "".join([text for text, _ in self.runs])

    @property
    def text_chars(self) -> int:
        """Without decoration."""
        return len(self.text) - self.lead_chars

    @property
    def chars(self) -> int:
        """Without decoration, with what joins it to the next one."""
        return self.text_chars + len(self.joint)

    def led(self, text: str, style: Style, copied: str = "") -> Line:
        # Not `replace`: this runs for every line that is drawn, several times.
        return Line(
            ((text, style), *self.runs),
            self.width + (len(text) if text.isascii() else cell_len(text)),
            self.joint,
            self.lead_chars + len(text),
            copied + self.copied_lead,
            self.padding,
            self.row,
            self.begins_code,
        )

    def padded(self, style: Style) -> Line:
        """With blanks of that style behind it, up to the full width."""
        return Line(
            self.runs, self.width, self.joint, self.lead_chars, self.copied_lead, style, self.row, self.begins_code
        )


def is_narrow(text: str) -> bool:
    """Whether every character takes one cell, so that the text may be broken at blanks alone."""
    return _NARROW.fullmatch(text) is not None


def most_cells(text: str) -> int:
    """Never fewer than a text takes, quickly."""
    return len(text) if text.isascii() else len(text) + len("".join(_WIDE.findall(text)))


def line_of(runs: Iterable[Run], joint: str = "\n") -> Line:
    kept = tuple([run for run in runs if run[0]])
    return Line(kept, sum([len(text) if text.isascii() else cell_len(text) for text, _ in kept]), joint)


def wrap(runs: Sequence[Run], width: int, breaks: Sequence[int] = ()) -> list[Line]:
    r"""Wrap at blanks and between wide characters, long words anywhere; "\n" in the text is a line end.

    `width` is in cells, at least 1; a character wider than that stands alone on its line. `breaks` are offsets, rising,
    where a line may end too, with nothing between it and the next.
    """
    text = "".join([run[0] for run in runs])
    if len(text) <= width and _NARROW.fullmatch(text) is not None:
        return [line_of(runs)]
    cutter = _Cutter(_whole_characters(runs, text))
    lines: list[Line] = []
    start = 0
    for paragraph in text.split("\n"):
        inner = _between(breaks, start, start + len(paragraph))
        for first, last, joint in _spans(paragraph, max(width, 1), inner):
            lines.append(line_of(cutter.take(start + first, start + last), joint))
        start += len(paragraph) + 1
    return lines


def chop(runs: Sequence[Run], width: int) -> list[Line]:
    """Cut text without line ends wherever the width ends, every blank kept, as code needs it."""
    text = "".join([run[0] for run in runs])
    if len(text) <= width and _NARROW.fullmatch(text) is not None:
        return [line_of(runs)]
    cutter = _Cutter(_whole_characters(runs, text))
    ends = list(_chop_ends(text, max(width, 1)))
    starts = [0, *ends[:-1]]
    return [
        line_of(cutter.take(start, end), "\n" if end == len(text) else "")
        for start, end in zip(starts, ends, strict=True)
    ]


def goes_to(target: str) -> Style:
    """What marks a run of text as a part of a link; nothing is drawn for it."""
    return Style.from_meta({_TARGET: target}) if target else Style.null()


def target_at(line: Line, char: int) -> str:
    """Where the link at a character of a line goes; "" = there is none."""
    for text, style in line.runs:
        if char < len(text):
            return str(style.meta.get(_TARGET, ""))
        char -= len(text)
    return ""


def cut_runs(runs: Sequence[Run], start: int) -> list[Run]:
    return _Cutter(runs).take(start, sum(len(text) for text, _ in runs))


def graphemes(text: str) -> tuple[list[tuple[int, int, int]], int]:
    """Begin, end and cells of every character as it is read, and the cells of them all."""
    lead = 0  # what joins has nothing to join at the beginning, and takes what stands behind it along
    while text[lead : lead + 1] in {"\u200d", "\ufe0f"}:
        lead += 2 if text[lead] == "\u200d" else 1
    if not lead:
        return split_graphemes(text)
    lead = min(lead, len(text))
    spans, cells = split_graphemes(text[lead:])
    return [(0, lead, 0), *((begin + lead, end + lead, size) for begin, end, size in spans)], cells


def _whole_characters(runs: Sequence[Run], text: str) -> Sequence[Run]:
    """The runs, each of their ends moved behind a character that is made of several where it stands inside one."""
    if "\u200d" not in text and "\ufe0f" not in text:
        return runs
    ends = iter([end for _, end, _ in graphemes(text)[0]])
    moved: list[Run] = []
    start = end = place = 0
    for run, style in runs:
        place += len(run)
        while end < place:
            end = next(ends)
        if end > start:
            moved.append((text[start:end], style))
            start = end
    return moved


class _Cutter:
    """Offsets only grow from call to call."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self._at = 0
        self._start = 0  # offset at which that run begins

    def take(self, start: int, end: int) -> list[Run]:
        taken: list[Run] = []
        runs, at, begin = self._runs, self._at, self._start
        while at < len(runs):
            run = runs[at]
            run_end = begin + len(run[0])
            if start <= begin and run_end <= end:
                taken.append(run)
            elif start < run_end and begin < end:
                taken.append((run[0][max(start - begin, 0) : end - begin], run[1]))
            if run_end > end:
                break
            at, begin = at + 1, run_end
        self._at, self._start = at, begin
        return taken


def _between(places: Sequence[int], start: int, end: int) -> Sequence[int]:
    """The places in (start, end], counted from the start."""
    if not places:
        return places
    return [place - start for place in places[bisect_right(places, start) : bisect_right(places, end)]]


def _spans(text: str, width: int, breaks: Sequence[int]) -> Iterator[tuple[int, int, str]]:
    """Start, end and joint of every line of one paragraph; at least one."""
    if _NARROW.fullmatch(text) is None:
        yield from _wide_spans(text, width, frozenset(breaks))
        return
    start, size = 0, len(text)
    while size - start > width:
        blank = text.rfind(" ", start, start + width + 1)
        end = len(text[start:blank].rstrip(" ")) + start if blank > start else start
        chances = bisect_right(breaks, start + width)
        chance = breaks[chances - 1] if chances else -1
        if chance > max(blank + 1, start) or (chance > start and end == start):
            end = after = chance
        elif end == start:  # one long word
            end = after = start + width
        else:
            after = blank
            while after < size and text[after] == " ":
                after += 1
            if after == size:
                break
        yield start, end, text[end:after]
        start = after
    yield start, min(size, start + max(width, len(text[start:].rstrip(" ")))), "\n"


def _wide_spans(text: str, width: int, breaks: Set[int]) -> Iterator[tuple[int, int, str]]:
    spans, cells = graphemes(text)
    start = used = 0
    place, chance = 0, -1  # chance: the last grapheme before which the line may end
    first = 0
    while place < len(spans) and cells > width:
        begin, end, size = spans[place]
        if place > first and (begin in breaks or _may_break(text, spans[place - 1], spans[place])):
            chance = place
        if used + size > width and place > first and text[begin:end] != " ":
            place = chance if chance > first else place
            begin = spans[place][0]
            stop = start + len(text[start:begin].rstrip(" "))
            yield start, max(stop, start), text[max(stop, start) : begin]
            start, first, chance, used = begin, place, -1, 0
            continue
        used += size
        place += 1
    yield start, start + len(text[start:].rstrip(" ")) if cells > width else len(text), "\n"


def _may_break(text: str, before: tuple[int, int, int], after: tuple[int, int, int]) -> bool:
    last, first = text[before[0]], text[after[0]]
    if first == " ":
        return False
    if last == " ":
        return True
    return (before[2] == 2 or after[2] == 2) and first not in _NOT_FIRST and last not in _NOT_LAST


def _chop_ends(text: str, width: int) -> Iterator[int]:
    if _NARROW.fullmatch(text) is not None:
        yield from range(width, len(text), width)
    else:
        used = 0
        for begin, _, size in graphemes(text)[0]:
            if used + size > width and used:
                yield begin
                used = 0
            used += size
    yield len(text)
