"""Make `python -m kimi_tui` and the installed command the same program."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType


def _end(number: int, frame: FrameType | None) -> None:
    """End at once: an exception amid an import may be swallowed, or become another. Who has work to keep takes over."""
    del frame
    os._exit(128 + number)


def run() -> None:
    """Run the command line and leave with its exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    # Imports make nothing but what stays: to look for garbage among it, now and once more at the end, takes a sixth of
    # a short command. What runs for long switches the collector on again.
    gc.disable()
    from kimi_tui.cli import main  # noqa: PLC0415 - nothing is imported before it is needed

    status = main(sys.argv[1:])
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    run()
