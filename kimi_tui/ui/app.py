"""The application: themes, the filter at the door to the terminal, and what happens when something goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.filter import LineFilter, Monochrome
from textual.reactive import Reactive
from textual.worker import Worker, WorkerState

from kimi_tui.core.errors import KimiError, ThemeError
from kimi_tui.core.faults import fault_of
from kimi_tui.core.session import Session
from kimi_tui.core.settings import UiSettings
from kimi_tui.engine import signals
from kimi_tui.ui.early_keys import EarlyKeys
from kimi_tui.ui.entries import error_text
from kimi_tui.ui.keys import register_key_sequences, tolerate_foreign_bytes
from kimi_tui.ui.screens.chat import ChatScreen
from kimi_tui.ui.services import Lock, Opening, Services
from kimi_tui.ui.terminal import MODERN, Terminal, has_terminal, is_terminal_gone, outlive_terminal, terminal_filters
from kimi_tui.ui.text import SafeFilter
from kimi_tui.ui.themes import begin_with_theme

log = logging.getLogger("kimi_tui")

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks the program to end; Ctrl+C is a key here and comes another way."""
TERMINAL_WATCH_S = 0.25
"""Time between two looks whether the terminal is still there, where its hangup is ignored, in seconds."""
FOCUS_WAIT_S = 0.3
"""Longest time that keys wait for the focus to move, in seconds."""
DEFAULT_THEME = UiSettings().theme
"""What is taken where the theme that was asked for cannot be used."""
IDLE_AFTER_S = 0.25
"""Time from the start until what the first frame did not need is made ready, in seconds."""
IdleWork = Callable[[], Coroutine[Any, Any, None]]

register_key_sequences()
tolerate_foreign_bytes()
outlive_terminal()


