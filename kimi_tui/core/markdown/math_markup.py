r"""TeX math for the Markdown parser: `$…$`, `$$…$$`, `\(…\)` and `\[…\]` stay as they are typed.

Without this the parser would take backslashes, underlines and asterisks of a formula for its own. The rules only look
at text that is there: what stands behind a formula never changes what was recognised before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kimi_tui.core.markdown.fences import line_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

INLINE = re.compile(
    r"\$\$(?P<display>[^$]+)\$\$|\$(?P<dollars>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?!\d)"
    r"|\\\((?P<round>.+?)\\\)|\\\[(?P<square>.+?)\\\]",
    re.DOTALL,
)
"""A formula inside a line; a dollar before a blank or behind one is money."""
CLOSERS = {"$$": "$$", "\\[": "\\]"}
"""What opens a formula on lines of its own, and what closes it."""
MAX_FORMULA_CHARS = 4_000
"""No formula is looked for farther than that."""


def add_math_inline(parser: MarkdownIt) -> None:
    """Formulas inside a line become tokens `math_inline`."""
    parser.inline.ruler.before("escape", "math_inline", _inline)


def add_math_blocks(parser: MarkdownIt) -> None:
    """Formulas on lines of their own become tokens `math_block`."""
    parser.block.ruler.before("fence", "math_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    match = INLINE.match(state.src, state.pos, min(state.posMax, state.pos + MAX_FORMULA_CHARS))
    if match is None:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = next(group for group in match.groups() if group is not None)
    state.pos = match.end()
    return True


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Take the lines from an opening mark to its closing one, a blank line or the end, whichever is first."""
    if state.is_code_block(start_line):
        return False
    first = line_of(state, start_line)
    closer = CLOSERS.get(first[:2])
    if closer is None:
        return False
    rest = first[2:].rstrip()
    is_one_line = closer in rest
    if is_one_line and rest.index(closer) != len(rest) - 2:
        return False
    if not silent:
        line, is_closed = start_line + 1, is_one_line
        lines = [rest.removesuffix(closer).strip()]
        while not is_one_line and line < end_line and not state.isEmpty(line) and state.sCount[line] >= state.blkIndent:
            text = line_of(state, line).rstrip()
            line += 1
            lines.append(text.removesuffix(closer))
            if text.endswith(closer):
                is_closed = True
                break
        token = state.push("math_block", "math", 0)
        token.content = "\n".join(lines).strip("\n")
        token.map = [start_line, line]
        token.meta = {"is_closed": is_closed}
        state.line = line
    return True
