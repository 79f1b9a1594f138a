"""`kimi-tui replay`: the screen once more, with a recording as its endpoint; nothing is saved."""

from __future__ import annotations

import contextlib
import tempfile
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.cli.context import Context
from kimi_tui.cli.screen_command import run_screen
from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.recorded_turn import RecordedTurn, recorded_turn
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.text.counts import counted

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.cli.early_terminal import EarlyTerminal
    from kimi_tui.core.wire.recording import Recording
    from kimi_tui.ui.app.kimi_app import KimiApp
    from kimi_tui.ui.terminal.ending import Ending


@dataclass(frozen=True, slots=True)
class _FixedSettings:
    """The settings of a replay: nothing changes them, and nothing of them is written."""

    value: Settings
    config_keys: frozenset[Key] = frozenset()

    async def save(self, changes: Mapping[Key, object | None]) -> tuple[Key, ...]:
        del changes
        return ()


def run(options: Namespace, context: Context) -> int:
    """Raises StorageError where the recording cannot be read, and as `run_screen` does."""
    from kimi_tui.adapters.recording_files import load_recording

    recording = load_recording(Path(options.file).expanduser())
    turn = recorded_turn(recording, options.file)
    if recording.unread:
        context.tell(f"{options.file}: {counted(recording.unread, 'line')} cannot be read; the rest is replayed.")

    return run_screen(options, context, partial(_build_app, recording, turn), is_kept=False)


def _build_app(  # noqa: PLR0917 - a recording, and what every screen is built of
    recording: Recording,
    turn: RecordedTurn,
    options: Namespace,
    context: Context,
    terminal: EarlyTerminal,
    held: contextlib.ExitStack,
    ending: Ending,
    session_id: str,
) -> KimiApp:
    """The sessions of the replay lie in a folder of their own, which is gone when it is left."""
    del session_id  # nothing is kept
    from kimi_tui.adapters.clipboard_tools import SystemClipboard
    from kimi_tui.adapters.clock import FasterClock
    from kimi_tui.adapters.config.theme_files import themes
    from kimi_tui.adapters.endpoint.recorded_client import RecordedClient
    from kimi_tui.adapters.link_opener import SystemOpener
    from kimi_tui.adapters.store.session_files import SessionFiles
    from kimi_tui.adapters.text_editor import SystemEditor
    from kimi_tui.cli.new_session import new_session
    from kimi_tui.cli.warm_up import warm_up
    from kimi_tui.engine.openings import recorded_opening
    from kimi_tui.engine.turn_engine import Engine
    from kimi_tui.ui.app.kimi_app import KimiApp
    from kimi_tui.ui.state.services import FirstTurn, Services
    from kimi_tui.ui.terminal.terminal_abilities import describe_terminal

    ending.check()
    settings = turn.settings(context.settings())
    folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="kimi-tui-replay-")))
    store = SessionFiles(folder / "sessions", folder / "trash")
    first = store.create(turn.session)
    held.callback(first.release)
    clock = FasterClock(options.speed)
    client = RecordedClient(recording, turn.dialect, clock)
    services = Services(
        settings_store=_FixedSettings(settings),
        problems=(),
        engine=cache(lambda: Engine(client, clock, report=context.report, listeners=[client.hear])),
        clock=clock,
        session_store=store,
        new_session=lambda: new_session(settings),
        themes=themes(context.config_path),
        theme=settings.ui.theme,
        endpoint="replay",
        report=context.report,
        clipboard=SystemClipboard(context.environ),
        link_opener=SystemOpener(context.environ),
        text_editor=SystemEditor(context.environ),
        first_turn=FirstTurn(recorded_opening(turn), turn.plan),
    )
    return KimiApp(
        services,
        first,
        describe_terminal(context.environ, context.stdout.encoding),
        idle_work=warm_up,
        modes=terminal.modes,
        typed=terminal.typed,
        hand_over=terminal.hand_over,
        ending=ending,
    )
