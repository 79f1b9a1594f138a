"""Marks of emphasis beside the writing of East Asia, and stars that multiply."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kimi_tui.core.markdown.inline import completed, parse_inline

TAGS = {"strong_open": "<b>", "strong_close": "</b>", "em_open": "<i>", "em_close": "</i>"}
TAGS |= {"s_open": "<s>", "s_close": "</s>"}


def tagged(text: str) -> str:
    return "".join(TAGS.get(token.type, token.content) for token in parse_inline(text, {}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("请看**“要点”**部分", "请看<b>“要点”</b>部分"),
        ("**警告：**不要碰", "<b>警告：</b>不要碰"),
        ("她说**好的。**然后**（也许）**来", "她说<b>好的。</b>然后<b>（也许）</b>来"),
        ("**规则“甲”**：读", "<b>规则“甲”</b>：读"),
        ("これは**『本』**です、*「題」*も", "これは<b>『本』</b>です、<i>「題」</i>も"),
        ("단어**(뜻)**입니다", "단어<b>(뜻)</b>입니다"),
        ("~~「旧」~~は***《新》***に", "<s>「旧」</s>は<i><b>《新》</b></i>に"),
        ("我可以**用`code`**吗", "我可以<b>用code</b>吗"),
        ("价格**3**元，第2**章**", "价格<b>3</b>元，第2<b>章</b>"),
        ("葛\U000e0100**(か)**は", "葛\U000e0100<b>(か)</b>は"),
        ("︁文**“字”\ufe01**文", "︁文<b>“字”\ufe01</b>文"),
        ("a**“b”**c", "a**“b”**c"),  # not beside such writing: as CommonMark has it
        ("a __「x」__は", "a __「x」__は"),  # an underscore inside a word is none
        ("**👍ok**👍", "<b>👍ok</b>👍"),
    ],
)
def test_emphasis_beside_east_asian_writing(text: str, expected: str) -> None:
    assert tagged(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "7*8*9 = 504",
        "x*y*z and p*q",
        "3.5*t*0.2",
        "2*pi*r, then 4*pi*r",
        "x1*x2*x3",
        "(a+b)*c*(d-e)",
        "2*(3+4)*5 and 6*(7)*8",
        "2**8 or 2**10**2",
        "n*(n-1)*(n-2)",
        "sin(x)*cos(x)*tan(x) = 1*(y)",
        "5 * 6 * 7",
    ],
)
def test_a_star_between_factors_is_shown(text: str) -> None:
    assert tagged(text) == text
    assert completed(text, {}) == (text, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*a*b", "<i>a</i>b"),
        ("**A**B", "<b>A</b>B"),
        ("**C**entral **P**art", "<b>C</b>entral <b>P</b>art"),
        ("un*believ*able", "un<i>believ</i>able"),
        ("*6*7*", "<i>6*7</i>"),
        ("*in 2026*(then) and *v2*[1]", "<i>in 2026</i>(then) and <i>v2</i>[1]"),
        ("**6*7 = 42**", "<b>6*7 = 42</b>"),
        ("1**Bold**", "1<b>Bold</b>"),
        ("结果**6*7*8**吗", "结果<b>6*7*8</b>吗"),
    ],
)
def test_a_star_that_marks_is_a_mark_still(text: str, expected: str) -> None:
    assert tagged(text) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("请看**“要", "请看**“要**"),
        ("请看**“要点”", "请看**“要点”**"),
        ("これは*「本", "これは*「本*"),
        ("中文**bo", "中文**bo**"),
    ],
)
def test_what_is_open_beside_east_asian_writing_is_closed_for_the_eye(text: str, shown: str) -> None:
    assert completed(text, {}) == (shown, False)


@given(st.text(alphabet="ab *_~.,(!“é\n-", max_size=30))
def test_other_writing_is_marked_as_commonmark_has_it(text: str) -> None:
    text = re.sub(r"(?<=[\w)])\*", " *", text)  # which leaves no star between factors
    parser = MarkdownIt("commonmark").enable("strikethrough")
    expected = parser.parseInline(text)[0].children or []
    assert [(t.type, t.content) for t in parse_inline(text, {})] == [(t.type, t.content) for t in expected]


@given(st.text(alphabet="ab1*“”。，文字「」() ", max_size=30))
def test_no_character_but_marks_is_lost(text: str) -> None:
    shown = "".join(token.content for token in parse_inline(text, {}))
    assert shown.replace("*", "") == text.replace("*", "")
