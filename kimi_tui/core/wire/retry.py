"""When a failed attempt is made again.

Only where the first attempt surely came to nothing: no connection, or a status that says so. What the endpoint may have
begun to answer may have been billed, and a second attempt would say something else.
"""

from __future__ import annotations

from kimi_tui.core.errors import CompletionError

MAX_RETRIES = 3
"""Most attempts after the first, whatever the settings say."""
FIRST_DELAY_S = 1.0
"""Pause before the second attempt; it doubles with each one."""
MAX_RETRY_AFTER_S = 30.0
"""Longest pause the endpoint may ask for; a longer one ends the attempts."""


def retry_delay_s(error: CompletionError, attempt: int, retries: int, jitter: float) -> float | None:
    """Seconds to wait before the next attempt; None = give up.

    `attempt` = how many were made, from 1; `retries` = how many may follow the first, [0, 3]; `jitter` in [0, 1) is
    random, so that many clients do not come back at once.
    """
    if not error.retryable or attempt > min(retries, MAX_RETRIES):
        return None
    asked_s = error.retry_after_s
    if asked_s is not None and asked_s >= 0:  # false for NaN
        return asked_s if asked_s <= MAX_RETRY_AFTER_S else None
    return FIRST_DELAY_S * float(1 << (attempt - 1)) * (0.5 + jitter / 2)
