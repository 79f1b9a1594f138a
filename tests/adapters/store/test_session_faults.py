"""Whatever file operation the system refuses: nothing is lost, and there is one clear message."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kimi_tui.adapters.files import sweep_temporaries
from kimi_tui.adapters.store.repaired_copy import examine, has_whole_end, write_repaired
from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.file_formats import ENDINGS
from kimi_tui.core.session.session import Message, Role, Session

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SESSION = Session("s1", NOW, NOW, "m", "Lamb").with_message(Message("m1", Role.USER, "Hi"))
DRAFT, NEW_DRAFT = "half a sentence", "a whole one"
NAMES = (
    "stat", "lstat", "fstat", "open", "mkdir", "listdir", "scandir", "replace", "rename", "link", "unlink", "rmdir", "fchmod",
    "fchown", "chmod", "chown", "fsync", "truncate", "ftruncate", "pread", "pwrite", "read", "write", "readlink", "utime",
)  # fmt: skip
"""The functions of `os` that anything here may go through, besides opening, reading and writing files."""
REASONS = (errno.EIO, errno.EACCES, errno.ENOSPC, errno.EROFS, errno.EDQUOT)
MOST_STEPS = 200


class Faults:
    """Counts file operations and refuses some of them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.count = 0

    @contextmanager
    def at(self, step: int, reason: int = errno.EIO, *, is_last_only: bool) -> Iterator[None]:
        """Refuse the operation of that number, alone or with all that follow."""
        self.count = 0

        def check() -> None:
            self.count += 1
            if self.count == step or (self.count > step and not is_last_only):
                raise OSError(reason, os.strerror(reason))

        with self._patch.context() as patch:
            for name in NAMES:
                patch.setattr(os, name, refusing(getattr(os, name), check))
            patch.setattr(io, "open", opening(io.open, check))
            patch.setattr(os, "close", closing(os.close, check))
            yield


