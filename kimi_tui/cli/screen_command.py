"""The full screen: everything plugged together, and what is said when it has been left."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from kimi_tui.cli.arguments import LATEST
from kimi_tui.cli.context import Context
from kimi_tui.cli.early_terminal import EarlyTerminal, early_terminal
from kimi_tui.cli.exit_status import DONE, FAILED, SIGNALLED
from kimi_tui.cli.new_session import new_session
from kimi_tui.cli.resume_line import resume_line
from kimi_tui.core.errors import KeyMissingError, KimiError, StorageError, ThemeError, UsageError
from kimi_tui.core.faults import fault_of
from kimi_tui.core.text.typed_text import text_in
from kimi_tui.ui.terminal.ending import Ending, is_terminal_gone

if TYPE_CHECKING:  # the names of types only
    from pathlib import Path

    from kimi_tui.adapters.endpoint.http_client import EndpointClient
    from kimi_tui.adapters.store.session_files import SessionFiles
    from kimi_tui.adapters.store.session_lock import SessionLock
    from kimi_tui.cli.typed_draft import EarlyDraft
    from kimi_tui.core.ports import HeldSession
    from kimi_tui.core.session.session import Session
    from kimi_tui.ui.app.kimi_app import KimiApp
    from kimi_tui.ui.state.services import FirstSession

DUMB_TERMINALS = ("dumb", "unknown")
"""Values of TERM for terminals that know no control sequences."""
LATEST_NAME = "the latest session"
"""What the session that was changed last is called until it has been found."""
TRUE_COLOUR = ("truecolor", "24bit")
"""Values of COLORTERM for terminals that show every colour."""


Build = Callable[[Namespace, Context, EarlyTerminal, contextlib.ExitStack, Ending, str], "KimiApp"]


def run(options: Namespace, context: Context) -> int:
    """Raises KimiError where the session that was asked for, or the address, cannot be used."""
    return run_screen(options, context, build_app)


def run_screen(options: Namespace, context: Context, build: Build, *, is_kept: bool = True) -> int:
    """Run what `build` makes on this terminal; `is_kept` = what is typed and said in it can be gone on with later.

    Raises UsageError where there is no terminal, and what `build` raises.
    """
    if context.stdin is None or not context.stdin.isatty() or not context.stdout.isatty():
        raise UsageError("The screen needs a terminal.", "Without one: kimi-tui ask, kimi-tui --help")
    settings = context.settings()  # what is wrong with the config is told before anything is drawn
    keys, screen = context.stdin.fileno(), context.stdout.fileno()
    with Ending() as ending, _thread_faults() as faults:
        early = None
        try:
            with contextlib.ExitStack() as held, early_terminal(keys, screen) as terminal:
                ending.watch(partial(terminal.end_now, screen))
                _draw_early(terminal, context)
                if is_kept:
                    early = _early_draft(context)
                    terminal.keep = early.keep
                app = build(options, context, terminal, held, ending, early.session_id if early is not None else "")
                ending.check()
                session_id = app.run(mouse=settings.ui.mouse)
        except SystemExit:  # a signal, before there was a program to be left
            if early is not None:
                _keep_as_draft(text_in(terminal.typed + terminal.left.decode("utf-8", "replace")), options, context)
                early.remove()
            raise
        status = _told_end(app, session_id if is_kept else None, options, context)
        for fault in faults:
            context.tell(f"Something unexpected went wrong ({fault_of(fault)}).", context.report(fault))
        return FAILED if faults and status == DONE else status


def _early_draft(context: Context) -> EarlyDraft:
    from kimi_tui.cli.typed_draft import EarlyDraft

    return EarlyDraft(context.sessions_folder)


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


def _keep_as_draft(text: str, options: Namespace, context: Context) -> None:
    from kimi_tui.cli.typed_draft import keep_as_draft
    from kimi_tui.ui.state.slash import is_message

    if is_message(text):
        name = keep_as_draft(text.rstrip(), context.store(), options, new_session(context.settings()))
        _tell_how_to_resume(name, options, context)


def _tell_how_to_resume(name: str, options: Namespace, context: Context) -> None:
    if not is_terminal_gone():
        context.write_line(f"Resume with: {resume_line(options, context.environ, name)}")


def _told_end(app: KimiApp, session_id: str | None, options: Namespace, context: Context) -> int:
    """Say what is to be said when the screen has been left, and return the status."""
    for words in app.parting_words:
        context.tell(words)
    if app.problem is not None:
        raise app.problem
    if app.crash is not None:
        kept = "everything is saved" if app.has_kept else "what was saved before is kept"
        context.tell(f"Something unexpected went wrong ({fault_of(app.crash)}); {kept}.", context.report(app.crash))
        if session_id:
            _tell_how_to_resume(context.store().name_of(session_id), options, context)
        return FAILED
    if app.return_code and not is_terminal_gone():
        context.tell(
            "Something could not be saved; the last whole files are in place.",
            "What a journal could keep of it comes back at the next start.",
        )
    if session_id:
        _tell_how_to_resume(context.store().name_of(session_id), options, context)
    return SIGNALLED + app.signal if app.signal is not None else app.return_code or DONE


def _draw_early(terminal: EarlyTerminal, context: Context) -> None:
    """Draw the first frame where the terminal is sure to show it as it is meant."""
    from kimi_tui.adapters.config.theme_files import themes
    from kimi_tui.ui.state.first_frame import EarlyEcho, first_frame
    from kimi_tui.ui.terminal.encoding import UTF8, screen_encoding

    stream, environ = context.stdout, context.environ
    if environ.get("TERM", "dumb") in DUMB_TERMINALS:
        return
    if screen_encoding(environ, stream.encoding) != UTF8:
        return
    has_all_colours = environ.get("COLORTERM") in TRUE_COLOUR and not environ.get("NO_COLOR")
    palette = None
    with contextlib.suppress(KeyError, ThemeError):  # told later, on the screen
        palette = themes(context.config_path)[context.settings().ui.theme]() if has_all_colours else None
    with contextlib.suppress(OSError):
        columns, rows = os.get_terminal_size(stream.fileno())
        terminal.draw(stream.fileno(), first_frame(columns, rows, palette))
        terminal.echo(EarlyEcho(columns, rows))


def build_app(  # noqa: PLR0917 - what every screen is built of
    options: Namespace,
    context: Context,
    terminal: EarlyTerminal,
    held: contextlib.ExitStack,
    ending: Ending,
    session_id: str,
) -> KimiApp:
    """Plug everything together; closing `held` lets others open the session to begin with. Raises as `run` does.

    `session_id` is the new session's, which may have a draft already.
    """
    from kimi_tui.adapters.clipboard_tools import SystemClipboard
    from kimi_tui.adapters.clock import SystemClock
    from kimi_tui.adapters.config.config_file import theme_problems
    from kimi_tui.adapters.config.theme_files import themes
    from kimi_tui.adapters.forms.form_process import check
    from kimi_tui.adapters.forms.schema_file import load_schema
    from kimi_tui.adapters.link_opener import SystemOpener
    from kimi_tui.adapters.text_editor import SystemEditor
    from kimi_tui.cli.settings_store import SettingsStore
    from kimi_tui.cli.warm_up import warm_up
    from kimi_tui.ui.app.kimi_app import KimiApp
    from kimi_tui.ui.state.services import Services
    from kimi_tui.ui.terminal.terminal_abilities import describe_terminal

    ending.check()  # the imports took most of the time
    settings, loaded, known = context.settings(), context.load(), themes(context.config_path)
    store = context.store()
    store.read_large_in_processes()
    first, opening = first_session(options, store, replace(new_session(settings), id=session_id), held)
    client, key_problem = _client(context)
    recordings = cache(context.recordings)
    services = Services(
        settings_store=SettingsStore(context),
        problems=(*loaded.problems, *loaded.notes),
        engine=cache(lambda: context.engine(client, [context.journals()], recordings())),
        clock=SystemClock(),
        session_store=store,
        new_session=lambda: new_session(context.settings()),
        themes=known,
        theme=settings.ui.theme,
        theme_problems=lambda: () if options.theme else theme_problems(context.config_path),
        endpoint="demo" if options.demo else settings.api.dialect,
        key_problem=key_problem,
        report=context.report,
        clipboard=SystemClipboard(context.environ),
        link_opener=SystemOpener(context.environ),
        text_editor=SystemEditor(context.environ),
        recorder=recordings,
        check_form=check,
        load_schema=load_schema,
    )
    return KimiApp(
        services,
        first,
        describe_terminal(context.environ, context.stdout.encoding),
        opening=opening,
        idle_work=warm_up,
        modes=terminal.modes,
        typed=terminal.typed,
        hand_over=terminal.hand_over,
        ending=ending,
    )


def first_session(
    options: Namespace, store: SessionFiles, new: Session, held: contextlib.ExitStack
) -> tuple[HeldSession, FirstSession | None]:
    """Hold the new session; one that was asked for is found, held and read when the screen is there.

    What stands on screen at once is the new session, or in its place an empty one that is never saved.
    """
    if options.resume is None:
        first = store.create(new)
        held.callback(first.release)
        return first, None
    from kimi_tui.adapters.store.session_drafts import add_to_draft
    from kimi_tui.cli.typed_draft import keep_apart
    from kimi_tui.core.ports import HeldSession
    from kimi_tui.ui.state.services import FirstSession

    name = None if options.resume is LATEST else options.resume
    told = list[str]()

    places: list[Path] = []
    stand_in = store.lock(store.path_of(new))  # its draft, of what is typed meanwhile, is nobody else's
    with contextlib.suppress(StorageError):
        stand_in.acquire()
        held.callback(stand_in.release)
    is_something_left = store.left.may_be_some

    def find() -> tuple[Path, SessionLock | None]:
        if is_something_left:
            store.recover()
        path = store.find(name, lambda unreadable: told.append(unreadable.words))
        lock = store.lock(path)
        try:
            lock.acquire()
        except StorageError:  # held, or nothing can be written there: it is opened to be read only
            return path, None
        held.callback(lock.release)
        places.append(path)
        return path, lock

    # What is wrong with it is told before the program is there, unless much has to be read first.
    found = find() if not is_something_left and store.is_found_at_once(name) else None

    def read() -> HeldSession:
        path, lock = found or find()
        session = store.open(path, held=lock)
        held.callback(session.release)
        gc.freeze()  # its messages stay: to look through thousands of them holds up the screen, and finds nothing
        return session

    def keep_typed(text: str) -> str:
        if places:
            add_to_draft(places[0], text)
            store.save_draft(store.path_of(new), "")
            return name or str(places[0])
        if name is not None and (path := store.file_called(name)) is not None:  # it was still looked for
            with contextlib.suppress(KimiError), store.lock(path):
                add_to_draft(path, text)
                store.save_draft(store.path_of(new), "")
                return str(name)
        return keep_apart(text, store, new)

    shown = found[0].stem if found is not None else name or LATEST_NAME
    first = HeldSession(replace(new, title=f"opening {shown} …"), store.path_of(new), release=stand_in.release)
    return first, FirstSession(shown, read, told, keep_typed)


def _client(context: Context) -> tuple[EndpointClient, KeyMissingError | None]:
    """Make the client; without a key one that is never asked, and why."""
    from kimi_tui.adapters.endpoint.http_client import EndpointClient

    try:
        return context.client(), None
    except KeyMissingError as error:
        return EndpointClient(context.settings().dialect, "", None), error
