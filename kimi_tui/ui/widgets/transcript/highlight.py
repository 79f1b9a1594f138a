"""Code in colours: Pygments' tokens as roles of the theme."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.text import Text

from kimi_tui.ui.widgets.transcript.styles import Styles

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
MAX_HIGHLIGHTED_CHARS = 100_000
"""Longer code is shown plain: colours are not worth a pause."""


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415 - not before there is code
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _role(token_type: str) -> str:
    name = token_type.removeprefix("Token.")
    return next((role for prefix, role in ROLES if name == prefix or name.startswith(f"{prefix}.")), "name")


def highlight(code: str, language: str, styles: Styles) -> list[Text]:
    """Colour code and give its lines; in a language nobody knows it stays plain."""
    lexer = _lexer(language.lower()) if language and len(code) <= MAX_HIGHLIGHTED_CHARS else None
    if lexer is None:
        return [Text(line, styles.code) for line in code.split("\n")]
    text = Text(style=styles.code)
    for token_type, value in lexer.get_tokens(code):
        text.append(value, styles.syntax(_role(str(token_type))))
    return list(text.split("\n", allow_blank=True))
