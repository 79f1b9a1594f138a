"""Make `python -m kimi_tui` and the installed command the same program."""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command line and leave with its exit status."""
    from kimi_tui.cli import main  # noqa: PLC0415 - nothing is imported before it is needed

    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
