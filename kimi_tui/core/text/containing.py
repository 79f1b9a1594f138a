"""Foreign text inside a Markdown document of ours: it stays where it was put, whatever it holds.

A text is written as it is where that is harmless. One with headings of its own, or with a block that does not end with
it (a fence without an end), stands in a quote, which ends with it and whose headings are none of the document's. One
with HTML that could end or hide what is ours, or with a target of links that another text would take, stands in a fence
that is longer than any inside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from kimi_tui.core.text.visible import visible_line

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

PAIRED_TAGS = frozenset(
    {"b", "code", "del", "em", "i", "ins", "kbd", "mark", "q", "s", "small", "strong", "sub", "sup", "u"}
)
"""Tags that may stand in a text, each opened as often as it is closed; `<br>` may stand too."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9-]*)\s*(?P<alone>/?)>")
_MAY_BE_HARMFUL = re.compile(r"^[ \t]*(?:#|=+[ \t]*\r?$|-+[ \t]*\r?$|`{3}|~{3})|<[A-Za-z/!?]|\r(?!\n)", re.MULTILINE)
"""What a heading, a fence or HTML has; a text without it needs no parser."""
_MAY_BE_HTML = re.compile("<[A-Za-z/!?]")
_LABEL = re.compile(r"\[((?:[^\[\]\\]|\\.){1,999})\]", re.DOTALL)
_NEXT = "\n\n# next\n"
_SPECIAL = re.compile(r"[!-/:-@\[-`{-~]")


def shared_labels(texts: Sequence[str]) -> frozenset[str]:
    """The labels of links of which one text says where they go, while another has them too."""
    if not any("]:" in text for text in texts):
        return frozenset()
    from markdown_it.common.utils import normalizeReference  # noqa: PLC0415 - see `_new_parser`

    counts = Counter(
        label for text in texts for label in {normalizeReference(found[1]) for found in _LABEL.finditer(text)}
    )
    return frozenset(label for text in texts for label in _targets(text) if counts[label] > 1)


def contained(text: str, shared: frozenset[str] = frozenset()) -> str:
    """Nothing reaches out of the text: headings, blocks, HTML, targets of links (`shared` = the `shared_labels`)."""
    if shared and not shared.isdisjoint(_targets(text)):
        return _fenced(text)
    if _MAY_BE_HARMFUL.search(text) is None:
        return text
    if _MAY_BE_HTML.search(text) and not _is_harmless_html(text):
        return _fenced(text)
    if all(_stays_in_place(parser, text) for parser in _block_parsers()):
        return text
    quoted = _quoted(text)  # where a tab is narrower: what was indented code may be HTML there
    return quoted if not _MAY_BE_HTML.search(text) or _is_harmless_html(quoted) else _fenced(text)


def plain_line(text: str) -> str:
    """Write a text as one line that Markdown shows as it is, whatever links the document knows."""
    line = " ".join(visible_line(text).split())
    tokens = _parser().parse(f"# {line}")
    shown = tokens[1].children or [] if len(tokens) == 3 else []
    is_plain = all(token.type == "text" for token in shown) and "".join(token.content for token in shown) == line
    return line if is_plain and not set(line) & set("[~$") else _SPECIAL.sub(r"\\\g<0>", line)


def _targets(text: str) -> Mapping[str, object]:
    """The labels of links of which a text says where they go."""
    env: dict[str, dict[str, Any]] = {}
    if "]:" in text:
        _parser().parse(text, env)
    return env.get("references", {})


def _new_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - costs 26 ms, and most commands do without

    return MarkdownIt("commonmark")


_parser = cache(_new_parser)


@cache
def _block_parsers() -> tuple[MarkdownIt, ...]:
    """Parsers of blocks alone: with tables a heading may be found where CommonMark has none, and the reverse."""
    return tuple(_new_parser().enable(rules).disable("inline") for rules in ([], ["table"]))


def _stays_in_place(parser: MarkdownIt, text: str) -> bool:
    """Whether a text has no heading of its own, and what stands behind it is one."""
    tokens = parser.parse(text + _NEXT)
    headings = [place for place, token in enumerate(tokens) if token.type == "heading_open" and not token.level]
    return headings == [len(tokens) - 3]


def _is_harmless_html(text: str) -> bool:
    """Whether a text has no HTML but tags that may stand in it, each closed in the paragraph where it was opened."""
    for token in _parser().parse(text):
        if token.type == "html_block":
            return False
        tags = [_TAG.fullmatch(child.content) for child in token.children or () if child.type == "html_inline"]
        if not all(tag and _may_stand(tag) for tag in tags) or not _is_balanced(filter(None, tags)):
            return False
    return True


def _may_stand(tag: re.Match[str]) -> bool:
    name = tag["name"].lower()
    return (name == "br" and not tag["end"]) or (name in PAIRED_TAGS and not tag["alone"])


def _is_balanced(tags: Iterable[re.Match[str]]) -> bool:
    opened = Counter[str]()
    for tag in tags:
        name = tag["name"].lower()
        opened[name] += 0 if name == "br" else -1 if tag["end"] else 1
        if opened[name] < 0:
            return False
    return not any(opened.values())


def _quoted(text: str) -> str:
    return "".join(f"> {line}" if line.strip() else f">{line}" for line in _LINE.findall(text))


def _fenced(text: str) -> str:
    marks = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{marks}markdown\n{text}{'' if text.endswith(chr(10)) else chr(10)}{marks}"
