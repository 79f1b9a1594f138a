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

from kimi_tui.core.markdown.rules import inline_parser

if TYPE_CHECKING:
    from markdown_it.token import Token

    from kimi_tui.core.markdown.emphasis import EmphasisState

References = Mapping[str, str]
_SPECIAL = re.compile(r"[\n\\`*_~\[!<&$]")
"""Text without any of these is just text."""
# Patterns without `compile`: they are compiled when the first text is written, not when the program starts.
_HALF_END = (
    r"(?:[*_~`$\\\[&]+|(?<!\\)(?:\\\\)*\\\(|!\[|(?<!\S)!|<|\[\^[^\]\s]{0,60}|&#?\w{1,12}|<[A-Za-z/!][^<>\s]{0,200}"
    r"|<su[bp]>)\Z"
)
"""An end that may yet become anything: marks, half an entity, half a tag or address, half a footnote,
the beginning of a formula."""
MAX_HALF_CHARS = 260
"""No half end is longer than that."""
_BACKTICKS = r"\\`|`+"
_HALF_TARGET = r"\]\((?:[^()\n]|\([^()\n]*\)){0,2000}\Z"
_HALF_LABEL = r"(?<![\w\]\\])!?\[(?=[^\W\d]|[*_`])[^\[\]\n]{0,200}\]?\Z"
_LABEL = r"(?<![\w\]\\])!?\[(?=[^\W\d]|[*_`])(?P<text>[^\[\]\n]{1,200})"
_REFERENCE = _LABEL + r"\]\[(?P<label>[^\[\]\n]{0,200})\]"
_HALF_REFERENCE = _LABEL + r"\]\[[^\[\]\n]{0,200}\Z"
_HALF_FORMULA = r"(?s)\\([(\[])(?:(?!\\[)\]]).){1,2000}\Z"
_HALF_SCRIPT = r"<(su[bp])>[^<>]{1,40}\Z"
ADDRESS = r"https?://[^\s<>]*[^\s<>.,;:!?'\")\]}*_]"
_BREAK = r"(?i)<br\s*/?>"
_MARKS = {0x2A: "*", 0x5F: "_", 0x7E: "~"}


def parse_inline(text: str, references: References, *, is_open: bool = False, is_growing: bool = False) -> list[Token]:
    """`text` is without the marks of its block; `is_growing` = more of the message comes, so targets of links may."""
    if (is_open or is_growing) and may_refer(text):
        references = _expected(text) | dict(references)
    if is_open:
        return _parse_open(text, references)
    return list(_parse_known(text)) if not references or "[" not in text else _parse(text, references)


def may_refer(text: str) -> bool:
    """Whether a link may stand in it whose target is told elsewhere, and is expected while the text grows."""
    return "][" in text


@lru_cache(maxsize=512)
def _parse_known(text: str) -> tuple[Token, ...]:
    return tuple(_parse(text, {}))


def _parse(text: str, references: References) -> list[Token]:
    if _SPECIAL.search(text) is None:
        return _refined(_plain(text))
    state = _tokenized(text, references)
    for rule in state.md.inline.ruler2.getRules(""):
        rule(state)
    return _refined(state.tokens)


def _refined(tokens: list[Token]) -> list[Token]:
    """The parser's tokens, with what it leaves to HTML and to plugins: addresses, and line ends that are meant."""
    refined: list[Token] = []
    link_depth = place = 0
    while place < len(tokens):
        token = tokens[place]
        following = tokens[place + 1].content if place + 1 < len(tokens) else ""
        link_depth += token.nesting if token.type.startswith("link_") else 0
        if token.type == "text" and "://" in token.content and not link_depth:
            refined += _with_addresses(token)
        elif (token.type == "softbreak" and following.startswith(": ")) or (  # a definition stands below its term
            token.type == "html_inline" and re.fullmatch(_BREAK, token.content)
        ):
            refined.append(token.copy(type="hardbreak"))
        elif token.type == "html_inline" and (raised := _raised(tokens[place : place + 3])):
            refined.append(token.copy(type="text", content=raised))
            place += 2
        else:
            refined.append(token)
        place += 1
    return refined


def _with_addresses(token: Token) -> list[Token]:
    """A text with the addresses in it as tokens of their own, as linkify does, whose library is large."""
    parts: list[Token] = []
    place = 0
    for match in re.finditer(ADDRESS, token.content):
        parts.append(token.copy(content=token.content[place : match.start()]))
        parts.append(token.copy(type="address", content=match[0]))
        place = match.end()
    return [*parts, token.copy(content=token.content[place:])]


