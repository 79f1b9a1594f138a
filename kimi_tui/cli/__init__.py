"""The command line: arguments, exit statuses, and the wiring of everything else.

May import every layer; none imports it.
"""

from __future__ import annotations

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TextIO

from kimi_tui.cli.arguments import GLOBAL_DEFAULTS, parse_arguments
from kimi_tui.cli.configuration import Configuration
from kimi_tui.cli.console import Console
from kimi_tui.cli.exit_status import DONE, FAILED, INTERRUPTED, status_of
from kimi_tui.cli.fault_reports import FaultReports
from kimi_tui.core.errors import KimiError
from kimi_tui.core.faults import fault_of, reason_of

COLLECTING = frozenset({"demo-server"})
"""The commands that may run for days: their garbage has to be collected. The screen begins with it after its first
frame."""


def main(argv: Sequence[str]) -> int:
    """Run the command of the words after the program's name, and return its status; nothing is raised."""
    console = Console.of_process()
    try:
        status = _run(argv, console)
        console.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        status = DONE
        _discard(console.stdout)
    except OSError as error:
        status = FAILED
        place = f": {error.filename}" if error.strerror and error.filename else ""
        try:
            console.tell(f"{reason_of(error)}{place}")
        except OSError:
            _discard(console.stderr)
        _discard(console.stdout)
    return status


def _run(argv: Sequence[str], console: Console) -> int:
    config = Configuration(Namespace(command=None, **GLOBAL_DEFAULTS), os.environ)
    reports = FaultReports(config)
    try:
        config.options = parse_arguments(argv)
        if config.options.command in COLLECTING:
            gc.enable()
        reports.begin_log()
        config.check_theme()
        return _run_command(config.options, console, config, reports)
    except KimiError as error:
        console.tell_error(error)
        return status_of(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as end:  # argparse has printed help or the version
        return end.code if isinstance(end.code, int) else DONE
    except OSError:
        raise
    except Exception as error:  # the last net: a traceback would show the key and the conversation
        console.tell(f"something unexpected went wrong ({fault_of(error)}).", reports.report(error))
        return FAILED


def _run_command(options: Namespace, console: Console, config: Configuration, reports: FaultReports) -> int:
    """Hand the command what it uses; only its own module is imported."""
    from kimi_tui.cli.parts import Sessions

    sessions = Sessions(config, console)
    match options.command:
        case "ask":
            from kimi_tui.cli import ask_command

            status = ask_command.run(options, console, config, sessions, reports)
        case "prompt":
            from kimi_tui.cli import prompt_command

            status = prompt_command.run(options, console, config, sessions)
        case "sessions":
            from kimi_tui.cli import sessions_command

            status = sessions_command.run(options, console, config, sessions)
        case "config":
            from kimi_tui.cli import config_command

            status = config_command.run(options, console, config)
        case "demo-server":
            from kimi_tui.cli import demo_server_command

            status = demo_server_command.run(options, console, config.settings().dialect)
        case "replay":
            from kimi_tui.cli import replay_command

            status = replay_command.run(options, console, config, reports)
        case _:
            from kimi_tui.cli import screen_command

            status = screen_command.run(console, config, sessions, reports)
    return status


def _discard(stream: TextIO) -> None:
    """Let what waits in a broken stream go nowhere, so that the interpreter does not complain when it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # no file behind it
        sys.stdout = sys.__stdout__
