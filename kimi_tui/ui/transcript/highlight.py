"""Code in colours: Pygments' tokens as roles of the theme.

Never more than `MAX_HIGHLIGHTED_CHARS` are coloured at once, so that no piece of code is a pause; of code that grows,
only the new lines are (see `layout.LayoutCache`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kimi_tui.core.markdown.fences import language_name
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.lines import Run

if TYPE_CHECKING:
    from pygments.lexer import Lexer

ROLES = (
    ("Keyword.Type", "type"), ("Keyword", "keyword"), ("Literal.String", "string"), ("Comment", "comment"),
    ("Literal.Number", "number"), ("Name.Function", "function"), ("Name.Class", "class"), ("Name.Builtin", "builtin"),
    ("Name.Tag", "tag"), ("Name.Attribute", "attribute"), ("Name", "name"), ("Operator", "operator"),
    ("Punctuation", "punctuation"), ("Error", "error"), ("Generic.Inserted", "inserted"),
    ("Generic.Deleted", "deleted"),
)  # fmt: skip
"""The beginning of a token type's name, and its role; the first that fits."""
MAX_HIGHLIGHTED_CHARS = 10_000
"""Longer code is shown plain: colours are not worth a pause."""
ALIASES = {
    "jsonc": "json", "json5": "json", "ndjson": "json", "jsonl": "json", "mdx": "markdown", "node": "javascript",
    "cjs": "javascript", "mts": "typescript", "cts": "typescript", "svelte": "html", "vue": "html", "env": "ini",
    "dotenv": "ini", "conf": "ini", "gql": "graphql", "terraform": "hcl", "tf": "hcl", "cmd": "bat", "gradle": "groovy",
    "psql": "postgresql", "sqlite": "sql", "sqlite3": "sql", "mysql": "sql", "wat": "wast", "sol": "solidity",
    "x86asm": "nasm", "shellscript": "bash", "terminal": "console", "vb": "vb.net", "heex": "html", "jupyter": "python",
}  # fmt: skip
"""Names of languages that models write and Pygments lacks, and the nearest it has."""


@lru_cache(maxsize=64)
def _lexer(info: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415 - not before there is code
    from pygments.util import ClassNotFound  # noqa: PLC0415

    name = language_name(info)
    try:
        return get_lexer_by_name(ALIASES.get(name, name), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _role(token_type: object) -> str:
    name = str(token_type).removeprefix("Token.")
    return next((role for prefix, role in ROLES if name == prefix or name.startswith(f"{prefix}.")), "name")


def highlight(code: str, info: str, styles: Styles, before: str = "") -> list[list[Run]]:
    """The runs of each line; code in a language nobody knows stays plain.

    `info` stands behind the mark of the fence. `before` is code right before it, so that a string begun there is known;
    it ends with a line end.
    """
    before = before if len(before) + len(code) <= MAX_HIGHLIGHTED_CHARS else ""
    lexer = _lexer(info) if info and len(code) <= MAX_HIGHLIGHTED_CHARS else None
    if lexer is None:
        return [[(line, styles.code)] for line in code.split("\n")]
    lines: list[list[Run]] = [[]]
    # Line by line lexers (diff) take a last line without its end for an error.
    for token_type, value in lexer.get_tokens(f"{before}{code}\n"):
        style = styles.syntax(_role(token_type))
        first, *others = value.split("\n")
        lines[-1].append((first, style))
        lines += [[(other, style)] for other in others]
    return lines[before.count("\n") : -1]
