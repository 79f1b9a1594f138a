"""The incremental Markdown source: blocks depend on the text alone, and the open one stays small."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it.token import Token

from kimi_tui.core.markdown import cutting
from kimi_tui.core.markdown.blocks import Block, parse
from kimi_tui.core.markdown.chunked_text import ChunkedText
from kimi_tui.core.markdown.cutting import FORCED_CHARS, HARD_CHARS
from kimi_tui.core.markdown.inline import parse_inline
from kimi_tui.core.markdown.source import MarkdownSource
from kimi_tui.core.text.growing_text import GrowingText
from tests.counting import chars_parsed

CORPUS = [
    "para\n", "\n", "\n\n", "- a\n", "  - b\n", "1. x\n", "# h\n", "```py\n", "```\n", "> q\n", "| a | b |\n", "|---|---|\n",
    "*em", "*", "    code\n", "---\n", "===\n", "$$\n", "$$ x $$ y\n", "\\[\n", "a\\]\n", "[f]: /u\n", "[f]", "\r", "\r\n",
    "x = 1\n", "<div>\n", "long words that go on\n", "  t\n", "`", "[^n]", "[^n]: note\n", "    more\n", "w" * 60, "words go on " * 5,
    "é", "\n" * 9, "- [x] t\n", "> - a\n", "<!-- c\n", "-->\n", "2. b\n", "羊" * 30, "[g]: /w\n[h]: /v\n", "\t", "\0", "\\",
"~~~\n", "a", "b c", "+ ", "1)", "#", "_", "](", "x](y)", "!", "&amp;", "<", "<b>", "\u200d", "👩", "🇫🇷", "\u2028", "\x0b", "\xa0", "\x85",
]  # fmt: skip
"""Pieces of Markdown, and what parsers stumble over."""
PIECES = st.sampled_from(CORPUS)


def lines_of(token: Token, block: Block) -> tuple[int, ...] | None:
    """Where a token stands, counted from its block; not kept inside a table."""
    first = block.tokens[0].map or [0]
    return (
        None
        if token.map is None or (block.kind == "table" and token.level)
        else tuple(line - first[0] for line in token.map)
    )


def values(source: MarkdownSource) -> list[object]:
    return [
        (
            (b.kind, b.source, b.start, b.first_line, b.line_count, b.goes_on, b.joint, b.is_open),
            (b.number, b.has_gap, b.opening, b.table),
            [(t.type, t.content, t.markup, t.info, t.attrs, lines_of(t, b)) for t in b.tokens],
        )
        for b in source.blocks
    ] + [source.references]


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    set_small_limits(monkeypatch)


def set_small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in {"MAX_CODE_LINES": 3, "MAX_TABLE_ROWS": 2, "MAX_TEXT_CHARS": 24}.items():
        monkeypatch.setattr(cutting, name, limit)


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


LISTS = [
    "- a\n", "- b\n", "* c\n", "+ d\n", "1. x\n", "1. y\n", "2. b\n", "7. z\n", "3) p\n", "1.\n", "-\n", "- ", "  more\n", "lazy\n",
    "\n", "\r\n", "  - n\n", "   1. m\n", "    code\n", "- | a |\n", "- a | b\n", "|---|\n", "--|--\n", "- [x] t\n", "---\n", "===\n",
    "  ```\n", "```\n", "- ```py\n", "\t- t\n", "- $$\n", "$$\n", "- [g]: /v\n", "[f]: /u\n", "> q\n", "- > q\n", " - i\n", "   - j\n",
    "w" * 30 + "\n", "- " + "w " * 20 + "\n", "- # h\n", "- <b>\n", "- - a\n", "- - -\n", "[^n]: - note\n", "    - deep\n",
]  # fmt: skip
"""Pieces of lists, and what may stand in and between items."""


TABLES = [
    "| a | b |\n", "|---|---|\n", "| a | b |\n|---|:-:|\n", "| 1 | 2 |\n", "| 3 |\n", "x\n", "a|b|c\n", "\n", "| x ", "| y", "- i\n",
    "> q\n", "    | in | de |\n", "  | in | de |\n", "# h\n", "[f]: /u\n", "```\n", "\\| e | f\n", "\r\n", "\r", "\n" * 6, "$$\n",
    "| " + "w" * 30 + " |\n", "<b>\n", "| 5 | 6 |\n| 7 | 8 |\n| 9 | 0 |\n",
]  # fmt: skip
"""Pieces of tables, and what may end one."""


FENCES = [
    "```md\n", "```markdown\n", "```sh\n", "```\n", "```\n", "````\n", "````mdx x\n", "~~~md\n", "~~~\n", "~~~py\n", "x = 1\n", "# h\n", "\n",
    "- ```js\n", "  ```\n", "1. ```\n", "    ```\n", "```README.md\n", "> ```md\n", "> ```\n", "text\n", "``` `\n", "\r\n", "```p", "y\n", "line\n" * 7,
    "w" * 40 + "\n", "- a\n",
]  # fmt: skip
"""Fences of Markdown, and what may stand in them."""


@pytest.mark.parametrize("corpus", [LISTS, TABLES, FENCES], ids=["lists", "tables", "fences"])
@pytest.mark.parametrize("is_small", [False, True])
@pytest.mark.parametrize("count", [100, pytest.param(1_000, marks=pytest.mark.slow)])
def test_parts_in_any_cuts_give_the_same_blocks(
    corpus: list[str], is_small: bool, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(11)
    if is_small:
        set_small_limits(monkeypatch)
    for _ in range(count):
        text = "".join(chance.choice(corpus) for _ in range(chance.randint(2, 25)))
        check_cuts(text, [chance.choice((1, 1, 2, 3, 9, 30)) for _ in range(5)])


def joined(blocks: list[Block]) -> list[list[object]]:
    """What the parts of each block hold, as if it had not been parted."""
    found: list[list[object]] = []
    for block in blocks:
        tokens: list[object] = [
            (t.type, t.content, t.markup, t.info, t.level) for t in block.tokens if not block.is_list or t.level
        ]
        number = [block.kind, block.tokens[0].attrGet("start")]
        if block.is_list and block.goes_on:
            found[-1] += tokens
        else:
            found.append([*number, *tokens])
    return found


def test_parts_of_a_list_hold_what_the_whole_list_does() -> None:
    chance = random.Random(12)
    parted = 0
    for _ in range(600):
        text = "".join(chance.choice(LISTS) for _ in range(chance.randint(2, 25)))
        blocks, found = parse(text)
        source = MarkdownSource(text)
        assert joined(source.blocks) == joined(blocks)
        assert "".join(block.source for block in source.blocks) == (text if blocks else "")
        assert set(source.references) == {label for _, label, _ in found}
        parted += sum(block.is_list and block.goes_on for block in source.blocks)
    assert parted > 500


PLAIN = [
    "- aa\n", "- bb\n", "- **T** x\n", "- [x] `c`\n", "- 羊\n", "* cc\n", "12. rr\n", "13. ss\n", "3) qq\n", "- aa\r\n- bb\r\n", "- a \n",
    "- x\ty\n", "- `c` d\n", "1. a\n1. b\n1. c\n", "- d\n- e\n- f\n", "---\n", "\r", "\n", "\n", "- *a* b\n\n- c\n\n", "- " + "w" * 30 + "\n", "- e\u2028\n", "- **b\n",
]  # fmt: skip
"""Items that need no parser, and their neighbours."""


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_any_cuts_give_the_same_blocks(text: str, sizes: list[int]) -> None:
    check_cuts(text, sizes)


@pytest.mark.usefixtures("small_limits")
def test_any_cuts_give_the_same_blocks_where_blocks_are_long() -> None:
    @settings(max_examples=500, deadline=None)
    @given(st.lists(PIECES, max_size=30).map("".join), st.lists(st.integers(1, 40), min_size=1, max_size=5))
    @example("| a | b |\n| a | b |\nx](y)", [1])
    def check(text: str, sizes: list[int]) -> None:
        check_cuts(text, sizes)

    check()


def test_seeded_texts_in_seeded_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    for number in range(400):
        text = "".join(chance.choice(CORPUS) for _ in range(chance.randint(1, 30)))
        if number == 200:
            set_small_limits(monkeypatch)
        check_cuts(text, [chance.choice((1, 1, 2, 3, 9, 30)) for _ in range(5)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_many_seeded_texts_in_seeded_cuts(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    if seed % 2:
        set_small_limits(monkeypatch)
    for _ in range(6_000):
        text = "".join(chance.choice(CORPUS) for _ in range(chance.randint(1, 30)))
        check_cuts(text, [chance.choice((1, 1, 2, 3, 9, 30)) for _ in range(5)])


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(
    st.text(alphabet="ab \n\r\t-*#>|`$[]():1.=_\\<", max_size=200), st.lists(st.integers(1, 40), min_size=1, max_size=5)
)
def test_any_text_in_any_cuts(text: str, sizes: list[int]) -> None:
    check_cuts(text, sizes)


def test_only_the_open_block_is_parsed_again() -> None:
    source = MarkdownSource("para\n\n" * 200)
    with chars_parsed() as parsed:
        source.append("x")
    assert 0 < parsed.total < 20


@pytest.mark.parametrize(
    ("head", "line", "most"),
    [
        ("```py\n", "x = 1 + 2 + 3\n", 1_000),
        ("| a | b |\n|---|---|\n", "| one | two |\n", 1_000),
        ("", "- an item of a list\n", 100),
        ("", "a line of a paragraph\n", FORCED_CHARS + 100),
        ("", "> a quoted line\n", FORCED_CHARS + 100),
    ],
    ids=["fence", "table", "list", "paragraph", "quote"],
)
def test_what_is_parsed_for_a_line_is_bounded(head: str, line: str, most: int) -> None:
    whole = GrowingText(head)
    text = ChunkedText(whole, is_markdown=True)
    costs = []
    for _ in range(1_000):  # of prose, more than FORCED_CHARS
        whole.append(line)
        text.grow()
        last = text.chunks[-1]
        with chars_parsed() as parsed:
            last.parse(is_streaming=True)
        costs.append(parsed.total)
    assert max(costs) <= most


LONG = {
    "one line": "word and more. " * 20_000,
    "one word": "x" * 300_000,
    "a line in an item": "- " + "word " * 60_000,
    "a line of code": "```json\n" + '{"a": 1}, ' * 30_000 + "\n```\n",
    "code": "```py\n" + "x = 1 + 2\n" * 30_000 + "```\n",
    "a table": "| a | b |\n|---|---|\n" + "| one | two |\n" * 5_000,
    "items": "- an item\n" * 10_000,
    "one item": "- a\n" + "  more text here\n" * 5_000,
    "quote": "> a\n" * 10_000,
    "blank lines": "a\n" + "\n" * 100_000 + "b",
    "targets": "".join(f"[a{n}]: http://b/{n}\n" for n in range(3_000)),
    "stars": "*a " * 50_000,
    "brackets": "[" * 50_000,
    "images": "![[[" * 20_000,
    "dollars": "$" * 50_000,
    "backticks": "`" * 50_000,
    "deep quote": ">" * 50_000 + " a\n",
    "deep list": "".join("  " * n + "- a\n" for n in range(200)),
    "a cell": "| a | b |\n|---|---|\n| " + "x " * 50_000 + " | y |\n| c | d |\n",
    "a rule": "-" * 50_000,
    "html": "<!--\n" + "text\n" * 10_000,
}
"""Texts that cost a parser much."""


@pytest.mark.parametrize("name", LONG)
def test_what_is_parsed_grows_with_the_text_alone(name: str) -> None:
    text = ChunkedText(LONG[name], is_markdown=True)
    costs = []
    for chunk in text.chunks:
        with chars_parsed() as parsed:
            chunk.parse(is_streaming=False)
        costs.append(parsed.total)
    assert text.text == LONG[name]
    assert sum(costs) <= 1.2 * text.chars
    assert max(costs) <= 2 * HARD_CHARS


@pytest.mark.parametrize("name", LONG)
def test_what_is_parsed_for_a_delta_is_bounded(name: str) -> None:
    long = LONG[name]
    whole = GrowingText(long[:60_000])
    text = ChunkedText(whole, is_markdown=True)
    for place in range(60_000, min(len(long), 62_000), 20):
        whole.append(long[place : place + 20])
        text.grow()
        with chars_parsed() as parsed:
            text.chunks[-1].parse(is_streaming=True)
        assert parsed.total <= 2 * HARD_CHARS


def test_a_word_inside_a_long_item_is_not_a_reason_to_parse() -> None:
    source = MarkdownSource("- item\n" * 50 + "- the last", is_growing=True)
    with chars_parsed() as parsed:
        source.append(" word")
    assert parsed.total == 0
    assert values(source)[:-1] == values(MarkdownSource("- item\n" * 50 + "- the last word", is_growing=True))[:-1]


def test_a_growing_list_parses_its_last_item_alone() -> None:
    source = MarkdownSource(is_growing=True)
    item = "1. item with *some* words\n   - and one below\n\n"
    for _ in range(300):
        with chars_parsed() as parsed:
            for place in range(0, len(item), 5):
                source.append(item[place : place + 5])
        assert 0 < parsed.total < 12 * len(item)
    assert len(source.blocks) == 300
    assert [block.number for block in source.blocks[1:]] == list(range(2, 301))
    assert all(block.has_gap for block in source.blocks[1:])


def test_a_growing_table_parses_its_last_row_alone() -> None:
    source, row = MarkdownSource("| herb | grams |\n|:--|--:|\n", is_growing=True), "| rosemary and thyme | 12 |\n"
    for _ in range(100):
        with chars_parsed() as parsed:
            for place in range(0, len(row), 5):
                source.append(row[place : place + 5])
        assert 0 < parsed.total < 24 * len(row)
    rows = [sum(token.type == "tr_open" for token in block.tokens) - 1 for block in source.blocks]
    assert rows == [30, 30, 30, 10]


def test_a_table_that_grew_is_what_the_parser_makes_of_it() -> None:
    chance = random.Random(13)
    for _ in range(300):
        text = "".join(chance.choice(TABLES) for _ in range(chance.randint(2, 20)))
        grown = MarkdownSource()
        for line in text.splitlines(keepends=True):
            grown.append(line)
        assert joined(grown.blocks) == joined(parse(text)[0])


def test_numbers_go_on_in_parts_of_a_list() -> None:
    blocks = MarkdownSource("3. a\n3. b\n\n3. c\n" + "7. d\n").blocks
    assert [(block.number, block.has_gap) for block in blocks] == [(None, True), (4, False), (5, True), (6, False)]


def test_a_line_without_end_is_cut_at_a_sentence() -> None:
    text = "One sentence. " * 1_000
    blocks = MarkdownSource(text).blocks
    assert "".join(block.source for block in blocks) == text
    assert all(len(block.source) <= cutting.MAX_TEXT_CHARS for block in blocks)
    assert all(block.source.endswith(". ") and block.joint == " " for block in blocks[:-1])
    assert [block.goes_on for block in blocks[:3]] == [False, True, True]


README = """# Lamb

