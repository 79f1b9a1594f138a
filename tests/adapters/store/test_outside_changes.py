"""Files that others change: noticed before each save and in between, whatever locks are worth, and nothing is lost."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from kimi_tui.adapters.store.outside_changes import BaseVersions, FileState, read_version
from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import StorageError
from kimi_tui.core.ports import Conflict, HeldSession, Lost, Reloaded, Rewritten
from kimi_tui.core.session.session import Message, Role, Session

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SESSION = Session("s1", NOW, NOW, "m", "Lamb", prompt_cache_key="key").with_message(Message("m1", Role.USER, "Hello"))
LONG_AGO_S = 1_000_000_000


@pytest.fixture
def files(tmp_path: Path) -> SessionFiles:
    return SessionFiles(tmp_path / "sessions", tmp_path / "trash")


@pytest.fixture
def held(files: SessionFiles) -> HeldSession:
    files.save_now(SESSION)
    return files.open(files.path_of(SESSION))


def asked(session: Session, text: str = "More?") -> Session:
    return session.with_message(Message(session.next_message_ids(1)[0], Role.USER, text, session.head))


def look(files: SessionFiles, session: Session) -> Reloaded | Lost | None:
    return asyncio.run(files.look(session))


def loaded(path: Path) -> Session:
    """What another program reads there."""
    return SessionFiles(path.parent, path.parent).read_only(path)


def edit(path: Path, session: Session) -> None:
    """Change a file as an editor does that knows no lock."""
    other = SessionFiles(path.parent, path.parent)
    other.save_now(replace(session, path=str(path)))


def in_place(path: Path, text: str) -> None:
    """Change a file without its inode, its size or its time becoming others."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(text.encode())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_ino, path.stat().st_size) == (status.st_ino, status.st_size)


def test_a_session_that_nobody_else_changes_is_saved_again_and_again(files: SessionFiles, held: HeldSession) -> None:
    session = held.session
    for text in ("one", "two", "three"):
        session = asked(session, text)
        assert files.save_now(session) is None
        assert look(files, session) is None
    assert loaded(held.path) == session
    assert len(files.list().summaries) == 1


@pytest.mark.parametrize("form", ["toml", "json"])
def test_both_versions_are_kept(tmp_path: Path, form: str) -> None:
    files = SessionFiles(tmp_path / "sessions", tmp_path / "trash", form)
    files.save_now(SESSION)
    held = files.open(files.path_of(SESSION))
    theirs, ours = asked(SESSION, "theirs"), asked(held.session, "ours")
    edit(held.path, theirs)
    before = held.path.read_bytes()
    conflict = files.save_now(ours)
    assert isinstance(conflict, Conflict)
    assert held.path.read_bytes() == before
    copy = conflict.copy.session
    assert (copy.title, copy.messages, copy.path) == ("Lamb (conflict)", ours.messages, str(conflict.copy.path))
    assert copy.id != SESSION.id
    assert loaded(conflict.copy.path) == copy
    assert loaded(held.path) == theirs
    for words in ("stays as it is", str(held.path), "Lamb (conflict)", str(conflict.copy.path)):
        assert words in conflict.words
    assert files.save_now(asked(copy, "and on")) is None  # the copy goes on as any session
    assert files.open(conflict.copy.path).read_only


def test_a_change_that_neither_size_nor_time_nor_place_shows_is_noticed(files: SessionFiles, held: HeldSession) -> None:
    text = held.path.read_text().replace("Hello", "Hullo")
    in_place(held.path, text)
    assert isinstance(files.save_now(asked(held.session)), Conflict)
    assert held.path.read_text() == text


def test_a_file_that_was_only_touched_or_written_differently_is_no_other(
    files: SessionFiles, held: HeldSession
) -> None:
    session = asked(held.session)
    os.utime(held.path, (LONG_AGO_S, LONG_AGO_S))
    assert files.save_now(session) is None
    data = held.path.read_bytes()
    held.path.unlink()
    held.path.write_bytes(data)
    assert look(files, session) is None
    held.path.write_bytes(b"# a remark\n" + data)
    assert look(files, session) is None
    held.path.write_bytes(b"# another remark\n" + data)
    session = asked(session, "on")
    assert files.save_now(session) is None
    assert loaded(held.path) == session


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """All files were written so long ago that every file system counts another time by now."""
    now_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + 10_000_000_000)


def after_a_tick(path: Path) -> None:
    """Wait until a file that changes gets another time than it has."""
    probe, before = path.with_name("probe"), path.stat().st_ctime_ns
    while probe.write_bytes(b"") or probe.stat().st_ctime_ns <= before:
        pass
    probe.unlink()


@pytest.mark.usefixtures("later")
def test_a_change_in_place_is_noticed_in_a_file_that_was_beyond_doubt(files: SessionFiles, held: HeldSession) -> None:
    assert look(files, held.session) is None
    text = held.path.read_text().replace("Hello", "Hullo")
    after_a_tick(held.path)
    in_place(held.path, text)
    assert isinstance(files.save_now(asked(held.session)), Conflict)
    assert held.path.read_text() == text


