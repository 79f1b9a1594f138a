"""The full screen: everything plugged together, and what is said when it has been left."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from kimi_tui.cli.configuration import Configuration
from kimi_tui.cli.console import Console
from kimi_tui.cli.early_terminal import EarlyTerminal, early_terminal
from kimi_tui.cli.exit_status import DONE, FAILED, SIGNALLED
from kimi_tui.cli.fault_reports import FaultReports
from kimi_tui.cli.parts import Sessions, make_client, make_engine, make_recordings, new_session
from kimi_tui.cli.resume_line import resume_line
from kimi_tui.core.errors import KeyMissingError, ThemeError, UsageError
from kimi_tui.core.faults import fault_of
from kimi_tui.core.text.typed_text import text_in
from kimi_tui.ui.terminal.ending import Ending, is_terminal_gone

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.adapters.endpoint.http_client import EndpointClient
    from kimi_tui.cli.typed_draft import EarlyDraft
    from kimi_tui.core.ports import Clock, HeldSession, SessionStore, SettingsStore
    from kimi_tui.engine.turn_engine import Engine
    from kimi_tui.ui.app.kimi_app import KimiApp
    from kimi_tui.ui.state.services import FirstSession, Services

DUMB_TERMINALS = ("dumb", "unknown")
"""Values of TERM for terminals that know no control sequences."""
TRUE_COLOUR = ("truecolor", "24bit")
"""Values of COLORTERM for terminals that show every colour."""


class Program(NamedTuple):
    """What the screen works with, and what stands on it at first."""

    services: Services
    first: HeldSession
    """The session, or an empty one until `opening` has been read."""
    opening: FirstSession | None = None


Make = Callable[[contextlib.ExitStack, str], Program]
"""Closing the stack lets others open the session to begin with.

