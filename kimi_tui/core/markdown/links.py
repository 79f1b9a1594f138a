"""The links of a text, in order: those of Markdown, images, and addresses that stand there bare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from kimi_tui.core.markdown.inline import ADDRESS, References, parse_inline

if TYPE_CHECKING:
    from markdown_it.token import Token


class Link(NamedTuple):
    text: str
    """What is shown for it; "" = nothing."""
    target: str
    """Where it goes, as the text says it: any address, also one that is never opened."""


def links_in(tokens: Iterable[Token], references: References) -> Iterator[Link]:
    """The links of a block; `tokens` are the block's."""
    for token in tokens:
        if token.type == "inline":
            yield from _inline_links(token.content, references)


def _inline_links(text: str, references: References) -> Iterator[Link]:
    target, shown = "", ""
    for token in parse_inline(text, references):
        if token.type == "link_open":
            target, shown = str(token.attrGet("href") or ""), ""
        elif token.type == "link_close" and target:
            yield Link(shown, target)
        elif token.type == "address":
            yield Link(token.content, token.content)
        elif token.type == "image" and (source := str(token.attrGet("src") or "")):
            yield Link(token.content, source)
        else:
            shown += " " if token.type in {"softbreak", "hardbreak"} else token.content


def addresses_in(text: str) -> Iterator[Link]:
    """The addresses in a text that is no Markdown."""
    return (Link(match[0], match[0]) for match in re.finditer(ADDRESS, text))
