"""The text inside a block, whole and half: what is open is closed for the eye, and nothing jumps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.markdown.inline import completed, parse_inline


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bo", "**bo**"),
        ("*em", "*em*"),
        ("**bold*", "**bold**"),
        ("***both", "***both***"),
        ("**b** and *c", "**b** and *c*"),
        ("~~gone", "~~gone~~"),
        ("**[a](htt", "**[a]()**"),
        ("**`co", "**`co`**"),
        ("`co", "`co`"),
        ("``a ` b", "``a ` b``"),
        ("a `b` c `d", "a `b` c `d`"),
        ("[text](http://ex", "[text]()"),
        ("see ![alt", "see ![alt]()"),
        ("[*em", "[*em*]()"),
        ("see [text][", "see [text]()"),
        ("see [text][la", "see [text]()"),
        ("see ![alt][la", "see ![alt]()"),
        ("so \\(", "so"),
        ("so \\\\\\(", "so"),
        ("[text]", "[text]()"),
        ("H<sub>2", "H<sub>2</sub>"),
        ("text **", "text"),
        ("text `", "text"),
        ("a <htt", "a"),
        ("a &am", "a"),
        ("note[^1", "note"),
    ],
)
def test_what_is_open_is_closed(text: str, shown: str) -> None:
    assert completed(text, {}) == (shown, False)


@pytest.mark.parametrize(
    "text",
    [
        "2**8",
        "5 * 3",
        "snake_case",
        "a[0",
        "a[0]",
        "x = a*b",
        "it costs $5",
        "a < b and c",
        "wow!",
        "so: [1",
        "[1][2",
        "a[i][j",
        "\\\\(a",
    ],
)
def test_what_is_no_markup_stays(text: str) -> None:
    assert completed(text, {}) == (text, False)


def test_a_label_with_a_target_is_a_link_already() -> None:
    assert completed("see [text]", {"TEXT": "/u"}) == ("see [text]", False)
    assert completed("see [foo  bar]", {"FOO BAR": "/u"}) == ("see [foo  bar]", False)


def test_half_a_formula_is_a_formula_that_is_not_closed() -> None:
    token = parse_inline("so \\(\\frac{a", {}, is_open=True)[-1]
    assert (token.type, token.content, token.meta) == ("math_inline", "\\frac{a", {"is_closed": False})


def test_footnotes_need_no_note_to_be_marked() -> None:
    assert [(t.type, t.content) for t in parse_inline("a[^n1]b", {})][1] == ("footnote_ref", "n1")


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab *_`~[]()!<>&$\\^1\n", max_size=60))
def test_any_half_text_can_be_shown(text: str) -> None:
    tokens = parse_inline(text, {"A": "/u"}, is_open=True)
    assert sum(token.nesting for token in tokens) == 0


@pytest.mark.parametrize(
    "text", ["*a " * 1000, "[" * 3000, "![[[" * 750, "`" * 3000, "$" * 3000, "](" * 1500, "<" * 3000]
)
def test_no_depth_breaks_the_parser(text: str) -> None:
    assert parse_inline(text, {})
    parse_inline(text, {}, is_open=True)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("at http://e.org/x.", [("text", "at "), ("address", "http://e.org/x"), ("text", ".")]),
        ("a<br>b<BR/>c", [("text", "a"), ("hardbreak", "<br>"), ("text", "b"), ("hardbreak", "<BR/>"), ("text", "c")]),
        ("H<sub>2</sub>O", [("text", "H"), ("text", "₂"), ("text", "O")]),
        ("<sub>2</sup>", [("html_inline", "<sub>"), ("text", "2"), ("html_inline", "</sup>")]),
        ("Term\n: what it is", [("text", "Term"), ("hardbreak", ""), ("text", ": what it is")]),
        ("one\ntwo", [("text", "one"), ("softbreak", ""), ("text", "two")]),
    ],
)
def test_what_the_parser_leaves_to_others_has_tokens(text: str, tokens: list[tuple[str, str]]) -> None:
    assert [(token.type, token.content) for token in parse_inline(text, {})] == tokens


def test_the_text_of_a_link_holds_no_addresses() -> None:
    assert "address" not in {token.type for token in parse_inline("[http://e.org](http://u.v/)", {})}
