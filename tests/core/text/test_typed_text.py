"""The text in what was typed where no program read keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.text.typed_text import text_in


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("hello", "hello"),
        ("lamb\rchops\r\nstew\n", "lamb\nchops\nstew\n"),
        ("h\x7f\x7fha\x08i", "hi"),
        ("\x1b[200~a paste\x1b[201~ here", "a paste here"),
        ("a\x1b[Dc\x1bOPb\x1b[1;5C", "acb"),
        ("\x1bd\x1b\x1b[Ahi\x1b", "hi"),
        ("\x01\x03tab\there\x9b", "tab\there"),
        ("羊肉 🐑", "羊肉 🐑"),
        ("cut\x1b[20", "cut"),
        ("\x1b[?62;22c\x1b[8;40;120thi", "hi"),
        ("", ""),
    ],
)
def test_letters_stay_and_keys_go(sent: str, text: str) -> None:
    assert text_in(sent) == text


@given(st.text())
def test_no_control_character_stays(sent: str) -> None:
    text = text_in(sent)
    assert all(char in "\n\t" or not (char < " " or "\x7f" <= char <= "\x9f") for char in text)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_plain_text_is_as_it_was(sent: str) -> None:
    assert text_in(sent) == sent
