"""`kimi-tui replay`: the screen once more, with a recording as its endpoint; nothing is saved."""

from __future__ import annotations

import contextlib
import os
import tempfile
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.cli.configuration import Configuration
from kimi_tui.cli.console import Console
from kimi_tui.cli.fault_reports import FaultReports
from kimi_tui.cli.screen_command import Program, run_screen, services_of
from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.recorded_turn import RecordedTurn, recorded_turn
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.text.counts import counted

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.core.wire.recording import Recording


@dataclass(frozen=True, slots=True)
class _FixedSettings:
    """The settings of a replay: nothing changes them, and nothing of them is written."""

    value: Settings
    config_keys: frozenset[Key] = frozenset()

    async def save(self, changes: Mapping[Key, object | None]) -> tuple[Key, ...]:
        del changes
        return ()


def run(options: Namespace, console: Console, config: Configuration, reports: FaultReports) -> int:
    """Raises StorageError where the recording cannot be read, and as `run_screen` does."""
    from kimi_tui.adapters.recording_files import load_recording

    recording = load_recording(Path(os.path.expanduser(options.file)))
    turn = recorded_turn(recording, options.file)
    if recording.unread:
        console.tell(f"{options.file}: {counted(recording.unread, 'line')} cannot be read; the rest is replayed.")

    return run_screen(console, config, reports, partial(_program, recording, turn, config=config, reports=reports))


def _program(
    recording: Recording,
    turn: RecordedTurn,
    held: contextlib.ExitStack,
    session_id: str,
    *,
    config: Configuration,
    reports: FaultReports,
) -> Program:
    """The sessions of the replay lie in a folder of their own, which is gone when it is left."""
    del session_id  # nothing is kept
    from kimi_tui.adapters.clock import FasterClock
    from kimi_tui.adapters.endpoint.recorded_client import RecordedClient
    from kimi_tui.adapters.store.session_files import SessionFiles
    from kimi_tui.engine.openings import recorded_opening
    from kimi_tui.engine.turn_engine import Engine
    from kimi_tui.ui.state.services import FirstTurn

    folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="kimi-tui-replay-")))
    store = SessionFiles(folder / "sessions", folder / "trash")
    first = store.create(turn.session)
    held.callback(first.release)
    clock = FasterClock(config.options.speed)
    client = RecordedClient(recording, turn.dialect, clock)
    services = services_of(
        config, reports, _FixedSettings(turn.settings(config.settings())), store, clock, endpoint="replay",
        engine=lambda: Engine(client, clock, report=reports.report),
    )  # fmt: skip
    return Program(replace(services, first_turn=FirstTurn(recorded_opening(turn), turn.plan)), first)
