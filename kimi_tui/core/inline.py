"""The text inside a block: emphasis, code, links, formulas, footnotes; whole, or still being written.

While a text is being written its end is half: `**bo`, `[link](http://exa`, `` `co ``. Shown as it stands, its marks
would appear and vanish again. So what is open is closed for the eye (`completed`), and what may yet become anything is
held back until more has come. When the text is whole nothing of that is done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kimi_tui.core.markdown_rules import inline_parser

if TYPE_CHECKING:
    from markdown_it.token import Token

References = Mapping[str, str]
"""Targets of links by their labels."""
_SPECIAL = re.compile(r"[\n\\`*_~\[!<&$]")
"""Text without any of these is just text."""
_HALF_END = re.compile(
    r"(?:[*_~`$\\\[&]|!\[|(?<!\S)!|<|\[\^[^\]\s]{0,60}|&#?\w{1,12}|<[A-Za-z/!][^<>\s]{0,200}|<su[bp]>)\Z",
)
"""An end that may yet become anything: marks, half an entity, half a tag or address, half a footnote."""
_BACKTICKS = re.compile(r"\\`|`+")
_HALF_TARGET = re.compile(r"\]\((?:[^()\n]|\([^()\n]*\)){0,2000}\Z")
_HALF_LABEL = re.compile(r"(?<![\w\]\\])!?\[(?=[^\W\d]|[*_`])[^\[\]\n]{0,200}\]?\Z")
_HALF_FORMULA = re.compile(r"\\([(\[])(?:(?!\\[)\]]).){1,2000}\Z", re.DOTALL)
_HALF_SCRIPT = re.compile(r"<(su[bp])>[^<>]{1,40}\Z")
_MARKS = {0x2A: "*", 0x5F: "_", 0x7E: "~"}


def parse_inline(text: str, references: References, *, is_open: bool = False) -> list[Token]:
    """Parse the text inside a block.

    Args:
        text: The text, without the marks of its block.
        references: Targets of links.
        is_open: Whether its end is still being written.
    """
    if is_open:
        return _parse_open(text, references)
    return list(_parse_known(text)) if not references or "[" not in text else _parse(text, references)


@lru_cache(maxsize=512)
def _parse_known(text: str) -> tuple[Token, ...]:
    return tuple(_parse(text, {}))


def _parse(text: str, references: References) -> list[Token]:
    if _SPECIAL.search(text) is None:
        return _plain(text)
    parser = inline_parser()
    tokens: list[Token] = []
    parser.inline.parse(text, parser, {"references": _Targets(references)}, tokens)
    return tokens


def _plain(text: str) -> list[Token]:
    from markdown_it.token import Token  # noqa: PLC0415 - not before there is a reply

    return [Token("text", "", 0, content=text)] if text else []


def _parse_open(text: str, references: References) -> list[Token]:
    if _SPECIAL.search(text) is None:
        return _plain(text)
    done, is_formula = completed(text, references)
    tokens = _parse(done, references)
    if is_formula and tokens and tokens[-1].type == "math_inline":
        tokens[-1].meta = {"is_closed": False}
    return tokens


def completed(text: str, references: References) -> tuple[str, bool]:
    """Text that is being written, as it will most likely go on; and whether it ends inside a formula."""
    text = _without_half_end(text)
    ticks = _open_backticks(text)
    if ticks:
        text = text.rstrip() + ticks if text.rstrip()[-1:] != "`" else text.rstrip("`").rstrip()
    elif half := _HALF_FORMULA.search(text):
        return text.rstrip("\\ ") + {"(": "\\)", "[": "\\]"}[half[1]], True
    else:
        text = _with_link_closed(text, references)
        if raised := _HALF_SCRIPT.search(text):
            text += f"</{raised[1]}>"
    return text + _closers(text), False


def _without_half_end(text: str) -> str:
    half = _HALF_END.search(text)
    while half is not None and half.end() > half.start():
        text = text[: half.start()].rstrip()
        half = _HALF_END.search(text, max(len(text) - 260, 0))
    return text


def _open_backticks(text: str) -> str:
    """The run of backticks that opens code without an end; "" = none does."""
    runs: list[str] = [run for run in _BACKTICKS.findall(text) if run[0] == "`"]
    place = 0
    while place < len(runs):
        try:
            place = runs.index(runs[place], place + 1) + 1
        except ValueError:
            return runs[place]
    return ""


def _with_link_closed(text: str, references: References) -> str:
    start = text.rfind("](")
    if start >= 0 and (half := _HALF_TARGET.match(text, start)):
        return text[: half.start()] + "]()"
    start = text.rfind("[")
    label = _HALF_LABEL.search(text, max(start - 1, 0)) if start >= 0 else None
    if label is None or text[start + 1 :].rstrip("]").strip().upper() in references:
        return text
    return text.removesuffix("]").rstrip() + "]()"


def _closers(text: str) -> str:
    """What closes the emphasis that is still open, innermost first."""
    if not any(mark in text for mark in "*_~"):
        return ""
    from markdown_it.rules_inline import StateInline  # noqa: PLC0415
    from markdown_it.rules_inline.balance_pairs import link_pairs  # noqa: PLC0415

    parser = inline_parser()
    tokens: list[Token] = []
    state = StateInline(text, parser, {"references": _Targets({})}, tokens)
    parser.inline.tokenize(state)
    link_pairs(state)
    closers = ""
    for mark in state.delimiters:
        # A mark inside a word is rather a sign of multiplication than emphasis.
        if mark.open and mark.end < 0 and not _ends_with_word(tokens, mark.token):
            closers = _MARKS[mark.marker] * (2 if mark.marker == 0x7E else 1) + closers
    return closers


def _ends_with_word(tokens: list[Token], place: int) -> bool:
    """Whether a letter or digit stands right before a mark, other marks of its run left out."""
    mark = tokens[place].content
    while place > 0 and tokens[place - 1].content == mark:
        place -= 1
    return place > 0 and tokens[place - 1].content[-1:].isalnum()


class _Targets(dict[str, Any]):
    """The parser's form of targets, made for those it asks for alone."""

    def __init__(self, references: References) -> None:
        super().__init__()
        self._references = references

    def get(self, label: str, default: Any = None) -> Any:
        href = self._references.get(label)
        return default if href is None else {"href": href, "title": ""}
