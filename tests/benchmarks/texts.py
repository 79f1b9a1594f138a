"""Texts that are the same in every run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kimi_tui.core.session.session import Message, MessageState, Role, Session, Usage
from kimi_tui.ui.state.entry import Entry, EntryKind

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
WORDS = (
    "lamb",
    "salt",
    "bread",
    "rosemary",
    "and",
    "with",
    "the",
    "a",
    "turned",
    "brown",
    "rested",
    "roasted",
    "until",
)


def prose(words: int, seed: int = 1) -> str:
    """Paragraphs of about 60 words."""
    chance = random.Random(seed)
    found = [chance.choice(WORDS) for _ in range(words)]
    return "\n\n".join(" ".join(found[place : place + 60]) + "." for place in range(0, words, 60))


KINDS = {
    "prose": prose(3000),
    "emphasis": "Some *emphasis*, `code`, **strength** and a [link](https://example.org) in a line.\n\n" * 200,
    "headings": "## A heading\n\nA line of text below it.\n\n" * 350,
    "list": "- an item of *many*\n  1. one below it\n" * 400,
    "quote": "> words of somebody else\n> over two lines\n\n" * 350,
    "code": "```python\n"
    + "def spice(lamb: str, grams: int = 3) -> str:\n    return f'{lamb} {grams}'\n\n" * 200
    + "```\n",
    "table": "| herb | grams |\n|:--|--:|\n" + "| rosemary and thyme | 12 |\n" * 500,
    "nested list": ("- an item\n  - one in it\n    1. and below *that*\n       - the deepest one\n\n" * 180),
    "math": "So \\(a^2 + b^2 = c^2\\) and $x_1$:\n\n$$\n\\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}\n$$\n\n" * 170,
    "footnotes": "Some words[^a] and more[^b].\n\n[^a]: A note.\n[^b]: Another one,\n    of two lines.\n\n" * 190,
    "HTML": "<details>\n<summary>More</summary>\n\nH<sub>2</sub>O<br>and <kbd>Ctrl</kbd>\n\n</details>\n\n" * 170,
    "references": "See [the words][id] and [others][a].\n\n[a]: https://example.org/a\n\n" * 210,
    "wide": "羊肉をローズマリーで焼きます。" * 700,
}
"""About 15,000 characters each."""


GIANTS = {
    "prose": prose(160_000),
    "list": KINDS["list"] * 60,
    "plain list": "- an item of a list\n" * 50_000,
    "table": KINDS["table"] + "| rosemary and thyme | 12 |\n" * 35_000,
    "wide": (KINDS["wide"][:900] + "\n\n") * 1_000,
}
"""About a million characters each."""


def tokens(text: str, size: int = 4) -> list[str]:
    """A text in pieces of about a token."""
    return [text[place : place + size] for place in range(0, len(text), size)]


def history(count: int) -> list[Entry]:
    """Messages of a long conversation."""
    return [
        Entry(f"m{number}", EntryKind.ASSISTANT if number % 2 else EntryKind.USER, "Kimi", prose(60, number))
        for number in range(count)
    ]


def session(count: int) -> Session:
    """The same as a session."""
    messages: Sequence[Message] = [
        Message(
            id=f"m{number}",
            role=Role.ASSISTANT if number % 2 else Role.USER,
            content=prose(60, number),
            parent=f"m{number - 1}" if number else None,
            created=NOW,
            state=MessageState.COMPLETE if number % 2 else None,
        )
        for number in range(count)
    ]
    return Session(
        "20261123-081500-k3f9", NOW, NOW, "moonshotai/Kimi-K2.5", head=f"m{count - 1}", messages=tuple(messages)
    )


def forking(count: int, every: int) -> Session:
    """The same, as an endpoint counts it, with an alternative at every so many messages, which nothing stands below."""
    messages = list[Message]()
    last: str | None = None
    for number, message in enumerate(session(count).messages):
        is_aside = number % every == every - 1
        parent = messages[-1].parent if is_aside else last
        usage = Usage(100 * number, 90, 0.0005) if message.role is Role.ASSISTANT else None
        messages.append(replace(message, parent=parent, name="an aside" if is_aside else "", usage=usage))
        last = last if is_aside else message.id
    return replace(session(0), head=last, messages=tuple(messages))
