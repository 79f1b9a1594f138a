from __future__ import annotations

import json
import os
import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kimi_tui.adapters.files import TEMPORARY_PREFIX
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.file_formats import FORMATS
from kimi_tui.core.session.session import MessageState, Session
from kimi_tui.core.settings.settings import parse_settings
from tests.cli.calls import call
from tests.cli.test_prompt import NOW, make_session


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionFiles:
    monkeypatch.setenv("KIMI_TUI_DATA_DIR", str(tmp_path / "data"))
    return SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")


@pytest.fixture
def session(store: SessionFiles) -> Session:
    made = make_session(tags=("food",))
    store.save_now(made)
    return made


def test_no_session_yet(store: SessionFiles) -> None:
    result = call("sessions", "list")
    assert (result.status, result.out, result.err) == (0, "", "kimi-tui: There is no session yet.\n")
    assert call("sessions", "list", "--json").json == []


def test_list(store: SessionFiles, session: Session) -> None:
    newer = replace(session, id="20261124-081500-bbbb", title="日本\x1b[2J", updated=NOW + timedelta(days=1))
    store.save_now(newer)
    (store.folder / "broken.toml").write_text("= no")
    result = call("sessions", "list")
    header, *rows = result.out.splitlines()
    assert header.split() == ["ID", "UPDATED", "MESSAGES", "TITLE"]
    assert [row.split()[0] for row in rows] == [newer.id, session.id]
    assert [row.index(row.split()[4]) for row in rows] == [header.index("TITLE")] * 2
    assert "broken.toml" in result.err
    assert "\x1b" not in call("sessions", "list", terminal=True).out


def test_list_as_json(store: SessionFiles, session: Session) -> None:
    assert call("sessions", "list", "--json").json == [
        {
            "id": session.id,
            "title": "Greeting",
            "created": "2026-11-23T08:15:00Z",
            "updated": "2026-11-23T08:15:00Z",
            "messages": 2,
            "model": "m",
            "tags": ["food"],
            "path": str(store.path_of(session)),
        }
    ]


def test_show_and_path(store: SessionFiles, session: Session) -> None:
    shown = call("sessions", "show", "greeting")
    assert shown.status == 0
    assert "Hello!" in shown.out
    assert call("sessions", "path", session.id).out == f"{store.path_of(session)}\n"
    assert call("sessions", "path").out == f"{store.folder}\n"


def test_check(store: SessionFiles, session: Session, tmp_path: Path) -> None:
    assert call("sessions", "check").status == 0
    broken = store.folder / "broken.json"
    broken.write_text("{")
    for words in ([], [str(broken), session.id]):
        result = call("sessions", "check", *words)
        assert result.status == 2
        assert result.out == f"{store.path_of(session)}: ok, 2 messages\n"
        assert "broken.json" in result.err
    assert call("sessions", "check", session.id, "nothing").status == 2


def test_check_finds_what_keeps_a_session_from_being_continued(store: SessionFiles) -> None:
    store.save_now(make_session(settings={"temperature": 500}))
    result = call("sessions", "check")
    assert (result.status, result.out) == (2, "")
    assert f"{store.find()}: settings: temperature: found 500, allowed a number in [0, 100]" in result.err


@pytest.mark.parametrize("form", ["json", "toml"])
def test_export_as_data(store: SessionFiles, session: Session, form: str, tmp_path: Path) -> None:
    printed = call("sessions", "export", session.id, "--format", form).out
    data = json.loads(printed) if form == "json" else tomllib.loads(printed)
    assert [m["content"] for m in data["messages"]] == ["Hi\r\n", "Hello!"]
    path = tmp_path / f"out.{form}"
    assert call("sessions", "export", session.id, "-o", str(path)).out == ""
    assert path.read_bytes().decode() == printed


def test_export_as_text(store: SessionFiles, session: Session, tmp_path: Path) -> None:
    markdown = call("sessions", "export", session.id).out
    assert markdown.startswith("# Greeting\n")
    assert markdown == call("sessions", "export", session.id, "--format", "markdown", "-o", "-").out
    path = tmp_path / "notes.txt"
    path.write_text("old")
    assert call("sessions", "export", session.id, "-o", str(path)).status == 0
    text = call("sessions", "export", session.id, "--format", "text").out
    assert path.read_bytes().decode() == text
    assert "#" not in text
    bad = call("sessions", "export", session.id, "-o", "/nowhere/x.md")
    assert (bad.status, bad.out) == (2, "")