@pytest.mark.usefixtures("later")
def test_a_session_opened_again_is_what_its_file_holds_now(files: SessionFiles, held: HeldSession) -> None:
    held.release()
    text = held.path.read_text().replace("Hello", "Hullo")
    after_a_tick(held.path)
    in_place(held.path, text)
    assert [message.content for message in files.open(held.path).session.messages] == ["Hullo"]


def test_a_session_opened_again_at_once_is_what_its_file_holds_now(files: SessionFiles, held: HeldSession) -> None:
    """Also where the clock of the file system has not moved meanwhile."""
    held.release()
    in_place(held.path, held.path.read_text().replace("Hello", "Hullo"))
    assert [message.content for message in files.open(held.path).session.messages] == ["Hullo"]


@pytest.mark.usefixtures("later")
def test_what_was_just_written_is_in_doubt_however_long_the_disk_took(files: SessionFiles, held: HeldSession) -> None:
    """A file may change in the step of time in which it was written, which a slow disk makes look long ago."""
    assert files.save_now(session := asked(held.session)) is None
    status, stat = held.path.stat(), os.stat
    text = held.path.read_text().replace("Hello", "Hullo")
    in_place(held.path, text)
    with mock.patch.object(os, "stat", lambda path, **more: status if path == held.path else stat(path, **more)):
        assert isinstance(files.save_now(asked(session)), Conflict)
    assert held.path.read_text() == text


