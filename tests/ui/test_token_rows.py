"""Tokens in rows: every one is there, in order, with its border, wherever it breaks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.color import Color

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.token_trace import NOT_KNOWN, Token
from kimi_tui.core.settings.theme_palette import TEXT_CONTRAST, contrast
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.ui.screens.tokens_layout import CARRIER, LINE_END, UNKNOWN_CHARS, TokenRows, percent, shown
from kimi_tui.ui.screens.tokens_lines import TokenStyles, level_of
from kimi_tui.ui.text.role_styles import Styles
from tests.ui.program import shipped_themes


def rows_of(
    answer: Sequence[str], width: int = 40, reasoning: Sequence[str] = (), unknown: Sequence[int] = ()
) -> TokenRows:
    """Rows of tokens with these texts; those of the answer in the places `unknown` came with no known token."""
    texts = {ReplyPart.REASONING: GrowingText("".join(reasoning)), ReplyPart.ANSWER: GrowingText("".join(answer))}
    rows, number = TokenRows(texts, width), itertools.count()
    for part, pieces in ((ReplyPart.REASONING, reasoning), (ReplyPart.ANSWER, answer)):
        start = 0
        for place, piece in enumerate(pieces):
            is_known = part is ReplyPart.REASONING or place not in unknown
            rows.add([Token(part, start, start + len(piece), next(number) if is_known else NOT_KNOWN)])
            start += len(piece)
    return rows


def lines(rows: TokenRows) -> list[str]:
    return [row.heading or "".join(it.text + "|" * it.has_border for it in row.fragments) for row in rows.rows]


def test_thinking_and_answer_stand_apart_and_every_token_has_a_border() -> None:
    rows = rows_of(["Yes", ",", " it\n", "\n", "is"], reasoning=["h", "m"])
    assert lines(rows) == ["Thinking", "h|m|", "", "Answer", "Yes|,| it↵|", "↵|", "is|"]


def test_a_token_that_has_no_room_begins_the_next_row() -> None:
    assert lines(rows_of(["abc", "def", "g"], width=8)) == ["Answer", "abc|def|", "g|"]
    assert lines(rows_of(["abcdefghij", "k"], width=6)) == ["Answer", "abcde", "fghij|", "k|"]


@pytest.mark.parametrize(
    ("text", "drawn"),
    [("a\tb", "a→b"), ("\n", LINE_END), ("\x1b[2J", "␛[2J"), ("\u0301", f"{CARRIER}\u0301"), ("\u202e", "‹U+202E›")],
)
def test_what_cannot_be_seen_is_shown(text: str, drawn: str) -> None:
    assert shown(text) == drawn


def test_of_text_whose_tokens_are_not_known_the_end_is_shown_without_borders() -> None:
    before = "word " * 400
    rows = rows_of([before, "A", "B"], unknown=[0])
    assert (
        lines(rows)[1] == f"({len(before) - UNKNOWN_CHARS:,} characters, and those below: their tokens are not known)"
    )
    assert not any("|" in line for line in lines(rows)[:-1])
    assert lines(rows)[-1] == "A|B|"
    assert [rows.first(), rows.last(), rows.number(1), rows.number(2)] == [1, 2, 1, 2]


letters = st.text(st.sampled_from("ab \n\t羊👍é\u0301\x1b"), min_size=1, max_size=12)


@given(st.lists(letters, min_size=1, max_size=30), st.lists(letters, max_size=5), st.integers(2, 60))
def test_nothing_is_lost_doubled_or_wider_than_the_row(answer: list[str], reasoning: list[str], width: int) -> None:
    rows = rows_of(answer, width, reasoning)
    texts = [*reasoning, *answer]
    drawn = [""] * len(texts)
    borders = [0] * len(texts)
    for row in rows.rows:
        x = 0
        for it in row.fragments:
            assert it.x == x
            x += cell_len(it.text) + it.has_border
            assert not borders[it.token]
            drawn[it.token] += it.text
            borders[it.token] += it.has_border
        assert x <= max(width, 3)
    plain = [text.replace("\n", LINE_END).replace("\t", "→").replace("\x1b", "␛") for text in texts]
    assert [text.replace(CARRIER, "") for text in drawn] == plain
    assert borders == [1] * len(texts)


@given(st.lists(letters, min_size=1, max_size=30), st.lists(letters, max_size=5), st.integers(4, 40))
def test_the_cursor_gets_everywhere_and_back(answer: list[str], reasoning: list[str], width: int) -> None:
    rows = rows_of(answer, width, reasoning)
    count = len(answer) + len(reasoning)
    way = [rows.first()]
    for _ in range(count - 1):
        assert way[-1] is not None
        way.append(rows.step(way[-1], 1))
    assert way == list(range(count))
    assert rows.step(count - 1, 1) == count - 1
    down = [0]
    while (below := rows.line_step(down[-1], 1)) != down[-1]:
        assert rows.row_of(below) > rows.row_of(down[-1]) or below > down[-1]
        down.append(below)
    assert rows.line_step(down[-1], -len(rows.rows)) <= down[-1]
    for token in range(count):
        first, last = rows.row_end(token, is_last=False), rows.row_end(token, is_last=True)
        assert first <= token <= last
        assert rows.row_of(first) == rows.row_of(token) == rows.row_of(last)


def test_adding_in_slices_is_adding_at_once() -> None:
    texts = {ReplyPart.REASONING: GrowingText(""), ReplyPart.ANSWER: GrowingText("one two three four")}
    tokens = [Token(ReplyPart.ANSWER, start, min(start + 3, 18), start // 3) for start in range(0, 18, 3)]
    whole, sliced = TokenRows(texts, 9), TokenRows(texts, 9)
    whole.add(tokens)
    for token in tokens:
        sliced.add([token])
    assert whole.rows == sliced.rows


def test_percent_of_a_logprob() -> None:
    assert percent(0.0) == 100
    assert percent(math.log(0.25)) == pytest.approx(25)
    assert percent(-math.inf) == 0
    assert [level_of(math.log(p)) for p in (1, 0.95, 0.7, 0.3, 0.01)] == [0, 0, 1, 2, 3]
    assert (level_of(None), level_of(-math.inf)) == (0, 3)


@pytest.mark.parametrize("theme", shipped_themes())
def test_every_tint_can_be_read_and_told_apart(theme: str) -> None:
    palette = shipped_themes()[theme]()
    colours = palette.colors
    base = Style(color=colours["foreground"], bgcolor=colours["background"])
    styles = TokenStyles(Styles({**colours, **palette.variables}, base))
    looks = [styles.of(level, is_odd, False) for level in range(4) for is_odd in (False, True)]
    for look in looks:
        assert look.color is not None
        assert look.bgcolor is not None
        text, ground = (Color.from_rich_color(it).hex6 for it in (look.color, look.bgcolor))
        assert contrast(text, ground) >= TEXT_CONTRAST
    assert len({(look.bgcolor, look.underline, look.bold) for look in looks}) == len(looks)
    assert [bool(styles.of(level, False, False).underline) for level in range(4)] == [False, False, True, True]
