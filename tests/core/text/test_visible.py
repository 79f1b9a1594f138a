"""The display mapping and the incremental Markdown source."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.markdown.source import MarkdownSource
from kimi_tui.core.text.visible import visible, visible_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext 羊 👩\u200d💻", "plain\n\ttext 羊 👩\u200d💻"),
        ("\x1b]52;c;eA==\x07", "␛]52;c;eA==␇"),
        ("\x9b31m", "‹U+009B›31m"),
        ("a\u202eb\U000e0041", "a‹U+202E›b‹U+E0041›"),
        ("\r\x00\x7f", "␍␀␡"),
        ("\ud83d", "‹U+D83D›"),
    ],
)
def test_control_characters_become_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_one_line_stays_one_line() -> None:
    assert visible_line("a\nb\tc\r\nd") == "a b c d"


@given(st.text())
def test_nothing_that_controls_is_left(text: str) -> None:
    assert all(char >= " " or char in "\n\t" for char in visible(text))
    assert not any("\x7f" <= char <= "\x9f" for char in visible(text))


PIECES = st.sampled_from(
    [
        "para\n",
        "\n",
        "- a\n",
        "  - b\n",
        "1. x\n",
        "# h\n",
        "```py\n",
        "```\n",
        "> q\n",
        "| a | b |\n",
        "|---|---|\n",
        "*em",
        "*",
        "    code\n",
        "---\n",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_cuts_between_lines_give_the_same_blocks(pieces: list[str]) -> None:
    grown = MarkdownSource()
    for piece in pieces:
        grown.append(piece)
    whole = MarkdownSource("".join(pieces))
    assert [(b.source, [t.type for t in b.tokens]) for b in grown.blocks] == [
        (b.source, [t.type for t in b.tokens]) for b in whole.blocks
    ]
