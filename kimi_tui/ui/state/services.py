"""What the screen is given: the engine, the store and the values that the command line resolved.

The screen knows none of the adapters behind these; tests hand in fakes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import Clock, HeldSession, SessionStore
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.sampling import NO_OPTIONS, RequestOptions, resolve_chat, resolve_request
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.settings.theme_palette import Palette
from kimi_tui.core.text.copied import Delivery
from kimi_tui.core.wire.thinking_budget import Budget

if TYPE_CHECKING:  # the names of types only: the first frame needs nothing of these modules
    import threading

    from kimi_tui.core.wire.answer_forms import FormCheck
    from kimi_tui.core.wire.plans import Plan
    from kimi_tui.engine.openings import Opening
    from kimi_tui.engine.turn_engine import Engine


class CheckForm(Protocol):
    def __call__(
        self, form: Mapping[str, object], text: str | None, stopped: threading.Event | None = None
    ) -> FormCheck:
        """Look whether a text keeps a form, or with None whether the form is one.

        It takes seconds, or until the event is set, and raises nothing.
        """


class Clipboard(Protocol):
    """The system's clipboard, as far as programs reach it."""

    def put(self, text: str) -> Awaitable[Delivery | None]:
        """Put a text into it and say who took it; None = another text followed, which is put in its place.

        Nothing is raised. The text is on its way when this returns; the answer takes a few seconds at most.
        """


class LinkOpener(Protocol):
    async def open(self, address: str) -> str:
        """Have a program of the system show a web address; its name, "" = none took it. Nothing is raised."""


class TextEditor(Protocol):
    """The user's own editor."""

    def check(self) -> None:
        """Raises UsageError where there is none."""

    async def edit(self, text: str) -> tuple[str, str]:
        """Have a text edited: what it became, and what is to be told, "" = nothing.

        The terminal has to be free for it. Raises StorageError where that cannot be done.
        """


class SettingsStore(Protocol):
    @property
    def value(self) -> Settings: ...

    @property
    def config_keys(self) -> frozenset[Key]:
        """Keys that the config file sets, so that saving them changes nothing."""

    async def save(self, changes: Mapping[Key, object | None]) -> tuple[Key, ...]:
        """Write values into `saved.toml`; they hold when it returns. Changes are written in the order of the calls.

        `changes` are by key path, such as ("ui", "theme"); None takes the key out. What comes back are the keys whose
        saved value has no effect, since the config file says something else.

        Raises:
            ConfigError: The file cannot be read or written, or a value is not allowed; nothing was changed.
        """


class FirstSession(NamedTuple):
    """A session that is found, locked and read while the first frame is on screen."""

    name: str
    """What it is called until its title is known."""
    read: Callable[[], HeldSession]
    """Opens it; runs in a thread, and may raise StorageError."""
    told: Sequence[str] = ()
    """What is to be told when it has been read, a line each; known by then."""
    keep_typed: Callable[[str], str | None] = lambda _: None
    """Keeps what was typed meanwhile, where the session is not waited for any more; it touches files.

    What comes back names the session that holds it; StorageError where it could not be written.
    """


class Recorder(Protocol):
    """Keeps the raw streams of turns."""

    tell: Callable[[str], object]
    """Is told what could not be written, in words."""

    async def save_next(self, session_id: str, path: Path) -> None:
        """Record the next turn of a session, the first of several, into a new file. Raises StorageError."""

    async def save_last(self, session_id: str, path: Path, reply_id: str | None = None) -> bool | None:
        """Write the turn of a reply into a new file, as it comes where it runs; whether it does.

        Where the reply's turn is not held, it is the last one of its session. None = there was none since the program
        started. Raises StorageError.
        """


class FirstTurn(NamedTuple):
    """A turn that begins by itself with the screen: one that was recorded."""

    opening: Opening
    plan: Plan


@dataclass(frozen=True, slots=True)
class Services:
    settings_store: SettingsStore
    problems: tuple[str, ...]
    """What is wrong in the config files, a line each."""
    engine: Callable[[], Engine]
    """Makes what drives turns when it is first asked for: the first frame needs none of it."""
    clock: Clock
    session_store: SessionStore
    new_session: Callable[[], Session]
    themes: Mapping[str, Callable[[], Palette]]
    """Every theme by name; calling one reads it and may raise ThemeError."""
    theme: str
    endpoint: str
    """A word for the endpoint, for the header."""
    theme_problems: Callable[[], Sequence[str]] = tuple
    """Says where the config files name a theme that cannot be used, a line each; asked only when that is so."""
    key_problem: KimiError | None = None
    """Why no request can be sent; None = one can."""
    report: Callable[[BaseException], str] = lambda _: ""
    """Writes a fault of this program down and says where, in words; it touches files, and raises nothing."""
    clipboard: Clipboard | None = None
    """Where copied texts go besides the terminal; None = nowhere."""
    link_opener: LinkOpener | None = None
    """What opens links; None = nothing, and their addresses are copied."""
    text_editor: TextEditor | None = None
    """What texts are edited with outside of the screen; None = nothing."""
    recorder: Callable[[], Recorder] | None = None
    """Gives what records turns, made when it is first asked for; None = they are replayed themselves."""
    first_turn: FirstTurn | None = None
    """None = the user begins."""
    check_form: CheckForm | None = None
    """None = nothing is checked."""
    load_schema: Callable[[Path], Mapping[str, object]] | None = None
    """Reads {"name", "schema"} from a file, which it touches; UsageError where there is none. None = none is read."""

    @property
    def settings(self) -> Settings:
        return self.settings_store.value

    def budget(self, session: Session) -> Budget:
        """How much may be thought; raises FieldError where the session's settings cannot be used."""
        return resolve_chat(self.settings, session).budget

    def resolve(self, session: Session, options: RequestOptions = NO_OPTIONS) -> RequestSettings:
        """Raises KimiError where the session's settings cannot be used."""
        return resolve_request(self.settings, session, options)
