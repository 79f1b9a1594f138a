"""The log that the environment may ask for, and reports of faults of this program."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui import __version__
from kimi_tui.core.errors import UsageError
from kimi_tui.core.faults import reason_of

if TYPE_CHECKING:  # the names of types only: few runs have a log or a fault
    from kimi_tui.adapters.log import Redaction
    from kimi_tui.cli.configuration import Configuration


@dataclass(slots=True)
class FaultReports:
    config: Configuration
    _log: Redaction | None = field(default=None, init=False)

    def begin_log(self) -> None:
        """Write a log where the environment asks for one; UsageError where it cannot be written."""
        environ = self.config.environ
        path = environ.get("KIMI_TUI_LOG")
        if not path:
            return
        import logging

        from kimi_tui.adapters.child_environ import VARIABLES
        from kimi_tui.adapters.log import set_up_log

        try:
            self._log = set_up_log(
                Path(os.path.expanduser(path)), [environ.get(name, "").strip() for name in VARIABLES]
            )
        except OSError as error:
            raise UsageError(f"KIMI_TUI_LOG: {path}: {reason_of(error)}.") from error
        logging.getLogger("kimi_tui").info("kimi-tui %s: %s", __version__, self._command)

    @property
    def _command(self) -> str:
        return self.config.options.command or "screen"

    def hide(self, secret: str) -> None:
        """Keep it out of the log."""
        if self._log is not None:
            self._log.hide(secret)

    def report(self, error: BaseException) -> str:
        """Note a fault of this program in the log, and write it down; where that lies, in words, and nothing is raised.

        It touches files.
        """
        from kimi_tui.adapters.crash_files import write_crash_report

        if self._log is not None:
            import logging

            logging.getLogger("kimi_tui").error("unexpected", exc_info=error)
        path = write_crash_report(error, self.config.data_dir, self._command)
        return f"A report without texts and key: {path}" if path is not None else "No report could be written."
