"""`kimi-tui demo-server`: the offline simulator as an endpoint for other programs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.cli.console import Console
from kimi_tui.cli.exit_status import DONE, SIGNALLED
from kimi_tui.core.errors import UsageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.engine import os_signals

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.adapters.endpoint.demo_server import Recorded


def run(options: Namespace, console: Console, dialect: Dialect) -> int:
    """Serve until a signal ends it, whose status is returned; UsageError where the port cannot be used."""
    try:
        return asyncio.run(_serve(options, console, dialect))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise UsageError(
            f"Port {options.port} cannot be used: {reason_of(error)}.", "--port 0 takes a free one."
        ) from error


def _recorded(options: Namespace) -> Recorded:
    """Raises StorageError where the recording cannot be read."""
    from kimi_tui.adapters.clock import FasterClock
    from kimi_tui.adapters.endpoint.demo_server import Recorded
    from kimi_tui.adapters.recording_files import load_recording

    return Recorded(load_recording(Path(os.path.expanduser(options.replay))).exchanges, FasterClock(options.speed))


async def _serve(options: Namespace, console: Console, dialect: Dialect) -> int:
    from kimi_tui.adapters.endpoint.demo_server import serve

    recorded = None if options.replay is None else _recorded(options)
    serving = serve(dialect, port=options.port, rate=options.rate, announce=console.write_line, recorded=recorded)
    task = asyncio.ensure_future(serving)
    ended_by: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        ended_by.append(number)
        task.cancel()

    with (
        os_signals.handling(end, signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
        contextlib.suppress(asyncio.CancelledError),
    ):
        await task
    # Python 3.11 prints a traceback for each connection that is open when its handler is cancelled.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    return SIGNALLED + ended_by[0] if ended_by else DONE
