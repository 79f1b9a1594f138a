"""An exact input as lines: control markers as chips, places that were made harmless with a stand-in one can see.

Every character that is drawn stands for exactly one of the text; the line that ends behind a turn's last marker is
the screen's alone. So what is copied is the text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import accumulate

from rich.style import Style

from kimi_tui.core.prompt.control_tokens import JOINER
from kimi_tui.core.prompt.template import Template
from kimi_tui.core.session.session import Role
from kimi_tui.ui.state.entry import ADDED, REMOVED
from kimi_tui.ui.transcript.layout import BOLD, UNDERLINE, displayable
from kimi_tui.ui.transcript.lines import Line, Run, wrap
from kimi_tui.ui.transcript.pieces import Look

SHOWN_JOINER = "·"
"""Drawn for the word joiner that makes a marker harmless."""
REACH_CHARS = 64
"""How much of the neighbours is looked at, for a marker that reaches over a chunk's end."""


@functools.cache
def _turn_ends(template: Template) -> re.Pattern[str]:
    ends = sorted({re.escape(template.marks(role).end + template.separator) for role in Role})
    return re.compile(f"(?:{'|'.join(f'(?<={end})' for end in ends)})(?!$)")


def prompt_lines(
    text: str, look: Look, template: Template, *, before: str, after: str, is_last: bool
) -> Iterator[Line]:
    """A chunk of an exact input; of the text before and behind it the adjoining `REACH_CHARS` are enough."""
    before, after = before[-REACH_CHARS:], after[:REACH_CHARS]
    if not is_last:
        text, end = text.removesuffix("\n"), text[-1:]
    else:
        end = ""
    parts = _turn_ends(template).split(text)
    for place, part in enumerate(parts):
        context = before + "".join(parts[:place])[-REACH_CHARS:]
        runs = _runs(part, look, template, context[-REACH_CHARS:], "".join(parts[place + 1 :])[:REACH_CHARS] + after)
        lines = wrap(runs, look.width, list(accumulate(len(run) for run, _ in runs)))
        if lines and (place < len(parts) - 1 or (not is_last and end != "\n")):
            lines[-1] = replace(lines[-1], joint="")
        yield from lines


def with_margin(lines: Callable[[Look], Iterable[Line]], margin: str, look: Look) -> Iterator[Line]:
    """Put it before each line; `lines` makes them for the width that is left.

    What was added or removed has a colour.
    """
    styles = look.styles
    style = {ADDED: styles.syntax("inserted"), REMOVED: styles.syntax("deleted")}.get(margin, styles.base)
    narrow = Look(styles.over(style), max(look.width - len(margin), 1))
    for line in lines(narrow):
        yield line.led(margin, style)


def _runs(text: str, look: Look, template: Template, before: str, after: str) -> list[Run]:
    styles = look.styles
    filled = styles.role("marker") + Style(reverse=True)
    chip = filled, filled + UNDERLINE
    harmless = styles.role("warning-text") + UNDERLINE, styles.role("warning-text") + BOLD + UNDERLINE
    runs: list[Run] = []
    place = 0
    for start, end in template.markers.spans(before + text + after):
        first, last = max(start - len(before), place), min(end - len(before), len(text))
        if last <= first:
            continue
        marker = (before + text + after)[start:end]
        looks = harmless if JOINER in marker else chip
        # One that follows another at once looks different, so that one sees where the first one ends.
        style = looks[bool(runs) and first == place and runs[-1][1] == looks[0]]
        runs.append((displayable(text[place:first]), styles.base))
        runs.append((text[first:last].replace(JOINER, SHOWN_JOINER), style))
        place = last
    return [*runs, (displayable(text[place:]), styles.base)]
