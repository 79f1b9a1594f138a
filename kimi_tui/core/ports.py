"""What the program asks of the world, as protocols; adapters and test doubles satisfy them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import OpenRequest, ReplyView
from kimi_tui.core.session.listing import Listing, Unreadable
from kimi_tui.core.session.raw_draft import RawDraft
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.wire.dialect import Dialect

if TYPE_CHECKING:  # the names of types only: the first frame, and most commands, need nothing of these modules
    from kimi_tui.core.settings.layers import Key
    from kimi_tui.core.settings.settings import Settings
    from kimi_tui.core.text.copied import Delivery
    from kimi_tui.core.wire.turn_events import TurnEvent


class CompletionResponse(Protocol):
    """An answer of the endpoint whose status said success."""

    @property
    def is_event_stream(self) -> bool:
        """Otherwise the body is one JSON document."""

    @property
    def request_id(self) -> str | None:
        """As the headers say it; None = they do not."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the decoded body in pieces whose borders mean nothing; CompletionError when the connection breaks."""


class Tap(Protocol):
    """Hears what crosses the wire for one request after the other, as bytes, with the client's secrets taken out."""

    def sent(self, body: bytes, model: str) -> None: ...

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """`headers` are all that came, by their names in lower case."""

    def data(self, piece: bytes) -> None:
        """What is handed on of an answer's decoded body, before it is."""


class CompletionClient(Protocol):
    @property
    def dialect(self) -> Dialect:
        """What bodies say, and what the endpoint's bytes mean."""

    def send(self, body: bytes, model: str, tap: Tap | None = None) -> AbstractAsyncContextManager[CompletionResponse]:
        """POST JSON in UTF-8; leaving the context closes the connection, which ends generation.

        The model's name is part of the address. `tap` hears all of it; None = nobody does. How long an answer may take
        is the caller's business. Entering raises CompletionError where the endpoint refuses or cannot be reached.
        """

    def without_secrets(self, words: str) -> str:
        """The endpoint's own words, without the key where it repeats it."""


class TurnEvents(Protocol):
    """The events of a turn that are still to be taken; deltas that wait are joined."""

    async def drain(self) -> list[TurnEvent]:
        """Take all events that wait, at least one; [] when the turn is over and nothing waits."""

    async def pause(self, longest_s: float) -> None:
        """Let events gather for so many seconds, or until the turn ends."""


class SavedSession(Protocol):
    """A session that is open, as whoever hears its turns sees it."""

    @property
    def value(self) -> Session: ...

    @property
    def save_error(self) -> KimiError | None:
        """Why the last save failed; None = it did not, or nothing has been saved yet."""


class RunningTurn(Protocol):
    """A turn, as whoever hears every turn sees it."""

    @property
    def open_session(self) -> SavedSession: ...

    @property
    def reply(self) -> ReplyView: ...

    @property
    def request(self) -> RequestSettings: ...

    @property
    def open_request(self) -> OpenRequest | None:
        """The request that runs, as if it broke off now; None = none runs."""

    @property
    def question(self) -> Message | None:
        """The question as it stands in the session; None = it is not there (yet)."""

    @property
    def head_before(self) -> str | None:
        """The session's head before the turn; None = there was none, or the turn has no place yet."""

    def listen(self) -> TurnEvents:
        """Hear every event from now on: all of them, where this is called before anything is awaited."""


TurnListener = Callable[[RunningTurn], Awaitable[None]]
"""Hears every turn from its first event to its last; the turn waits for it nowhere, `Turn.finished` does."""


@dataclass(frozen=True, slots=True)
class HeldSession:
    """A session that was opened to go on with, and is kept from others meanwhile; or one that can only be read."""

    session: Session
    """As it was read, or as it begins; its `path` says where its file is, or will be."""
    draft: str = ""
    """What was being typed in it; "" = nothing."""
    release: Callable[[], object] = lambda: None
    """Lets others open it; releasing twice is releasing once. It touches a file."""
    read_only: str = ""
    """Why nothing of it can be saved, in words for the screen; "" = it can be saved."""
    own_draft_path: Path | None = None
    """Where its draft lies, apart from the holder's; None = nobody else holds it."""
    is_free: Callable[[], bool] | None = None
    """Says whether others who hold it have gone, so that opening it again holds it; None = nobody else does.

    It touches a file.
    """
    recovered: str = ""
    """What came back as it was opened of what a dead process left, in a line; "" = nothing."""
    raw_draft: RawDraft | None = None
    """A raw input that was not sent; None = there is none."""

    @property
    def path(self) -> Path:
        return Path(self.session.path)

    @property
    def draft_path(self) -> Path:
        """What `save_draft` takes for its draft."""
        return self.own_draft_path or self.path


