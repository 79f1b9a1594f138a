"""Two windows and another program at the same sessions, in any order: no text is lost, no file left unreadable."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import StorageError
from kimi_tui.core.ports import Conflict, FileChange, HeldSession, Rewritten
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.engine.open_session import OpenSession

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
WRECK = b"= no"
WINDOWS = st.sampled_from((0, 1))
PLACES = st.integers(0, 2)


def texts_of(session: Session) -> set[str]:
    return {message.content for message in session.messages}


class Window:
    """A process with one session on screen."""

    def __init__(self, folder: Path, path: Path, rewritten: Callable[[Path], object]) -> None:
        self.files = SessionFiles(folder / "sessions", folder / "trash")
        self.rewritten = rewritten
        self.begin(self.files.open(path))

    def begin(self, held: HeldSession) -> None:
        self.held, self.release = held, held.release
        self.session = OpenSession(held.session, self.files, read_only=held.read_only)
        self.session.told = self._told

    def _told(self, change: FileChange) -> None:
        if isinstance(change, Conflict):
            self.release()
            self.held, self.release = change.copy, change.copy.release
        if isinstance(change, Rewritten):
            self.rewritten(change.path)


class TwoWriters(RuleBasedStateMachine):
    has_locks = True

    def __init__(self) -> None:
        super().__init__()
        self.end = ExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.end.callback(shutil.rmtree, self.folder)
        self.end.enter_context(mock.patch.object(os, "fsync"))
        if not self.has_locks:
            self.end.enter_context(mock.patch.object(fcntl, "flock"))
        self.loop = asyncio.new_event_loop()
        self.windows: dict[int, Window] = {}
        self.count = 0
        self.texts = set[str]()
        self.forfeited = set[str]()
        """What another program threw away, or a window that was killed before it could save."""
        self.wrecked = list[Path]()
        self.known = list[Path]()
        """All files that were ever there, in the order in which they came: their names are drawn by lot."""

    def teardown(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.end.close()

    # -- what there is

    def new_message(self, session: Session) -> Message:
        self.count += 1
        text = f"text-{self.count:04}"
        self.texts.add(text)
        return Message(session.next_message_ids(1)[0], Role.USER, text, session.head)

    def paths(self) -> list[Path]:
        found = set((self.folder / "sessions").glob("*.toml"))
        self.known += sorted(found.difference(self.known))
        return [path for path in self.known if path in found]

    def readable(self) -> list[Path]:
        return [path for path in self.paths() if path not in self.wrecked]

    def path(self, place: int) -> Path | None:
        """A session's file that can be read."""
        found = self.readable()
        return found[place % len(found)] if found else None

    def stored(self, path: Path) -> Session:
        return SessionFiles(self.folder / "sessions", self.folder / "trash").read_only(path)

    def in_files(self) -> set[str]:
        return set[str]().union(*(texts_of(self.stored(path)) for path in self.readable()))

    def replaced(self, path: Path) -> None:
        """A file says something else from now on, and so will windows in which nothing was changed."""
        followers = [it for it in self.windows.values() if it.held.path == path and not it.session.is_changed]
        self.forfeit(set[str]().union(*(texts_of(window.session.value) for window in followers)))

    def forfeit(self, texts: set[str]) -> None:
        """Some place does not hold these texts any more: what stands nowhere else is not ours to keep.

        A window in which nothing was changed goes with its file as soon as it looks, whatever it shows until then.
        """
        readable = self.readable()
        keepers = [it for it in self.windows.values() if it.session.is_changed or it.held.path not in readable]
        self.forfeited |= texts - self.in_files().union(*(texts_of(window.session.value) for window in keepers))

    def in_windows(self) -> set[str]:
        return set[str]().union(*(texts_of(window.session.value) for window in self.windows.values()))

    # -- windows

    @initialize()
    def begin(self) -> None:
        session = Session("s1", NOW, NOW, "m", "Lamb", prompt_cache_key="key")
        session = session.with_message(self.new_message(session))
        SessionFiles(self.folder / "sessions", self.folder / "trash").save_now(session)
        for number in (0, 1):
            self.open(number, 0)

    @precondition(lambda self: len(self.windows) < 2)
    @rule(number=WINDOWS, place=PLACES)
    def open(self, number: int, place: int) -> None:
        path = self.path(place)
        if number not in self.windows and path is not None:
            self.windows[number] = Window(self.folder, path, self.replaced)

    @rule(number=WINDOWS)
    def type(self, number: int) -> None:
        window = self.windows.get(number)
        if window is not None and not window.session.read_only:
            message = self.new_message(window.session.value)
            window.session.update(lambda value: value.with_message(message))

    @rule(number=WINDOWS)
    def save(self, number: int) -> None:
        window = self.windows.get(number)
        if window is not None and window.session.is_changed:
            self.loop.run_until_complete(window.session.save())

    @rule(number=WINDOWS)
    def look(self, number: int) -> None:
        if window := self.windows.get(number):
            self.loop.run_until_complete(window.session.take_changes(window.files.look))

    @rule(number=WINDOWS)
    def copy(self, number: int) -> None:
        window = self.windows.get(number)
        if window is not None and window.session.read_only:
            held = window.files.create(window.files.copy_of(window.session.value, NOW))
            assert window.files.save_now(held.session) is None
            window.release()
            window.begin(held)

    @rule(number=WINDOWS)
    def take_over(self, number: int) -> None:
        window = self.windows.get(number)
        if window is None or window.held.is_free is None or not window.held.is_free():
            return
        shown, before = texts_of(window.session.value), window.release
        try:
            window.begin(window.files.open(window.held.path))
        except StorageError:  # it is gone, or wrecked: what is shown can still be copied
            return
        before()
        self.forfeit(shown)

    @rule(number=WINDOWS, is_killed=st.booleans())
    def leave(self, number: int, is_killed: bool) -> None:
        window = self.windows.get(number)
        if window is None:
            return
        if not is_killed:
            self.loop.run_until_complete(window.session.save_at_the_end(window.files.look))
        window.release()
        shown = texts_of(window.session.value)
        del self.windows[number]
        if is_killed or window.session.read_only:
            self.forfeit(shown)

    # -- another program

    @rule(place=PLACES)
    def edit(self, place: int) -> None:
        if (path := self.path(place)) is not None:
            session = self.stored(path)
            SessionFiles(path.parent, path.parent).save_now(
                replace(session.with_message(self.new_message(session)), path=str(path))
            )

    @rule(place=PLACES)
    def edit_in_place(self, place: int) -> None:
        """One word becomes another of that length, and the file says that nothing happened."""
        if (path := self.path(place)) is None or not self.stored(path).messages:
            return
        session, status = self.stored(path), path.stat()
        old, new = session.messages[-1].content, self.new_message(session).content
        data = path.read_bytes().replace(old.encode(), new.encode())
        with path.open("r+b") as file:
            file.write(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.forfeited.add(old)

    @rule(place=PLACES)
    def vanish(self, place: int) -> None:
        if (path := self.path(place)) is not None:
            shown = texts_of(self.stored(path))
            path.unlink()
            self.forfeit(shown)

    @rule(place=PLACES)
    def wreck(self, place: int) -> None:
        if (path := self.path(place)) is not None:
            shown = texts_of(self.stored(path))
            path.write_bytes(WRECK)
            self.wrecked.append(path)
            self.forfeit(shown)

    @precondition(lambda self: self.wrecked)
    @rule()
    def mend(self) -> None:
        path = self.wrecked.pop()
        path.unlink()
        session = Session(path.stem, NOW, NOW, "m", "Mended", prompt_cache_key="key")
        SessionFiles(path.parent, path.parent).save_now(session.with_message(self.new_message(session)))
        self.replaced(path)

    # -- what has to hold

    @invariant()
    def no_text_is_lost(self) -> None:
        assert self.texts - self.forfeited <= self.in_files() | self.in_windows()

    @invariant()
    def what_others_wrecked_stays_as_it_is(self) -> None:
        assert all(path.read_bytes() == WRECK for path in self.wrecked)


class TwoWritersWithoutLocks(TwoWriters):
    has_locks = False


@pytest.mark.parametrize("machine", [TwoWriters, TwoWritersWithoutLocks])
def test_what_others_took_from_every_file_is_gone_with_the_window_that_followed_them(machine: type[TwoWriters]) -> None:
    state = machine()
    state.begin()
    state.wreck(0)
    state.leave(0, is_killed=False)  # what it showed is a copy now
    state.mend()  # the other window will show this
    state.vanish(1)  # and that copy was the last file
    state.leave(1, is_killed=False)
    state.no_text_is_lost()
    assert state.in_files() == {"text-0002"}
    state.teardown()


@pytest.mark.parametrize("machine", [TwoWriters, TwoWritersWithoutLocks])
def test_in_any_order(machine: type[TwoWriters]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))


@pytest.mark.slow
@pytest.mark.parametrize("machine", [TwoWriters, TwoWritersWithoutLocks])
def test_in_any_order_for_long(machine: type[TwoWriters]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=400, stateful_step_count=60, deadline=None))
