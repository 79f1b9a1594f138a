"""How often a growing reply is drawn: less often where drawing comes late."""

from __future__ import annotations

from kimi_tui.ui.state.running_turns import FRAME_S, MAX_FRAME_S, frame_pause_s


def test_a_loop_that_is_in_time_is_drawn_at_the_full_rate() -> None:
    assert frame_pause_s(0.0) == frame_pause_s(-0.001) == FRAME_S


def test_a_busy_loop_is_left_alone_as_long_as_it_was_late_but_never_for_long() -> None:
    assert frame_pause_s(0.03) == FRAME_S + 0.03
    assert frame_pause_s(60.0) == MAX_FRAME_S
