"""Make `python -m kimi_tui` and the installed command the same program."""

from __future__ import annotations

import gc
import sys


def run() -> None:
    """Run the command line and leave with its exit status."""
    # Imports make nothing but what stays: to look for garbage among it, now and once more at the end, takes a sixth of
    # a short command. What runs for long switches the collector on again.
    gc.disable()
    try:
        from kimi_tui.cli import main  # noqa: PLC0415 - nothing is imported before it is needed

        status = main(sys.argv[1:])
    except KeyboardInterrupt:  # before `main` could take it
        status = 130
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    run()
