"""The application: themes, the filter at the door to the terminal, and what happens when something goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar

from textual.app import App
from textual.filter import LineFilter

from kimi_tui.core.errors import KimiError, ThemeError
from kimi_tui.core.session import Session
from kimi_tui.ui.keys import register_key_sequences
from kimi_tui.ui.screens.chat import ChatScreen
from kimi_tui.ui.services import Lock, Services
from kimi_tui.ui.text import SafeFilter
from kimi_tui.ui.themes import build_theme

log = logging.getLogger("kimi_tui")

register_key_sequences()


class KimiApp(App[str], inherit_bindings=False):
    """The full-screen program; its result is the id of the session to resume, None = nothing was saved."""

    TITLE = "kimi-tui"
    COMMANDS: ClassVar = set()  # the screen's own are all there are

    def __init__(self, services: Services, session: Session, lock: Lock) -> None:
        """Build the program around its services, and the session to begin with."""
        super().__init__()
        self._services = services
        self._first = session, lock
        self._safe_filter = SafeFilter()
        self.crash: Exception | None = None
        """What ended the program; None = it was left."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add our own filter, first and always."""
        return [self._safe_filter, *super().get_line_filters()]

    def on_mount(self) -> None:
        """Take the colours and show the conversation."""
        findings = self._register_themes()
        screen = ChatScreen(self._services, *self._first)
        self.push_screen(screen)
        for error in findings:
            screen.call_after_refresh(screen.say, error.summary, "warning")

    def _register_themes(self) -> list[KimiError]:
        """Make every readable theme known and choose the one asked for."""
        findings: list[KimiError] = []
        for read in self._services.themes.values():
            try:
                self.register_theme(build_theme(read()))
            except ThemeError as error:
                findings.append(error)
        if self._services.theme in self.available_themes:
            self.theme = self._services.theme
        return findings

    def _handle_exception(self, error: Exception) -> None:
        """Keep the error for the command line: the library would print local variables, conversation included."""
        self.crash = self.crash or error
        self._return_code = 1
        log.error("the screen failed: %s", type(error).__name__, exc_info=error)
        if self._exception is None:  # tests look here
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()
