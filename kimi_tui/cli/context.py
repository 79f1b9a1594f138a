"""What the commands share: places, streams, and the parts of the program, each built when it is first needed."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from kimi_tui import __version__
from kimi_tui.core.errors import CompletionError, ConfigError, KimiError, UsageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.text.surrogates import replace_lone

if TYPE_CHECKING:  # the names of types only: importing these modules takes time that few commands need
    from kimi_tui.adapters.config.config_file import LoadedSettings
    from kimi_tui.adapters.endpoint.http_client import EndpointClient
    from kimi_tui.adapters.log import Redaction
    from kimi_tui.adapters.recording_files import Recordings
    from kimi_tui.adapters.store.session_files import SessionFiles
    from kimi_tui.core.ports import TurnListener
    from kimi_tui.core.session.session import Session
    from kimi_tui.core.settings.settings import Settings
    from kimi_tui.engine.turn_engine import Engine

DEMO_KEY = "the-simulator-needs-none"
"""What the simulator gets in the key's place; no word of a text, since a key is taken out of errors and log."""


@dataclass(slots=True)
class Context:
    options: Namespace
    environ: Mapping[str, str]
    stdin: TextIO | None
    """Standard input; None = closed."""
    stdout: TextIO
    stderr: TextIO
    _loaded: LoadedSettings | None = field(default=None, init=False)
    _store: SessionFiles | None = field(default=None, init=False)
    _log: Redaction | None = field(default=None, init=False)

    def begin_log(self) -> None:
        """Write a log where the environment asks for one; UsageError where it cannot be written."""
        path = self.environ.get("KIMI_TUI_LOG")
        if not path:
            return
        import logging

        from kimi_tui.adapters.child_environ import VARIABLES
        from kimi_tui.adapters.log import set_up_log

        try:
            self._log = set_up_log(
                Path(os.path.expanduser(path)), [self.environ.get(name, "").strip() for name in VARIABLES]
            )
        except OSError as error:
            raise UsageError(f"KIMI_TUI_LOG: {path}: {reason_of(error)}.") from error
        logging.getLogger("kimi_tui").info("kimi-tui %s: %s", __version__, self.options.command or "screen")

    def report(self, error: BaseException) -> str:
        """Note a fault of this program in the log, and write it down; where that lies, in words, and nothing is raised.

        It touches files.
        """
        from kimi_tui.adapters.crash_files import write_crash_report

        if self._log is not None:
            import logging

            logging.getLogger("kimi_tui").error("unexpected", exc_info=error)
        command = getattr(self.options, "command", None) or "screen"
        path = write_crash_report(error, self.data_dir, command)
        return f"A report without texts and key: {path}" if path is not None else "No report could be written."

    @property
    def config_path(self) -> Path:
        from kimi_tui.adapters.config import paths

        return paths.config_file(self.options.config, self.environ)

    @property
    def is_config_explicit(self) -> bool:
        return bool(self.options.config)

    @property
    def data_dir(self) -> Path:
        from kimi_tui.adapters.config import paths

        return paths.data_dir(self.options.data_dir, self.environ)

    @property
    def sessions_folder(self) -> Path:
        from kimi_tui.adapters.config import paths

        folder = self.settings().sessions.folder
        return Path(os.path.expanduser(folder)) if folder else paths.sessions_dir(self.data_dir)

    def load(self) -> LoadedSettings:
        """Read the config, once; ConfigError where a config file that was named is not there."""
        return self._loaded or self.reload()

    def reload(self) -> LoadedSettings:
        """Read the config again; ConfigError where a config file that was named is gone: what was read before holds."""
        from kimi_tui.adapters.config.config_file import load_settings

        self._loaded = load_settings(self.config_path, explicit=self.is_config_explicit)
        return self._loaded

    def settings(self) -> Settings:
        """The settings with the command line's options on top, whatever is wrong in the config."""
        settings = self.load().settings
        options = self.options
        api = replace(
            settings.api,
            base_url=options.base_url or settings.api.base_url,
            model=options.model or settings.api.model,
        )
        ui = replace(settings.ui, theme=options.theme or settings.ui.theme)
        return replace(settings, api=api, ui=ui, model_option=options.model or "")

    def check_theme(self) -> None:
        """UsageError where the theme of the command line is not there, whether or not the command shows one."""
        if name := self.options.theme:
            from kimi_tui.adapters.config.theme_files import themes

            if name not in (known := themes(self.config_path)):
                raise UsageError(f"There is no theme {name!r}.", f"Themes: {', '.join(sorted(known))}")

    def settings_or_tell(self) -> Settings:
        """The settings; what is wrong in the config is told, and its defaults are used; notes are told too."""
        self._tell_config()
        return self.settings()

    def settings_or_refuse(self) -> Settings:
        """The settings of a config without mistakes, else ConfigError; mistakes and notes have been told."""
        self._tell_config()
        if self.load().problems:
            raise ConfigError(
                "Nothing was sent, since the config has mistakes.", "`kimi-tui config check` lists them again."
            )
        return self.settings()

    def _tell_config(self) -> None:
        for line in (*self.load().notes, *self.load().problems):
            self.tell(line)

    def store(self) -> SessionFiles:
        """The sessions on disk; what a dead process left among them is put right first."""
        if self._store is None:
            from kimi_tui.adapters import files
            from kimi_tui.adapters.store.session_files import SessionFiles

            sessions, folder = self.settings().sessions, self.sessions_folder
            trash = self.data_dir / "trash"
            for place in (folder, trash):
                files.sweep_temporaries(place)
            self._store = SessionFiles(folder, trash, sessions.format, self._new_session)
            if self.options.command is not None:  # the screen does it while it is there already, and tells it there
                self._store.tell = self.tell
                for found in self._store.recover():
                    name = f"session {found.id} {found.title}".rstrip() + ": " if found.id else ""
                    self.tell(f"{name}{found.words}")
        return self._store

    def _new_session(self) -> Session:
        from kimi_tui.cli.new_session import new_session

        return new_session(self.settings())

    def find_session(self, text: str | None) -> Path:
        """As `SessionFiles.find`; files that it passes over are told."""
        return self.store().find(text, lambda unreadable: self.tell(unreadable.words))

    def key(self) -> str:
        """Raises KeyMissingError where there is none, or no request could carry it."""
        if self.options.demo:
            return DEMO_KEY
        from kimi_tui.adapters.config.api_key import find_key

        api = self.settings().api
        if not api.api_key_command:
            return find_key(self.environ, api)
        from kimi_tui.cli.interruptible import interruptible

        with interruptible():
            return find_key(self.environ, api)

    def client(self) -> EndpointClient:
        """Raises KeyMissingError, and UsageError where the endpoint's address cannot be used."""
        from kimi_tui.adapters.endpoint.http_client import EndpointClient, check_base_url

        api = self.settings().api
        check_base_url(api.base_url)
        key = self.key()
        if self._log is not None:
            self._log.hide(key)
        transport = None
        if self.options.demo:
            from kimi_tui.adapters.endpoint.simulator.transport import SimulatorTransport

            transport = SimulatorTransport(self.settings().dialect)
        return EndpointClient(
            self.settings().dialect,
            api.base_url,
            key,
            connect_timeout_s=api.connect_timeout_s,
            headers=api.headers,
            proxy=api.proxy or None,
            transport=transport,
        )

    def recordings(self) -> Recordings:
        """What keeps the raw streams of turns, each one where the settings say so."""
        from kimi_tui.adapters.clock import SystemClock
        from kimi_tui.adapters.recording_files import Recordings

        settings = self.settings()
        folder = self.data_dir / "recordings" if settings.sessions.record_streams else None
        return Recordings(settings.dialect.name, SystemClock(), folder)

    def _savers(self) -> list[TurnListener]:
        """What keeps replies of saved sessions while they grow: each hears every turn, see `Engine`."""
        from kimi_tui.adapters.store.session_journal import SessionJournals

        return [SessionJournals(self.store())]

    def engine(self, client: EndpointClient, recordings: Recordings | None, *, is_kept: bool = True) -> Engine:
        """Without `recordings` no turn is recorded; `is_kept` = its replies are saved."""
        import random

        from kimi_tui.adapters.clock import SystemClock
        from kimi_tui.engine.turn_engine import Engine

        clock, listeners = SystemClock(), self._savers() if is_kept else []
        if recordings is None:
            return Engine(client, clock, random.random, self.report, listeners)
        listeners.append(recordings)
        return Engine(client, clock, random.random, self.report, listeners, tape_for=recordings.tape_for)

    def read_stdin(self) -> str:
        """Everything that was piped in, exactly; "" where nothing was. What is no UTF-8 is replaced, and told."""
        if self.stdin is None or self.stdin.closed:
            return ""
        data = self._read_stdin()
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.tell(f"standard input is not UTF-8 (byte {error.start}); what cannot be read became U+FFFD.")
            return data.decode("utf-8", "replace")

    def _read_stdin(self) -> bytes:
        from kimi_tui.adapters.files import MAX_FILE_BYTES, read_bounded

        assert self.stdin is not None
        try:
            return read_bounded(self.stdin.buffer, MAX_FILE_BYTES)
        except OSError as error:
            raise UsageError(f"Standard input cannot be taken: {reason_of(error)}.") from error

    @property
    def has_piped_stdin(self) -> bool:
        return self.stdin is not None and not self.stdin.closed and not self.stdin.isatty()

    def write(self, text: str) -> None:
        """Write a result: exactly, or on a terminal with control characters made visible."""
        if self.stdout.isatty():
            text = visible(text)
        write_bytes(self.stdout, text)

    def write_line(self, line: str) -> None:
        self.write(line + "\n")

    def write_aside(self, text: str) -> None:
        """Write text of a reply to standard error: exactly, or on a terminal with control characters made visible."""
        if self.stderr.isatty():
            text = visible(text)
        write_bytes(self.stderr, text)

    def tell(self, line: str, hint: str = "") -> None:
        """Tell something on standard error, with what to do about it."""
        write_bytes(self.stderr, visible(f"kimi-tui: {line}\n" + (f"  {hint}\n" if hint else "")))

    def tell_error(self, error: KimiError, more: str = "") -> None:
        """Tell what went wrong, with `more` about it; what the network brought keeps to the terminal's width."""
        from kimi_tui.core.text.cells import folded
        from kimi_tui.core.text.visible import visible_line

        lines = [f"kimi-tui: {error.summary}", error.quote, " ".join(filter(None, (more, error.hint)))]
        lines = [visible_line(f"{'  ' if place else ''}{line}") for place, line in enumerate(lines) if line]
        columns = terminal_columns(self.stderr) if isinstance(error, CompletionError) else None
        if columns is not None:
            lines = [part for line in lines for part in folded(line, columns)]
        write_bytes(self.stderr, "\n".join([*lines, ""]))


def visible(text: str) -> str:
    from kimi_tui.core.text.visible import visible as make_visible

    return make_visible(text)


def terminal_columns(stream: TextIO) -> int | None:
    """The width of a terminal; None = the stream is none, or it does not say."""
    try:
        return (os.get_terminal_size(stream.fileno()).columns or None) if stream.isatty() else None
    except (OSError, ValueError):
        return None


def write_bytes(stream: TextIO, text: str) -> None:
    """Write text as UTF-8 whatever the locale says, with no newline changed, and send it off at once."""
    stream.flush()
    stream.buffer.write(replace_lone(text).encode())
    stream.flush()


def standard_context(options: Namespace) -> Context:
    """The context of the running process; a closed output is written to nowhere."""
    return Context(
        options,
        os.environ,
        sys.stdin,
        sys.stdout if sys.stdout is not None else _nowhere(),
        sys.stderr if sys.stderr is not None else _nowhere(),
    )


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")
