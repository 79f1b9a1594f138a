"""Formulas in Unicode: read as they were meant, or left as they were typed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.markdown.math_text import readable, script


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"\frac{a}{b}", "a/b"),
        (r"\frac{a+b}{c}x", "((a+b)/c)x"),
        (r"\frac{1}{2}mv^2", "(1/2)mv²"),
        (r"{\frac{1}{2}}x", "(1/2)x"),
        (r"\frac{n(n+1)}{2}", "n(n+1)/2"),
        (r"\frac{a}{bc}", "a/(bc)"),
        (r"\frac12", "1/2"),
        (r"\left(\frac{1}{2}\right)^2", "(1/2)²"),
        (r"\frac{1}{n}\sum_{i=1}^n x_i", "(1/n)∑ᵢ₌₁ⁿ xᵢ"),
        (r"x_{i+1}^2", "xᵢ₊₁²"),
        (r"x^{2^n}", "x^(2ⁿ)"),
        (r"e^{i\pi} + 1 = 0", "e^(iπ) + 1 = 0"),
        (r"\sum_{i=1}^{n}", "∑ᵢ₌₁ⁿ"),
        (r"\int_0^\infty e^{-x}\,dx", "∫₀^∞ e⁻ˣ dx"),
        (r"\mathbb{R}^n", "ℝⁿ"),
        (r"\alpha \le \beta", "α ≤ β"),
        (r"\alpha\le\beta", "α ≤ β"),
        (r"\sqrt{x^2+y^2}", "√(x²+y²)"),
        (r"\sqrt[3]{x}", "∛x"),
        (r"\hat{x}", "x\u0302"),
        (r"O(n \log n)", "O(n log n)"),
        (r"\text{if } x > 0", "if x > 0"),
        (r"f'(x)", "f′(x)"),
        (r"10\%", "10%"),
        (r"2*\pi*r", "2*π*r"),
        (r"\operatorname*{argmax} f", "argmax f"),
        ("\\begin{aligned} a &= b \\\\ &= c \\end{aligned}", "a = b\n= c"),
    ],
)
def test_formulas_become_readable(formula: str, text: str) -> None:
    assert readable(formula) == text


@pytest.mark.parametrize(
    "formula",
    [
        r"\begin{pmatrix}a&b\\c&d\end{pmatrix}",
        r"f(x) = \begin{cases} 1 & x>0 \\ 0 & x\le 0\end{cases}",
        r"\begin{aligned} a",
        r"\unknown{x}",
        r"\unknown*{x}",
        r"\sqrt[n]{x}",
        r"\overline{AB}",
        "a & b",
        "{",
        "a}b",
        "x^",
        "",
        "{" * 50 + "}" * 50,
    ],
)
def test_what_would_lose_its_meaning_stays(formula: str) -> None:
    assert readable(formula) is None


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["a", "2", " ", "+", "^", "_", "{", "}", "\\frac", "\\sqrt", "\\alpha", "\\le", "(", ")", "&", "\\\\", "\\"]
        ),
        max_size=25,
    ).map("".join)
)
def test_anything_is_either_read_or_left(formula: str) -> None:
    text = readable(formula)
    assert text is None or (text.strip() and "\\frac" not in text)


def test_raised_and_lowered_characters() -> None:
    assert (script("2", "_"), script("n+1", "^"), script("q", "^"), script("", "_")) == ("₂", "ⁿ⁺¹", None, None)
