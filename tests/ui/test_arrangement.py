"""Which panes are in view at which size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.settings.settings import PANE_WIDTHS, PANES
from kimi_tui.ui.state.arrangement import (
    MIN_CONVERSATION_COLUMNS,
    OVERLAY_COLUMNS,
    OVERLAY_ROWS,
    Arrangement,
    arrange,
    toggled,
)


@pytest.mark.parametrize(
    ("columns", "rows", "opened", "expected"),
    [
        (120, 40, (), Arrangement()),
        (120, 40, ("sessions",), Arrangement(left="sessions", left_columns=28)),
        (120, 40, ("sessions", "reasoning"), Arrangement("sessions", "reasoning", "", 28, 40)),
        (120, 40, ("reasoning", "sessions", "prompt"), Arrangement("sessions", "prompt", "", 28, 44)),
        (80, 24, ("sessions", "settings"), Arrangement(right="settings", right_columns=40)),
        (80, 24, ("settings", "sessions"), Arrangement(left="sessions", left_columns=28)),
        (60, 20, ("sessions", "settings"), Arrangement()),
        (120, 16, ("sessions",), Arrangement()),
        (40, 12, ("sessions",), Arrangement(is_too_small=True)),
    ],
)
def test_what_is_in_view(columns: int, rows: int, opened: tuple[str, ...], expected: Arrangement) -> None:
    assert arrange(columns, rows, opened, PANE_WIDTHS) == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (120, Arrangement("sessions", "reasoning", "", 28, 40)),
        (80, Arrangement(right="reasoning", right_columns=40)),
        (60, Arrangement(overlay="reasoning")),
    ],
)
def test_what_has_the_keys_is_in_view(columns: int, expected: Arrangement) -> None:
    assert arrange(columns, 20, ("reasoning", "sessions", "prompt"), PANE_WIDTHS, "reasoning") == expected


@given(
    st.integers(1, 400), st.integers(1, 100), st.permutations(PANES).flatmap(lambda p: st.integers(0, 4).map(lambda n: p[:n])),
    st.fixed_dictionaries({name: st.integers(20, 120) for name in PANES}),
)  # fmt: skip
def test_the_conversation_keeps_its_room(columns: int, rows: int, opened: list[str], widths: dict[str, int]) -> None:
    found = arrange(columns, rows, opened, widths)
    assert set(found.panes) <= set(opened)
    assert not found.overlay
    if opened and columns >= OVERLAY_COLUMNS and rows >= OVERLAY_ROWS:
        assert opened[-1] in found.panes
    if found.left or found.right:
        assert columns - found.left_columns - found.right_columns >= MIN_CONVERSATION_COLUMNS
        assert all(
            size >= 20 for name, size in ((found.left, found.left_columns), (found.right, found.right_columns)) if name
        )


def test_a_pane_is_opened_brought_to_view_and_closed() -> None:
    assert toggled((), "prompt", ()) == ("prompt",)
    assert toggled(("prompt", "settings"), "prompt", ("settings",)) == ("settings", "prompt")
    assert toggled(("prompt", "settings"), "settings", ("settings",)) == ()
    assert toggled(("prompt", "sessions", "settings"), "settings", ("sessions", "settings")) == ("sessions",)
