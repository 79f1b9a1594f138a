"""Exit statuses."""

from __future__ import annotations

from kimi_tui.core.errors import CompletionError, KimiError

DONE = 0
FAILED = 1
"""The request failed, or its reply could not be saved."""
BAD_USAGE = 2
"""Command line, config, key or file cannot be used."""
INTERRUPTED = 130
SIGNALLED = 128
"""What is added to a signal's number, as shells do it."""


def status_of(error: KimiError) -> int:
    return FAILED if isinstance(error, CompletionError) else BAD_USAGE
