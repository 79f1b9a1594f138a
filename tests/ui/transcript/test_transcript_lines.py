"""Wrapping and the index of heights: cells measured are cells drawn, and nothing of a text is lost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from kimi_tui.core.markdown.cutting import PlainSource
from kimi_tui.ui.transcript.growing_wrap import OPEN_LINES, GrowingWrap
from kimi_tui.ui.transcript.heights import Heights
from kimi_tui.ui.transcript.lines import Line, Run, chop, wrap
from tests.counting import made

TEXT = st.text(alphabet="ab c  é羊肉。「」\u0301👩\u200d💻\ufe0f☁🇩🇪-\n", max_size=60)


def runs(texts: list[str]) -> list[Run]:
    return [(text, Style(bold=bool(place % 2))) for place, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("  indented text", 10, ["  indented", "text"]),
        ("a  b", 80, ["a  b"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("x abcdefgh", 4, ["x", "abcd", "efgh"]),
        ("a\n\nb", 4, ["a", "", "b"]),
        ("中文长文本：这", 4, ["中文", "长文", "本：", "这"]),
        ("中文。文", 4, ["中", "文。", "文"]),
        ("e\u0301e\u0301e\u0301", 2, ["e\u0301e\u0301", "e\u0301"]),
        ("word👩\u200d💻👩\u200d💻", 6, ["word👩\u200d💻", "👩\u200d💻"]),
        ("羊肉abc", 4, ["羊肉", "abc"]),
        ("https://example.org/羊", 12, ["https://exam", "ple.org/羊"]),
        ("👩\u200d💻👩\u200d💻", 3, ["👩\u200d💻", "👩\u200d💻"]),
    ],
)
def test_where_lines_end(text: str, width: int, lines: list[str]) -> None:
    assert [line.text for line in wrap([(text, Style())], width)] == lines


@settings(max_examples=500, deadline=None)
@given(st.lists(TEXT, max_size=4), st.integers(2, 20))
def test_wrapped_lines_fit_and_join_to_the_text(texts: list[str], width: int) -> None:
    lines = wrap(runs(texts), width)
    assert all(sum(cell_len(text) for text, _ in line.runs) == line.width for line in lines)
    whole = "".join(texts)
    assert all(line.width <= width for line in lines)
    joined = "".join(line.text + line.joint for line in lines)
    assert [part.rstrip(" ") for part in joined[:-1].split("\n")] == [part.rstrip(" ") for part in whole.split("\n")]


@pytest.mark.parametrize("alphabet", ["ab c  .-", "羊肉。「」、 ", "ab 羊肉。 e\u0301", "a 羊\u200d👩💻\ufe0f🇩🇪 \n"])
def test_a_growing_text_is_wrapped_as_it_would_be_at_once(alphabet: str) -> None:
    chance = random.Random(7)
    for _ in range(40):
        growing, texts, width = GrowingWrap(), [""], chance.randint(1, 12)
        for _ in range(40):
            added = "".join(chance.choice(alphabet) for _ in range(chance.choice((1, 2, 9, 40))))
            match chance.random():
                case low if low < 0.7:
                    texts[-1] += added
                case low if low < 0.9:
                    texts.append(added)
                case low if low < 0.95:  # another style for its end, as emphasis that is closed later has
                    texts[-1] = texts[-1][: len(texts[-1]) // 2]
                case _:
                    width = chance.randint(1, 12)
            assert growing.wrap(runs(texts), width) == wrap(runs(texts), width)


def test_only_the_last_lines_of_a_growing_text_are_wrapped_again() -> None:
    growing, text = GrowingWrap(), "羊肉をローズマリーで焼きます。" * 100
    for end in range(0, len(text), 10):
        with made(Line) as lines:
            growing.wrap(runs([text[:end]]), 40)
        assert lines.total <= OPEN_LINES + 1


@settings(max_examples=300, deadline=None)
@given(TEXT.map(lambda text: text.replace("\n", "")), st.integers(2, 20))
def test_chopped_code_keeps_every_blank(text: str, width: int) -> None:
    lines = chop([(text, Style())], width)
    assert "".join(line.text for line in lines) == text
    assert all(line.width <= width for line in lines)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(0, 9), max_size=30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 9)), max_size=10)
)
def test_heights_agree_with_plain_sums(heights: list[int], changes: list[tuple[int, int]]) -> None:
    index = Heights(heights[: len(heights) // 2])
    for height in heights[len(heights) // 2 :]:
        index.append(height)
    for place, height in changes:
        if place < len(heights):
            index.set(place, height)
            heights[place] = height
    assert index.total == sum(heights)
    assert [index.before(n) for n in range(len(heights) + 1)] == [sum(heights[:n]) for n in range(len(heights) + 1)]
    for line in range(index.total):
        place, rest = index.find(line)
        assert sum(heights[:place]) + rest == line
        assert rest < heights[place]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["line\n", "\n", "x" * 3000, "y" * 5000 + "\n", "word "]), max_size=120),
    st.integers(1, 900),
)
def test_chunks_of_plain_text_depend_on_the_text_alone(parts: list[str], size: int) -> None:
    text, grown = "".join(parts), PlainSource()
    for place in range(0, len(text), size):
        grown.append(text[place : place + size])
    whole = PlainSource(text)
    assert grown.finished + grown.open == whole.finished + whole.open
    assert "".join(whole.finished + whole.open) == text
    assert all(len(chunk) <= 4000 for chunk in whole.finished + whole.open)
