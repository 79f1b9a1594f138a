"""Markdown as lines: everything a model writes, streamed as it is loaded, in the cells that are measured."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from kimi_tui.adapters.endpoint.simulator.showpieces import TABLE
from kimi_tui.core.markdown.source import MarkdownSource
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.code_blocks import start_lines
from kimi_tui.ui.transcript.highlight import highlight
from kimi_tui.ui.transcript.item import Item
from kimi_tui.ui.transcript.layout import LayoutCache, block_lines
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.transcript.viewport import TOP
from tests.core.markdown.test_source import CORPUS, LISTS, PIECES, PLAIN, TABLES
from tests.ui.transcript.parts import append, append_to, live, window
from tests.ui.transcript.test_transcript_widget import Host, body

STYLES = Styles({}, Style(color="white", bgcolor="black"))
MORE = [
    "**bo", "ld**", "[link](http", "://x)", "![a](b)", "~~s~~", "`code`", "$x^2$", "\\(y\\)", "羊肉", "| c | d |\n", "> - q\n", "<br>",
    "- **b\n", "  ```sh\n", "  x\n", "Term\n: def\n", "<details>\n<summary>S</summary>\n\n", "</details>\n", "http://e.org/x", "👩\u200d💻 ",
]  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.sampled_from(MORE)), max_size=20).map("".join)


def lines_of(source: MarkdownSource, width: int = 60) -> list[Line]:
    lines: list[Line] = []
    for place, block in enumerate(source.blocks):
        if place and block.has_gap:
            lines.append(Line((), 0))
        lines += block_lines(block, STYLES, width, source.references)
    return lines


def shown(text: str, width: int = 60, *, is_growing: bool = False) -> list[str]:
    return [line.text.rstrip() for line in lines_of(MarkdownSource(text, is_growing=is_growing), width)]


class Reader:
    """Looks at a text after every delta, as the transcript does."""

    def __init__(self, width: int = 60) -> None:
        self.source = MarkdownSource(is_growing=True)
        self.width = width
        self._finished: list[Line] = []
        self._done = 0
        self._kept: dict[int, LayoutCache] = {}

    def read(self, text: str) -> list[Line]:
        self.source.append(text)
        return self.look()

    def look(self) -> list[Line]:
        source = self.source
        for block in source.finished[self._done :]:
            self._finished += self._apart(block.has_gap and self._done > 0)
            self._finished += block_lines(block, STYLES, self.width, source.references)
            self._done += 1
        lines = list(self._finished)
        for place, block in enumerate(source.open):
            lines += self._apart(block.has_gap and self._done + place > 0)
            kept = self._kept.setdefault(block.start, LayoutCache()) if source.is_growing else None
            lines += block_lines(block, STYLES, self.width, source.references, kept)
        return lines

    def _apart(self, is_apart: bool) -> list[Line]:
        return [Line((), 0)] if is_apart else []


def cuts(text: str, chance: random.Random) -> Iterable[str]:
    place = 0
    while place < len(text):
        size = chance.choice((1, 1, 2, 3, 5, 9, 30))
        yield text[place : place + size]
        place += size


def check_streaming(text: str, seed: int, width: int) -> None:
    reader = Reader(width)
    for piece in cuts(text, random.Random(seed)):
        for line in reader.read(piece):
            check_width(line, width)
    reader.source.settle()
    whole = MarkdownSource(text)
    if reader.source.references == MarkdownSource(text).references and "]:" not in text:
        assert [line.text for line in reader.look()] == [line.text for line in lines_of(whole, width)]
    assert lines_of(reader.source, width) == lines_of(whole, width)


def check_width(line: Line, width: int) -> None:
    assert line.width == sum(cell_len(text) for text, _ in line.runs)
    assert line.width <= width, line.text
    assert "\n" not in line.text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# A\n## B", ["A", "", "B"]),
        ("A\n===", ["A"]),
        ("1. a\n   - b\n     - c\n2. d", ["1. a", "   ◦ b", "     ▪ c", "2. d"]),
        ("3) a\n4) b", ["3) a", "4) b"]),
        ("- [x] a\n- [ ] b\n- c", ["☑ a", "☐ b", "• c"]),
        ("- a\n\n- b\n- c", ["• a", "", "• b", "• c"]),
        ("- a\n\n  b", ["• a", "", "  b"]),
        ("- a\n  ```py\n  x\n  ```\n  b", ["• a", "   py", "   x", "  b"]),
        ("> a\n> > b", ["▌ a", "▌", "▌ ▌ b"]),
        ("a **b** *c* ~~d~~ `e`", ["a b c d e"]),
        ("[a](http://b) [http://c](http://c)", ["a (http://b) http://c"]),
        ("<http://a.b> and http://c.d/e_f_g.", ["http://a.b and http://c.d/e_f_g."]),
        ("[a]\n\n[a]: /u", ["a (/u)"]),
        ("![alt](u) ![](v)", ["▣ alt (u) ▣ image (v)"]),
        ("a[^1]\n\n[^1]: b\n\n    c", ["a[1]", "", "[1] b", "", "    c"]),
        ("[^a-long-label]: b", ["[a-long-label]", "  b"]),
        ("a<br>b <kbd>c</kbd> H<sub>2</sub>O x<sup>q</sup>", ["a", "b <kbd>c</kbd> H₂O x<sup>q</sup>"]),
        ("<div>\nx\n</div>", ["<div>", "x", "</div>"]),
        ("<details>\n<summary>More</summary>\n\nx\n\n</details>", ["▾ More", "", "x", "", "▴"]),
        ("Term\n: what it is\n: also", ["Term", ": what it is", ": also"]),
        ("a\n\n---", ["a", "", "─" * 60]),
        ("# 看**“要点”**\n> 读**（甲）**了\n\n- **一：**切", ["看“要点”", "", "▌ 读（甲）了", "", "• 一：切"]),
        ("|算**「式」**は|\n|-|\n|7*8*9|", ["算「式」は", "──────────", "7*8*9"]),
        ("    x\n      y", [" x", "   y"]),
        ("```\nx\n```", [" x"]),
        ("$x^2$, \\(\\alpha\\), $5 and $6", ["x², α, $5 and $6"]),
        ("$$\n\\frac{a}{b}\n$$", ["  a/b"]),
        ("$$\n\\unknown{a}\n$$", ["  \\unknown{a}"]),
        ("&copy; &#27; \\*", ["© \ufffd *"]),
        ("| a | b |\n|:-:|-:|\n| long | 1 |", [" a   │ b", "─────┼──", "long │ 1"]),
        ("| a |\n|---|\n| x<br>y |", ["a", "─", "x", "y"]),
    ],
)
def test_everything_is_shown_as_what_it_is(text: str, lines: list[str]) -> None:
    assert shown(text) == lines


def test_a_table_wider_than_the_screen_can_still_be_read() -> None:
    row = "| " + " | ".join(f"word{n} of it" for n in range(8)) + " |\n"
    lines = shown(row + "|---" * 8 + "|\n" + row, 40)
    assert "word7 of it: word7 of it" in lines
    assert max(map(len, lines)) <= 40


def test_a_table_of_a_head_alone_is_read_at_any_width() -> None:
    head = "| Ingredient | Amount | Where to buy it |\n|---|---|---|\n"
    assert shown(head, 12) == ["Ingredient:", "Amount:", "Where to buy", "it:"]
    assert shown(head + "| a | b | c |", 12)[0] == "Ingredient:"
    for place in range(1, len(head)):
        words = "".join(shown(head[:place], 12, is_growing=True)).replace(" ", "")
        assert "Ingredient" in words or place < 14


def test_cells_beyond_the_head_are_shown() -> None:
    text = "| a | b |\n|---|---|\n| one | two | three | four |\n"
    assert shown(text)[2:] == ["one │ two | three | four"]
    assert "four" in " ".join(shown(text, 8))
    rows = "| one | two |\n" * 40 + "| one | two | three |\n"
    assert shown(text + rows)[-1] == "one │ two | three"


def test_all_that_stands_behind_the_mark_of_a_fence_is_shown() -> None:
    assert shown('```python title="the main file.py" {1,3}\nx\n```', 16) == [
        " python",
        '  title="the',
        '  main file.py"',
        "  {1,3}",
        " x",
    ]
    text = "- a\n  ```py its title\n  ```\n  ```js other title\n  y\n  ```"
    assert start_lines(lines_of(MarkdownSource(text), 12)) == [1, 3]
    for line in lines_of(MarkdownSource("```a-very-long-info-string\nx\n```"), 20):
        check_width(line, 20)


def test_no_mark_is_wider_than_the_screen() -> None:
    text = "".join("  " * n + f"- item {n}\n" for n in range(18)) + ">" * 30 + " quoted\n"
    for line in lines_of(MarkdownSource(text), 20):
        check_width(line, 20)


def test_a_line_cut_in_two_is_copied_as_one() -> None:
    lines = lines_of(MarkdownSource("word " * 1000 + "end"))
    assert "\n" not in "".join(line.joint for line in lines[:-1])


async def test_a_reply_that_ends_shows_its_end_as_it_stands() -> None:
    async with Host().run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        entry = live()
        transcript.set_entries([entry])
        append(transcript, ReplyPart.ANSWER, "- a **bold\n-")
        assert [line.strip() for line in body(transcript) if line.strip()] == ["Kimi", "• a bold"]
        transcript.update_entry(replace(entry, text="- a **bold\n-", is_streaming=False))
        assert [line.strip() for line in body(transcript) if line.strip()] == ["Kimi", "• a **bold", "•"]


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(0, 99), st.sampled_from([12, 30, 60]))
def test_streamed_text_ends_as_loaded_text(text: str, seed: int, width: int) -> None:
    check_streaming(text, seed, width)


@pytest.mark.parametrize("corpus", [PLAIN + LISTS, TABLES + MORE], ids=["lists", "tables"])
def test_streamed_lists_and_tables_end_as_loaded_ones(corpus: list[str]) -> None:
    chance = random.Random(9)
    for _ in range(100):
        text = "".join(chance.choice(corpus) for _ in range(chance.randint(2, 30)))
        check_streaming(text, chance.randint(0, 99), chance.choice((12, 30, 60)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_many_streamed_texts_end_as_loaded_ones(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(1500):
        text = "".join(chance.choice(CORPUS + MORE) for _ in range(chance.randint(1, 40)))
        check_streaming(text, chance.randint(0, 99), chance.choice((12, 30, 60, 100)))


STEADY = [
    "Some **bold text** and *emphasis*, ***both***, ~~gone~~ and `code` that goes on.",
    "A [link](https://example.org/a) and ![image](b.png) and <https://example.org>.",
    "# Heading with *emphasis*\n\nText.\n\n## Another\n\nMore.",
    "- one\n- two with **bold**\n  - nested\n- three\n\n- loose\n\ntext",
    "1. one\n2. two\n3. three\n4. four\n5. five\n6. six\n7. seven\n8. eight\n9. nine\n10. ten\n11. eleven",
    "- [ ] open\n- [x] done",
    "text\n\n```py\nx = 1\n- y\n``` \n\nafter",
    "- item:\n\n  ```sh\n  ls\n  ```\n- next",
    "> quoted **bold**\n> more\n\nafter",
    "para one\n*emphasis* begins the line\n- a list ends it",
    "before\n\n---\n\nafter\n***\nend",
    "a note[^1] here\n\n[^1]: the note",
    "x 2 * 3 and 2**8 and snake_case_name and a < b and AT&T",
    "so \\(x + y\\) is it, H<sub>2</sub>O too",
    "$$\nx + y\n$$\n\nafter",
    "<details>\n<summary>More</summary>\n\ntext\n\n</details>",
    "1. step\n   ```py\n   code\n   ```\n2. next",
    "see [f] and [g]\n\n[f]: https://example.org",
    "请看**“要点”**部分。**警告：**不要碰*《书》*。",
    "so 7*8*9 = 504 and x*y*z too, *really*",
]


@pytest.mark.parametrize("text", STEADY)
def test_nothing_that_is_shown_jumps_back_and_forth(text: str) -> None:
    """A line above the last one stays, and none looks as it looked before it changed."""
    reader = Reader(200)
    seen: dict[int, list[str]] = {}
    before: list[str] = []
    for char in text:
        now = [line.text.rstrip() for line in reader.read(char)]
        if "[f]:" not in text:
            assert len(now) >= len(before)
            assert now[: max(len(before) - 1, 0)] == before[:-1]
        for place, line in enumerate(now):
            looks = seen.setdefault(place, [])
            if not looks or looks[-1] != line:
                assert line not in looks or "[f]:" in text
                looks.append(line)
        before = now


def test_a_head_of_a_table_is_one_before_the_table_is() -> None:
    reader = Reader()
    kinds = []
    for char in "| a | b |\n|---|---|\n| c | d |":
        reader.read(char)
        kinds += [block.kind for block in reader.source.open]
    assert kinds[kinds.index("table") :] == ["table"] * (len(kinds) - kinds.index("table"))


def test_half_a_formula_is_shown_as_it_is_typed() -> None:
    assert shown("so \\(\\alpha + \\be", is_growing=True) == ["so \\alpha + \\be"]
    assert shown("so \\(\\alpha + \\beta\\)", is_growing=True) == ["so α + β"]


@pytest.mark.parametrize(
    "text",
    [
        "so \\(x + 1\\) is",
        "\\(x\\)",
        "no \\\\(formula)",
        "see [r][id] here, ![i][id] and [R][].\n\n[id]: http://u.v/\n\n[r]: http://u.v/\n\nend",
        "[id]: http://u.v/\n> [id]: http://u.v/\n\nsee [*r* s][id].",
        "[1][2] and a[i][j]",
        "[Foo] is a [b](http://u.v/).",
    ],
)
def test_nothing_is_shown_that_the_next_character_takes_away(text: str) -> None:
    done = Entry("r", EntryKind.ASSISTANT, "", text)
    view, item = window(replace(done, text=GrowingText(), is_streaming=True), Look(STYLES, 200))

    def body() -> str:
        lines = (line.text.strip() for place, line in view.walk(TOP) if place.section == Section.BODY)
        return "\n".join(lines).replace(" (http://u.v/)", "")

    before = ""
    for char in text:
        append_to(item, char)
        assert body().startswith(before)
        before = body()
    item.update(done)
    assert body() == before


def test_a_link_to_a_target_that_never_comes_is_shown_as_it_was_written() -> None:
    text = "see [r][id] here\n\nend"
    item, look = Item(Entry("r", EntryKind.ASSISTANT, "", text, is_streaming=True), is_folded=True), Look(STYLES, 60)
    assert item.lines(Section.BODY, 0, 0, look)[0].text.strip() == "see r here"
    item.update(Entry("r", EntryKind.ASSISTANT, "", text))
    assert item.chunk(Section.BODY, 0, look).pieces[0].lines is None
    assert item.lines(Section.BODY, 0, 0, look)[0].text.strip() == "see [r][id] here"


def test_open_code_keeps_the_lines_that_it_has() -> None:
    reader = Reader()
    known = reader.read("```py\nx = 1\n")
    for text in ("y = 2\n", "z", " = 3\n", "w"):
        lines = reader.read(text)
        assert all(line is before for line, before in zip(lines[1:], known[1:-1], strict=False))
        known = lines
    assert [line.text.strip() for line in known] == ["py", "x = 1", "y = 2", "z = 3", "w"]


def test_a_growing_table_reads_its_new_cells_alone() -> None:
    asked = Counter[str]()

    class Watched(dict[str, str]):
        def get(self, label: str, default: Any = None) -> Any:
            asked[label] += 1
            return super().get(label, default)

    source, references, kept = MarkdownSource(is_growing=True), Watched(OTHER="/u"), LayoutCache()
    for row in ("| [a] | [b] |\n|---|---|\n", *(f"| [c{n}] | [d{n}] |\n" for n in range(20))):
        source.append(row)
        block_lines(source.open[-1], STYLES, 60, references, kept)
    assert asked == Counter(["A", "B", *(f"{column}{n}" for n in range(20) for column in "CD")][:-1])


@pytest.mark.parametrize("language", ["py3", "sh", "console", "jsonc", "tsx", "{.python}", "python:main.py", "JSON5"])
def test_languages_have_many_names(language: str) -> None:
    styles = Styles({"syntax-number": "#ff0000", "syntax-punctuation": "#00ff00"}, STYLES.base)
    (line,) = highlight("f(1)", language, styles)
    assert len(line) > 1 or language in {"sh", "console"}


def test_unknown_languages_and_long_code_stay_plain() -> None:
    assert highlight("f(1)", "klingon", STYLES) == [[("f(1)", STYLES.code)]]
    assert highlight("1 " * 8_000, "python", STYLES) == [[("1 " * 8_000, STYLES.code)]]


@pytest.mark.parametrize("text", [TABLE, TABLE.replace("Technique", "Zubereitungé")], ids=["ascii", "accents"])
def test_no_table_splits_a_word(text: str) -> None:
    words = {word for word in re.split(r"[|*`\s]+", text) if word.isalpha()}
    forms = set()
    for width in range(28, 101):
        lines = shown(text, width)
        assert max(map(cell_len, lines)) <= width
        assert words <= {word.rstrip(":;,") for line in lines for word in line.split()}, width
        forms.add("Cut: Leg" in lines)
    assert forms == {True, False}


def test_a_table_of_one_column_stays_one() -> None:
    assert shown(f"| head |\n|---|\n| {'x' * 12} |", 10) == ["head", "──────────", "xxxxxxxxxx", "xx"]


WORDS = st.integers(100, 999).map("w{}".format)
SPANS = st.one_of(
    WORDS,
    st.builds("{}{}{}".format, st.sampled_from(["**", "*", "~~", "`", "_", "(", "“", "**「"]), WORDS, st.sampled_from(["**", "*", "~~", "`", "_", ")", "”", "」**"])),
    st.builds("[{}](http://{}.org)".format, WORDS, WORDS),
    st.builds("{}*{}*{}".format, WORDS, WORDS, WORDS),
    st.builds("$\\alpha_{}$ and <{}>".format, WORDS, WORDS),
)  # fmt: skip
LINE = st.lists(SPANS, min_size=1, max_size=6).map(" ".join)
ROW = st.lists(LINE, min_size=1, max_size=5).map(" | ".join)
FENCE = st.sampled_from(["```", "~~~", "````", "```markdown ", "```md", "   ```"])
WORDED = st.one_of(
    LINE, ROW, FENCE,
    st.builds("{} {}".format, st.sampled_from(["#", "###", "-", "1.", ">", "> >", "- -", "    ", "\t", "[^1]:", "$$", "- [ ]", "- #"]), LINE),
    st.builds("{}{}".format, FENCE, LINE),
    st.builds("| {} |\n|---|---|".format, st.tuples(LINE, LINE).map(" | ".join)),
    st.builds("| {} |".format, ROW),
    st.just(""), st.just("---"), st.just("|---|---|"), st.just("<div>"), st.just("</details>"), st.just("<details>"),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDED, max_size=14).map("\n".join), st.sampled_from([5, 8, 13, 20, 60]))
def test_no_word_is_lost_and_no_line_is_too_wide(text: str, width: int) -> None:
    for source in (MarkdownSource(text), MarkdownSource(text + "\n")):
        lines = lines_of(source, width)
        for line in lines:
            check_width(line, width)
        letters = re.sub(r"[^\w]", "", "".join(line.text[line.lead_chars :] or line.text for line in lines))
        missing = [word for word in re.findall(r"w\d{3}", text) if word not in letters]
        assert not missing
