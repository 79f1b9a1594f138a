"""The full screen: everything plugged together, and what is said when it has been left."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

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
    from kimi_tui.core.ports import Clock, HeldSession, SessionStore, SettingsStore
    from kimi_tui.core.session.session import Session
    from kimi_tui.engine.turn_engine import Engine
    from kimi_tui.ui.app.kimi_app import KimiApp
    from kimi_tui.ui.state.services import FirstSession, Services

DUMB_TERMINALS = ("dumb", "unknown")
"""Values of TERM for terminals that know no control sequences."""
LATEST_NAME = "the latest session"
"""What the session that was changed last is called until it has been found."""
TRUE_COLOUR = ("truecolor", "24bit")
"""Values of COLORTERM for terminals that show every colour."""


class Program(NamedTuple):
    """What the screen works with, and what stands on it at first."""

    services: Services
    first: HeldSession
    """The session, or an empty one until `opening` has been read."""
    opening: FirstSession | None = None


Make = Callable[[Context, contextlib.ExitStack, str], Program]
"""Closing the stack lets others open the session to begin with.

The text is the new session's id, which may have a draft already; "" = nothing of the session is kept.
"""


def run(options: Namespace, context: Context) -> int:
    """Raises KimiError where the session that was asked for, or the address, cannot be used."""
    return run_screen(options, context, screen_program)


def run_screen(options: Namespace, context: Context, make: Make, *, is_kept: bool = True) -> int:
    """Run what `make` gives on this terminal; `is_kept` = what is typed and said in it can be gone on with later.

    Raises UsageError where there is no terminal, and what `make` raises.
    """
    if context.stdin is None or not context.stdin.isatty() or not context.stdout.isatty():
        raise UsageError("The screen needs a terminal.", "Without one: kimi-tui ask, kimi-tui --help")
    settings = context.settings()  # what is wrong with the config is told before anything is drawn
    keys, screen = context.stdin.fileno(), context.stdout.fileno()
    with Ending() as ending, _thread_faults() as faults:
        early: EarlyDraft | None = None
        try:
            with contextlib.ExitStack() as held, early_terminal(keys, screen) as terminal:
                ending.watch(partial(terminal.end_now, screen))
                _draw_early(terminal, context)
                if is_kept:
                    from kimi_tui.cli.typed_draft import EarlyDraft

                    early = EarlyDraft(context.sessions_folder)
                    terminal.keep = early.keep
                new_id = early.session_id if early is not None else ""
                app = build_app(context, partial(make, context, held, new_id), terminal, ending)
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


def build_app(context: Context, make: Callable[[], Program], terminal: EarlyTerminal, ending: Ending) -> KimiApp:
    """Plug everything together; raises what `make` does."""
    from kimi_tui.cli.warm_up import warm_up
    from kimi_tui.ui.app.kimi_app import KimiApp
    from kimi_tui.ui.terminal.terminal_abilities import describe_terminal

    ending.check()  # the imports took most of the time
    services, first, opening = make()
    return KimiApp(
        services, first, describe_terminal(context.environ, context.stdout.encoding), opening=opening,
        idle_work=warm_up, modes=terminal.modes, typed=terminal.typed, hand_over=terminal.hand_over, ending=ending,
    )  # fmt: skip


def services_of(
    context: Context,
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
        themes=themes(context.config_path),
        theme=store.value.ui.theme,
        endpoint=endpoint,
        report=context.report,
        clipboard=SystemClipboard(context.environ),
        link_opener=SystemOpener(context.environ),
        text_editor=SystemEditor(context.environ),
    )


def screen_program(context: Context, held: contextlib.ExitStack, session_id: str) -> Program:
    """The user's own sessions, and the endpoint or the simulator; raises as `run` does."""
    from kimi_tui.adapters.clock import SystemClock
    from kimi_tui.adapters.config.config_file import theme_problems
    from kimi_tui.adapters.forms.form_process import check
    from kimi_tui.adapters.forms.schema_file import load_schema
    from kimi_tui.cli.settings_store import SettingsStore

    options, settings, loaded, store = context.options, context.settings(), context.load(), context.store()
    store.read_large_in_processes()
    first, opening = first_session(options, store, replace(new_session(settings), id=session_id), held)
    client, key_problem = _client(context)
    recordings = cache(context.recordings)
    services = services_of(
        context, SettingsStore(context), store, SystemClock(),
        engine=lambda: context.engine(client, recordings()),
        endpoint="demo" if options.demo else settings.api.dialect,
    )  # fmt: skip
    services = replace(
        services, problems=(*loaded.problems, *loaded.notes), key_problem=key_problem, recorder=recordings,
        theme_problems=lambda: () if options.theme else theme_problems(context.config_path),
        check_form=check, load_schema=load_schema,
    )  # fmt: skip
    return Program(services, first, opening)


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
    from kimi_tui.adapters.store.session_lock import SessionLock
    from kimi_tui.core.ports import HeldSession
    from kimi_tui.ui.state.services import FirstSession

    stand_in = SessionLock(store.path_of(new))  # its draft, of what is typed meanwhile, is nobody else's
    with contextlib.suppress(StorageError):
        stand_in.acquire()
        held.callback(stand_in.release)
    wanted = _Wanted(None if options.resume is LATEST else options.resume, store, new, held, store.left.may_be_some)
    # What is wrong with it is told before the program is there, unless much has to be read first.
    if not wanted.has_much_to_read and store.is_found_at_once(wanted.name):
        wanted.find()
    shown = wanted.name or LATEST_NAME if wanted.path is None else wanted.path.stem
    first = HeldSession(replace(new, title=f"opening {shown} …"), store.path_of(new), release=stand_in.release)
    return first, FirstSession(shown, wanted.read, wanted.told, wanted.keep_typed)


