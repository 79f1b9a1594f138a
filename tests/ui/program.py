"""The whole program in a test: the real screen, engine and session files, over a scripted endpoint."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from kimi_tui.adapters.config.paths import shipped
from kimi_tui.adapters.config.theme_files import load_theme
from kimi_tui.adapters.forms.schema_file import load_schema
from kimi_tui.adapters.recording_files import Recordings
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import Clipboard, CompletionClient, LinkOpener, TextEditor
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Timing, Usage
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.layers import NO_LAYER, Key
from kimi_tui.core.settings.settings import Settings, parse_settings
from kimi_tui.core.settings.theme_palette import Palette
from kimi_tui.engine.turn_engine import Engine
from kimi_tui.ui.app.chat_screen import ChatScreen
from kimi_tui.ui.app.kimi_app import KimiApp
from kimi_tui.ui.keys.focus import scope_of
from kimi_tui.ui.panes.prompt_pane import PromptPane
from kimi_tui.ui.state.services import CheckForm, FirstSession, Services
from kimi_tui.ui.widgets.side import Side
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import Script, ScriptedClient

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


class MemorySettings:
    """Settings that are saved in memory, below those of a config file."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self.saved: dict[Key, object] = {}
        self._config = document
        self._value = self._read()

    @property
    def value(self) -> Settings:
        return self._value

    @property
    def config_keys(self) -> frozenset[Key]:
        return frozenset()

    async def save(self, changes: Mapping[Key, object | None]) -> tuple[Key, ...]:
        self.saved = {key: value for key, value in {**self.saved, **changes}.items() if value is not None}
        self._value = self._read()
        return ()

    def _read(self) -> Settings:
        document: dict[str, Any] = {}
        for key, value in self.saved.items():
            table = document
            for name in key[:-1]:
                table = table.setdefault(str(name), {})
            table[str(key[-1])] = value
        saved = parse_settings(document)[0]
        own = frozenset(document.get("presets", {}))
        below = replace(saved, saved_sampling=saved.sampling, sampling=NO_LAYER, saved_presets=own)
        return parse_settings(self._config, below)[0]


@dataclass
class Program:
    """A running program and what is behind it."""

    app: KimiApp
    pilot: Pilot[str]
    client: ScriptedClient
    files: SessionFiles
    settings: MemorySettings
    clock: HandClock
    services: Services

    @property
    def screen(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    @property
    def scope(self) -> Scope:
        """Where the focus is."""
        return scope_of(self.screen.focused)

    def side(self, pane: str) -> Side:
        """Where a pane stands."""
        return self.screen.query_one("#left-side" if pane == "sessions" else "#right-side", Side)

    @property
    def text(self) -> str:
        """What is on screen, a line a row."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in lines)

    async def type(self, text: str) -> None:
        """Type a text, and press keys that stand in angle brackets; wait until all is drawn."""
        keys: list[str] = []
        rest = text
        while rest:
            if rest[0] == "<":
                name, _, rest = rest[1:].partition(">")
                keys.append(name)
            else:
                keys.append(rest[0])
                rest = rest[1:]
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the program go on until something holds."""
        for _ in range(400):
            if condition():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"it did not come to that:\n{self.text}")

    async def shows(self, text: str) -> None:
        """Wait until a text is on screen."""
        await self.until(lambda: text in self.text)

    async def idle(self) -> None:
        """Wait until no reply runs."""
        await self.until(lambda: all(chat.turn is None for chat in self.screen.open_chats.all))


def talk(*pairs: tuple[str, str], reasoning: str | None = "The user asks.") -> Session:
    """A session of questions and answers."""
    session = Session("20261123-081500-k3f9", NOW, NOW, "moonshotai/Kimi-K2.5", title=pairs[0][0] if pairs else "")
    for question, answer in pairs:
        session = session.with_message(Message(session.next_message_ids(1)[0], Role.USER, question, session.head, NOW))
        session = session.with_message(
            Message(
                session.next_message_ids(1)[0], Role.ASSISTANT, answer, session.head, NOW, reasoning, MessageState.COMPLETE,
                "stop", model=session.model, template="deepinfra", thinking=True, sent={"stream": True},
                usage=Usage(37, 212, 0.0006), timing=Timing(0.8, 12.4, 20.0),
            )
        )  # fmt: skip
    return session


def shipped_themes() -> dict[str, Callable[[], Palette]]:
    """The themes of the checkout."""
    return {path.stem: lambda path=path: load_theme(path) for path in sorted(shipped("themes").glob("*.toml"))}  # type: ignore[misc]