@pytest.mark.usefixtures("later")
def test_what_did_not_change_for_long_is_not_read_again(
    files: SessionFiles, held: HeldSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(files, held.session) is None  # from now on its mark is beyond doubt

    def refuse(*_: object) -> bytes:
        raise AssertionError("it was read")

    monkeypatch.setattr("kimi_tui.adapters.store.outside_changes.read_pieces", refuse)
    assert look(files, held.session) is None


def test_the_same_change_made_here_and_elsewhere_is_one(files: SessionFiles, held: HeldSession) -> None:
    session = asked(held.session)
    edit(held.path, session)
    assert files.save_now(session) is None
    assert len(files.list().summaries) == 1


def test_a_file_that_vanished_is_written_again(files: SessionFiles, held: HeldSession) -> None:
    held.path.unlink()
    session = asked(held.session)
    change = files.save_now(session)
    assert isinstance(change, Rewritten)
    assert str(held.path) in change.words
    assert loaded(held.path) == session
    assert files.save_now(asked(session)) is None


def wrecked(path: Path) -> None:
    path.write_text("= no")


def forbidden(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("wreck", [wrecked, forbidden])
def test_an_unreadable_version_is_never_overwritten(
    files: SessionFiles, held: HeldSession, wreck: Callable[[Path], None]
) -> None:
    wreck(held.path)
    conflict = files.save_now(asked(held.session, "ours"))
    assert isinstance(conflict, Conflict)
    assert held.path.is_dir() or held.path.read_text() == "= no"
    assert conflict.reason
    assert conflict.reason in conflict.words
    assert loaded(conflict.copy.path).messages[-1].content == "ours"


def test_where_the_copy_cannot_be_written_all_stays_as_it_is(
    files: SessionFiles, held: HeldSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = asked(SESSION, "theirs"), asked(held.session, "ours")
    edit(held.path, theirs)
    with monkeypatch.context() as patch:

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError):
            files.save_now(ours)
    assert [path.name for path in files.folder.iterdir() if "lock" in path.name] == [".s1.lock"]
    assert loaded(held.path) == theirs
    conflict = files.save_now(ours)
    assert isinstance(conflict, Conflict)
    assert conflict.copy.session.messages == ours.messages


# -- looked at while nothing happens


def test_what_others_wrote_is_shown_and_shares_what_is_the_same(files: SessionFiles, held: HeldSession) -> None:
    theirs = asked(SESSION, "theirs")
    edit(held.path, theirs)
    found = look(files, held.session)
    assert isinstance(found, Reloaded)
    assert (found.session, found.session.path) == (theirs, str(held.path))
    assert found.session.messages[0] is held.session.messages[0]
    found.accept()
    assert look(files, found.session) is None
    assert files.save_now(asked(found.session, "ours")) is None
    assert [message.content for message in loaded(held.path).messages] == ["Hello", "theirs", "ours"]


def test_what_was_not_taken_is_still_another_version(files: SessionFiles, held: HeldSession) -> None:
    edit(held.path, asked(SESSION, "theirs"))
    assert isinstance(look(files, held.session), Reloaded)
    assert isinstance(files.save_now(asked(held.session, "ours")), Conflict)


def test_a_version_that_came_while_the_last_one_was_read_is_seen_too(files: SessionFiles, held: HeldSession) -> None:
    edit(held.path, asked(SESSION, "first"))
    found = look(files, held.session)
    assert isinstance(found, Reloaded)
    edit(held.path, asked(SESSION, "second"))
    found.accept()
    again = look(files, found.session)
    assert isinstance(again, Reloaded)
    assert again.session.messages[-1].content == "second"


@pytest.mark.parametrize("wreck", [wrecked, Path.unlink])
def test_a_file_in_the_middle_of_being_saved_is_given_time(
    files: SessionFiles, held: HeldSession, wreck: Callable[[Path], None]
) -> None:
    data = held.path.read_bytes()
    wreck(held.path)
    assert look(files, held.session) is None
    held.path.write_bytes(data)
    assert look(files, held.session) is None
    wreck(held.path)
    assert look(files, held.session) is None
    assert isinstance(look(files, held.session), Lost)


def test_a_file_system_that_fails_says_nothing_about_the_file(
    files: SessionFiles, held: HeldSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat

    def stat(path: Any, **named: Any) -> os.stat_result:
        if path == held.path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path, **named)

    monkeypatch.setattr(os, "stat", stat)
    assert look(files, held.session) is None
    assert look(files, held.session) is None


def test_a_session_may_be_released_while_it_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "s1.toml"
    path.write_text("old")

    def read(path: Path) -> Session:
        bases.end(path, "a window")
        return SESSION

    bases = BaseVersions(read)
    bases.begin(path, "a window")
    bases.note(path, read_version(path), replace(SESSION, title="Stew"))
    path.write_text("new")
    assert bases.look(path, SESSION) is None
    assert bases.compare(path) is FileState.SAME  # nothing is remembered of it


@pytest.mark.parametrize("act", ["rename", "convert"])
def test_what_changes_while_it_is_renamed_or_converted_stays(
    files: SessionFiles, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    files.save_now(SESSION)
    path = files.path_of(SESSION)
    read = files._reader.read

    def read_slowly(path: Path) -> Session:
        session = read(path)
        in_place(path, path.read_text().replace("Hello", "Adieu"))
        return session

    monkeypatch.setattr(files._reader, "read", read_slowly)
    with pytest.raises(StorageError, match="changed by another program meanwhile"):
        files.rename(path, "Stew") if act == "rename" else files.convert(path, "json")
    assert [file.name for file in files.folder.iterdir()] == [path.name]
    assert (loaded(path).title, loaded(path).messages[0].content) == ("Lamb", "Adieu")


def test_a_session_that_was_deleted_here_stays_deleted(files: SessionFiles, held: HeldSession) -> None:
    files.delete(held.path, is_held_here=True)
    assert look(files, held.session) is None
    assert look(files, held.session) is None


# -- without locks


@pytest.fixture(params=["they do nothing", "there are none"])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        del descriptor, operation
        if request.param == "there are none":
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.usefixtures("no_locks")
def test_where_locks_do_nothing_two_windows_lose_nothing(files: SessionFiles, tmp_path: Path) -> None:
    files.save_now(SESSION)
    other = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    one, two = files.open(files.path_of(SESSION)), other.open(files.path_of(SESSION))
    assert not one.read_only + two.read_only
    assert files.save_now(asked(one.session, "one")) is None
    conflict = other.save_now(asked(two.session, "two"))
    assert isinstance(conflict, Conflict)
    assert loaded(one.path).messages[-1].content == "one"
    assert loaded(conflict.copy.path).messages[-1].content == "two"


# -- read only


def test_a_session_that_is_held_can_be_read_with_a_draft_of_its_own(files: SessionFiles, held: HeldSession) -> None:
    files.save_draft(held.path, "the holder's")
    other = SessionFiles(files.folder, files.trash)
    second, third = other.open(held.path), other.open(held.path)
    for window in (second, third):
        assert f"held by a kimi-tui window, process {os.getpid()}" in window.read_only
        assert (window.session, window.draft) == (SESSION, "")
        assert window.is_free is not None
        assert not window.is_free()
        other.save_draft(window.draft_path, f"typed in {window.draft_path.stem}")
    assert load_draft(held.path) == "the holder's"
    assert second.draft_path != third.draft_path
    second.release()
    again = other.open(held.path)
    assert (again.draft_path, again.draft) == (
        second.draft_path,
        f"typed in {second.draft_path.stem}",
    )
    again.release()
    held.release()
    assert third.is_free is not None
    assert third.is_free()
    taken = other.open(held.path)
    assert not taken.read_only
    assert taken.draft == "the holder's\n\ntyped in s1.window-2"  # the third window is still there
    third.release()
    taken.release()
    last = other.open(held.path)
    assert last.draft == "the holder's\n\ntyped in s1.window-2\n\ntyped in s1.window-3"
    assert sorted(path.name for path in files.folder.iterdir()) == [".index", ".s1.draft", ".s1.lock", "s1.toml"][-3:]


HOLD = (
    "import sys; from pathlib import Path; from kimi_tui.adapters.store.session_files import SessionFiles; "
    "path = Path(sys.argv[1]); SessionFiles(path.parent, path.parent / 'trash').open(path); "
    "print('held', flush=True); sys.stdin.read()"
)


async def test_a_holder_that_was_killed_has_gone(files: SessionFiles) -> None:
    files.save_now(SESSION)
    path = files.path_of(SESSION)
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, str(path), stdin=-1, stdout=-1)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    window = files.open(path)
    assert window.is_free is not None
    assert not window.is_free()
    holder.kill()
    await holder.wait()
    assert window.is_free()
    assert not files.open(path).read_only
