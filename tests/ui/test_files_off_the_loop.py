"""No file is touched on the event loop, whatever a user does: a slow disk would hold up every key."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from textual.pilot import Pilot

from kimi_tui.adapters.config.paths import shipped
from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.cli.arguments import parse_arguments
from kimi_tui.cli.configuration import Configuration
from kimi_tui.cli.console import Console
from kimi_tui.cli.early_terminal import EarlyTerminal
from kimi_tui.cli.fault_reports import FaultReports
from kimi_tui.cli.parts import Sessions
from kimi_tui.cli.screen_command import build_app, screen_program
from kimi_tui.core.errors import ConnectionFailedError
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.ui.app.chat_screen import ChatScreen
from kimi_tui.ui.app.kimi_app import KimiApp
from kimi_tui.ui.terminal.ending import Ending
from tests.tls import AUTHORITY, tls_server
from tests.ui.program import talk

AUDITED = ("open", "os.", "fcntl.", "shutil.", "tempfile.")
"""Events of the interpreter that tell of files, by their beginnings."""
UNAUDITED = ("stat", "lstat", "fsync")
"""Calls that the interpreter tells nobody of."""


class Probe:
    """Notes which files are touched, and in which thread."""

    def __init__(self, *folders: Path) -> None:
        self._folders = tuple(map(str, folders))
        self.loop_thread: int | None = None
        self.on_loop, self.elsewhere = list[str](), list[str]()

    def note(self, call: str, args: tuple[object, ...]) -> None:
        if self.loop_thread is None:
            return
        named = [os.fsdecode(arg) for arg in args if isinstance(arg, str | bytes | os.PathLike)]
        is_ours = any(name.startswith(self._folders) for name in named) or call in {"fcntl.flock", "os.truncate"}
        if is_ours:
            noted = self.on_loop if threading.get_ident() == self.loop_thread else self.elsewhere
            noted.append(" ".join([call, *named]))


_now: list[Probe] = []


def _audit(event: str, args: tuple[object, ...]) -> None:
    if _now and event.startswith(AUDITED):
        _now[0].note(event, args)


@pytest.fixture(scope="module")
def _hook() -> None:
    sys.addaudithook(_audit)  # it cannot be taken away again, and does nothing while there is no probe


@pytest.fixture
def probe(_hook: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Probe]:
    found = Probe(tmp_path, shipped("themes"))

    def noted(name: str) -> None:
        real = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            found.note(f"os.{name}", args)
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    for name in UNAUDITED:
        noted(name)
    _now.append(found)
    yield found
    _now.clear()


class Run:
    """The program as the command line builds it, with real files behind it."""

    def __init__(self, app: KimiApp, pilot: Pilot[str]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def screen(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    async def until(self, condition: Callable[[], object]) -> None:
        for _ in range(1000):
            if condition():
                return
            await self.pilot.pause(0.01)
        raise AssertionError("it did not come to that")

    async def does(self, line: str, condition: Callable[[], object]) -> None:
        """Do what a command says, until it is done."""
        self.screen.late.sending.submit(line)
        await self.until(condition)

    async def says(self, line: str, words: str) -> None:
        """Do what a command says, until that stands in the conversation."""
        await self.does(line, lambda: any(words in str(it.entry.text) for it in self.screen.chat.notices))


def build(tmp_path: Path, held: ExitStack, *words: str) -> KimiApp:
    config = tmp_path / "config" / "config.toml"
    config.parent.mkdir()
    config.write_text("")
    argv = ["--demo", "--data-dir", str(tmp_path), "--config", str(config), *words]
    out = held.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - that closes it
    console, settings = Console(None, out, out), Configuration(parse_arguments(argv), {"TERM": "xterm-256color"})
    make = partial(screen_program, settings, Sessions(settings, console), FaultReports(settings), held, "s1")
    terminal = SimpleNamespace(modes=None, typed="", hand_over=lambda: b"", end_now=lambda *_: None)
    return build_app(console, settings, make, cast(EarlyTerminal, terminal), Ending())


async def test_no_file_is_touched_on_the_loop(tmp_path: Path, probe: Probe) -> None:
    store = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    store.save_now(talk(("Lamb?", "Roast it.")))
    store.save_draft(store.find(), "half a thought")
    foreign = tmp_path / "list.json"
    foreign.write_text('[{"role": "user", "content": "Stew?"}]')
    with ExitStack() as held:
        app = build(tmp_path, held, "-r")
        probe.loop_thread = threading.get_ident()
        async with app.run_test(size=(120, 40)) as pilot:
            run = Run(app, pilot)
            await run.until(lambda: run.screen.composer.draft == "half a thought")
            await use_sessions(run, foreign, tmp_path)
            await use_settings(run)
            await run.does("/quit", lambda: app._exit)
        probe.loop_thread = None
    assert probe.on_loop == []
    touched = " ".join(probe.elsewhere)
    for part in (
        ".index",
        ".draft",
        ".journal",
        ".lock",
        ".origin",
        "notes.md",
        "last.jsonl",
        "next.jsonl",
        "moved.toml",
        "list.json",
        "saved.toml",
        "kimi-light",
        "fcntl.flock",
    ):
        assert part in touched, part


async def test_certificates_are_read_off_the_loop_too(
    tmp_path: Path, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the endpoint and those of a proxy that is asked over TLS, before the first request alone."""
    authority, load = tmp_path / "authority.pem", ssl.SSLContext.load_verify_locations
    authority.write_bytes(AUTHORITY.read_bytes())

    def noted(context: ssl.SSLContext, *args: str | None) -> None:
        probe.note("load_verify_locations", args)
        load(context, *args)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", noted)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with tls_server() as server:
        for proxy in (None, f"https://{server.host}"):
            client = EndpointClient(DEEPINFRA, f"https://{server.host}/v1", "key", proxy=proxy)
            probe.loop_thread = threading.get_ident()
            with suppress(ConnectionFailedError):  # the server is no proxy
                async with client.send(b"{}", "model") as response:
                    assert response.is_event_stream
            await client.aclose()
            probe.loop_thread = None
    assert probe.on_loop == []
    assert len(server.received) == 2
    assert [call.partition(" ")[0] for call in probe.elsewhere] == ["open", "load_verify_locations"] * 3


