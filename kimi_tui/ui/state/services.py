"""What the screen is given: the engine, the store and the values that the command line resolved.

The screen knows none of the adapters behind these; tests hand in fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import (
    Clipboard,
    Clock,
    HeldSession,
    LinkOpener,
    Recorder,
    SessionStore,
    SettingsStore,
    TextEditor,
)
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.theme_palette import Palette

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


LoadSchema = Callable[[Path], Mapping[str, object]]
"""Reads {"name", "schema"} from a file, which it touches; raises UsageError where there is none."""


Themes = Mapping[str, Callable[[], Palette]]
"""Every theme by name; calling one reads it and may raise ThemeError."""


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


class FirstTurn(NamedTuple):
    """A turn that begins by itself with the screen: one that was recorded."""

    opening: Opening
    plan: Plan


@dataclass(frozen=True, slots=True)
class Services:
    settings_store: SettingsStore
    engine: Callable[[], Engine]
    """Makes what drives turns when it is first asked for: the first frame needs none of it."""
    clock: Clock
    session_store: SessionStore
    new_session: Callable[[], Session]
    themes: Themes
    theme: str
    endpoint: str
    """A word for the endpoint, for the header."""
    problems: tuple[str, ...] = ()
    """What is wrong in the config files, a line each."""
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
    load_schema: LoadSchema | None = None
    """None = none is read."""
