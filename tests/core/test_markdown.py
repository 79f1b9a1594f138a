"""The incremental Markdown source: blocks depend on the text alone, and the open one stays small."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core import markdown
from kimi_tui.core.markdown import MarkdownSource, parse_inline

PIECES = st.sampled_from([
    "para\n", "\n", "\n\n", "- a\n", "  - b\n", "1. x\n", "# h\n", "```py\n", "```\n", "> q\n", "| a | b |\n", "|---|---|\n",
    "*em", "*", "    code\n", "---\n", "===\n", "$$\n", "$$ x $$ y\n", "\\[\n", "a\\]\n", "[f]: /u\n", "[f]", "\r", "\r\n",
    "x = 1\n", "<div>\n", "long words that go on\n", "  t\n", "`", "[^n]", "[^n]: note\n", "    more\n", "w" * 60, "words go on " * 5,
    "é", "\n" * 9, "- [x] t\n", "> - a\n", "<!-- c\n", "-->\n", "2. b\n", "羊" * 30, "[g]: /w\n[h]: /v\n", "\t", "\0", "\\",
])  # fmt: skip


def values(source: MarkdownSource) -> list[object]:
    return [
        (
            (b.kind, b.source, b.start, b.first_line, b.line_count, b.head is None, b.joint, b.is_open),
            [(t.type, t.content) for t in b.tokens],
        )
        for b in source.blocks
    ] + [source.references]


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {
        "MAX_CODE_LINES": 3,
        "MAX_TABLE_ROWS": 2,
        "SOFT_LIMIT_CHARS": 20,
        "SOFT_LIMIT_LINES": 4,
        "HARD_LIMIT_CHARS": 60,
        "LOAD_CHARS": 50,
        "LOAD_LINES": 7,
        "MAX_LINE_CHARS": 24,
    }
    for name, limit in limits.items():
        monkeypatch.setattr(markdown, name, limit)


def check_cuts(text: str, sizes: list[int]) -> None:
    whole = MarkdownSource(text)
    for is_growing in (False, True):
        grown, place = MarkdownSource(is_growing=is_growing), 0
        while place < len(text):
            size = sizes[place % len(sizes)]
            grown.append(text[place : place + size])
            place += size
        grown.settle()
        assert values(grown) == values(whole)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_any_cuts_give_the_same_blocks(text: str, sizes: list[int]) -> None:
    check_cuts(text, sizes)


@pytest.mark.usefixtures("small_limits")
def test_any_cuts_give_the_same_blocks_where_blocks_are_long() -> None:
    @settings(max_examples=500, deadline=None)
    @given(st.lists(PIECES, max_size=30).map("".join), st.lists(st.integers(1, 40), min_size=1, max_size=5))
    def check(text: str, sizes: list[int]) -> None:
        check_cuts(text, sizes)

    check()


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(
    st.text(alphabet="ab \n\r\t-*#>|`$[]():1.=_\\<", max_size=200), st.lists(st.integers(1, 40), min_size=1, max_size=5)
)
def test_any_text_in_any_cuts(text: str, sizes: list[int]) -> None:
    check_cuts(text, sizes)


def test_only_the_open_block_is_parsed_again() -> None:
    source = MarkdownSource("para\n\n" * 200)
    before = source.parsed_chars
    source.append("x")
    assert source.parsed_chars - before < 20


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("```py\n", "x = 1 + 2 + 3\n"),
        ("| a | b |\n|---|---|\n", "| one | two |\n"),
        ("", "- an item of a list\n"),
        ("", "a line of a paragraph\n"),
        ("", "> a quoted line\n"),
    ],
    ids=["fence", "table", "list", "paragraph", "quote"],
)
def test_the_open_block_stays_small(head: str, line: str) -> None:
    source = MarkdownSource(head)
    costs = []
    for _ in range(500):
        before = source.parsed_chars
        source.append(line)
        costs.append(source.parsed_chars - before)
    assert max(costs[250:]) <= max(costs[:250])
    assert max(costs) < 4 * markdown.SOFT_LIMIT_CHARS


def test_a_long_fence_keeps_its_language_and_its_lines() -> None:
    code = "".join(f"line {n}\n" for n in range(175))
    blocks = MarkdownSource(f"```py\n{code}```\nafter\n").blocks
    assert [block.kind for block in blocks] == ["fence"] * 4 + ["paragraph"]
    assert "".join(block.tokens[0].content for block in blocks[:4]) == code
    assert {block.tokens[0].info for block in blocks[:4]} == {"py"}
    assert [block.head is None for block in blocks] == [True, False, False, False, True]


def test_a_target_that_comes_late_is_found() -> None:
    source = MarkdownSource("see [x]\n\n")
    assert source.references == {}
    source.append("[x]: https://example.org\n")
    assert source.references == {"X": "https://example.org"}
    links = [t for t in parse_inline("see [x]", source.references) if t.type == "link_open"]
    assert [link.attrGet("href") for link in links] == ["https://example.org"]


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("$a_1$ and $b_2$", ["a_1", "b_2"]),
        ("$5 and $6", []),
        ("US$ and A$, $5-$6", []),
        (r"\(x*y*z\) and \[q\]", ["x*y*z", "q"]),
        ("$$x\ny$$", ["x\ny"]),
        ("`$a$`", []),
        (r"\$a$", []),
    ],
)
def test_formulas_inside_a_line(text: str, formulas: list[str]) -> None:
    assert [t.content for t in parse_inline(text, {}) if t.type == "math_inline"] == formulas


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("$$\nx\n= y\n$$\nafter\n", ["math_block", "paragraph"]),
        ("$$ x $$\n", ["math_block"]),
        ("$$ x $$ and more\n", ["paragraph"]),
        ("\\[\na\n\\]\n", ["math_block"]),
        ("$$\nx\n\nnot closed\n", ["math_block", "paragraph"]),
    ],
)
def test_formulas_on_their_own_lines(text: str, kinds: list[str]) -> None:
    assert [block.kind for block in MarkdownSource(text).blocks] == kinds


def test_inside_text_is_not_parsed_before_it_is_asked_for() -> None:
    tokens: Any = MarkdownSource("a *b* c").blocks[0].tokens
    assert tokens[1].children == []
