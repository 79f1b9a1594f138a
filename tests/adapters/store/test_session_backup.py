"""What another version of the program wrote is copied before it is written for the first time."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kimi_tui import __version__
from kimi_tui.adapters.store.session_backup import backup_of
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.file_formats import ENDINGS, FORMATS
from kimi_tui.core.session.session import Message, Role, Session

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SESSION = Session("s1", NOW, NOW, "m", "Lamb").with_message(Message("m1", Role.USER, "Hi"))


@pytest.fixture
def files(tmp_path: Path) -> SessionFiles:
    return SessionFiles(tmp_path / "sessions", tmp_path / "trash")


def stored(files: SessionFiles, written_by: str | None, ending: str = ".toml") -> tuple[Path, bytes]:
    """A file as another version left it."""
    files.folder.mkdir(exist_ok=True)
    path = files.folder / f"s1{ending}"
    path.write_bytes(FORMATS[ending[1:]].encode(replace(SESSION, written_by=written_by)))
    return path, path.read_bytes()


def backups(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if ".backup-" in path.name)


def test_a_file_says_who_wrote_it(files: SessionFiles) -> None:
    files.save_now(SESSION)
    path = files.find()
    assert f'written_by = "{__version__}"' in path.read_text()
    files.save_now(replace(files.read_only(path), title="Stew"))
    assert files.read_only(path).written_by == __version__
    assert backups(files.folder) == []


@pytest.mark.parametrize("written_by", [None, "0.0.9", "1.0b2+x", "../../evil \x1b", "9" * 300])
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_last_state_of_another_version_is_kept_once(
    files: SessionFiles, written_by: str | None, ending: str
) -> None:
    path, before = stored(files, written_by, ending)
    session = files.read_only(path)
    for title in ("Stew", "Soup"):
        files.save_now(replace(session, title=title))
    assert files.read_only(path).title == "Soup"
    (backup,) = backups(files.folder)
    assert backup == backup_of(path, written_by)
    assert (backup.read_bytes(), backup.stat().st_mode & 0o777) == (before, 0o600)
    assert not backup.name.endswith(ENDINGS)
    again = SessionFiles(files.folder, files.trash)  # another run
    again.save_now(replace(again.read_only(path), title="Fish"))
    assert backup.read_bytes() == before
    assert len(files.list().summaries) == 1


def test_each_version_that_wrote_it_has_one(files: SessionFiles) -> None:
    kept = {}
    for version in ("0.0.8", "0.0.9", "0.0.8"):
        path, kept[version] = stored(files, version)
        run = SessionFiles(files.folder, files.trash)
        run.rename(path, f"after {version}")
    assert {backup_of(path, version): data for version, data in kept.items()} == {
        backup: backup.read_bytes() for backup in backups(files.folder)
    }


def test_what_is_converted_is_kept_too(files: SessionFiles) -> None:
    path, before = stored(files, "0.0.9")
    assert files.convert(path, "json").exists()
    assert [backup.read_bytes() for backup in backups(files.folder)] == [before]


def test_nothing_is_written_without_it(files: SessionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    path, before = stored(files, "0.0.9")
    session = files.read_only(path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            files.save_now(replace(session, title="Stew"))
    assert path.read_bytes() == before
    files.save_now(replace(session, title="Stew"))
    assert [backup.read_bytes() for backup in backups(files.folder)] == [before]


def test_it_goes_to_the_trash_and_comes_back(files: SessionFiles) -> None:
    path, before = stored(files, "0.0.9")
    other = path.with_name(f"{path.stem}.backup-1.toml")  # a session whose companions have nearly the same names
    other.write_bytes(before)
    files.save_draft(other, "half")
    files.save_now(replace(files.read_only(path), title="Stew"))
    in_trash = files.delete(path)
    assert backups(files.folder) == [other.with_name(f".{other.stem}.draft"), other]
    assert backup_of(in_trash, "0.0.9").read_bytes() == before
    assert files.restore_path(in_trash) == path
    assert backup_of(path, "0.0.9").read_bytes() == before
    assert list(files.trash.iterdir()) == []


def test_a_newer_file_is_never_written(files: SessionFiles) -> None:
    path, _ = stored(files, "9.0")
    path.write_text(path.read_text().replace("version = 1", "version = 2", 1))
    before = path.read_bytes()
    held = files.open(path)
    assert "version 2 of the session file" in held.read_only
    held.release()
    for act in (
        lambda: files.save_now(replace(held.session, title="Stew")),
        lambda: files.rename(path, "Stew"),
        lambda: files.convert(path, "json"),
        lambda: files.duplicate(path),
        lambda: files.import_file(path),
    ):
        with pytest.raises(StorageError, match="can be read, not changed"):
            act()
    assert path.read_bytes() == before
    assert [item.name for item in files.folder.iterdir() if not item.name.startswith(".index")] == [path.name]
    assert files.list().summaries[0].title == "Lamb"
