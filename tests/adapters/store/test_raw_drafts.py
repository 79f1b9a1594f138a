"""The file of a raw input that was not sent: beside its session, wherever that goes, until it is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_places import RAW_DRAFT, beside
from kimi_tui.core.session.journal import JournalHead, TurnStart, encode_record
from kimi_tui.core.session.raw_draft import RawDraft
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import SentContext

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
QUESTION = Message("m1", Role.USER, "Lamb?", None, NOW)
TALK = Session("s1", NOW, NOW, "m", "Lamb?").with_message(QUESTION)
DRAFT = RawDraft("[BOS]\r\n<think>\u2028", "m1")


@pytest.fixture
def files(tmp_path: Path) -> SessionFiles:
    found = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    found.save_now(TALK)
    found.save_raw_draft(found.path_of(TALK), DRAFT)
    return found


def opened(files: SessionFiles, path: Path) -> RawDraft | None:
    held = files.open(path)
    held.release()
    return held.raw_draft


def test_it_comes_with_its_session_and_goes_when_there_is_none(files: SessionFiles) -> None:
    path = files.path_of(TALK)
    assert opened(files, path) == DRAFT
    assert beside(path, RAW_DRAFT).stat().st_mode & 0o777 == 0o600
    files.save_raw_draft(path, None)
    files.save_raw_draft(path, None)
    assert opened(files, path) is None
    assert not beside(path, RAW_DRAFT).exists()


def test_it_goes_to_the_trash_and_comes_back(files: SessionFiles) -> None:
    path = files.path_of(TALK)
    trashed = files.delete(path, is_held_here=False)
    assert not beside(path, RAW_DRAFT).exists()
    assert opened(files, files.restore_path(trashed)) == DRAFT


def test_one_that_cannot_be_read_is_none(files: SessionFiles) -> None:
    beside(files.path_of(TALK), RAW_DRAFT).write_bytes(b"\xff")
    assert opened(files, files.path_of(TALK)) is None


@pytest.mark.parametrize("text", [DRAFT.text, "another"])
def test_what_was_sent_when_the_program_died_is_none_any_more(files: SessionFiles, text: str) -> None:
    path = files.path_of(TALK)
    reply = Message("m2", Role.ASSISTANT, "", "m1", raw_input=text)
    head = JournalHead(path.name, "", 2**22 + 1, replace(TALK, messages=()))
    start = TurnStart(reply, QUESTION, True, SentContext(None), None)
    (files.folder / ".s1.journal").write_bytes(encode_record(head) + encode_record(start))
    assert opened(files, path) == (None if text == DRAFT.text else DRAFT)