def refusing(function: Callable[..., Any], check: Callable[[], None]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        check()
        return function(*arguments, **named)

    return call


def closing(function: Callable[[int], None], check: Callable[[], None]) -> Callable[[int], None]:
    """Closing says what went wrong with what was written before, and closes all the same."""

    def call(descriptor: int) -> None:
        function(descriptor)
        check()

    return call


def opening(function: Callable[..., Any], check: Callable[[], None]) -> Callable[..., Any]:
    def call(file: Any, *arguments: Any, **named: Any) -> Any:
        check()
        return CheckedFile(function(file, *arguments, **named), check)

    return call


class CheckedFile:
    """A file of which reading, writing and closing may be refused; half of what is refused to be written is there."""

    def __init__(self, file: Any, check: Callable[[], None]) -> None:
        self._file, self._check = file, check
        self.read, self.flush = refusing(file.read, check), refusing(file.flush, check)

    def write(self, data: Any) -> Any:
        try:
            self._check()
        except OSError:
            self._file.write(data[: len(data) // 2])
            raise
        return self._file.write(data)

    def __enter__(self) -> CheckedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._check()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@dataclass
class World:
    """A folder of sessions with one session and its draft, and what is done to it."""

    files: SessionFiles
    path: Path
    outside: Path
    in_trash: Path | None = None

    def sessions(self) -> list[Path]:
        trash = self.files.folder.parent / "trash"
        found = [*self.files.folder.iterdir(), *(trash.iterdir() if trash.exists() else ())]
        return sorted(path for path in found if path.name.endswith(ENDINGS) and not path.name.startswith("."))

    def drafts(self) -> list[str]:
        return [path.read_text() for path in self.files.folder.parent.rglob(".*.draft")]


def world(folder: Path) -> World:
    files = SessionFiles(folder / "sessions", folder / "trash")
    files.save_now(SESSION)
    files.save_draft(files.path_of(SESSION), DRAFT)
    outside = folder / "outside.json"
    outside.write_text('[{"role": "user", "content": "Hi"}]')
    return World(files, files.find(), outside)


def save(world: World) -> None:
    world.files.save_now(replace(SESSION, title="Stew"))


def save_first(world: World) -> None:
    SessionFiles(world.files.folder, world.files.folder).save_now(replace(SESSION, id="s2"))


def convert(world: World) -> None:
    world.files.convert(world.path, "json")


def rename(world: World) -> None:
    world.files.rename(world.path, "Stew")


def delete(world: World) -> None:
    world.files.delete(world.path)


def restore(world: World) -> None:
    assert world.in_trash
    world.files.restore_path(world.in_trash)


def duplicate(world: World) -> None:
    world.files.duplicate(world.path)


def import_file(world: World) -> None:
    world.files.import_file(world.outside)


def save_over_another_version(world: World) -> None:
    fresh = SessionFiles(world.files.folder, world.files.trash)
    fresh.save_now(replace(fresh.read_only(world.path), title="Stew", written_by="0.0.9"))


def draft(world: World) -> None:
    world.files.save_draft(world.path, NEW_DRAFT)


def draft_in_the_open(world: World) -> None:
    held = world.files.open(world.path)
    try:
        world.files.save_draft(world.path, NEW_DRAFT)
        world.files.save_now(replace(held.session, title="Stew"))
    finally:
        held.release()


def save_as(world: World) -> None:
    world.files.save_as(world.files.read_only(world.path), world.outside.with_name("new.json")).release()


def repair(world: World) -> None:
    write_repaired(world.path, world.outside.with_name("new.toml"))


ACTS = (
    save, save_first, save_over_another_version, convert, rename, delete, restore, duplicate, import_file, draft,
    draft_in_the_open, save_as, repair,
)  # fmt: skip


@pytest.mark.parametrize("is_last_only", [True, False], ids=["that one", "all from then on"])
@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_lost(
    act: Callable[[World], None], is_last_only: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_every_step(act, errno.EACCES if is_last_only else errno.EIO, is_last_only, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: errno.errorcode[reason])
@pytest.mark.parametrize("is_last_only", [True, False], ids=["that one", "all from then on"])
@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_lost_whatever_the_reason_slow(
    act: Callable[[World], None], is_last_only: bool, reason: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_every_step(act, reason, is_last_only, tmp_path, monkeypatch)


def check_every_step(
    act: Callable[[World], None], reason: int, is_last_only: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = Faults(monkeypatch)
    told = list[str]()
    for step in range(1, MOST_STEPS):
        place = world(tmp_path / str(step))
        if act is restore:
            place.in_trash = place.files.delete(place.path)
        before, messages = len(place.sessions()), len(told)
        try:
            with faults.at(step, reason, is_last_only=is_last_only):
                act(place)
        except StorageError as error:
            told.append(error.summary)
        if is_last_only and len(told) > messages:
            assert len(place.sessions()) == before
        check(place, is_last_only=is_last_only)
        if faults.count < step:
            assert len(told) >= 3
            assert all(len(summary.splitlines()) == 1 for summary in told)
            return
    raise AssertionError("it never came to an end")


READS: tuple[Callable[[World], object], ...] = (
    lambda world: world.files.find(),
    lambda world: world.files.find("lamb"),
    lambda world: world.files.find(str(world.path)),
    lambda world: world.files.list(),
    lambda world: list(world.files.listings()),
    lambda world: world.files.trashed(),
    lambda world: world.files.is_found_at_once("lamb"),
    lambda world: world.files.recent_prompts(),
    lambda world: load_draft(world.path),
    lambda world: world.files.open(world.path).release(),
    lambda world: examine(world.path),
    lambda world: has_whole_end(world.path),
    lambda world: sweep_temporaries(world.files.folder),
)


@pytest.mark.parametrize("is_last_only", [True, False], ids=["that one", "all from then on"])
@pytest.mark.parametrize("number", range(len(READS)))
def test_reading_fails_with_words_or_not_at_all(
    number: int, is_last_only: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = Faults(monkeypatch)
    for step in range(1, MOST_STEPS):
        place = world(tmp_path / str(step))
        with suppress(StorageError), faults.at(step, errno.EACCES, is_last_only=is_last_only):
            READS[number](place)
        check(place, is_last_only=is_last_only)
        if faults.count < step:
            return
    raise AssertionError("it never came to an end")


def check(place: World, *, is_last_only: bool) -> None:
    """Every file is whole, the session and its draft are there, beside each other; nothing half made stays."""
    sessions = place.sessions()
    read = [SessionFiles(path.parent, path.parent).read_only(path) for path in sessions]
    ours = [path for path, session in zip(sessions, read, strict=True) if session.id == SESSION.id]
    assert all(session.messages[0].content == "Hi" for session in read)
    assert len(ours) == 1 or (ours and not is_last_only)
    assert any((path.parent / f".{path.stem}.draft").exists() for path in ours)
    assert set(place.drafts()) in ({DRAFT}, {NEW_DRAFT})
    for outside in place.outside.parent.glob("new.*"):
        assert SessionFiles(outside.parent, outside.parent).read_only(outside).messages == SESSION.messages
    if is_last_only:
        assert not list(place.files.folder.parent.rglob(".kimi-tmp-*"))


def test_a_session_goes_to_the_trash_with_its_draft_and_comes_back(tmp_path: Path) -> None:
    place = world(tmp_path)
    in_trash = place.files.delete(place.path)
    assert [path.name for path in place.files.folder.glob("*.toml")] == []
    assert load_draft(place.path) == ""
    assert place.files.restore_path(in_trash) == place.path
    assert (place.files.read_only(place.path), load_draft(place.path)) == (SESSION, DRAFT)
    assert len(place.drafts()) == 1
    with pytest.raises(StorageError):
        place.files.restore_path(in_trash)


def test_what_is_restored_takes_nobodys_place(tmp_path: Path) -> None:
    place = world(tmp_path)
    in_trash = place.files.delete(place.path)
    place.files.save_now(replace(SESSION, title="another"))
    with pytest.raises(StorageError, match="there already; the deleted session stays"):
        place.files.restore_path(in_trash)
    assert in_trash.exists()
    assert place.files.read_only(place.path).title == "another"


def test_a_session_from_elsewhere_returns_to_where_it_lay(tmp_path: Path) -> None:
    place = world(tmp_path)
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_bytes(place.path.read_bytes())
    in_trash = place.files.delete(elsewhere)
    assert list(in_trash.parent.glob(".*.origin"))
    again = world(tmp_path)  # another run of the program
    assert again.files.restore_path(in_trash) == elsewhere
    assert not list(in_trash.parent.iterdir())


def test_the_folder_may_move_while_a_session_lies_in_the_trash(tmp_path: Path) -> None:
    place = world(tmp_path / "old")
    in_trash = place.files.delete(place.path)
    (tmp_path / "old").rename(tmp_path / "new")
    files = SessionFiles(tmp_path / "new" / "sessions", tmp_path / "new" / "trash")
    restored = files.restore_path(files.folder.parent / "trash" / in_trash.name)
    assert restored == files.folder / place.path.name


def test_a_held_session_is_neither_deleted_nor_renamed(tmp_path: Path) -> None:
    place = world(tmp_path)
    other = SessionFiles(place.files.folder, tmp_path / "trash")
    held = other.open(place.path)
    for act in (delete, rename):
        with pytest.raises(StorageError, match=rf"held by a kimi-tui window, process {os.getpid()}"):
            act(place)
    assert other.delete(place.path, is_held_here=True).exists()
    held.release()


def test_a_renamed_session_keeps_its_place(tmp_path: Path) -> None:
    place = world(tmp_path)
    place.files.rename(place.path, "Ragù \u202e [b]")
    assert place.files.read_only(place.path) == replace(SESSION, title="Ragù \u202e [b]")
    assert place.files.list().summaries[0].updated == NOW
    assert place.files.path_of(SESSION) == place.path


def test_a_copy_is_a_session_of_its_own(tmp_path: Path) -> None:
    place = world(tmp_path)
    place.files.save_now(replace(SESSION, prompt_cache_key="k", settings={"temperature": 1.0}, extra={"x": 1}))
    copy = place.files.read_only(place.files.duplicate(place.path))
    assert copy.id != SESSION.id
    assert copy.prompt_cache_key not in {None, "k"}
    assert (copy.title, copy.messages, copy.settings, copy.extra) == (
        "Lamb (copy)", SESSION.messages, {"temperature": 1.0}, {"x": 1},
    )  # fmt: skip
    assert [summary.id for summary in place.files.list().summaries] == [copy.id, SESSION.id]


def test_a_copy_across_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = world(tmp_path)
    monkeypatch.setattr("kimi_tui.adapters.store.session_places._on_same_device", lambda *_: False)
    in_trash = place.files.delete(place.path)
    assert not place.path.exists()
    assert place.files.read_only(place.files.restore_path(in_trash)) == SESSION