Steps = Callable[[Program], Awaitable[None]]
"""What is done with a running program."""
SETTLED_LOOKS = 6
"""After so many looks at the same screen nothing more is going to change."""
LOOK_S = 0.02
"""Time between two looks, in seconds."""


def sees(text: str) -> Steps:
    """Wait until a text is on screen."""
    return lambda running: running.shows(text)


def prompts(text: str) -> Steps:
    """Wait until a text is part of the prompt in its pane, which is made anew when typing pauses."""

    def is_there(running: Program) -> bool:
        view = running.screen.query_one(PromptPane).view
        return view is not None and text in view.text

    return lambda running: running.until(lambda: is_there(running))


async def settle(running: Program) -> None:
    """Let cursors stand still and everything be drawn that is on its way, once the focus is where it is going."""
    screen = running.app.screen
    await running.until(
        lambda: not running.screen.panes.is_giving_keys and (screen.focused is None or screen.focused.has_focus)
    )
    for editor in (*screen.query(Input), *screen.query(TextArea)):
        editor.cursor_blink = False
    last, same = None, 0
    while same < SETTLED_LOOKS:
        await running.pilot.pause(LOOK_S)
        now = screen._compositor.render_strips()
        same = same + 1 if now == last else 0
        last = now


@dataclass
class Prepared:
    """A program that does not run yet, and what is behind it."""

    app: KimiApp
    client: ScriptedClient
    files: SessionFiles
    settings: MemorySettings
    clock: HandClock
    services: Services

    def run_by(self, pilot: Pilot[str]) -> Program:
        """The program, now that it runs."""
        return Program(self.app, pilot, self.client, self.files, self.settings, self.clock, self.services)


def prepare(
    tmp_path: Path,
    *scripts: Script,
    session: Session | None = None,
    config: Mapping[str, object] | None = None,
    key_problem: KimiError | None = None,
    theme: str = "kimi-dark",
    endpoint: str = "test",
    connect: Callable[[HandClock], CompletionClient] | None = None,
    app_type: type[KimiApp] = KimiApp,
    opening: FirstSession | None = None,
    clipboard: Clipboard | None = None,
    link_opener: LinkOpener | None = None,
    text_editor: TextEditor | None = None,
    clock: HandClock | None = None,
    check_form: CheckForm | None = None,
) -> Prepared:
    """Build the program around a session, or around a new one; without scripts `connect` makes what is asked."""
    clock, client, settings = clock or HandClock(), ScriptedClient(list(scripts)), MemorySettings(config or {})
    files = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    numbers, recordings = itertools.count(1), Recordings("deepinfra", clock)

    def new_session() -> Session:
        return Session(f"20261123-08150{next(numbers)}-new0", NOW, NOW, "moonshotai/Kimi-K2.5", prompt_cache_key="key")

    if session is not None:
        files.save_now(session)
        first = files.open(files.path_of(session))
    else:
        first = files.create(new_session())
    services = Services(
        settings_store=settings,
        engine=cache(
            lambda: Engine(
                client if connect is None else connect(clock),
                clock,
                listeners=[recordings],
                tape_for=recordings.tape_for,
            )
        ),
        clock=clock,
        session_store=files,
        new_session=new_session,
        themes=shipped_themes(),
        theme=theme,
        endpoint=endpoint,
        key_problem=key_problem,
        clipboard=clipboard,
        link_opener=link_opener,
        text_editor=text_editor,
        check_form=check_form,
        load_schema=load_schema,
        recorder=lambda: recordings,
    )
    return Prepared(app_type(services, first, opening=opening), client, files, settings, clock, services)


@asynccontextmanager
async def program(
    tmp_path: Path,
    *scripts: Script,
    session: Session | None = None,
    config: Mapping[str, object] | None = None,
    key_problem: KimiError | None = None,
    size: tuple[int, int] = (120, 40),
    opening: FirstSession | None = None,
    clipboard: Clipboard | None = None,
    link_opener: LinkOpener | None = None,
    clock: HandClock | None = None,
    check_form: CheckForm | None = None,
) -> AsyncIterator[Program]:
    """Run the program on a session, or on a new one."""
    prepared = prepare(
        tmp_path,
        *scripts,
        session=session,
        config=config,
        key_problem=key_problem,
        opening=opening,
        clipboard=clipboard,
        link_opener=link_opener,
        clock=clock,
        check_form=check_form,
    )
    async with prepared.app.run_test(size=size) as pilot:
        await pilot.pause()
        yield prepared.run_by(pilot)
