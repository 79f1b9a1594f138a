from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kimi_tui.adapters.store import session_places, session_reading
from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.core.errors import ConversionError, SessionHeldError, StorageError
from kimi_tui.core.session.file_formats import FORMATS
from kimi_tui.core.session.session import Message, Role, Session

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


def make(id_: str = "20261123-081500-aaaa", title: str = "Lamb", days: int = 0) -> Session:
    session = Session(id_, NOW, NOW + timedelta(days=days), "m", title)
    return session.with_message(Message("m1", Role.USER, "Hi"))


@pytest.fixture
def files(tmp_path: Path) -> SessionFiles:
    return SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")


async def test_the_first_save_makes_private_folders(files: SessionFiles) -> None:
    assert files.list().summaries == ()
    await files.save(make())
    path = files.find()
    assert [p.stat().st_mode & 0o777 for p in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    assert files.read_only(path) == make()


def test_an_unreadable_file_is_named_and_left_alone(files: SessionFiles) -> None:
    files.save_now(make())
    bad = files.folder / "bad.toml"
    bad.write_text("= no")
    assert [Path(u.path) for u in files.list().unreadable] == [bad]
    for act in (files.read_only, files.delete, lambda path: files.convert(path, "json")):
        with pytest.raises(StorageError, match=r"bad\.toml"):
            act(bad)
    with pytest.raises(StorageError, match=r"bad\.toml"):
        files.save_now(make("bad"))
    assert bad.read_text() == "= no"
    assert files.find("bad") == bad


@pytest.mark.parametrize(("name", "words"), [("there.md", "is there already"), (f"{'x' * 300}.md", "could not be")])
def test_where_nothing_can_be_exported_to_is_told(files: SessionFiles, tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "there.md").write_text("old")
    with pytest.raises(StorageError, match=words):
        files.export(make(), tmp_path / name)
    assert (tmp_path / "there.md").read_text() == "old"


def is_in_memory(text: str) -> bool:
    gc.collect()
    return any(isinstance(known, Message) and known.content == text for known in gc.get_objects())


def test_a_session_that_nobody_holds_is_not_kept_in_memory(files: SessionFiles) -> None:
    text = str(NOW)

    def act() -> None:
        files.save_now(make("one").with_message(Message("m2", Role.USER, text, "m1")))
        held = files.open(files.find("one"))
        files.save_now(replace(held.session, title="Stew"))
        moved = files.save_as(held.session, files.folder / "two.toml")
        held.release()
        files.save_now(replace(moved.session, title="Roast"))
        assert is_in_memory(text)
        moved.release()

    act()
    assert not is_in_memory(text)


def test_two_files_of_one_id_are_saved_apart(files: SessionFiles) -> None:
    files.save_now(make())
    one = files.find()
    two = one.with_name("copy.toml")
    two.write_bytes(one.read_bytes())
    assert len(files.list().summaries) == 2
    first, second = files.read_only(one), files.read_only(two)
    files.save_now(replace(first, title="first"))
    files.save_now(replace(second, title="second"))
    assert (files.read_only(one).title, files.read_only(two).title) == ("first", "second")


def test_a_session_whose_file_is_gone_takes_no_others_place(files: SessionFiles) -> None:
    files.save_now(make())
    one = files.find()
    two = one.with_name("copy.toml")
    two.write_bytes(one.read_bytes())
    first, second = files.read_only(one), files.read_only(two)
    one.unlink()
    files.save_now(replace(first, title="first"))
    assert (files.read_only(one).title, files.read_only(two)) == ("first", second)


def test_a_window_begins_in_a_folder_that_takes_nothing(files: SessionFiles) -> None:
    files.folder.parent.mkdir()
    files.folder.write_text("no folder")
    held = files.create(make())
    with pytest.raises(StorageError):
        files.save_now(held.session)
    files.folder.unlink()
    files.save_now(held.session)
    held.release()
    assert files.read_only(held.path) == make()
    with pytest.raises(SessionHeldError), SessionLock(files.folder / "x.toml"):
        files.create(make("x"))
    files.folder.rename(files.folder.with_name("gone"))
    files.folder.write_text("no folder")
    with pytest.raises(StorageError):
        files.create(make("y"), "ask")


def test_a_file_elsewhere_is_saved_where_it_lies(files: SessionFiles, tmp_path: Path) -> None:
    SessionFiles(tmp_path, tmp_path / "t", "json").save_now(make("x"))
    path = tmp_path / "x.json"
    files.save_now(replace(files.open(path).session, title="new"))
    assert json.loads(path.read_bytes())["title"] == "new"
    assert not files.folder.exists()


def test_find(files: SessionFiles) -> None:
    for text, words in ((None, "no session yet"), ("lamb", "no session 'lamb'")):
        with pytest.raises(StorageError, match=words):
            files.find(text)
    sessions = [make(), make("20261123-081500-bbbb", "Lamb stew", 2), make("20271123", "Fish", 1)]
    for session in sessions:
        files.save_now(session)
    names = [files.find(text).stem[-4:] for text in (None, "lamb", "STEW", "2027", sessions[0].id)]
    assert names == ["bbbb", "aaaa", "bbbb", "1123", "aaaa"]
    for text in ("2026", "nothing", "", "x" * 9999, "a/b", "a\0b"):
        with pytest.raises(StorageError):
            files.find(text)


def test_the_index_notices_changes_and_may_be_broken(files: SessionFiles) -> None:
    files.save_now(make())
    before = files.list()
    assert SessionFiles(files.folder, files.folder).list() == before
    path = files.find()
    path.write_bytes(path.read_bytes().replace(b"Lamb", b"Fish"))
    os.utime(path, ns=(1, 1))
    assert files.list().summaries[0].title == "Fish"
    rows = [b'{"version": 1, "files": {"%s": %s}}' % (path.name.encode(), row) for row in (b"[1]", b"[]", b"7", b"{}")]
    for junk in (b"{", b"[]", b'{"version": 1}', b'{"version": 1, "files": []}', *rows):
        (files.folder / ".index").write_bytes(junk)
        assert files.list().summaries[0].title == "Fish"


def test_an_unchanged_file_is_not_read_again(files: SessionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.save_now(make())
    listing = files.list()
    monkeypatch.setattr(session_reading, "parse_file", None)
    monkeypatch.setattr(session_reading, "read_bytes", None)
    assert files.list() == listing


def test_trash_and_back(files: SessionFiles) -> None:
    files.save_now(make())
    path = files.find()
    files.save_draft(path, "half a\r\nsentence")
    assert load_draft(path) == "half a\r\nsentence"
    assert files.delete(path).parent.name == "trash"
    assert (files.list().summaries, load_draft(path)) == ((), "")
    with pytest.raises(StorageError):
        files.restore("nothing")
    assert files.read_only(files.restore("lamb")) == make()
    with pytest.raises(StorageError, match="no session in the trash"):
        files.restore("lamb")


def test_every_companion_goes_to_the_trash_and_comes_back(files: SessionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_places, "COMPANIONS", (".draft", ".notes"))
    files.save_now(make())
    path = files.find()
    companions = [path.with_name(f".{path.stem}{ending}") for ending in session_places.COMPANIONS]
    for companion in companions:
        companion.write_text(companion.suffix)
    in_trash = files.delete(path)
    assert not [companion for companion in companions if companion.exists()]
    assert files.restore_path(in_trash) == path
    assert [companion.read_text() for companion in companions] == [".draft", ".notes"]
    assert list(files.trash.iterdir()) == []


def test_two_deleted_sessions_of_one_id_are_told_apart(files: SessionFiles, tmp_path: Path) -> None:
    files.save_now(make())
    elsewhere = tmp_path / f"{make().id}.json"
    elsewhere.write_bytes(FORMATS["json"].encode(make()))
    here, outside = files.find(), files.delete(elsewhere)
    inside = files.delete(here)
    assert (outside.name, inside.name) == (f"{make().id}.json", f"{make().id}-2.toml")
    with pytest.raises(StorageError, match=f"fits 2 sessions: .*{inside.name} Lamb"):
        files.restore("lamb")
    assert files.restore(inside.stem) == here
    assert files.restore(outside.name) == elsewhere


def test_many_that_fit_are_not_all_named(files: SessionFiles) -> None:
    for number in range(7):
        files.save_now(make(f"2026112{number}-081500-aaaa"))
    with pytest.raises(StorageError, match=r"fits 7 sessions: .*; …\."):
        files.find("lamb")


def reopened(files: SessionFiles, path: Path) -> Session:
    held = files.open(path)
    held.release()
    return held.session


def test_a_session_without_a_cache_key_gets_one_where_it_goes_on(files: SessionFiles) -> None:
    files.save_now(make())
    path = files.find()
    assert files.read_only(path).prompt_cache_key is None
    session = reopened(files, path)
    assert session.prompt_cache_key
    files.save_now(session)
    assert reopened(files, path).prompt_cache_key == session.prompt_cache_key
    files.save_now(replace(session, prompt_cache_key=""))
    assert reopened(files, path).prompt_cache_key == ""


def test_a_session_without_messages_is_kept_with_its_draft(files: SessionFiles) -> None:
    empty = Session("20261123-081500-aaaa", NOW, NOW, "m")
    files.save_now(empty)
    files.save_draft(files.path_of(empty), "half a sentence")
    again = SessionFiles(files.folder, files.folder.parent / "trash")
    held = again.open(again.find())
    held.release()
    assert (replace(held.session, prompt_cache_key=None), held.draft) == (empty, "half a sentence")
    assert [(s.title, s.messages) for s in again.list().summaries] == [("", 0)]


def test_a_file_that_names_no_time_has_its_own(files: SessionFiles, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text('{"format": "kimi-tui/session", "version": 1, "id": "x"}')
    os.utime(path, (1_700_000_000.5, 1_700_000_000.5))
    session = files.read_only(path)
    assert session.created == session.updated == datetime.fromtimestamp(1_700_000_000, UTC)
    assert files.import_file(path)[0].created == session.created


def test_a_session_is_named_as_it_is_found(files: SessionFiles, tmp_path: Path) -> None:
    files.save_now(make())
    elsewhere = tmp_path / "other.toml"
    elsewhere.write_text(files.find().read_text().replace(make().id, "other"))
    files.open(elsewhere)
    assert [files.name_of(id_) for id_ in (make().id, "other", "new")] == [make().id, str(elsewhere), "new"]
    assert files.find(files.name_of("other")) == elsewhere


def test_a_session_that_was_found_is_not_parsed_again_unless_it_changed(
    files: SessionFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []

    def parse(path: Path) -> Session:
        parsed.append(path)
        return whole(path)

    whole = session_reading.parse_file
    monkeypatch.setattr(session_reading, "parse_file", parse)
    files.save_now(make())
    path = files.find()
    assert (files.read_only(path), len(parsed)) == (make(), 1)
    files.find()
    SessionFiles(files.folder, files.folder).save_now(make(title="Stew"))
    path = files.find()
    SessionFiles(files.folder, files.folder).save_now(make(title="Soup"))
    assert files.read_only(path).title == "Soup"


def test_convert(files: SessionFiles) -> None:
    files.save_now(replace(make(), extra={"x": 1}))
    path = files.convert(files.find(), "json")
    assert [p.name for p in files.folder.iterdir() if p.suffix] == [path.name]
    path.write_text(path.read_text().replace('"x": 1', '"x": null'))
    with pytest.raises(ConversionError, match="x"):
        files.convert(path, "toml")
    assert path.exists()


def test_import_of_a_list_keeps_reasoning(files: SessionFiles, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    rows = [("system", "S"), ("user", "Hi <think>"), ("assistant", "Yo")]
    path.write_text(
        json.dumps([{"role": r, "content": c, "reasoning": "why" if r == "assistant" else None} for r, c in rows])
    )
    session, _ = files.import_file(path)
    assert session.system == "S"
    assert [(m.content, m.reasoning, m.parent) for m in session.messages] == [
        ("Hi <think>", None, None),
        ("Yo", "why", "m1"),
    ]


def test_a_foreign_id_cannot_lead_a_draft_out_of_its_folder(files: SessionFiles, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = folder / "s.json"
    path.write_text('{"format": "kimi-tui/session", "version": 1, "id": "/../../evil"}')
    held = files.open(path)
    files.save_draft(held.path, "x")
    held.release()
    assert {p.name for p in folder.iterdir()} == {"s.json", ".s.draft"}


def test_a_held_session_names_its_holder(files: SessionFiles) -> None:
    path = files.path_of(make())
    with SessionLock(path), pytest.raises(SessionHeldError, match=f"a kimi-tui window, process {os.getpid()}"):
        SessionLock(path, "ask").acquire()
    with SessionLock(path, "ask") as lock:
        lock.release()


def test_saves_off_the_loop(files: SessionFiles) -> None:
    asyncio.run(files.save(make()))
    assert len(files.list().summaries) == 1


def test_what_was_saved_here_is_listed_without_being_read(files: SessionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.save_now(make("a", "Lamb"))
    files.save_now(make("b", "Stew"))
    (files.folder / "b.toml").write_bytes((files.folder / "b.toml").read_bytes().replace(b"Stew", b"Soup"))
    parsed = read_names(files, monkeypatch)
    listing = files.list()
    assert parsed == ["b"]
    assert [summary.title for summary in listing.summaries] == ["Soup", "Lamb"]
    assert SessionFiles(files.folder, files.trash).list() == listing
    assert parsed == ["b"]


def test_who_listens_is_told_of_every_save(files: SessionFiles) -> None:
    told = list[tuple[str, str]]()
    files.save_listeners.append(lambda session, path, _: told.append((session.title, path.name)))
    files.save_now(make("a", "Lamb"))
    files.rename(files.find(), "Stew")
    files.convert(files.find(), "json")
    files.duplicate(files.find())
    assert told[:3] == [("Lamb", "a.toml"), ("Stew", "a.toml"), ("Stew", "a.json")]
    assert [title for title, _ in told[3:]] == ["Stew (copy)"]


def read_names(files: SessionFiles, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are parsed from now on."""
    names, whole = list[str](), session_reading.parse_file

    def parse(path: Path) -> Session:
        names.append(path.stem)
        return whole(path)

    monkeypatch.setattr(session_reading, "parse_file", parse)
    return names


def save_many(files: SessionFiles, count: int) -> list[str]:
    """Save sessions as another program, each changed a minute after the one before; their ids, the newest first."""
    other = SessionFiles(files.folder, files.trash)
    names = [f"s{number:03}" for number in range(count)]
    for number, name in enumerate(names):
        other.save_now(make(name, name))
        os.utime(files.folder / f"{name}.toml", (number * 60, number * 60))
    return names[::-1]


def test_a_list_is_told_while_its_files_are_read_the_newest_first(
    files: SessionFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = save_many(files, 300)
    parsed = read_names(files, monkeypatch)
    lists = list(files.listings())
    told = [[summary.id for summary in listing.summaries] for listing in lists]
    assert len(lists) > 2
    assert [listing.is_whole for listing in lists] == [False] * (len(lists) - 1) + [True]
    assert all(set(ids) == set(names[: len(ids)]) for ids in told)
    assert parsed == names
    assert lists[-1] == files.list()
    assert len(parsed) == len(names)


def test_a_list_that_is_given_up_begins_where_it_ended(files: SessionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    names = save_many(files, 300)
    parsed = read_names(files, monkeypatch)
    first = files.listings()
    next(first)
    read = len(parsed)
    assert 0 < read < len(names)
    del first
    again = next(files.listings())
    assert len(again.summaries) == read
    assert len(files.list().summaries) == len(parsed) == len(names)


def test_rows_that_were_known_stay_while_their_files_are_read_again(files: SessionFiles) -> None:
    save_many(files, 200)
    files.list()
    for path in files.folder.glob("s1*.toml"):
        path.write_text(path.read_text().replace('title = "s', 'title = "now s'))
    lists = list(files.listings())
    assert [len(listing.summaries) for listing in lists] == [200] * len(lists)
    titles = {summary.id: summary.title for summary in lists[0].summaries}
    assert (titles["s150"], titles["s050"], lists[0].is_whole) == ("s150", "s050", False)
    titles = {summary.id: summary.title for summary in lists[-1].summaries}
    assert (titles["s150"], titles["s050"]) == ("now s150", "s050")


def test_a_file_that_is_broken_since_is_no_session_any_more(files: SessionFiles) -> None:
    save_many(files, 3)
    files.list()
    (files.folder / "s001.toml").write_text("broken")
    for _ in range(2):
        listing = files.list()
        assert "s001" not in {summary.id for summary in listing.summaries}
        assert [Path(bad.path).stem for bad in listing.unreadable] == ["s001"]


def test_a_session_is_found_at_once_unless_much_has_to_be_read(files: SessionFiles) -> None:
    files.save_now(make())
    assert files.is_found_at_once()
    SessionFiles(files.folder, files.trash).save_now(make("big", "x" * 3_000_000))
    assert not files.is_found_at_once("big")
    assert files.is_found_at_once(str(files.folder / "big.toml"))
    files.list()
    assert files.is_found_at_once("big")


def read_only(files: SessionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be written in the folder of sessions."""
    open_ = os.open

    def refuse(path: str, flags: int, *args: int, **named: int) -> int:
        if str(path).startswith(str(files.folder)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return open_(path, flags, *args, **named)

    monkeypatch.setattr(os, "open", refuse)


def test_where_nothing_can_be_written_a_window_opens_it_to_be_read(
    files: SessionFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.save_now(make())
    path = files.path_of(make())
    files.save_draft(path, "half a thought")
    with monkeypatch.context() as patch:
        read_only(files, patch)
        held = files.open(path)
        assert (held.session.messages, held.draft) == (make().messages, "half a thought")
        assert held.read_only.startswith("nothing can be written where it lies.")
        assert held.read_only.endswith("Read-only file system.")
        with pytest.raises(StorageError, match="Read-only file system"):
            files.open(path, "ask")
        with pytest.raises(StorageError, match="could not be"):
            files.open(path.with_name("gone.toml"))
        held.release()
    assert files.open(path).read_only == ""


def test_a_window_that_began_without_a_lock_takes_it_once_it_can_save(
    files: SessionFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.save_now(make("another"))
    with monkeypatch.context() as patch:
        read_only(files, patch)
        held = files.create(make())
        with pytest.raises(StorageError):
            files.save_now(held.session)
    files.save_now(held.session)
    other = SessionFiles(files.folder, files.trash)
    with pytest.raises(SessionHeldError):
        other.open(held.path, "ask")
    held.release()
    other.open(held.path, "ask").release()
    assert not list(files.folder.glob(".*.lock"))
