from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.text.sentences import whole_end


@pytest.mark.parametrize(
    ("kept", "tail"),
    [
        ("One is so.", " Two is"),
        ("Is it?!", " Or"),
        ("He said “so.”", " The"),
        ("A line", "\nhalf a"),
        ("- one", "\n- tw"),
        ("羊だ。", "次は"),
        ("It is 3.5 and", ""),
        ("no end here", ""),
        ("All is said. ", ""),
        ("All is said.\n\n", ""),
        ("", ""),
        ("so.", " 3.5 is"),
    ],
)
def test_where_the_last_whole_sentence_ends(kept: str, tail: str) -> None:
    assert whole_end(kept + tail) == len(kept)


@given(st.text(alphabet="ab .!?\n。”"))
def test_nothing_but_a_part_of_a_sentence_is_cut(text: str) -> None:
    end = whole_end(text)
    assert end == len(text) or (text[end:].strip() and text[:end].strip())
