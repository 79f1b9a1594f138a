"""`kimi-tui demo-server`: the offline simulator as an endpoint for other programs."""

from __future__ import annotations

import asyncio
import signal
from argparse import Namespace

from kimi_tui.cli.context import Context
from kimi_tui.cli.exit_status import DONE
from kimi_tui.core.errors import UsageError
from kimi_tui.core.faults import reason_of
from kimi_tui.engine import signals


def run(options: Namespace, context: Context) -> int:
    """Serve until Ctrl+C (which `main` turns into its status) or SIGTERM.

    Raises:
        UsageError: The port cannot be used.
    """
    try:
        asyncio.run(_serve(options, context))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise UsageError(
            f"Port {options.port} cannot be used: {reason_of(error)}.", "--port 0 takes a free one."
        ) from error
    return DONE


async def _serve(options: Namespace, context: Context) -> None:
    from kimi_tui.adapters.endpoint.demo_server import serve  # noqa: PLC0415

    serving = serve(context.settings().dialect, port=options.port, rate=options.rate, announce=context.write_line)
    task = asyncio.ensure_future(serving)
    try:
        with signals.handling(lambda _: task.cancel(), signal.SIGTERM):
            await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():  # Ctrl+C cancels this task, SIGTERM only the other
            raise
    finally:
        # Python 3.11 prints a traceback for each connection that is open when its handler is cancelled.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