async def use_sessions(run: Run, foreign: Path, data: Path) -> None:
    """Open, list, rename, copy, delete, bring back, write and read sessions, and answer in one."""
    first = run.screen.chat
    await run.does("/rename Roast", lambda: first.open_session.is_saved)
    await run.pilot.press("f2")
    await run.until(lambda: "Roast" in str(run.app.screen._compositor.render_strips()))
    await run.does("/new", lambda: run.screen.chat is not first)
    new = run.screen.chat
    await run.pilot.press("escape", *"more")
    await run.does("/resume Roast", lambda: run.screen.chat.session.title == "Roast")
    assert run.screen.composer.draft == "half a thought"
    assert await asyncio.to_thread(new.path.exists)
    await run.says("/duplicate", "Copied")
    await run.does(f"/import {foreign}", lambda: run.screen.chat.session.title == "Stew?")
    await run.says(f"/export {data / 'notes.md'}", "Exported")
    await run.says(f"/save-as {data / 'moved.toml'}", "lies in")
    await run.does("/new", lambda: not run.screen.chat.session.messages)
    await run.does("/resume Stew?", lambda: run.screen.chat.session.title == "Stew?")
    deleted = run.screen.chat
    await run.says("/delete-session", "Moved to the trash")
    await run.says("/restore-session", "Brought back")
    assert await asyncio.to_thread(deleted.path.exists)
    await run.does(
        "How are you?", lambda: run.screen.chat.replies.turn is not None and run.screen.chat.open_session.is_saved
    )
    await run.does("/stop", lambda: run.screen.chat.replies.turn is None)
    await run.says(f"/record {data / 'last.jsonl'}", "was recorded into")
    await run.says(f"/record next {data / 'next.jsonl'}", "is recorded into")
    await run.does("And?", lambda: run.screen.chat.replies.turn is not None and run.screen.chat.open_session.is_saved)
    await run.does("/stop", lambda: run.screen.chat.replies.turn is None)


async def use_settings(run: Run) -> None:
    """Change everything that lies in the file of what is set in the program."""
    await run.does("/theme kimi-light", lambda: run.screen.services.settings_store.value.ui.theme == "kimi-light")
    await run.pilot.press("f9", "down", "up", "escape")
    await run.until(lambda: len(run.app.screen_stack) == 1)
    await run.does("/set temperature 0.5", lambda: run.screen.chat.session.settings.get("temperature") == 0.5)
    await run.says("/save-preset mine", "Saved as preset mine")
    await run.says("/rename-preset mine yours", "called yours")
    await run.says("/delete-preset yours", "Deleted preset yours")
    await run.says("/restore-preset", "is back")
    await run.does("/set top_k 7", lambda: run.screen.chat.session.settings.get("top_k") == 7)
    await run.says("/make-default", "Saved as the default")
    before = dict(run.screen.services.settings_store.value.ui.widths)
    await run.pilot.press("f3", "f2")
    await run.does("/wider", lambda: dict(run.screen.services.settings_store.value.ui.widths) != before)
