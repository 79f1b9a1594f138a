"""The command line: arguments, exit statuses, and the wiring of everything else.

May import every layer; none imports it.
"""

from __future__ import annotations

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO

from kimi_tui.cli.arguments import parse_arguments
from kimi_tui.cli.context import Context, standard_context
from kimi_tui.cli.exit_status import DONE, FAILED, INTERRUPTED, status_of
from kimi_tui.core.errors import KimiError
from kimi_tui.core.faults import fault_of, reason_of

MODULES = {
    None: "kimi_tui.cli.screen_command",
    "ask": "kimi_tui.cli.ask_command",
    "prompt": "kimi_tui.cli.prompt_command",
    "sessions": "kimi_tui.cli.sessions_command",
    "config": "kimi_tui.cli.config_command",
    "demo-server": "kimi_tui.cli.demo_server_command",
    "replay": "kimi_tui.cli.replay_command",
}
"""Where each command's `run(options, context) -> int` stands; only that one is imported."""
COLLECTING = frozenset({"demo-server"})
"""The commands that may run for days: their garbage has to be collected. The screen begins with it after its first
frame."""


def main(argv: Sequence[str]) -> int:
    """Run the command of the words after the program's name, and return its status; nothing is raised."""
    context = standard_context(Namespace())
    try:
        status = _run(argv, context)
        context.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        status = DONE
        _discard(context.stdout)
    except OSError as error:
        status = FAILED
        _tell_safely(context, _words_of(error))
        _discard(context.stdout)
    return status


def _run(argv: Sequence[str], context: Context) -> int:
    try:
        options = parse_arguments(argv)
        context.options = options
        if options.command in COLLECTING:
            gc.enable()
        context.begin_log()
        context.check_theme()
        return int(import_module(MODULES[options.command]).run(options, context))
    except KimiError as error:
        context.tell_error(error)
        return status_of(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as end:  # argparse has printed help or the version
        return end.code if isinstance(end.code, int) else DONE
    except OSError:
        raise
    except Exception as error:  # the last net: a traceback would show the key and the conversation
        return _unexpected(error, context)


def _unexpected(error: Exception, context: Context) -> int:
    context.tell(f"something unexpected went wrong ({fault_of(error)}).", context.report(error))
    return FAILED


def _words_of(error: OSError) -> str:
    is_named = error.strerror and error.filename
    return f"{reason_of(error)}: {error.filename}" if is_named else reason_of(error)


def _tell_safely(context: Context, line: str) -> None:
    try:
        context.tell(line)
    except OSError:
        _discard(context.stderr)


def _discard(stream: TextIO) -> None:
    """Let what waits in a broken stream go nowhere, so that the interpreter does not complain when it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # no file behind it
        sys.stdout = sys.__stdout__