@dataclass(frozen=True, slots=True)
class RecoveredSession:
    """A session that got back what a dead process left."""

    path: Path
    id: str
    """"" = there is none: nothing could be read of what was left."""
    title: str
    words: str
    """What came back, in a line."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Others changed a session's file while nothing was changed here."""

    session: Session
    """What the file holds now; its messages are the same objects as before where they are equal."""
    accept: Callable[[], object]
    """Says that this is what is shown and saved from now on; it touches no file."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Others made it so that no file holds what is shown here."""

    reason: str = ""
    """Why the file cannot be read; "" = it is gone."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A session's file had vanished, and was written again."""

    path: Path

    @property
    def words(self) -> str:
        return f"The session's file was gone; it was written again: {self.path}"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Others changed a session's file, and so did we here: both versions are kept."""

    copy: HeldSession
    """What was here, saved under a new id."""
    other: Path
    """The file as the others left it."""
    reason: str = ""
    """Why it cannot be read; "" = it can."""

    @property
    def words(self) -> str:
        """Which is which, a line each."""
        theirs = f"The other one stays as it is: {self.other}"
        if self.reason:
            theirs = f"The other one stays as it is; {self.reason}"
        return (
            "Another program changed this session's file while it was open here; both versions are kept.\n"
            f"{theirs}\n"
            f"The one from here goes on as “{self.copy.session.title}”: {self.copy.path}"
        )


FileChange = Reloaded | Lost | Rewritten | Conflict
"""What others did to a session's file, and what became of the session that is open here."""


class SessionSaver(Protocol):
    """All that a turn asks of the store."""

    async def save(self, session: Session) -> Rewritten | Conflict | None:
        """Write the whole session, or raise StorageError and leave the last whole one in place.

        Where others changed its file since it was read or saved here, that file stays, and a copy is written.
        """


class SessionStore(SessionSaver, Protocol):
    """The sessions as files. All of it but `save` and `look` touches files at once: keep it off the event loop.

    Everything may raise StorageError, where a file cannot be read, written or moved; it is as it was then.
    """

    def open(self, path: Path) -> HeldSession:
        """Hold a session and read it; where others hold it, it comes back to be read only."""

    def recover(self) -> Sequence[RecoveredSession]:
        """Put what dead processes left into its sessions, once; every call tells what came back. Raises nothing."""

    def create(self, session: Session) -> HeldSession:
        """Hold a new session; nothing is written before it is saved."""

    def save_as(self, session: Session, path: Path) -> HeldSession:
        """Write a session into a new file and hold it: it is saved there from now on; a file that is there stays."""

    async def look(self, session: Session) -> Reloaded | Lost | None:
        """Look whether others changed the file of a session that is open; None = they did not, or nobody can tell."""

    def find(self, text: str, passed_over: Callable[[Unreadable], object]) -> Path:
        """Find a session's file by id, the beginning of one, title or path.

        `passed_over` is told of each file that may be the one that was meant, but cannot be read.
        """

    def list(self) -> Listing:
        """Last changed first; with the files that cannot be read."""

    def listings(self) -> Iterator[Listing]:
        """List them while their files are read: at once what is known, the last list is whole."""

    def close(self) -> None:
        """End what is being read, since nobody waits for it any more."""

    def recent_prompts(self) -> Sequence[str]:
        """Give what was asked in the sessions changed last, newest first; it takes a while."""

    def import_file(self, path: Path) -> tuple[Session, str]:
        """Save a copy of a file as a new session; with what is told of what has no place in it, "" = nothing."""

    def export(self, session: Session, path: Path) -> None:
        """Write a session in the form that the file's ending names; a file that is there stays."""

    def rename(self, path: Path, title: str) -> None:
        """Give a session that is open nowhere another title."""

    def copy_of(self, session: Session, now: datetime) -> Session:
        """Make a new session of that moment that says the same; it touches no file."""

    def duplicate(self, path: Path) -> Path:
        """Save a copy of a session as a new one and return where."""

    def delete(self, path: Path, *, is_held_here: bool) -> Path:
        """Move a session to the trash and return where it lies there; one that is held here stays so."""

    def restore_path(self, path: Path) -> Path:
        """Bring a session back from where it lies in the trash and return where it lies now."""

    def save_draft(self, path: Path, text: str) -> None:
        """Keep what is being typed in the session of that file; "" removes it."""

    def save_raw_draft(self, path: Path, draft: RawDraft | None) -> None:
        """Keep a raw input that was not sent beside the session of that file; None removes it."""


class Clock(Protocol):
    """Tells the time, so that tests can move it by hand."""

    def now(self) -> datetime:
        """The time of day, UTC, whole seconds."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def elapsed(self) -> float:
        """Seconds like these, with those in which the machine slept."""

    async def sleep(self, delay_s: float) -> None: ...


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
