"""Counts in words: one of something is no plural, wherever the program tells a number."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimi_tui.core.text.counts import counted

PACKAGE = Path(__file__).parents[3] / "kimi_tui"
COUNTABLE = re.compile(
    r"\s(characters|messages|replies|sessions|lines|files|words|blocks|hits|alternatives|presets|fields|matches)\b"
)
"""Nouns that the program counts."""


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 hits"), (1, "1 hit"), (2, "2 hits"), (1234, "1,234 hits"), (1_000_001, "1,000,001 hits")],
)
def test_one_is_no_plural(number: int, words: str) -> None:
    assert counted(number, "hit") == words


def test_a_plural_may_be_another_word() -> None:
    assert [counted(number, "reply", "replies") for number in (1, 2)] == ["1 reply", "2 replies"]


def plurals_behind_numbers(source: str) -> Iterator[str]:
    """Texts in which a plural stands right behind a value; a limit is no count, nor is what was found to be several."""
    for node in ast.walk(ast.parse(source)):
        parts = [ast.Constant(""), *node.values] if isinstance(node, ast.JoinedStr) else []
        for before, value, behind in zip(parts, parts[1:], parts[2:], strict=False):
            is_limit = isinstance(before, ast.Constant) and str(before.value).endswith("-")
            is_count = isinstance(value, ast.FormattedValue) and not ast.unparse(value.value).isupper() and not is_limit
            if is_count and isinstance(behind, ast.Constant) and COUNTABLE.match(str(behind.value)):
                yield ast.unparse(node)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_counts_are_written_in_one_place(path: Path) -> None:
    several = {"session_names.py"}  # told only where more than one fits
    found = [] if path.name in several else list(plurals_behind_numbers(path.read_text("utf-8")))
    assert not found