class KimiApp(App[str], inherit_bindings=False):
    """The full-screen program; its result is the id of the session to resume, None = nothing was saved."""

    TITLE = "kimi-tui"
    COMMANDS: ClassVar = set()  # the screen's own are all there are
    CSS_PATH: ClassVar = ["look.tcss", "screens/chat.tcss"]
    theme = Reactive(DEFAULT_THEME, init=False)  # it is taken before anything is drawn: no style is made twice

    def __init__(
        self,
        services: Services,
        session: Session,
        lock: Lock,
        terminal: Terminal = MODERN,
        *,
        opening: Opening | None = None,
        idle_work: IdleWork | None = None,
        modes: Sequence[object] | None = None,
        typed: str = "",
    ) -> None:
        """Build the program.

        Args:
            services: What it works with.
            session: The session to begin with, or an empty one that stands there until `opening` has been read.
            lock: Keeps that session from other windows.
            terminal: What it is shown on.
            opening: The session to read; None = there is none.
            idle_work: What is done once after the first frame, when nothing else is to do.
            modes: The terminal's modes for when the program is left or suspended; None = as they are now.
            typed: What was typed before the program read keys.
        """
        super().__init__()
        self._services = services
        if self.console.is_dumb_terminal:  # its size is taken for 80 by 25 there, and the layout never comes to rest
            self.console.size = shutil.get_terminal_size()
        self._safe_filter = SafeFilter()
        self.no_color = terminal.is_colourless
        self._terminal_filters = terminal_filters(terminal, self.console.color_system, lambda: self.current_theme.dark)
        findings = (*services.findings, *self._take_theme())
        self._screen = ChatScreen(replace(services, findings=findings), session, lock, opening)
        self.problem: KimiError | None = None
        """Why the session to begin with could not be read; None = it could."""
        self.crash: Exception | None = None
        """What ended the program; None = it was left."""
        self.signal: int | None = None
        """The signal that ended it; None = none did."""
        self._idle_work = idle_work
        self._terminal_modes = modes
        self._early_keys = EarlyKeys(typed)

    def get_default_screen(self) -> ChatScreen:
        """The conversation: nothing stands behind it."""
        return self._screen

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add our own filters; the library's for NO_COLOR writes greys, ours no colour at all."""
        library = (line_filter for line_filter in super().get_line_filters() if not isinstance(line_filter, Monochrome))
        return [self._safe_filter, *library, *self._terminal_filters]

    async def on_event(self, event: events.Event) -> None:
        """Let a key that moves the focus do so before the next key goes anywhere: keys may come in one burst."""
        if self._early_keys.hold(event):
            return
        screen = self.screen if self.screen_stack else None
        moves_focus = (
            isinstance(event, events.Key)
            and not event.is_forwarded
            and isinstance(screen, ChatScreen)
            and screen.key_order.moves_focus(event)
        )
        done = asyncio.Event()
        if moves_focus and isinstance(screen, ChatScreen):
            screen.key_order.wait(done)
        await super().on_event(event)
        if moves_focus:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), FOCUS_WAIT_S)

    def on_mount(self) -> None:
        """Take signals, and begin what is done in idle time."""
        self._take_signals(self._screen)
        if self._terminal_modes is not None:  # the driver found a terminal that was raw already
            setattr(self._driver, "attrs_before", list(self._terminal_modes))  # noqa: B010 - not all drivers have them
        if self._idle_work is not None:
            self.set_timer(IDLE_AFTER_S, self._work_idly)

    async def on_chat_screen_takes_keys(self) -> None:
        """Let it have what was typed before it did."""
        await self._early_keys.release(self.on_event)

    def _work_idly(self) -> None:
        if self._idle_work is not None:
            self.run_worker(self._idle_work(), group="idle", exit_on_error=False)

    def _take_signals(self, screen: ChatScreen) -> None:
        """Keep everything and leave when the terminal is closed or the program is asked to end."""

        def leave(number: signal.Signals) -> None:
            self.signal = self.signal or number
            screen.run_later(screen.leave(), self.exit)

        def leave_without_terminal() -> None:
            if is_terminal_gone():
                watch.stop()
                leave(signal.SIGHUP)

        taken = signals.take(leave, *ENDING_SIGNALS)
        if signal.SIGHUP not in taken and has_terminal():  # nothing else tells that it is closed
            watch = self.set_interval(TERMINAL_WATCH_S, leave_without_terminal)

    def _take_theme(self) -> Sequence[str]:
        """Take the theme that was asked for, or the default one and say why: with the line that asked for it."""
        palettes, wanted = self._services.themes, self._services.theme
        try:
            if wanted not in palettes:
                raise ThemeError(f"There is no theme {wanted!r}.", f"Themes: {', '.join(sorted(palettes))}")
            begin_with_theme(self, palettes, wanted)
        except ThemeError as error:
            self._take_any_theme()
            return self._services.theme_findings() or (error_text(error),)
        return ()

    def _take_any_theme(self) -> None:
        """Take the default theme; where the user's own of that name is broken too, the first that can be used."""
        palettes = self._services.themes
        for name in (DEFAULT_THEME, *sorted(palettes)):
            with contextlib.suppress(ThemeError):
                begin_with_theme(self, palettes, name)
                return

    def on_chat_screen_opening_failed(self, event: ChatScreen.OpeningFailed) -> None:
        """End: without the session that was asked for there is nothing to show."""
        self.problem = event.error
        self.exit()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of what nobody expected: a fault in what runs beside the screen."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and error is not None:
            log.error("%s failed: %s", event.worker.group, type(error).__name__, exc_info=error)
            unexpected = KimiError(
                f"Something went wrong inside the program ({fault_of(error)}).",
                "KIMI_TUI_LOG=FILE records details.",
            )
            self._screen.say_error(unexpected)

    def _handle_exception(self, error: Exception) -> None:
        """Keep the error for the command line: the library would print local variables, conversation included."""
        self.crash = self.crash or error
        self._return_code = 1
        log.error("the screen failed: %s", type(error).__name__, exc_info=error)
        if self._exception is None:  # tests look here
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()
