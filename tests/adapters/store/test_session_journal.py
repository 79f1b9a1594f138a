"""Journals on disk: what a turn writes while it runs, when that goes, and what is made of it after a death.

A copy of the folder is what a process that dies leaves: its locks are nobody's there.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kimi_tui.adapters.store import session_journal, session_lock, session_recovery
from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_journal import SessionJournals
from kimi_tui.adapters.store.session_places import beside
from kimi_tui.adapters.store.session_recovery import unrecovered
from kimi_tui.core.errors import StorageError
from kimi_tui.core.ports import HeldSession
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Usage
from kimi_tui.core.wire.reply_plans import answering_again
from kimi_tui.core.wire.turn_events import Phase
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import AnsweringAgain, Asking, AskingAgain, GoingOn
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.adapters.store.test_session_faults import Faults
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, Script, ScriptedClient, end, streaming, think_end, token

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
REQUEST = RequestSettings(fields={"stream": True})
NEW = Session("s1", NOW, NOW, "m", settings={"temperature": 0.5})
TALK = Session("s1", NOW, NOW, "m", "Lamb?", tags=("food",)).with_message(Message("m1", Role.USER, "Lamb?", None, NOW))
TALK = TALK.with_message(Message("m2", Role.ASSISTANT, "Roast it", "m1", NOW, state=MessageState.INTERRUPTED))
WHOLE = (token("hm"), think_end(), token("yes"), end(), DONE)


@dataclass
class World:
    """A folder of sessions with one that is open, and an engine that journals hear."""

    files: SessionFiles
    held: HeldSession
    open_session: OpenSession
    engine: Engine

    @property
    def folder(self) -> Path:
        return self.files.folder

    def journals(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob(".*.journal*"))

    def left(self, name: str = "dead") -> SessionFiles:
        """The files as a death of this process now would leave them."""
        folder = self.folder.with_name(name)
        shutil.copytree(self.folder, folder)
        return SessionFiles(folder, folder.with_name(f"{name} trash"))


def world(tmp_path: Path, *scripts: Script, session: Session = NEW) -> World:
    files = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    if session.messages:
        files.save_now(session)
        held = files.open(files.path_of(session))
    else:
        held = files.create(session)
    engine = Engine(ScriptedClient(list(scripts)), HandClock(), listeners=[SessionJournals(files)])
    return World(files, held, OpenSession(held.session, files), engine)


async def until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


def texts(session: Session) -> list[str]:
    return [f"{message.reasoning or ''}|{message.content}" for message in session.messages]


async def written(place: World, text: str) -> None:
    """Wait until a text stands in the journal."""
    await until(lambda: any(text in (place.folder / name).read_text("utf-8") for name in place.journals()))


async def stop(turn: Turn) -> None:
    turn.stop()
    await turn.finished()


async def test_what_arrives_stands_in_the_journal_until_the_reply_is_saved(tmp_path: Path) -> None:
    held = asyncio.Event()
    place = world(tmp_path, streaming(token("hm"), held, *WHOLE[1:]))
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    assert oct((place.folder / ".s1.journal").stat().st_mode)[-3:] == "600"
    left = place.left()
    (found,) = left.recover()
    session = left.read_only(found.path)
    assert (found.id, found.title, texts(session)) == ("s1", "Lamb?", ["|Lamb?", "hm|"])
    assert session.messages[1].state is MessageState.INTERRUPTED
    assert session.messages[1].sent == {"stream": True}
    assert left.recover() == (found,)
    assert [path.name for path in left.folder.iterdir()] == ["s1.toml"]
    assert left.list().summaries[0].messages == 2
    held.set()
    await turn.finished()
    assert place.journals() == []
    assert texts(place.files.read_only(place.files.find())) == ["|Lamb?", "hm|yes"]


async def test_the_request_that_runs_stands_in_the_journal_with_what_it_holds_back(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token("hm"), token("</thi"), asyncio.Event()))
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "</thi")
    left = place.left()
    (found,) = left.recover()
    reply = left.read_only(found.path).messages[1]
    assert (reply.reasoning, reply.usage, reply.thinking_tokens) == ("hm</thi", Usage(output_tokens=2), 2)
    await stop(turn)


async def test_a_living_process_keeps_its_journal(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()))
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    other = SessionFiles(place.folder, tmp_path / "trash")
    assert other.recover() == ()
    assert texts(other.read_only(other.find())) == ["|Lamb?"]
    assert place.journals() == [".s1.journal"]
    ((_, why),) = unrecovered(place.folder)
    assert f"process {os.getpid()}" in why
    await stop(turn)
    assert place.journals() == []


async def test_a_question_that_could_not_be_saved_is_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()))
    refuse(monkeypatch, place.files)
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    left = place.left()
    (found,) = left.recover()
    session = left.read_only(found.path)
    assert found.path.name == "s1.toml"
    assert (session.id, session.settings, session.title, session.head) == ("s1", {"temperature": 0.5}, "Lamb?", "m2")
    assert texts(session) == ["|Lamb?", "hm|"]
    await stop(turn)


def refuse(monkeypatch: pytest.MonkeyPatch, files: SessionFiles) -> None:
    def save_now(session: Session) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(files, "save_now", save_now)


async def test_a_reply_that_cannot_be_saved_stays_in_the_journal_until_it_is(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(*WHOLE), streaming(*WHOLE))
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, place.files)
        ended = await place.engine.start(place.open_session, Asking("Lamb?"), REQUEST).finished()
        assert ended.save_error is not None
        left = place.left()
        (found,) = left.recover()
        assert left.read_only(found.path).messages == place.open_session.value.messages
        await place.engine.start(place.open_session, Asking("More?"), REQUEST).finished()
    left = place.left("later")
    (found,) = left.recover()
    assert left.read_only(found.path).messages == place.open_session.value.messages
    assert "2 replies" in found.words
    assert place.journals() == [".s1.journal"]
    await place.open_session.save()
    assert place.journals() == []


async def test_when_nothing_arrives_nothing_is_left(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(asyncio.Event()))
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await until(lambda: place.journals() and place.held.path.exists())
    left = place.left()
    assert left.recover() == ()
    assert texts(left.read_only(left.find())) == ["|Lamb?"]
    await stop(turn)
    assert place.journals() == []
    too_large = RequestSettings(fields={}, context_tokens=1)
    assert (await place.engine.start(place.open_session, Asking("x" * 99), too_large).finished()).error is not None
    assert place.journals() == []


async def test_a_reply_that_is_gone_on_with_comes_back_as_the_same_message(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token(", slowly"), asyncio.Event()), session=TALK)
    turn = place.engine.start(place.open_session, GoingOn(TALK.messages[1]), REQUEST)
    await written(place, "slowly")
    left = place.left()
    (found,) = left.recover()
    session = left.read_only(found.path)
    assert texts(session) == ["|Lamb?", "|Roast it, slowly"]
    assert (session.head, session.tags, session.messages[1].created) == ("m2", ("food",), NOW)
    await stop(turn)


@pytest.mark.parametrize("name", ["Lamb.toml", "Lamb.json"])
async def test_a_session_whose_file_was_renamed_gets_what_waits_for_it(tmp_path: Path, name: str) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()), session=TALK)
    turn = place.engine.start(place.open_session, Asking("More?"), REQUEST)
    await written(place, "hm")
    place.files.save_draft(place.held.path, "half a thought")
    left = place.left()
    renamed = left.convert(left.folder / "s1.toml", name.rpartition(".")[2]).rename(left.folder / name)
    left.save_draft(renamed, "above it")
    found = SessionFiles(left.folder, tmp_path / "trash").recover()
    assert {it.path for it in found} == {renamed}
    assert [summary.messages for summary in left.list().summaries] == [4]
    held = left.open(renamed)
    assert texts(held.session) == ["|Lamb?", "|Roast it", "|More?", "hm|"]
    assert held.draft == "above it\n\nhalf a thought"
    held.release()
    assert sorted(path.name for path in left.folder.iterdir()) == [".Lamb.draft", ".index", name]
    await stop(turn)


async def test_a_renamed_session_that_is_open_waits(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()), session=TALK)
    turn = place.engine.start(place.open_session, Asking("More?"), REQUEST)
    await written(place, "hm")
    left = place.left()
    held = left.open((left.folder / "s1.toml").rename(left.folder / "Lamb.toml"))
    assert SessionFiles(left.folder, tmp_path / "trash").recover() == ()
    held.release()
    assert len(SessionFiles(left.folder, tmp_path / "trash").recover()) == 1
    await stop(turn)


@pytest.mark.parametrize("is_conflict", [True, False], ids=["as a copy", "saved elsewhere"])
async def test_a_journal_follows_a_session_that_goes_on_elsewhere(tmp_path: Path, is_conflict: bool) -> None:
    go_on = asyncio.Event()
    place = world(tmp_path, streaming(token("hm"), go_on, token(" so"), asyncio.Event()), session=TALK)
    turn = place.engine.start(place.open_session, Asking("More?"), REQUEST)
    await written(place, "hm")
    if is_conflict:
        changed = place.held.path.read_text("utf-8").replace("Roast it", "Braise it")
        place.held.path.write_text(changed, "utf-8")
        place.open_session.update(lambda session: replace(session, tags=()))
        await place.open_session.save()
        new = Path(place.open_session.value.path or "")
    else:
        new = place.folder / "elsewhere.json"
        moved = place.files.save_as(place.open_session.value, new)

        async def save(session: Session) -> Session:
            return moved.session

        await place.open_session.save_elsewhere(save)
    assert new != place.held.path
    go_on.set()
    await until(lambda: beside(new, ".journal").exists() and "so" in beside(new, ".journal").read_text("utf-8"))
    await until(lambda: place.journals() == [f".{new.stem}.journal"])
    left = place.left()
    (found,) = left.recover()
    assert found.path.name == new.name
    assert texts(left.read_only(found.path)) == ["|Lamb?", "|Roast it", "|More?", "hm so|"]
    assert len(left.read_only(left.folder / place.held.path.name).messages) < 4
    await stop(turn)
    assert place.journals() == []


async def test_an_alternative_comes_back_beside_the_old_reply(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(think_end(), token("Stew"), asyncio.Event()), session=TALK)
    turn = place.engine.start(place.open_session, AskingAgain("m1"), REQUEST)
    await written(place, "Stew")
    left = place.left()
    left.recover()
    session = left.read_only(left.find())
    assert (texts(session), session.head) == (["|Lamb?", "|Roast it", "|Stew"], "m3")
    await stop(turn)


async def test_opening_and_reading_a_session_recovers_it_wherever_it_lies(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()), session=TALK)
    turn = place.engine.start(place.open_session, Asking("More?"), REQUEST)
    await written(place, "hm")
    left, told = place.left(), list[str]()
    elsewhere = SessionFiles(tmp_path / "data", tmp_path / "trash")
    held = elsewhere.open(left.folder / "s1.toml")
    assert "came back" in held.recovered
    assert texts(held.session)[-1] == "hm|"
    held.release()
    assert elsewhere.open(left.folder / "s1.toml").recovered == ""
    loaded = place.left("once more")
    elsewhere.tell = told.append
    assert texts(elsewhere.read_only(loaded.folder / "s1.toml"))[-1] == "hm|"
    assert len(told) == 1
    await stop(turn)


async def test_a_journal_goes_with_its_session_to_the_trash_and_back(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()), session=TALK)
    turn = place.engine.start(place.open_session, Asking("More?"), REQUEST)
    await written(place, "hm")
    left = place.left()
    in_trash = left.delete(left.folder / "s1.toml")
    assert beside(in_trash, ".journal").exists()
    assert not beside(left.folder / "s1.toml", ".journal").exists()
    assert left.trashed().summaries[0].messages == 3
    assert texts(left.read_only(left.restore_path(in_trash)))[-1] == "hm|"
    await stop(turn)


async def test_where_nothing_can_be_written_it_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()))
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    left, open_ = place.left(), os.open

    def read_only(path: str, flags: int, *args: int, **named: int) -> int:
        if str(path).startswith(str(left.folder)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise PermissionError(13, "Permission denied")
        return open_(path, flags, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", read_only)
        assert left.recover() == ()
        assert [summary.messages for summary in left.list().summaries] == [1]
        assert texts(left.read_only(left.find())) == ["|Lamb?"]
    assert len(SessionFiles(left.folder, tmp_path).recover()) == 1
    await stop(turn)


async def test_a_journal_that_cannot_be_written_is_no_harm_and_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = asyncio.Event(), asyncio.Event()
    place = world(tmp_path, streaming(token("hm"), first, token(" so"), last, *WHOLE[1:]))
    failures, write = list[int](), os.write

    def torn(descriptor: int, data: bytes) -> int:
        if b"grows" not in data or len(failures) > 2:
            return write(descriptor, data)
        failures.append(descriptor)
        return write(descriptor, data[:30])

    monkeypatch.setattr(session_journal, "FLUSH_S", 0.01)
    monkeypatch.setattr(os, "write", torn)
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await until(lambda: turn.growing.has_grown)
    first.set()
    await written(place, " so")
    left = place.left()
    left.recover()
    assert texts(left.read_only(left.find())) == ["|Lamb?", "hm so|"]
    assert len(failures) == 3
    last.set()
    await turn.finished()
    assert place.journals() == []


async def test_a_journal_that_vanishes_is_begun_anew(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    place = world(tmp_path, streaming(token("hm"), go_on, token(" so"), asyncio.Event()))
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    (place.folder / ".s1.journal").unlink()
    go_on.set()
    await written(place, "hm so")
    await stop(turn)


# -- what cannot be recovered


def left_with(tmp_path: Path, journal: bytes, session: Session | None = TALK) -> SessionFiles:
    files = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    files.folder.mkdir()
    if session is not None:
        files.save_now(session)
    (files.folder / ".s1.journal").write_bytes(journal)
    return files


@pytest.mark.parametrize("junk", [b"\xff\xfe junk\n", b"{}\n{}\n", b"[1, 2"])
def test_a_journal_of_which_nothing_can_be_read_is_kept_aside(tmp_path: Path, junk: bytes) -> None:
    files = left_with(tmp_path, junk)
    (told,) = files.recover()
    assert (told.id, told.words) == (
        "s1", f"Nothing can be read of its journal, which is kept aside: {files.folder / '.s1.journal-aside'}",
    )  # fmt: skip
    assert files.read_only(files.find()) == TALK
    assert SessionFiles(files.folder, tmp_path).recover() == ()
    ((path, why),) = unrecovered(files.folder)
    assert (path.name, path.read_bytes()) == (".s1.journal-aside", junk)
    assert "kept aside" in why
    (files.folder / ".s1.journal").write_bytes(junk)
    SessionFiles(files.folder, tmp_path).recover()
    assert [path.name for path, _ in unrecovered(files.folder)] == [".s1.journal-aside", ".s1.journal-aside-2"]


@pytest.mark.parametrize("nothing", [b"", b"\n", b"\0" * 100])
def test_an_empty_one_just_goes(tmp_path: Path, nothing: bytes) -> None:
    files = left_with(tmp_path, nothing)
    assert files.recover() == ()
    assert [path.name for path in files.folder.iterdir()] == ["s1.toml"]


async def test_one_that_is_garbled_gives_what_it_can_and_is_kept_aside(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()))
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    left = place.left()
    with (left.folder / ".s1.journal").open("ab") as file:
        file.write(b"\x00\xff\n")
    (told,) = left.recover()
    assert told.words.startswith("A reply came back")
    assert told.words.endswith(f"Part of its journal cannot be read; it is kept aside: {left.folder}/.s1.journal-aside")
    assert texts(left.read_only(left.find())) == ["|Lamb?", "hm|"]
    assert [path.name for path, _ in unrecovered(left.folder)] == [".s1.journal-aside"]
    await stop(turn)


def test_junk_without_a_session_is_told_too(tmp_path: Path) -> None:
    files = left_with(tmp_path, b"junk\n", session=None)
    (told,) = files.recover()
    assert (told.id, files.list().summaries) == ("", ())
    assert f"{files.folder / 's1.toml'}: Nothing can be read of its journal" in told.words


def test_one_of_a_newer_version_stays(tmp_path: Path) -> None:
    newer = b'{"journal": 2, "x": 1}\n'
    files = left_with(tmp_path, newer)
    assert files.recover() == ()
    assert files.open(files.find()).session.messages == TALK.messages
    assert unrecovered(files.folder) == [(files.folder / ".s1.journal", "a journal of a newer kimi-tui")]


async def test_a_session_whose_journal_cannot_be_put_back_opens_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()), session=TALK)
    turn = place.engine.start(place.open_session, Asking("More?"), REQUEST)
    await written(place, "hm")
    left = place.left()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        held = left.open(left.folder / "s1.toml")
    assert "could not be put back" in held.recovered
    assert "No space left" in held.recovered
    held.release()
    assert texts(SessionFiles(left.folder, tmp_path).open(held.path).session)[-1] == "hm|"
    await stop(turn)


async def test_where_the_session_cannot_be_read_its_journal_waits(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()))
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    left = place.left()
    file = left.folder / "s1.toml"
    whole = file.read_bytes()
    file.write_bytes(b"broken")
    assert left.recover() == ()
    assert (file.read_bytes(), len(unrecovered(left.folder))) == (b"broken", 1)
    file.write_bytes(whole)
    assert len(SessionFiles(left.folder, tmp_path).recover()) == 1
    await stop(turn)


async def test_where_locks_do_nothing_only_the_dead_of_this_host_are_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()))
    monkeypatch.setattr(session_lock, "_flock", lambda _: True)
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    left, journal = place.left(), tmp_path / "dead" / ".s1.journal"
    assert left.recover() == ()  # this process lives
    text = journal.read_text("utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(session_recovery, "_is_running", lambda _: False)
        journal.write_text(text.replace('"host": "', '"host": "not '), "utf-8")
        assert SessionFiles(left.folder, tmp_path).recover() == ()
        journal.write_text(text, "utf-8")
        assert len(SessionFiles(left.folder, tmp_path).recover()) == 1
    await stop(turn)


async def test_what_nobody_could_recover_makes_room_for_the_next_turn(tmp_path: Path) -> None:
    newer = b'{"journal": 2, "x": 1}\n'
    files = left_with(tmp_path, newer)
    held = files.open(files.find())
    engine = Engine(ScriptedClient([streaming(*WHOLE)]), HandClock(), listeners=[SessionJournals(files)])
    await engine.start(OpenSession(held.session, files), Asking("More?"), REQUEST).finished()
    assert [(path.name, path.read_bytes()) for path, _ in unrecovered(files.folder)] == [(".s1.journal-aside", newer)]


async def test_what_could_not_be_written_yet_is_kept_through_the_next_turn(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()))
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    left = place.left()
    await stop(turn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(left, "rewrite", refuse_to_write)
        held = left.open(left.folder / "s1.toml")
    assert "could not be put back: the disk is full" in held.recovered
    assert texts(held.session) == ["|Lamb?"]
    engine = Engine(ScriptedClient([streaming(*WHOLE)]), HandClock(), listeners=[SessionJournals(left)])
    await engine.start(OpenSession(held.session, left), Asking("Stew?"), REQUEST).finished()
    held.release()
    assert len(SessionFiles(left.folder, tmp_path).recover()) == 1
    session = left.read_only(left.folder / "s1.toml")
    assert texts(session) == ["|Lamb?", "|Stew?", "hm|yes", "hm|"]
    assert session.messages[-1].parent == "m1"
    assert session.head == "m3"
    assert unrecovered(left.folder) == []


def refuse_to_write(*_: object) -> None:
    raise StorageError("the disk is full")


# -- drafts


def test_a_draft_without_a_session_gets_one(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path / "sessions", tmp_path / "trash", new_session=lambda: NEW)
    files.save_draft(files.folder / "s9.toml", "half a thought")
    files.save_draft(files.folder / "s8.toml", " \n")
    (found,) = files.recover()
    held = files.open(found.path)
    assert (held.draft, held.session.id, held.session.settings) == ("half a thought", "s9", {"temperature": 0.5})
    assert held.session.messages == ()
    assert sorted(path.name for path in files.folder.glob(".*.draft")) == [".s9.draft"]
    held.release()
    assert SessionFiles(files.folder, tmp_path).recover() == ()


def test_a_draft_whose_session_is_open_is_left_alone(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    held = files.create(NEW)
    files.save_draft(held.path, "half a thought")
    other = SessionFiles(files.folder, tmp_path / "trash")
    assert (other.recover(), other.list().summaries) == ((), ())


async def test_a_question_that_was_sent_is_no_draft_any_more(tmp_path: Path) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()))
    place.files.save_draft(place.held.path, "Lamb?\n")
    turn = place.engine.start(place.open_session, Asking("Lamb?"), REQUEST)
    await written(place, "hm")
    left = place.left()
    left.recover()
    assert load_draft(left.find()) == ""
    await stop(turn)


async def test_all_replies_are_in_the_journal_while_they_are_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = b'{"results": [{"generated_text": "hm</think>one"}, {"generated_text": "so</think>two"}]}'
    place = world(tmp_path, Script([document], is_event_stream=False), session=TALK)
    saving, save, go_on = list[Session](), place.files.save, asyncio.Event()

    async def save_slowly(session: Session) -> None:
        saving.append(session)
        if len(saving) == 2:
            await go_on.wait()
        await save(session)

    monkeypatch.setattr(place.files, "save", save_slowly)
    turn = place.engine.start(place.open_session, Asking("More?"), REQUEST)
    await written(place, "two")
    left = place.left()
    (found,) = left.recover()
    session = left.read_only(found.path)
    assert (session.messages, session.head) == (saving[-1].messages, saving[-1].head)
    assert texts(saving[-1])[-2:] == ["hm|one", "so|two"]
    go_on.set()
    await turn.finished()
    assert place.journals() == []


@pytest.mark.parametrize("is_last_only", [True, False], ids=["that one", "all from then on"])
async def test_whichever_file_operation_is_refused_nothing_is_lost_or_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_last_only: bool
) -> None:
    place = world(tmp_path, streaming(token("hm"), asyncio.Event()), session=TALK)
    turn = place.engine.start(place.open_session, Asking("More?"), REQUEST)
    await written(place, "hm")
    for step in range(1, 200):
        left, faults = place.left(str(step)), Faults(monkeypatch)
        with faults.at(step, is_last_only=is_last_only):
            left.recover()
        again = SessionFiles(left.folder, tmp_path)
        again.recover()
        session = again.read_only(again.find())
        assert texts(session) == ["|Lamb?", "|Roast it", "|More?", "hm|"], step
        if faults.count < step:
            break
    assert step > 10
    await stop(turn)


@pytest.mark.parametrize("ended", [(), (1,), (0,), (0, 2)])
async def test_answers_that_grow_side_by_side_come_back_each_as_far_as_it_had_come(
    tmp_path: Path, ended: tuple[int, ...]
) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    thought = Message("m2", Role.ASSISTANT, "Roast it", "m1", NOW, "hm", MessageState.COMPLETE, thinking=True)
    talk = replace(TALK, messages=(TALK.messages[0], thought))
    scripts = [streaming(token(f"answer {n}"), gate, token("."), end(), DONE) for n, gate in enumerate(gates)]
    place = world(tmp_path, *scripts, session=talk)
    turns = [
        place.engine.start(place.open_session, AnsweringAgain(thought), REQUEST, answering_again) for _ in range(3)
    ]
    place.open_session.shown_reply = turns[0].reply.id
    for number in range(3):
        await written(place, f"answer {number}")
    for number in ended:
        gates[number].set()
    await until(lambda: sum(turn.phase is Phase.FINISHED for turn in turns) == len(ended))
    await asyncio.gather(*(turn.finished() for turn in turns if turn.phase is Phase.FINISHED))
    left = place.left()
    left.recover()
    session = left.read_only(left.find())
    answers = [message for message in session.messages if message.parent == "m1" and message.id != "m2"]
    assert sorted(message.content.removesuffix(".") for message in answers) == [f"answer {n}" for n in range(3)]
    assert sum(message.state is MessageState.COMPLETE for message in answers) == len(ended)
    assert [message.id for message in answers] == ["m3", "m4", "m5"]
    assert all(message.reasoning == "hm" and message.took_thinking for message in answers)
    assert session.head in {"m3", "m4", "m5"}
    for turn in turns:
        await stop(turn)
    assert place.journals() == []
