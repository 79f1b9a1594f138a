"""The parts that commands work with: the sessions, the endpoint's client, what records turns, and the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the names of types only: importing these modules takes time that few commands need
    from kimi_tui.adapters.endpoint.http_client import EndpointClient
    from kimi_tui.adapters.recording_files import Recordings
    from kimi_tui.adapters.store.session_files import SessionFiles
    from kimi_tui.cli.configuration import Configuration
    from kimi_tui.cli.console import Console
    from kimi_tui.core.session.session import Session
    from kimi_tui.core.settings.settings import Settings
    from kimi_tui.engine.turn_engine import Engine

DEMO_KEY = "the-simulator-needs-none"
"""What the simulator gets in the key's place; no word of a text, since a key is taken out of errors and log."""


@dataclass(eq=False)
class Sessions:
    config: Configuration
    console: Console

    @cached_property
    def store(self) -> SessionFiles:
        """The sessions on disk; what a dead process left among them is put right first."""
        from kimi_tui.adapters import files
        from kimi_tui.adapters.store.session_files import SessionFiles

        config, tell = self.config, self.console.tell
        folder, trash = config.sessions_folder, config.data_dir / "trash"
        for place in (folder, trash):
            files.sweep_temporaries(place)
        store = SessionFiles(folder, trash, config.settings().sessions.format, lambda: new_session(config.settings()))
        if config.options.command is not None:  # the screen does it while it is there already, and tells it there
            store.tell = tell
            for found in store.recover():
                name = f"session {found.id} {found.title}".rstrip() + ": " if found.id else ""
                tell(f"{name}{found.words}")
        return store

    def find(self, text: str | None) -> Path:
        """As `SessionFiles.find`; files that it passes over are told."""
        return self.store.find(text, lambda unreadable: self.console.tell(unreadable.words))


def new_session(settings: Settings) -> Session:
    from kimi_tui.adapters.clock import SystemClock
    from kimi_tui.adapters.ids import new_cache_key, new_session_id
    from kimi_tui.core.session.session import Session

    now = SystemClock().now()
    return Session(
        id=new_session_id(now),
        created=now,
        updated=now,
        model=settings.api.model,
        system=settings.chat.system or None,
        prompt_cache_key=new_cache_key(),
    )


def find_key(config: Configuration) -> str:
    """Raises KeyMissingError where there is none, or no request could carry it."""
    if config.options.demo:
        return DEMO_KEY
    from kimi_tui.adapters.config import api_key

    api = config.settings().api
    if not api.api_key_command:
        return api_key.find_key(config.environ, api)
    from kimi_tui.cli.interruptible import interruptible

    with interruptible():
        return api_key.find_key(config.environ, api)


def make_client(config: Configuration, hide: Callable[[str], object]) -> EndpointClient:
    """Raises KeyMissingError, and UsageError where the endpoint's address cannot be used; `hide` is given the key."""
    from kimi_tui.adapters.endpoint.http_client import EndpointClient, check_base_url

    settings = config.settings()
    api, dialect = settings.api, settings.dialect
    check_base_url(settings.base_url, dialect.key_variable)
    hide(key := find_key(config))
    transport = None
    if config.options.demo:
        from kimi_tui.adapters.endpoint.simulator.transport import SimulatorTransport

        transport = SimulatorTransport(dialect)
    return EndpointClient(
        dialect,
        settings.base_url,
        key,
        connect_timeout_s=api.connect_timeout_s,
        headers=api.headers,
        proxy=api.proxy or None,
        transport=transport,
    )


def make_recordings(config: Configuration) -> Recordings:
    """What keeps the raw streams of turns, each one where the settings say so."""
    from kimi_tui.adapters.clock import SystemClock
    from kimi_tui.adapters.recording_files import Recordings

    settings = config.settings()
    folder = config.data_dir / "recordings" if settings.sessions.record_streams else None
    return Recordings(settings.dialect.name, SystemClock(), folder)


def make_engine(
    client: EndpointClient,
    recordings: Recordings | None,
    store: SessionFiles | None,
    report: Callable[[BaseException], str],
) -> Engine:
    """Without `recordings` no turn is recorded; without `store` replies are not kept while they grow."""
    import random

    from kimi_tui.adapters.clock import SystemClock
    from kimi_tui.core.ports import TurnListener
    from kimi_tui.engine.turn_engine import Engine

    clock, listeners = SystemClock(), list[TurnListener]()
    if store is not None:
        from kimi_tui.adapters.store.session_journal import SessionJournals

        listeners.append(SessionJournals(store))
    if recordings is None:
        return Engine(client, clock, random.random, report, listeners)
    listeners.append(recordings)
    return Engine(client, clock, random.random, report, listeners, tape_for=recordings.tape_for)
