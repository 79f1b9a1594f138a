"""The prompts of earlier sessions: newest first, each once, and never dearer than so many small files."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kimi_tui.adapters.store import session_prompts
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_reading import parse_file
from kimi_tui.core.session.session import Message, Role, Session

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> SessionFiles:
    return SessionFiles(tmp_path / "sessions", tmp_path / "trash")


def keep(files: SessionFiles, number: int, *prompts: str) -> Path:
    """Save a session of some hours after the others, with a minute between its prompts."""
    began = NOW + timedelta(hours=number)
    session = Session(f"20261123-0{number:05}-aaaa", began, began, "m")
    for minute, prompt in enumerate(prompts):
        asked = began + timedelta(minutes=minute)
        session = session.with_message(Message(session.next_message_ids(1)[0], Role.USER, prompt, session.head, asked))
        session = session.with_message(
            Message(session.next_message_ids(1)[0], Role.ASSISTANT, "Yes.", session.head, asked)
        )
    files.save_now(session)
    path = files.path_of(session)
    os.utime(path, (began.timestamp(), began.timestamp()))
    return path


def test_prompts_come_newest_first_and_once(files: SessionFiles) -> None:
    assert list(files.recent_prompts()) == []
    keep(files, 2, "two", "both", "two again")
    keep(files, 1, "one", "both")
    keep(files, 3, "three")
    assert files.recent_prompts() == ["three", "two again", "both", "two", "one"]


def test_an_old_session_that_was_renamed_does_not_come_first(files: SessionFiles) -> None:
    old = keep(files, 1, "old")
    keep(files, 2, "new")
    files.rename(old, "Another title")
    assert files.recent_prompts() == ["new", "old"]


def test_prompts_without_a_time_have_that_of_their_session(files: SessionFiles) -> None:
    session = Session("20261123-081500-bbbb", NOW, NOW + timedelta(hours=9), "m")
    files.save_now(session.with_message(Message("m1", Role.USER, "timeless")))
    keep(files, 2, "earlier")
    assert files.recent_prompts() == ["timeless", "earlier"]


def test_files_that_cannot_be_read_are_passed_over(files: SessionFiles) -> None:
    keep(files, 1, "one")
    (files.folder / "bad.toml").write_text("= no")
    (files.folder / "gone.toml").symlink_to(files.folder / "nowhere.toml")
    (files.folder / "folder.toml").mkdir()
    assert files.recent_prompts() == ["one"]


def test_only_so_many_files_are_read_and_no_large_one(files: SessionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def counting(path: Path) -> Session:
        read.append(path)
        return parse_file(path)

    monkeypatch.setattr("kimi_tui.adapters.store.session_prompts.parse_file", counting)
    for number in range(session_prompts.MAX_FILES + 5):
        keep(files, number, f"prompt {number}")
    large = keep(files, 99, "a" * (session_prompts.MAX_BYTES + 1))
    found = files.recent_prompts()
    assert len(read) == session_prompts.MAX_FILES
    assert large not in read
    assert found[0] == f"prompt {session_prompts.MAX_FILES + 4}"


def test_only_so_many_prompts_are_given(files: SessionFiles) -> None:
    keep(files, 1, *map(str, range(session_prompts.MAX_PROMPTS + 10)))
    assert len(files.recent_prompts()) == session_prompts.MAX_PROMPTS


def test_a_session_in_the_trash_offers_nothing(files: SessionFiles) -> None:
    files.delete(keep(files, 1, "one"))
    assert list(files.recent_prompts()) == []
