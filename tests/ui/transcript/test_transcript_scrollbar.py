"""The scroll bar: it stands where the view is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.ui.transcript.scrollbar import ScrollBar


@given(st.integers(1, 60), st.integers(0, 5000), st.integers(0, 5000))
def test_the_scroll_bar_is_where_the_view_is(height: int, above: int, below: int) -> None:
    bar = ScrollBar(height, above, above + height + below)
    glyphs = "".join(bar.glyphs())
    if not above + below:
        assert glyphs.strip() == ""
        return
    assert [row for row in range(height) if glyphs[row] != " "] == list(bar.thumb)
    assert len(bar.thumb) >= 1
    if height > 2:
        assert (glyphs[0] in "┃╹") == (above == 0)
        assert (glyphs[-1] in "┃╻") == (below == 0)
    assert bar.line_at(height) is None
    lines = [line for row in range(height) if (line := bar.line_at(row)) is not None]
    assert lines == sorted(lines)
    assert not lines or (lines[0] == 0 and lines[-1] <= above + below)
