"""The system's clock."""

from __future__ import annotations

from datetime import UTC

from kimi_tui.adapters.clock import SystemClock


async def test_the_time_is_utc_in_whole_seconds_and_never_goes_back() -> None:
    clock = SystemClock()
    before_s, elapsed_s, now = clock.monotonic(), clock.elapsed(), clock.now()
    await clock.sleep(0)
    assert (now.tzinfo, now.microsecond) == (UTC, 0)
    assert clock.monotonic() >= before_s
    assert clock.elapsed() >= elapsed_s
    assert clock.now() >= now
