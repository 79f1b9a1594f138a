r"""Fences inside a fence of Markdown: models show a README in ```` ```markdown ```` and its code in ```` ```sh ````.

CommonMark ends such a block at the first bare mark, which was meant for the inner one. Here a mark with an info string
opens a level inside a block of Markdown, and a bare one closes the innermost. Whether a line does is said by the lines
before it alone, so that a text that grows and one that is whole are read alike; a level that the writer never closed
therefore keeps its block open up to the end, where all of it is shown as code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock

MARKDOWN_NAMES = frozenset({
    "commonmark", "gfm", "markdown", "md", "mdc", "mdown", "mdwn", "mdx", "mkd", "mkdn", "myst", "qmd", "rmarkdown",
    "rmd",
})  # fmt: skip
"""Info strings of blocks of Markdown, and endings of the file names that stand in their place."""
_FENCE = re.compile(
    r"(?P<item>(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<mark>`{3,}(?=[^`]*\Z)|~{3,})(?P<info>.*)", re.DOTALL
)
_NAME = re.compile(r"[{.\s]*([^\s{}:,.=][^\s{}:,=]*)")
_FENCE_LINE = re.compile(r"^ {0,3}((?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?:```|~~~)[^\r\n]*)\r?$", re.MULTILINE)


class Nesting:
    """The fences that are open inside a block of Markdown, while its lines are read one after the other."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self.inner: list[str] = []
        """First lines, outermost first."""

    @classmethod
    def of(cls, opening: str) -> Nesting | None:
        """The open fences behind the first lines of a block, which are without indentation; None = none of Markdown."""
        first, *others = opening.splitlines() or [""]
        found = _FENCE.fullmatch(first)
        if found is None or found["item"] or not _is_markdown(found["info"]):
            return None
        nesting = cls(found["mark"])
        for line in others:
            nesting.read(line)
        return nesting

    def read(self, line: str) -> bool:
        """Read a line, without its indentation of up to three blanks; whether it ends the block."""
        found = _FENCE.fullmatch(line)
        # Other and shorter marks could not end the block, so they need no level.
        if found is None or not found["mark"].startswith(self._mark):
            return False
        if info := found["info"].strip(" \t"):
            if not self.inner or _is_markdown(_info(self.inner[-1])):
                self.inner.append(found["mark"] + info.split()[0])
            return False
        if found["item"]:
            return False
        if not self.inner:
            return True
        if len(found["mark"]) >= len(self.inner[-1]) - len(_info(self.inner[-1])):
            self.inner.pop()
        return False


def fence_end(text: str, start: int, opening: str) -> int:
    """Where a fence ends that goes on at a place, with these first lines; the text's end = it is not closed."""
    if (nesting := Nesting.of(opening.lstrip(" "))) is not None:
        ends = (line.end() for line in _FENCE_LINE.finditer(text, start) if nesting.read(line[1]))
        return next(ends, len(text))
    first = opening.lstrip()
    size = len(first) - len(first.lstrip(first[0]))
    closing = re.compile(rf"^ {{0,3}}{first[0]}{{{size},}}[ \t]*\r?$", re.MULTILINE)
    found = closing.search(text, start)
    return len(text) if found is None else found.end()


def opening_behind(opening: str, text: str) -> str:
    """The first lines of a fence behind more of its text: its own, and those of the fences that are open in it."""
    nesting = Nesting.of(opening.lstrip(" "))
    if nesting is None:
        return opening
    for line in _FENCE_LINE.finditer(text):
        nesting.read(line[1])
    return opening.partition("\n")[0] + "\n" + "".join(f"{line}\n" for line in nesting.inner)


def fence_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Take a fence as the library does, but for those of Markdown."""
    from markdown_it.rules_block import fence  # noqa: PLC0415 - not before there is a reply

    first = line_of(state, start_line)
    nesting = None if silent or state.is_code_block(start_line) else Nesting.of(first)
    if nesting is None:
        return fence(state, start_line, end_line, silent)
    line, is_closed = start_line + 1, False
    while line < end_line and not is_closed:
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            break
        is_closed = not state.is_code_block(line) and nesting.read(line_of(state, line))
        line += 1
    token = state.push("fence", "code", 0)
    token.markup = first[: len(first) - len(first.lstrip(first[0]))]
    token.info = first[len(token.markup) :]
    token.content = state.getLines(start_line + 1, line - is_closed, state.sCount[start_line], True)
    token.map = [start_line, line]
    state.line = line
    return True


def language_name(info: str) -> str:
    """What a fence says of its language, small: `python` of `{.Python title=x}`; "" = nothing."""
    name = _NAME.match(info)
    return "" if name is None else name[1].lower()


def _is_markdown(info: str) -> bool:
    return language_name(info).rpartition(".")[2] in MARKDOWN_NAMES


def _info(opener: str) -> str:
    return opener.lstrip(opener[0])


def line_of(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