@dataclass(eq=False)
class _Wanted:
    """A session that was asked for; all of it may be done in a thread."""

    name: str | None  # None = the one that was changed last
    store: SessionFiles
    new: Session  # what stands in its place, beside which its draft lies meanwhile
    held: contextlib.ExitStack
    has_much_to_read: bool  # whether dead processes may have left something that belongs to sessions
    told: list[str] = field(default_factory=list, init=False)
    path: Path | None = field(default=None, init=False)
    _lock: SessionLock | None = field(default=None, init=False)

    def find(self) -> Path:
        from kimi_tui.adapters.store.session_lock import SessionLock

        if self.has_much_to_read:
            self.store.recover()
        self.path = self.store.find(self.name, lambda unreadable: self.told.append(unreadable.words))
        lock = SessionLock(self.path)
        with contextlib.suppress(StorageError):  # held, or nothing can be written there: it is opened to be read only
            lock.acquire()
            self.held.callback(lock.release)
            self._lock = lock
        return self.path

    def read(self) -> HeldSession:
        session = self.store.open(self.path or self.find(), held=self._lock)
        self.held.callback(session.release)
        gc.freeze()  # its messages stay: to look through thousands of them holds up the screen, and finds nothing
        return session

    def keep_typed(self, text: str) -> str:
        """What was typed is kept with it, or where others hold it, apart; what holds it is given, to be resumed by."""
        from kimi_tui.adapters.store.session_lock import SessionLock
        from kimi_tui.cli.typed_draft import keep_apart

        if self.path is not None and self._lock is not None:
            self._add_to_draft(text, self.path)
            return self.name or str(self.path)
        if self.name is not None and (path := self.store.file_called(self.name)) is not None:  # it was still looked for
            with contextlib.suppress(KimiError), SessionLock(path):
                self._add_to_draft(text, path)
                return self.name
        return keep_apart(text, self.store, self.new)

    def _add_to_draft(self, text: str, path: Path) -> None:
        from kimi_tui.adapters.store.session_drafts import add_to_draft

        add_to_draft(path, text)
        self.store.save_draft(self.store.path_of(self.new), "")


def _client(context: Context) -> tuple[EndpointClient, KeyMissingError | None]:
    """Make the client; without a key one that is never asked, and why."""
    from kimi_tui.adapters.endpoint.http_client import EndpointClient

    try:
        return context.client(), None
    except KeyMissingError as error:
        return EndpointClient(context.settings().dialect, "", None), error