```bash
cook lamb
```

1. Serve:

   ```md
   ```js
   warm()
   ```
   ```
- ```py
  x
  ```

~~~
```
"""
"""A text with fences of its own; what the last mark closes is up to who shows it."""


def test_code_inside_of_markdown_does_not_end_it() -> None:
    blocks = MarkdownSource(f"```markdown\n{README}\nAfter **it**.\n").blocks
    assert [block.kind for block in blocks] == ["fence", "paragraph"]
    assert blocks[0].tokens[0].content == README.removesuffix("```\n")


@pytest.mark.parametrize(
    ("text", "contents"),
    [
        ("```MDX title=x\n```sh\na\n```\n```\nb\n", ["```sh\na\n```\n"]),
        ("```docs/README.md\n```sh\n```\n```\n", ["```sh\n```\n"]),
        ("````md\n```sh\n````\nb\n", ["```sh\n"]),  # shorter marks cannot end it
        ("~~~md\n```sh\n~~~\nb\n", ["```sh\n"]),
        ("```md\n````sh\n```\n````\n```\n", ["````sh\n```\n````\n"]),
        ("```md\n```sh\n```py\n```\n```\n", ["```sh\n```py\n```\n"]),  # code holds no levels
        ("```py\n```sh\n```\nb\n", ["```sh\n"]),
        ("```md\n```sh\na\n```\nb\n", ["```sh\na\n```\nb\n"]),  # not closed: code up to the end
        ("- ```md\n  ```sh\n  ```\n  ```\n  b\n", ["```sh\n```\n"]),
        ("```md\n    ```sh\n```\nb\n", ["    ```sh\n"]),
    ],
)
def test_what_ends_a_fence_of_markdown(text: str, contents: list[str]) -> None:
    tokens = (token for block in MarkdownSource(text).blocks for token in block.tokens)
    assert [token.content for token in tokens if token.type == "fence"] == contents