The text is the new session's id, which may have a draft already; "" = nothing of the session is kept.
"""


def run(console: Console, config: Configuration, sessions: Sessions, reports: FaultReports) -> int:
    """Raises KimiError where the session that was asked for, or the address, cannot be used."""
    return run_screen(console, config, reports, partial(screen_program, config, sessions, reports), sessions)


def run_screen(
    console: Console, config: Configuration, reports: FaultReports, make: Make, kept_in: Sessions | None = None
) -> int:
    """Run what `make` gives on this terminal; what is typed and said in it can be gone on with later if it is kept.

    Raises UsageError where there is no terminal, and what `make` raises.
    """
    if console.stdin is None or not console.stdin.isatty() or not console.stdout.isatty():
        raise UsageError("The screen needs a terminal.", "Without one: kimi-tui ask, kimi-tui --help")
    settings = config.settings()  # what is wrong with the config is told before anything is drawn
    keys, screen = console.stdin.fileno(), console.stdout.fileno()
    with Ending() as ending, _thread_faults() as faults:
        early: EarlyDraft | None = None
        try:
            with contextlib.ExitStack() as held, early_terminal(keys, screen) as terminal:
                ending.watch(partial(terminal.end_now, screen))
                _draw_early(terminal, console, config)
                if kept_in is not None:
                    from kimi_tui.cli.typed_draft import EarlyDraft

                    early = EarlyDraft(config.sessions_folder)
                    terminal.keep = early.keep
                new_id = early.session_id if early is not None else ""
                app = build_app(console, config, partial(make, held, new_id), terminal, ending)
                ending.check()
                session_id = app.run(mouse=settings.ui.mouse)
        except SystemExit:  # a signal, before there was a program to be left
            if kept_in is not None and early is not None:
                text = text_in(terminal.typed + terminal.left.decode("utf-8", "replace"))
                _keep_as_draft(text, console, config, kept_in)
                early.remove()
            raise
        name = kept_in.store.name_of(session_id) if kept_in is not None and session_id else None
        status = _told_end(app, name, console, config, reports)
        for fault in faults:
            console.tell(f"Something unexpected went wrong ({fault_of(fault)}).", reports.report(fault))
        return FAILED if faults and status == DONE else status


@contextlib.contextmanager
def _thread_faults() -> Iterator[list[BaseException]]:
    """Collect what threads raise that nobody waits for; Python would print it, or the library drop it."""
    faults: list[BaseException] = []

    def note(args: threading.ExceptHookArgs) -> None:
        if isinstance(args.exc_value, Exception):
            faults.append(args.exc_value)

    before, threading.excepthook = threading.excepthook, note
    try:
        yield faults
    finally:
        threading.excepthook = before


def _keep_as_draft(text: str, console: Console, config: Configuration, sessions: Sessions) -> None:
    from kimi_tui.cli.typed_draft import keep_as_draft
    from kimi_tui.ui.state.slash import is_message

    if is_message(text):
        name = keep_as_draft(text.rstrip(), sessions.store, config.options, new_session(config.settings()))
        _tell_how_to_resume(name, console, config)


def _tell_how_to_resume(name: str, console: Console, config: Configuration) -> None:
    if not is_terminal_gone():
        console.write_line(f"Resume with: {resume_line(config.options, config.environ, name)}")


def _told_end(app: KimiApp, name: str | None, console: Console, config: Configuration, reports: FaultReports) -> int:
    """Say what is to be said when the screen has been left, and return the status; `name` is what it is resumed by."""
    for words in app.parting_words:
        console.tell(words)
    if app.problem is not None:
        raise app.problem
    if app.crash is not None:
        kept = "everything is saved" if app.has_kept else "what was saved before is kept"
        console.tell(f"Something unexpected went wrong ({fault_of(app.crash)}); {kept}.", reports.report(app.crash))
        if name:
            _tell_how_to_resume(name, console, config)
        return FAILED
    if app.return_code and not is_terminal_gone():
        console.tell(
            "Something could not be saved; the last whole files are in place.",
            "What a journal could keep of it comes back at the next start.",
        )
    if name:
        _tell_how_to_resume(name, console, config)
    return SIGNALLED + app.signal if app.signal is not None else app.return_code or DONE


def _draw_early(terminal: EarlyTerminal, console: Console, config: Configuration) -> None:
    """Draw the first frame where the terminal is sure to show it as it is meant."""
    from kimi_tui.adapters.config.theme_files import themes
    from kimi_tui.ui.state.first_frame import EarlyEcho, first_frame
    from kimi_tui.ui.terminal.encoding import UTF8, screen_encoding

    stream, environ = console.stdout, config.environ
    if environ.get("TERM", "dumb") in DUMB_TERMINALS:
        return
    if screen_encoding(environ, stream.encoding) != UTF8:
        return
    has_all_colours = environ.get("COLORTERM") in TRUE_COLOUR and not environ.get("NO_COLOR")
    palette = None
    with contextlib.suppress(KeyError, ThemeError):  # told later, on the screen
        palette = themes(config.path)[config.settings().ui.theme]() if has_all_colours else None
    with contextlib.suppress(OSError):
        columns, rows = os.get_terminal_size(stream.fileno())
        terminal.draw(stream.fileno(), first_frame(columns, rows, palette))
        terminal.echo(EarlyEcho(columns, rows))


def build_app(
    console: Console, config: Configuration, make: Callable[[], Program], terminal: EarlyTerminal, ending: Ending
) -> KimiApp:
    """Plug everything together; raises what `make` does."""
    from kimi_tui.cli.warm_up import warm_up
    from kimi_tui.ui.app.kimi_app import KimiApp
    from kimi_tui.ui.terminal.terminal_abilities import describe_terminal

    ending.check()  # the imports took most of the time
    services, first, opening = make()
    return KimiApp(
        services, first, describe_terminal(config.environ, console.stdout.encoding), opening=opening,
        idle_work=warm_up, modes=terminal.modes, typed=terminal.typed, hand_over=terminal.hand_over, ending=ending,
    )  # fmt: skip


def services_of(
    config: Configuration,
    reports: FaultReports,
    store: SettingsStore,
    sessions: SessionStore,
    clock: Clock,
    *,
    engine: Callable[[], Engine],
    endpoint: str,
) -> Services:
    """Those of every screen: these, and what the machine offers."""
    from kimi_tui.adapters.clipboard_tools import SystemClipboard
    from kimi_tui.adapters.config.theme_files import themes
    from kimi_tui.adapters.link_opener import SystemOpener
    from kimi_tui.adapters.text_editor import SystemEditor
    from kimi_tui.ui.state.services import Services

    return Services(
        settings_store=store,
        engine=cache(engine),
        clock=clock,
        session_store=sessions,
        new_session=lambda: new_session(store.value),
        themes=themes(config.path),
        theme=store.value.ui.theme,
        endpoint=endpoint,
        report=reports.report,
        clipboard=SystemClipboard(config.environ),
        link_opener=SystemOpener(config.environ),
        text_editor=SystemEditor(config.environ),
    )


def screen_program(
    config: Configuration, sessions: Sessions, reports: FaultReports, held: contextlib.ExitStack, session_id: str
) -> Program:
    """The user's own sessions, and the endpoint or the simulator; raises as `run` does."""
    from kimi_tui.adapters.clock import SystemClock
    from kimi_tui.adapters.config.config_file import theme_problems
    from kimi_tui.adapters.forms.form_process import check
    from kimi_tui.adapters.forms.schema_file import load_schema
    from kimi_tui.cli.first_session import first_session
    from kimi_tui.cli.settings_store import SettingsStore

    options, settings, loaded, store = config.options, config.settings(), config.load(), sessions.store
    store.read_large_in_processes()
    first, opening = first_session(options, store, replace(new_session(settings), id=session_id), held)
    client, key_problem = _client(config, reports)
    recordings = cache(partial(make_recordings, config))
    services = services_of(
        config, reports, SettingsStore(config), store, SystemClock(),
        engine=lambda: make_engine(client, recordings(), store, reports.report),
        endpoint="demo" if options.demo else settings.api.dialect,
    )  # fmt: skip
    services = replace(
        services, problems=(*loaded.problems, *loaded.notes), key_problem=key_problem, recorder=recordings,
        theme_problems=lambda: () if options.theme else theme_problems(config.path),
        check_form=check, load_schema=load_schema,
    )  # fmt: skip
    return Program(services, first, opening)


def _client(config: Configuration, reports: FaultReports) -> tuple[EndpointClient, KeyMissingError | None]:
    """Make the client; without a key one that is never asked, and why."""
    from kimi_tui.adapters.endpoint.http_client import EndpointClient

    try:
        return make_client(config, reports.hide), None
    except KeyMissingError as error:
        return EndpointClient(config.settings().dialect, "", None), error
