"""What the screen is given: the engine, the store and the values that the command line resolved.

The screen knows none of the adapters behind these; tests hand in fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kimi_tui.core.errors import KimiError
from kimi_tui.core.palette import Palette
from kimi_tui.core.ports import Clock, SessionStore
from kimi_tui.core.request import RequestSettings
from kimi_tui.core.session import Session
from kimi_tui.core.settings import Settings
from kimi_tui.engine import Engine


class Lock(Protocol):
    """Says that a session is open here."""

    def release(self) -> None:
        """Let others open it."""


class Library(SessionStore, Protocol):
    """The sessions on disk, as far as the screen needs them."""

    def find(self, text: str | None) -> Path:
        """Find a session's file by id, prefix, title or path; None = the latest.

        Raises:
            StorageError: None or several fit.
        """

    def open(self, path: Path) -> tuple[Session, Lock]:
        """Read a session and keep it from other windows.

        Raises:
            StorageError: It cannot be read, or is held elsewhere.
        """

    def create(self) -> tuple[Session, Lock]:
        """Make a new session; nothing is written before it is saved."""

    def import_file(self, path: Path) -> Path:
        """Save a copy of a file's session as a new one and return where.

        Raises:
            StorageError: It cannot be read.
        """

    def export(self, session: Session, path: Path) -> None:
        """Write a session in the form that the file's ending names.

        Raises:
            StorageError: It cannot be written, or the file is there already.
        """

    def load_draft(self, session_id: str) -> str:
        """Read what was being typed; "" = nothing."""

    def save_draft(self, session_id: str, text: str) -> None:
        """Keep what is being typed; "" removes it.

        Raises:
            StorageError: It cannot be written.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the screen works with."""

    settings: Settings
    """The settings as resolved."""
    findings: tuple[str, ...]
    """What is wrong in the config files, a line each."""
    engine: Engine
    """Drives turns."""
    clock: Clock
    """Tells the time."""
    library: Library
    """The sessions on disk."""
    resolve: Callable[[Session], RequestSettings]
    """What a request of that session says.

    Raises KimiError where its settings cannot be used.
    """
    themes: Mapping[str, Callable[[], Palette]]
    """Every theme by name; calling one reads it and may raise ThemeError."""
    theme: str
    """Name of the theme to start with."""
    endpoint: str
    """A word for the endpoint, for the header."""
    key_problem: KimiError | None = None
    """Why no request can be sent; None = one can."""