def _raised(tokens: list[Token]) -> str | None:
    """What `<sub>2</sub>` stands for, in a character of its own; None = it is something else, or there is none."""
    if [token.type for token in tokens] != ["html_inline", "text", "html_inline"]:
        return None
    opener, closer = tokens[0].content.lower(), tokens[2].content.lower()
    if opener not in {"<sub>", "<sup>"} or closer != opener.replace("<", "</"):
        return None
    from kimi_tui.core.markdown.math_text import script  # noqa: PLC0415 - its tables are for few replies

    return script(tokens[1].content, "^" if opener == "<sup>" else "_")


def _tokenized(text: str, references: References) -> EmphasisState:
    """A text in tokens, of which those of emphasis are not paired yet."""
    from kimi_tui.core.markdown.emphasis import EmphasisState  # noqa: PLC0415 - not before there is a reply

    parser = inline_parser()
    state = EmphasisState(text, parser, {"references": _Targets(references)}, [])
    parser.inline.tokenize(state)
    return state


def _expected(text: str) -> dict[str, str]:
    """The targets that a text names, without what they are: they most likely come at the end of the message."""
    return {key_of(match["label"] or match["text"]): "" for match in re.finditer(_REFERENCE, text)}


def key_of(label: str) -> str:
    """What stands for a label among the targets."""
    from markdown_it.common.utils import normalizeReference  # noqa: PLC0415 - not before there is a reply

    return normalizeReference(label)


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
    elif half := _half_formula(text):
        return text.rstrip("\\ ") + {"(": "\\)", "[": "\\]"}[half[1]], True
    else:
        text = _with_link_closed(text, references)
        if raised := re.search(_HALF_SCRIPT, text[-MAX_HALF_CHARS:]):
            text += f"</{raised[1]}>"
    return text + _closers(text), False


def _without_half_end(text: str) -> str:
    while half := re.search(_HALF_END, text[-MAX_HALF_CHARS:]):
        text = text[: max(len(text) - MAX_HALF_CHARS, 0) + half.start()].rstrip()
    return text


def _half_formula(text: str) -> re.Match[str] | None:
    start = max(text.rfind("\\("), text.rfind("\\["))
    is_escaped = (len(text[:start]) - len(text[:start].rstrip("\\"))) % 2
    return re.match(_HALF_FORMULA, text[start:]) if start >= 0 and not is_escaped else None


def _open_backticks(text: str) -> str:
    """The run of backticks that opens code without an end; "" = none does."""
    runs: list[str] = [run for run in re.findall(_BACKTICKS, text) if run[0] == "`"]
    place = 0
    while place < len(runs):
        try:
            place = runs.index(runs[place], place + 1) + 1
        except ValueError:
            return runs[place]
    return ""


def _with_link_closed(text: str, references: References) -> str:
    start = text.rfind("](")
    if start >= 0 and re.match(_HALF_TARGET, text[start:]):
        return text[:start] + "]()"
    start = text.rfind("][")
    if start >= 0 and re.search(_HALF_REFERENCE, text[max(text.rfind("[", 0, start) - 2, 0) :]):
        return text[:start] + "]()"
    start = text.rfind("[")
    label = re.search(_HALF_LABEL, text[max(start - 2, 0) :]) if start >= 0 else None
    if label is None or key_of(text[start + 1 :].rstrip("]")) in references:
        return text
    text = text.removesuffix("]").rstrip()
    return text + _closers(text[start + 1 :]) + "]()"


def _closers(text: str) -> str:
    """What closes the emphasis that is still open, innermost first."""
    if not any(mark in text for mark in "*_~"):
        return ""
    from markdown_it.rules_inline.balance_pairs import link_pairs  # noqa: PLC0415

    state = _tokenized(text, {})
    link_pairs(state)
    closers = ""
    for mark in state.delimiters:
        # A mark inside a word is rather a sign of multiplication than emphasis; Chinese has no blanks between words.
        if mark.open and mark.end < 0 and not _ends_with_word(state.tokens, mark.token):
            closers = _MARKS[mark.marker] * (2 if mark.marker == 0x7E else 1) + closers
    return closers


def _ends_with_word(tokens: list[Token], place: int) -> bool:
    """Whether a letter or digit stands right before a mark, other marks of its run left out."""
    from kimi_tui.core.markdown.emphasis import is_word  # noqa: PLC0415

    mark = tokens[place].content
    while place > 0 and tokens[place - 1].content == mark:
        place -= 1
    return place > 0 and is_word(tokens[place - 1].content[-1:])


class _Targets(dict[str, Any]):
    """The parser's form of targets, made for those it asks for alone."""

    def __init__(self, references: References) -> None:
        super().__init__()
        self._references = references

    def get(self, label: str, default: Any = None) -> Any:
        href = self._references.get(label)
        return default if href is None else {"href": href, "title": ""}
