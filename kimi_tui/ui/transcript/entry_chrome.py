"""How each kind of entry is dressed: its heading, the line of its think block, bars and indents, its footer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rich.cells import cell_len
from rich.style import Style

from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.fit import fitted
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.layout import BOLD, ITALIC, plain_lines
from kimi_tui.ui.transcript.lines import Line, line_of, wrap
from kimi_tui.ui.transcript.pieces import Look

GLYPHS = {"info": "ⓘ", "warning": "⚠", "error": "✗"}
"""Severity is never told by colour alone."""
INDENT = 2
GAP = 2
"""Cells between what stands beside each other in a heading."""
BLANK = line_of(())
EXCLUDED = "not in the prompt"
PREVIOUS, NEXT = "◂", "▸"
MIN_SETTING_CELLS = 8
"""In less than that what is special about a request is not worth telling."""
BARE = frozenset({EntryKind.REASONING, EntryKind.PROMPT})
"""They fill a pane of their own: nothing stands before or behind their text."""


def head_lines(entry: Entry, look: Look, *, has_thought: bool, is_folded: bool) -> Iterator[Line]:
    styles = look.styles
    if entry.heading:
        yield _heading(entry, look)
    if has_thought:
        mark = "▸" if is_folded else "▾"
        label = visible_line(entry.thought_label) or "Thinking …"
        # All of it is decoration: it is no text of the message, so it is not copied.
        line = line_of((), "").led(f"{mark} {label}", styles.role("reasoning"))
        yield line.led(" " * INDENT, styles.base)


def _heading(entry: Entry, look: Look) -> Line:
    styles = look.styles
    role = {EntryKind.USER: "user-name", EntryKind.WELCOME: "heading"}.get(entry.kind, "assistant-name")
    runs = [(visible_line(entry.heading), styles.role(role) + BOLD)]
    words = filter(None, (entry.remark, EXCLUDED if entry.is_excluded else ""))
    runs += [(f" · {word}", styles.role("dim-text")) for word in words]
    heading = line_of(runs)
    beside = "  ".join(filter(None, (alternatives_label(entry), visible_line(entry.detail))))
    room = look.width - heading.width - cell_len(beside) - 2 * GAP
    name = fitted(entry.branch_name, room) if entry.branch_name else ""
    room -= cell_len(name) + GAP if name else 0
    setting = fitted(entry.setting, room) if entry.setting and room >= MIN_SETTING_CELLS else ""
    dim = "  ".join(filter(None, (setting, beside)))
    right = line_of(
        [(name + " " * GAP if name and dim else name, styles.role("marker")), (dim, styles.role("dim-text"))]
    )
    if not right.width:
        return heading
    room = max(look.width - heading.width - right.width, GAP)
    return line_of([*heading.runs, (" " * room, styles.base), *right.runs])


def alternatives_label(entry: Entry) -> str:
    """With an arrow to each side where there are others; "" = it has no alternatives."""
    if entry.alternatives is None:
        return ""
    place, count = entry.alternatives
    return f"{PREVIOUS if place > 1 else ' '} {place}/{count} {NEXT if place < count else ' '}"


def arrow_at(entry: Entry, heading: str, char: int) -> int:
    """Which way the nearer arrow at a character of a heading points: -1 or 1; 0 = there is none."""
    shown = alternatives_label(entry)
    if not shown:
        return 0
    at, middle = char - heading.rfind(shown), shown.index("/")
    if 0 <= at < middle:
        return -1 if PREVIOUS in shown else 0
    return 1 if middle < at < len(shown) and NEXT in shown else 0


def tail_lines(entry: Entry, look: Look) -> Iterator[Line]:
    if entry.kind in BARE and not entry.heading:
        return
    styles = look.styles
    if entry.footer:
        runs = [(f"({visible_line(entry.footer)})", styles.role("dim-text"))]
        for line in wrap(runs, max(look.width - INDENT, 1)):
            plain = line_of((), "").led(line.text, styles.role("dim-text"))
            yield plain.led(" " * INDENT, styles.base)
    yield BLANK


def own_style(styles: Styles) -> Style:
    """What goes over the style of characters that the user wrote: their colour, and a line below for those without."""
    return Style(color=styles.role("user-name").color, underline=True)


def thought_lines(text: str, look: Look, *, is_last: bool) -> Iterator[Line]:
    styles = look.styles
    style, bar = styles.role("reasoning") + ITALIC, styles.role("rule")
    for line in unended(text, style, max(look.width - INDENT - 2, 1), is_last=is_last):
        yield line.led("  │ ", bar)
    if is_last:
        yield BLANK


def plain_body(entry: Entry, text: str, look: Look, *, is_first: bool, is_last: bool) -> Iterable[Line]:
    styles, inner = look.styles, max(look.width - INDENT, 1)
    if entry.kind is EntryKind.REASONING:
        return unended(text, styles.role("reasoning"), look.width, is_last=is_last)
    if entry.kind is EntryKind.NOTICE:
        return _notice(entry, text, styles, inner, is_first=is_first, is_last=is_last)
    return indented(unended(text, styles.base, inner, is_last=is_last), styles)


def _notice(entry: Entry, text: str, styles: Styles, width: int, *, is_first: bool, is_last: bool) -> Iterator[Line]:
    style = styles.role({"warning": "warning-text", "error": "error-text"}.get(entry.severity, "notice"))
    glyph = GLYPHS.get(entry.severity, GLYPHS["info"])
    for place, line in enumerate(unended(text, style, max(width - 2, 1), is_last=is_last)):
        yield line.led("  " if place or not is_first else f"{glyph} ", style).led(" " * INDENT, styles.base)


def indented(lines: Iterable[Line], styles: Styles) -> Iterator[Line]:
    for line in lines:
        yield line.led(" " * INDENT, styles.base)


def unended(text: str, style: Style, width: int, *, is_last: bool) -> list[Line]:
    """The last line end makes no empty line."""
    text = text.replace("\r\n", "\n")
    lines = plain_lines(text.rstrip("\n") if is_last else text.removesuffix("\n"), style, width)
    if not is_last and not text.endswith("\n"):
        lines[-1] = replace(lines[-1], joint="")  # a line so long that it goes on in the next chunk
    return lines
