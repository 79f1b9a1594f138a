"""`sessions check` explains every damage, `sessions repair` writes whole copies and changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_tui import __version__
from kimi_tui.adapters.store.session_backup import backup_of
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_places import JOURNAL, beside
from kimi_tui.core.session.file_formats import ENDINGS, FORMATS
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.journal import Growth, JournalHead, TurnStart, encode_record
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import SentContext
from tests.cli.calls import call
from tests.core.session.test_repair import talk
from tests.ui.program import talk as chat

TALK = chat(("Lamb?", "Roast it."), ("Stew?", "Braise it."))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionFiles:
    monkeypatch.setenv("KIMI_TUI_DATA_DIR", str(tmp_path / "data"))
    made = SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")
    made.folder.mkdir(parents=True)
    return made


def put(store: SessionFiles, name: str, old: str = "", new: str = "", session: Session = TALK) -> Path:
    """A session file in which one thing is another."""
    path = store.folder / name
    text = FORMATS[path.suffix[1:]].encode(session).decode()
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return path


def lines(text: str, path: Path) -> list[str]:
    return [line.removeprefix(f"kimi-tui: {path}") for line in text.splitlines() if str(path) in line]


def test_every_damage_is_named_with_its_line(store: SessionFiles) -> None:
    whole = put(store, "whole.toml")
    bad = put(store, "bad.toml", 'role = "assistant"', 'role = "nobody"')
    bad.write_text(bad.read_text().replace('content = "Stew?"', "content = 5"))
    torn = put(store, "torn.json")
    torn.write_bytes(torn.read_bytes()[:-200])
    result = call("sessions", "check")
    assert result.status == 2
    assert result.out == f"{whole}: ok, 4 messages\n"
    text = bad.read_text()
    second, third = (text.count("\n", 0, text.index(f'[[messages]]\nid = "{id_}"')) + 1 for id_ in ("m2", "m3"))
    found = lines(result.err, bad)
    assert found[0] == f':{second}: messages[1].role: found "nobody", allowed system, user, assistant.'
    assert found[1] == f":{third}: messages[2].content: found 5, allowed a string."
    assert any("its parent" in line for line in found)
    assert f"sessions repair {bad} -o NEW` writes a copy of what can: 2 messages." in result.err
    assert any(line.endswith("messages[3]: the end of the file is missing.") for line in lines(result.err, torn))
    assert f"sessions repair {torn} -o NEW` writes a copy of what can: 3 messages." in result.err
    assert call("sessions", "check", str(whole)).status == 0


def test_what_can_be_read_may_still_not_be_all_right(store: SessionFiles) -> None:
    newer = put(store, "newer.toml", "version = 1", "version = 2")
    torn = put(store, "torn.toml")
    torn.write_text(torn.read_text().rstrip("\n"))
    result = call("sessions", "check")
    assert (result.status, result.out) == (2, "")
    assert "version 2 of the session file" in lines(result.err, newer)[0]
    assert lines(result.err, torn) == [": its last line has no end: part of it may be missing."]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_copy_holds_what_can_be_read(store: SessionFiles, tmp_path: Path, ending: str) -> None:
    bad = put(store, "bad.toml", 'content = "Roast it."', "content = ")
    before, new = bad.read_bytes(), tmp_path / f"new{ending}"
    result = call("sessions", "repair", str(bad), "-o", str(new))
    assert (result.status, result.out) == (0, f"{new}\n")
    assert f"3 messages kept, 1 left out; {bad} is as it was." in result.err
    assert f"kimi-tui: {bad}:" in result.err
    assert bad.read_bytes() == before
    copy = store.read_only(new)
    assert [message.content for message in copy.messages] == ["Lamb?", "Stew?", "Braise it."]
    assert (copy.id, copy.title, copy.written_by) == (TALK.id, "Lamb?", __version__)
    assert new.stat().st_mode & 0o777 == 0o600
    assert call("sessions", "check", str(new)).status == 0
    again = call("sessions", "repair", str(bad), "-o", str(new))
    assert (again.status, again.out) == (2, "")
    assert "is there already; nothing was written" in again.err
    assert store.read_only(new) == copy


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_copy_gets_what_a_journal_holds(store: SessionFiles, tmp_path: Path, is_readable: bool) -> None:
    bad, new = put(store, "bad.toml", 'content = "Roast it."', "content = "), tmp_path / "new.toml"
    if not is_readable:
        bad.write_text("hello")
    head = JournalHead(bad.name, "elsewhere", 1, TALK)
    question = Message("m5", Role.USER, "And then?", "m4")
    reply = Message("m6", Role.ASSISTANT, "", "m5", model="m")
    start = TurnStart(reply, question, is_thinking=False, context=SentContext.of(TALK), head_before="m4")
    growth = Growth("m6", {ReplyPart.ANSWER: (0, "Rest.")}, is_thinking=False)
    journal = beside(bad, JOURNAL)
    data = b"".join(encode_record(record) for record in (head, start, growth))
    journal.write_bytes(data)
    result = call("sessions", "repair", str(bad), "-o", str(new))
    assert (result.status, result.out) == (0, f"{new}\n")
    assert f"5 characters. It is in the copy; the journal stays: {journal}" in result.err
    said = [message.content for message in store.read_only(new).messages]
    assert said == [*(["Lamb?", "Stew?", "Braise it."] if is_readable else []), "And then?", "Rest."]
    assert journal.read_bytes() == data


def test_a_file_may_be_named_as_sessions_are(store: SessionFiles, tmp_path: Path) -> None:
    put(store, "bad.toml", 'content = "Roast it."', "content = ")
    assert call("sessions", "repair", "bad", "-o", str(tmp_path / "new.toml")).status == 0


def test_a_copy_beside_a_session_comes_back(store: SessionFiles, tmp_path: Path) -> None:
    for name in ("a.toml", "b.json"):
        path = put(store, name)
        store.rename(path, "Stew")
        new = tmp_path / f"new-{name}"
        assert call("sessions", "repair", str(backup_of(path, None)), "-o", str(new)).status == 0
        assert store.read_only(new) == TALK


@pytest.mark.parametrize(
    "text", ["", "hello", '{"format": "x"}', "\0" * 50, 'format = "kimi-tui/session"\nversion = 7\n']
)
def test_where_nothing_can_be_read_nothing_is_written(store: SessionFiles, tmp_path: Path, text: str) -> None:
    bad, new = tmp_path / "bad.toml", tmp_path / "new.toml"
    bad.write_text(text)
    result = call("sessions", "repair", str(bad), "-o", str(new))
    assert (result.status, result.out, new.exists(), bad.read_text()) == (2, "", False, text)
    assert "nothing of a session can be read" in result.err


@pytest.mark.parametrize("words", [("bad.toml",), ("bad.toml", "-o", "new.md"), ("bad.toml", "-o", "nowhere/new.toml")])
def test_what_cannot_be_asked_for(store: SessionFiles, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.folder)
    bad = put(store, "bad.toml", session=talk("one", "two"))
    before = bad.read_bytes()
    result = call("sessions", "repair", *words)
    assert (result.status, result.out) == (2, "")
    assert bad.read_bytes() == before
    assert [path.name for path in store.folder.iterdir()] == ["bad.toml"]


def test_control_characters_of_a_file_reach_no_terminal(store: SessionFiles) -> None:
    put(store, "bad.toml", 'role = "assistant"', 'role = "\\u001b]52;c;x\\u0007"')
    result = call("sessions", "check", terminal=True)
    assert result.status == 2
    assert not {"\x1b", "\x07"} & set(result.err + result.out)
