"""A raw input that is being written, as its file holds it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session.raw_draft import RawDraft, decode_raw_draft


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.none() | st.text("m123"))
def test_it_comes_back_exactly(text: str, reply_to: str | None) -> None:
    draft = RawDraft(text, reply_to)
    assert decode_raw_draft(draft.encode()) == draft


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff", b'{"text":"","reply_to":null}', b'{"text":1,"reply_to":null}',
     b'{"text":"a","reply_to":1}', b'{"text":"a"', b"[" * 100_000],
)  # fmt: skip
def test_what_is_none_is_none(data: bytes) -> None:
    assert decode_raw_draft(data) is None