@pytest.mark.parametrize("name", ["a.pdf", "a.html", "a.docx"])
def test_an_ending_of_another_form_is_refused(store: SessionFiles, session: Session, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    refused = call("sessions", "export", session.id, "-o", str(path))
    assert (refused.status, path.exists()) == (2, False)
    assert name in refused.err
    with pytest.raises(UsageError, match="ending"):
        store.export(session, path)
    assert call("sessions", "export", session.id, "-o", str(path), "--format", "markdown").status == 0
    assert path.exists()


def test_an_export_replaces_no_session(store: SessionFiles, session: Session, tmp_path: Path) -> None:
    elsewhere = tmp_path / "s.toml"
    elsewhere.write_bytes(store.find().read_bytes())
    for source, target in (
        (session.id, store.find()),
        (session.id, store.folder / "new.md"),
        (str(elsewhere), store.find()),
        (str(elsewhere), elsewhere),
    ):
        before = target.read_bytes() if target.exists() else None
        result = call("sessions", "export", source, "-o", str(target), "--format", "text")
        assert result.status == 2
        assert (target.read_bytes() if target.exists() else None) == before


def test_a_broken_reply_is_marked(store: SessionFiles) -> None:
    made = make_session()
    messages = (made.messages[0], replace(made.messages[1], state=MessageState.INTERRUPTED, finish_reason="length"))
    store.save_now(replace(made, messages=messages))
    for words in (("show",), ("export",)):
        lines = call("sessions", *words, "greeting").out.splitlines()
        assert lines[lines.index("Hello!") :] == ["Hello!", "", "[interrupted · cut by max_new_tokens]"]


def test_only_sessions_and_lists_are_imported(store: SessionFiles, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("# Read me")
    result = call("sessions", "import", str(path))
    assert result.status == 2
    assert "ends in none of .toml, .json, .jsonl, .ndjson" in result.err


def test_import(store: SessionFiles, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps([{"role": "user", "content": "Hi"}]))
    bad.write_text("[")
    result = call("sessions", "import", str(bad), str(good))
    assert result.status == 2
    assert str(bad) in result.err
    (summary,) = store.list().summaries
    assert result.out == f"{summary.id}\n"


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".ndjson"])
def test_import_of_what_another_program_wrote(store: SessionFiles, tmp_path: Path, ending: str) -> None:
    rows = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "Ada"},
        {"role": "assistant", "content": "<think>greet</think>Hello"},
        {"role": "assistant", "content": None, "reasoning_content": "and then"},
    ]
    path = tmp_path / f"talk{ending}"
    whole = json.dumps({"messages": rows, "model": "m"})
    path.write_text(whole if ending == ".json" else "\n".join(map(json.dumps, rows)))
    result = call("sessions", "import", str(path))
    rest = "model, messages[1].name" if ending == ".json" else "messages[1].name"
    assert (result.status, result.err) == (0, f"kimi-tui: {path}: not taken: {rest}\n")
    found = store.read_only(store.find(result.out.strip()))
    assert (found.title, found.system) == ("Hi", "Be kind.")
    assert [(m.content, m.reasoning) for m in found.messages] == [("Hi", None), ("Hello", "greet"), ("", "and then")]