def test_parts_of_a_fence_hold_what_the_whole_fence_does(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(15)
    texts = ["```md\n" + "".join(chance.choice(FENCES) for _ in range(chance.randint(2, 25))) for _ in range(300)]
    texts = [text for text in texts if "w" * 40 not in text and "\n" * 5 not in text]

    def code(text: str) -> list[str]:
        found: list[str] = []
        for block in MarkdownSource(text).blocks:
            if block.kind == "fence" and block.goes_on:
                found[-1] += block.tokens[0].content
            else:
                found += [token.content for token in block.tokens if token.type == "fence"]
        return found

    whole = [code(text) for text in texts]
    monkeypatch.setattr(cutting, "MAX_CODE_LINES", 3)
    assert [code(text) for text in texts] == whole
    assert sum(any("```sh" in content for content in contents) for contents in whole) > 30


def test_a_line_of_code_without_end_stays_code() -> None:
    code = "x" * 10_000
    blocks = MarkdownSource(f"```py\n{code}\ny\n```\nafter\n").blocks
    assert [block.kind for block in blocks][-1] == "paragraph"
    assert {block.kind for block in blocks[:-1]} == {"fence"}
    assert "".join(block.tokens[0].content for block in blocks[:-1]) == f"{code}\ny\n"
    assert [block.joint for block in blocks[:3]] == ["", "", ""]


def test_nothing_is_lost_however_deep_it_stands() -> None:
    text = "".join("  " * n + f"- item{n}\n" for n in range(60)) + ">" * 90 + " quoted\n"
    content = "".join(token.content for block in MarkdownSource(text).blocks for token in block.tokens)
    assert all(f"item{n}" in content for n in range(60))
    assert "quoted" in content


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("para\n-", ["paragraph"]),
        ("para\n--", ["paragraph"]),
        ("a\n\n1.", ["paragraph"]),
        ("- a\n- [x", ["bullet_list"]),
        ("a\n\n``", ["paragraph"]),
        ("a\n\n<det", ["paragraph"]),
        ("a\n\n[f]: http", ["paragraph"]),
        ("a\n\n[f", ["paragraph"]),
        ("a\n\n[f]", ["paragraph"]),
        ("a\n\n[f](", ["paragraph", "paragraph"]),
        ("| a | b |\n|-", ["table"]),
        ("| a | b", ["table"]),
        ("a\n\n2024 was", ["paragraph", "paragraph"]),
    ],
)
def test_a_half_line_is_held_back_until_it_is_clear_what_it_becomes(text: str, shown: list[str]) -> None:
    source = MarkdownSource(is_growing=True)
    for char in text:
        source.append(char)
    assert [block.kind for block in source.blocks] == shown
    source.settle()
    assert values(source) == values(MarkdownSource(text))
    assert "".join(block.source for block in source.blocks) in {text, "a\n\n[f]: http"}


def test_a_footnote_is_a_block() -> None:
    blocks = MarkdownSource("see[^1]\n\n[^1]: A note\n\n    more of it\n\nend\n").blocks
    assert [block.kind for block in blocks] == ["paragraph", "footnote_reference", "paragraph"]


def test_a_long_fence_keeps_its_language_and_its_lines() -> None:
    code = "".join(f"line {n}\n" for n in range(175))
    blocks = MarkdownSource(f"```py\n{code}```\nafter\n").blocks
    assert [block.kind for block in blocks] == ["fence"] * 4 + ["paragraph"]
    assert "".join(block.tokens[0].content for block in blocks[:4]) == code
    assert {block.tokens[0].info for block in blocks[:4]} == {"py"}
    assert [block.goes_on for block in blocks] == [False, True, True, True, False]


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
