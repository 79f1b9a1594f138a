"""What the screen is given: the engine, the store and the values that the command line resolved.

The screen knows none of the adapters behind these; tests hand in fakes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import Clock, SessionStore
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.settings.theme_palette import Palette
from kimi_tui.core.text.copied import Delivery

if TYPE_CHECKING:  # the names of types only: the first frame needs nothing of these modules
    from kimi_tui.core.session.listing import Listing, Unreadable
    from kimi_tui.engine.turn_engine import Engine


class Clipboard(Protocol):
    """The system's clipboard, as far as programs reach it."""

    def put(self, text: str) -> Awaitable[Delivery | None]:
        """Put a text into it and say who took it; None = another text followed, which is put in its place.

        Nothing is raised. The text is on its way when this returns; the answer takes a few seconds at most.
        """


class Lock(Protocol):
    """Says that a session is open here."""

    def release(self) -> None:
        """Let others open it."""


class Library(SessionStore, Protocol):
    """The sessions on disk, as far as the screen needs them."""

    def listing(self) -> Listing:
        """List all sessions, last changed first, and the files that cannot be read."""

    def listings(self) -> Iterator[Listing]:
        """List them while their files are read: at once what is known, the last list is whole; off the event loop.

        Raises:
            StorageError: The folder cannot be read.
        """

    def close(self) -> None:
        """End what is being read, since nobody waits for it any more."""

    def recent_prompts(self) -> Sequence[str]:
        """Give what was asked in the sessions changed last, newest first; it takes a while.

        Raises:
            StorageError: The folder cannot be read.
        """

    def find(self, text: str | None) -> tuple[Path, tuple[Unreadable, ...]]:
        """Find a session's file by id, prefix, title or path; None = the latest. With the files that cannot be read.

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

    def import_file(self, path: Path) -> tuple[Path, tuple[str, ...]]:
        """Save a copy of a file's session as a new one; where, and what is told of what has no place in it.

        Raises:
            StorageError: It cannot be read.
        """

    def export(self, session: Session, path: Path) -> None:
        """Write a session in the form that the file's ending names.

        Raises:
            StorageError: It cannot be written, or the file is there already.
        """

    def path_of(self, session: Session) -> Path:
        """Where a session is saved, or would be."""

    def rename(self, path: Path, title: str) -> None:
        """Give a session that is not open here another title.

        Raises:
            StorageError: It is held elsewhere, or cannot be read or written.
        """

    def duplicate(self, path: Path) -> Path:
        """Save a copy of a session as a new one and return where.

        Raises:
            StorageError: It cannot be read, or the copy not written.
        """

    def delete(self, path: Path, *, is_held_here: bool = False) -> Path:
        """Move a session to the trash and return where it lies there.

        Raises:
            StorageError: It is held elsewhere, or cannot be moved.
        """

    def restore_path(self, path: Path) -> Path:
        """Bring a session back from the trash and return where it lies.

        Raises:
            StorageError: It cannot be moved.
        """

    def load_draft(self, session_id: str) -> str:
        """Read what was being typed; "" = nothing."""

    def save_draft(self, session_id: str, text: str) -> None:
        """Keep what is being typed; "" removes it.

        Raises:
            StorageError: It cannot be written.
        """


class SettingsStore(Protocol):
    """The settings, and the place for what is set in the program."""

    @property
    def value(self) -> Settings:
        """The settings as they are now."""

    @property
    def config_keys(self) -> frozenset[Key]:
        """Keys that the config file sets, so that saving them changes nothing."""

    def save(self, changes: Mapping[Key, object | None]) -> tuple[Key, ...]:
        """Write values into `saved.toml`; they hold from now on.

        Args:
            changes: By key path, such as ("ui", "theme"); None takes the key out.

        Returns:
            The keys whose saved value has no effect, since the config file says something else.

        Raises:
            ConfigError: The file cannot be read or written, or a value is not allowed.
        """


@dataclass(frozen=True, slots=True)
class Opening:
    """A session that is found, locked and read while the first frame is on screen."""

    name: str
    """What it is called until its title is known."""
    read: Callable[[], Session]
    """Reads it; runs in a thread, and may raise StorageError."""
    told: Sequence[str] = ()
    """What is to be told when it has been read, a line each; known by then."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the screen works with."""

    store: SettingsStore
    """The settings as resolved."""
    problems: tuple[str, ...]
    """What is wrong in the config files, a line each."""
    engine: Callable[[], Engine]
    """Makes what drives turns when it is first asked for: the first frame needs none of it."""
    clock: Clock
    """Tells the time."""
    library: Library
    """The sessions on disk."""
    themes: Mapping[str, Callable[[], Palette]]
    """Every theme by name; calling one reads it and may raise ThemeError."""
    theme: str
    """Name of the theme to start with."""
    endpoint: str
    """A word for the endpoint, for the header."""
    theme_problems: Callable[[], Sequence[str]] = tuple
    """Says where the config files name a theme that cannot be used, a line each; asked only when that is so."""
    key_problem: KimiError | None = None
    """Why no request can be sent; None = one can."""
    clipboard: Clipboard | None = None
    """Where copied texts go besides the terminal; None = nowhere."""

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return self.store.value

    def resolve(self, session: Session) -> RequestSettings:
        """Say what a request of that session says.

        Raises:
            KimiError: Its settings cannot be used.
        """
        return resolve_request(self.settings, session)