def test_a_second_system_message_has_no_place_in_a_session(store: SessionFiles, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    for first in ("system", "user"):
        path.write_text(json.dumps([{"role": first, "content": "a"}, {"role": "developer", "content": "b"}]))
        result = call("sessions", "import", str(path))
        assert (result.status, "messages[1].role" in result.err) == (2, True)
    assert not store.list().summaries


def test_convert(store: SessionFiles, session: Session) -> None:
    result = call("sessions", "convert", session.id, "--to", "json")
    assert (result.status, result.out) == (0, f"{store.folder / session.id}.json\n")
    assert [path.suffix for path in store.folder.iterdir() if not path.name.startswith(".")] == [".json"]


def test_delete_and_restore(store: SessionFiles, session: Session) -> None:
    deleted = call("sessions", "delete", session.id)
    assert deleted.status == 0
    assert session.id in deleted.err
    assert store.list().summaries == ()
    restored = call("sessions", "restore", session.id)
    assert (restored.status, restored.out) == (0, f"{store.path_of(session)}\n")
    assert [s.id for s in store.list().summaries] == [session.id]


def test_the_trash_is_listed(store: SessionFiles, session: Session) -> None:
    empty = call("sessions", "restore")
    assert (empty.status, empty.out, empty.err) == (0, "", "kimi-tui: The trash is empty.\n")
    call("sessions", "delete", session.id)
    assert session.id in call("sessions", "restore").out
    missed = call("sessions", "restore", "nope")
    assert missed.status == 2
    assert "`kimi-tui sessions restore` lists what lies there" in missed.err


def test_a_session_without_messages_is_listed_and_can_be_used(store: SessionFiles) -> None:
    store.save_now(make_session(title="", head=None, messages=()))
    (row,) = call("sessions", "list").out.splitlines()[1:]
    assert row.split()[-2:] == ["0", "untitled"]
    assert call("sessions", "check").status == call("sessions", "show", "2026").status == 0
    assert call("prompt").out.endswith("<think>")
    assert call("ask", "Hi", "--session", "2026", "--demo").status == 0
    assert store.read_only(store.find()).title == "Hi"


@pytest.mark.parametrize("words", [["delete"], ["convert", "--to", "json"]], ids=["delete", "convert"])
def test_a_held_session_stays(store: SessionFiles, session: Session, words: list[str]) -> None:
    with SessionLock(store.path_of(session), "window"):
        result = call("sessions", *words, session.id)
    assert (result.status, result.out) == (2, "")
    assert "window" in result.err
    assert store.path_of(session).is_file()


@pytest.mark.parametrize("action", ["show", "path", "export", "delete", "restore"])
def test_what_is_not_there(store: SessionFiles, session: Session, action: str) -> None:
    result = call("sessions", action, "nothing")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("kimi-tui: There is no session")


def damage(store: SessionFiles, name: str = "20261129-143954-af0l.toml") -> Path:
    """A session file that was cut off."""
    store.folder.mkdir(parents=True, exist_ok=True)
    path = store.folder / name
    path.write_text('format = "kimi-tui/session"\nversion = 1\ntitle = "Lamb"\n[[messages]]\nsent = { stream = tr')
    return path


BY_TEXT = [
    ("sessions", "show", "greet"),
    ("sessions", "path", "greet"),
    ("sessions", "export", "greet"),
    ("sessions", "convert", "greet", "--to", "json"),
    ("sessions", "delete", "greet"),
    ("prompt",),
    ("prompt", "greet"),
    ("ask", "--demo", "--session", "greet", "hello"),
]


@pytest.mark.parametrize(
    "command", [*BY_TEXT, ("sessions", "list"), ("sessions", "list", "--json"), ("sessions", "restore")]
)
def test_a_file_that_cannot_be_read_is_named_beside_those_that_can(
    store: SessionFiles, session: Session, command: tuple[str, ...]
) -> None:
    if command == ("sessions", "restore"):
        store.delete(store.path_of(session))
        store.folder = store.trash
    path = damage(store)
    result = call(*command)
    assert result.status == 0
    assert result.out
    assert result.err.count(str(path)) == 1
    assert "cannot be read" in result.err


@pytest.mark.parametrize("command", [*BY_TEXT, ("sessions", "list")])
def test_no_session_and_none_that_can_be_read_are_two_things(store: SessionFiles, command: tuple[str, ...]) -> None:
    path = damage(store)
    result = call(*command)
    assert "no session yet" not in result.err
    assert str(path) in result.err
    assert result.status == (0 if command == ("sessions", "list") else 2)


def test_the_trash_may_hold_one_that_cannot_be_read(store: SessionFiles) -> None:
    store.folder = store.trash
    path = damage(store)
    for command in (("sessions", "restore"), ("sessions", "restore", "lamb")):
        result = call(*command)
        assert str(path) in result.err
        assert "empty" not in result.err


@pytest.mark.parametrize("command", [("sessions", "show", "lamb"), ("ask", "--demo", "--session", "lamb", "hello")])
def test_the_one_that_was_meant_may_be_one_that_cannot_be_read(
    store: SessionFiles, session: Session, command: tuple[str, ...]
) -> None:
    path = damage(store)
    result = call(*command)
    assert result.status == 2
    assert result.err.startswith("kimi-tui: There is no session 'lamb'. ")
    assert result.err.count(str(path)) == 1


def test_the_trash_is_searched_in_the_same_way(store: SessionFiles, session: Session) -> None:
    store.delete(store.path_of(session))
    store.folder = store.trash
    path = damage(store)
    result = call("sessions", "restore", "lamb")
    assert (result.status, result.err.count(str(path))) == (2, 1)


def test_no_temporary_of_a_dead_writer_stays(store: SessionFiles, session: Session, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "s.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(store.find().read_bytes())
    store.trash.mkdir()
    left = [folder / f"{TEMPORARY_PREFIX}x" for folder in (store.folder, store.trash, elsewhere.parent)]
    for path in left:
        path.write_text("half")
        os.utime(path, (0, 0))
    call("sessions", "list")
    assert [path.exists() for path in left] == [False, False, True]
    call("ask", "--demo", "--session", str(elsewhere), "hello")
    assert not left[2].exists()


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_known_wherever_formats_are_named(
    store: SessionFiles, session: Session, name: str, tmp_path: Path
) -> None:
    file = tmp_path / f"copy{FORMATS[name].ending}"
    saved = FORMATS[name].encode(store.read_only(store.find()))
    assert call("sessions", "export", session.id, "--format", name).out == saved.decode()
    assert call("sessions", "export", session.id, "-o", str(file)).status == 0
    assert file.read_bytes() == saved
    assert call("prompt", str(file)).out == call("prompt", session.id).out
    assert call("sessions", "import", str(file)).status == 0
    assert call("sessions", "convert", session.id, "--to", name).out.endswith(f"{FORMATS[name].ending}\n")
    assert parse_settings({"sessions": {"format": name}})[1] == ()
    assert [s.messages for s in store.list().summaries] == [len(session.messages)] * 2
