"""Sessions of every version of the file: stored ones, older ones by steps, newer ones to be read only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session import codec, migrations
from kimi_tui.core.session.codec import decode_session, encode_session, read_only_reason
from kimi_tui.core.session.file_formats import FORMATS, format_of
from kimi_tui.core.session.migrations import OLDEST, STEPS, VERSION, migrated
from kimi_tui.core.session.session import MessageState, Session

STORED = sorted((Path(__file__).parent / "stored").iterdir())
"""Files as earlier builds wrote them; each is named after the first that did so."""


def load(path: Path) -> Session:
    return decode_session(format_of(path.suffix).load(path.read_bytes()))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.name)
def test_a_stored_file_means_what_it_meant(path: Path) -> None:
    session = load(path)
    assert (session.title, session.system, session.head) == ("code", "Answer like a chef.", "m7")
    assert [(message.id, message.parent) for message in session.messages] == [
        ("m1", None), ("m2", "m1"), ("m3", "m2"), ("m4", "m3"), ("m5", "m3"), ("m6", "m4"), ("m7", "m6"),
    ]  # fmt: skip
    replies = [message for message in session.messages if message.state is not None]
    assert {message.state for message in replies} == {MessageState.COMPLETE}
    assert all(message.sent and message.timing for message in replies)
    assert replies[0].usage
    assert replies[0].reasoning
    assert replies[0].content.startswith("Python first:")
    assert (session.written_by, read_only_reason(session)) == (None, "")


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.name)
def test_a_stored_file_is_saved_without_loss(path: Path) -> None:
    session = load(path)
    for form in FORMATS.values():
        assert decode_session(form.load(form.encode(session))) == session


def test_there_is_a_step_from_every_older_version() -> None:
    assert set(STEPS) == set(range(OLDEST, VERSION))


def rename_system(document: dict[str, object]) -> dict[str, object]:
    return {"instructions" if key == "system" else key: value for key, value in document.items()}


def split_instructions(document: dict[str, object]) -> dict[str, object]:
    return {**document, "instructions": str(document["instructions"]).split()}


def test_steps_follow_each_other_and_keep_what_they_do_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "STEPS", {1: rename_system, 2: split_instructions})
    document: dict[str, object] = {"system": "be kind", "mine": 1}
    assert migrated(document, 1, 3) == {"instructions": ["be", "kind"], "mine": 1}
    assert migrated({"instructions": "be kind"}, 2, 3) == {"instructions": ["be", "kind"]}
    assert migrated(document, 3, 3) == document


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.name)
def test_a_file_of_today_is_migrated_by_a_program_of_tomorrow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "STEPS", {1: lambda document: {**document, "title": f"{document['title']}!"}})
    monkeypatch.setattr(codec, "VERSION", 2)
    session = load(path)
    assert (session.title, session.newer_version, len(session.messages)) == ("code!", 0, 7)
    assert encode_session(session)["version"] == 2


HEAD: dict[str, Any] = {"format": "kimi-tui/session", "id": "a", "title": "Lamb"}


@pytest.mark.parametrize("version", [VERSION + 1, 99, 2**70])
def test_a_newer_file_is_read_and_never_written(version: int) -> None:
    session = decode_session({**HEAD, "version": version, "written_by": "9.1", "aura": "blue"})
    assert (session.title, session.newer_version, session.extra) == ("Lamb", version, {"aura": "blue"})
    assert read_only_reason(session).startswith(f"The session was written by kimi-tui 9.1 (version {version} of ")
    for form in FORMATS.values():
        with pytest.raises(StorageError, match="can be read, not changed"):
            form.encode(session)


def test_a_newer_file_that_says_something_else_is_refused() -> None:
    with pytest.raises(StorageError, match="tags: found") as error:
        decode_session({**HEAD, "version": 2, "tags": {}})
    assert "newer kimi-tui" in error.value.hint


@pytest.mark.parametrize("version", [None, 0, -1, True, "1", 1.0])
def test_what_is_no_version_is_refused(version: object) -> None:
    with pytest.raises(StorageError, match=r"^version: found"):
        decode_session({**HEAD, "version": version})
