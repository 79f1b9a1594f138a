r"""The two parsers of replies: markdown-it-py's, with the rules that CommonMark lacks.

`blocks_parser` finds blocks and leaves the text inside alone; `inline_parser` parses that text when it is laid out.
Added are tables and strikethrough (the library's own, but no cell is dropped), footnotes, fences inside of Markdown
(`fences`), an end to nesting, and formulas: `$…$`, `$$…$$`, `\(…\)` and `\[…\]` stay as they are typed. Without that
the parser would take backslashes, underlines and asterisks of a formula for its own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from kimi_tui.core.markdown.fences import fence_rule, line_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.ruler import RuleOptionsType
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

MAX_LEVEL = 40
"""How deep quotes, lists and items may stand in each other; deeper ones are shown as the text of the deepest."""
MAX_LABEL_CHARS = 60
BLANKS = " \t\n\v\f\r"
"""What the parser takes off both ends of a cell."""
_BAR = re.compile(r"(?<!\\)\|")
_REFERENCE = re.compile(rf"\[\^([^\]\s]{{1,{MAX_LABEL_CHARS}}})\]")

_FORMULA = re.compile(
    r"\$\$(?P<display>[^$]+)\$\$|\$(?P<dollars>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?!\d)"
    r"|\\\((?P<round>.+?)\\\)|\\\[(?P<square>.+?)\\\]",
    re.DOTALL,
)
"""A formula inside a line; a dollar before a blank or behind one is money."""
_FORMULA_CLOSERS = {"$$": "$$", "\\[": "\\]"}
"""What opens a formula on lines of its own, and what closes it."""
MAX_FORMULA_CHARS = 4_000
"""No formula is looked for farther than that."""


@cache
def blocks_parser() -> MarkdownIt:
    """The parser of blocks; of the text inside them it only says where it stands."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - costs 26 ms, and the first frame does not need it
    from mdit_py_plugins.footnote.index import footnote_def  # noqa: PLC0415

    parser = MarkdownIt("commonmark", {"maxNesting": 2 * MAX_LEVEL}).enable("table").disable(["inline", "text_join"])
    parser.linkify = None  # 225 KB of patterns that no rule in use asks for (markdown-it-py 4.3)
    alternatives: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.at("fence", fence_rule, alternatives)
    parser.block.ruler.before("fence", "math_block", _formula_block, alternatives)
    parser.block.ruler.before("reference", "footnote_def", footnote_def, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.before("table", "deepest", _deepest)
    return parser


@cache
def inline_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415

    parser = MarkdownIt("commonmark").enable("strikethrough")
    parser.linkify = None  # as above
    parser.inline.ruler.before("escape", "math_inline", _formula)
    parser.inline.ruler.before("link", "footnote_ref", _footnote_reference)
    parser.inline.ruler.before("link", "lone_bracket", _lone_bracket)
    return parser


def _table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Cells beyond the columns of its head, which the library drops, stay in the last column."""
    from markdown_it.rules_block import table  # noqa: PLC0415

    begin = len(state.tokens)
    if not table(state, start_line, end_line, silent):
        return False
    if not silent:
        tokens = state.tokens[begin:]
        columns = sum(token.type == "th_open" for token in tokens)
        for place, token in enumerate(tokens):
            if token.type == "tr_close" and tokens[place - 1].type == "td_close":
                text = tokens[place - 2]
                line = text.map[0] if text.map else 0
                source = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
                if source.count("|") >= columns and len(row_cells(source)) > columns:
                    text.content = row_cells(source, columns)[-1]
    return True


def row_cells(line: str, columns: int | None = None) -> list[str]:
    """The cells of a table's row, in the source.

    There may be fewer than `columns` (None = not known yet); what stands behind the last of them stays in it.
    """
    line = line.strip(BLANKS)
    cells = line.split("|") if "\\" not in line else [cell.replace("\\|", "|") for cell in _BAR.split(line)]
    if cells[0] == "":
        del cells[0]
    if cells and cells[-1] == "":
        del cells[-1]
    if columns is not None and len(cells) > columns:
        while len(cells) > columns and not cells[-1].strip(BLANKS):
            del cells[-1]
        cells[columns - 1 :] = ["|".join(cells[columns - 1 :])]
    return [cell.strip(BLANKS) for cell in cells]


def _deepest(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Take the lines up to a blank one as a paragraph: the parser itself drops what is nested too deep."""
    if state.level < MAX_LEVEL or silent:
        return False
    line = start_line + 1
    while line < end_line and not state.isEmpty(line) and state.sCount[line] >= state.blkIndent:
        line += 1
    state.push("paragraph_open", "p", 1).map = [start_line, line]
    token = state.push("inline", "", 0)
    token.map, token.children = [start_line, line], []
    token.content = state.getLines(start_line, line, state.blkIndent, False).strip()
    state.push("paragraph_close", "p", -1)
    state.line = line
    return True


def _footnote_reference(state: StateInline, silent: bool) -> bool:
    """Take `[^label]`, whether or not its note has come yet."""
    match = _REFERENCE.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.push("footnote_ref", "", 0).content = match[1]
    state.pos = match.end()
    return True


def _lone_bracket(state: StateInline, silent: bool) -> bool:
    """Take a bracket as text where none closes behind it: the rule of links would look for one again and again."""
    if state.src[state.pos] not in "[!" or state.src.find("]", state.pos, state.posMax) >= 0:
        return False
    if not silent:
        state.append_pending(state.src[state.pos])
    state.pos += 1
    return True


def _formula(state: StateInline, silent: bool) -> bool:
    """It only looks at text that is there: what stands behind a formula never changes what was recognised before."""
    if state.src[state.pos] not in "$\\":
        return False
    match = _FORMULA.match(state.src, state.pos, min(state.posMax, state.pos + MAX_FORMULA_CHARS))
    if match is None:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = next(group for group in match.groups() if group is not None)
    state.pos = match.end()
    return True


def _formula_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Take the lines from an opening mark to its closing one, a blank line or the end, whichever is first."""
    if state.is_code_block(start_line):
        return False
    first = line_of(state, start_line)
    closer = _FORMULA_CLOSERS.get(first[:2])
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
