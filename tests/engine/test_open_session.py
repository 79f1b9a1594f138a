"""A session that is open while others change its file: it takes what they wrote, or goes on as a copy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import SessionReadOnlyError
from kimi_tui.core.ports import Conflict, FileChange, Lost, Reloaded, Rewritten
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, AskingAgain, GoingOn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, ScriptedClient, end, streaming, think_end, token

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
TALK = (
    Session("s1", NOW, NOW, "m", "Lamb", prompt_cache_key="key")
    .with_message(Message("m1", Role.USER, "Lamb?"))
    .with_message(Message("m2", Role.ASSISTANT, "Roast it.", "m1", thinking=False))
)
REQUEST = RequestSettings(fields={"stream": True})


class World:
    """An open session, its file, and what was told."""

    def __init__(self, folder: Path) -> None:
        self.files = SessionFiles(folder / "sessions", folder / "trash")
        self.files.save_now(TALK)
        self.held = self.files.open(self.files.path_of(TALK))
        self.session = OpenSession(self.held.session, self.files)
        self.told = list[FileChange]()
        self.session.told = self.told.append

    def edit(self, change: Callable[[Session], Session]) -> None:
        """Change the file as another program does."""
        other = SessionFiles(self.files.folder, self.files.trash)
        other.save_now(change(other.read_only(self.held.path)))

    async def look(self) -> None:
        await self.session.take_changes(self.files.look)

    def texts(self) -> dict[str, list[str]]:
        """What every session in the folder says, by title."""
        other = SessionFiles(self.files.folder, self.files.trash)
        sessions = [other.read_only(Path(summary.path)) for summary in other.list().summaries]
        return {session.title: [message.content for message in session.messages] for session in sessions}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def with_text(text: str) -> Callable[[Session], Session]:
    return lambda value: value.with_message(
        Message(value.next_message_ids(1)[0], Role.USER, text, value.head)
    )  # fmt: skip


async def test_what_others_wrote_is_taken_where_nothing_was_changed_here(world: World) -> None:
    world.edit(with_text("theirs"))
    await world.look()
    assert [message.content for message in world.session.value.messages][-1] == "theirs"
    assert not world.session.is_changed
    assert [type(change) for change in world.told] == [Reloaded]
    world.session.update(with_text("ours"))
    await world.session.save()
    assert world.texts() == {"Lamb": ["Lamb?", "Roast it.", "theirs", "ours"]}


async def test_what_a_newer_version_wrote_is_shown_and_cannot_be_changed_any_more(world: World) -> None:
    path, ours = world.held.path, world.held.path.read_text("utf-8")
    path.write_text(ours.replace("version = 1", "version = 2"), "utf-8")
    await world.look()
    with pytest.raises(SessionReadOnlyError, match="not changed"):
        world.session.update(with_text("ours"))
    path.write_text(ours, "utf-8")
    await world.look()
    world.session.update(with_text("ours"))
    await world.session.save()
    assert world.texts() == {"Lamb": ["Lamb?", "Roast it.", "ours"]}


async def test_what_was_changed_here_too_goes_on_as_a_copy(world: World) -> None:
    world.edit(with_text("theirs"))
    world.session.update(with_text("ours"))
    await world.look()
    assert not world.told  # saving finds it out
    await world.session.save()
    world.session.update(with_text("and on"))
    await world.session.save()
    assert world.texts() == {
        "Lamb": ["Lamb?", "Roast it.", "theirs"],
        "Lamb (conflict)": ["Lamb?", "Roast it.", "ours", "and on"],
    }
    assert not world.session.is_changed
    assert [type(change) for change in world.told] == [Conflict]


async def test_what_is_changed_while_the_copy_is_written_goes_into_it(world: World) -> None:
    world.edit(with_text("theirs"))
    world.session.update(with_text("ours"))
    saving = asyncio.create_task(world.session.save())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.session.update(lambda value: replace(with_text("late")(value), title="Stew"))
    await saving
    assert world.session.is_changed
    assert world.session.value.title == "Stew (conflict)"
    await world.session.save()
    assert world.texts()["Stew (conflict)"] == ["Lamb?", "Roast it.", "ours", "late"]
    assert len(world.texts()) == 2


async def test_what_is_changed_while_others_are_looked_at_stays(world: World) -> None:
    world.edit(with_text("theirs"))

    async def look(session: Session) -> Reloaded | Lost | None:
        found = await world.files.look(session)
        world.session.update(with_text("ours"))
        return found

    await world.session.take_changes(look)
    assert world.session.value.messages[-1].content == "ours"
    await world.session.save()
    assert world.texts()["Lamb"][-1] == "theirs"
    assert world.texts()["Lamb (conflict)"][-1] == "ours"


async def test_what_lies_in_no_file_any_more_is_written_again(world: World) -> None:
    world.held.path.unlink()
    await world.look()
    assert not world.held.path.exists()  # it may be in the middle of being saved
    await world.look()
    assert world.texts() == {"Lamb": ["Lamb?", "Roast it."]}
    assert [type(change) for change in world.told] == [Rewritten]


async def test_what_others_wrecked_is_kept_and_so_is_what_is_here(world: World) -> None:
    world.held.path.write_text("= no")
    await world.look()
    await world.look()
    assert world.held.path.read_text() == "= no"
    assert world.texts() == {"Lamb (conflict)": ["Lamb?", "Roast it."]}
    (conflict,) = world.told
    assert isinstance(conflict, Conflict)
    assert conflict.reason


async def test_what_is_read_only_is_neither_changed_nor_saved(tmp_path: Path) -> None:
    world = World(tmp_path)
    session = OpenSession(TALK, world.files, read_only="Others hold it.", way_out="Copy it.")
    with pytest.raises(SessionReadOnlyError, match=r"read-only: Others hold it\.") as caught:
        session.update(with_text("ours"))
    assert caught.value.hint == "Copy it."
    await session.save()
    assert session.value is TALK
    assert world.texts() == {"Lamb": ["Lamb?", "Roast it."]}


@pytest.mark.parametrize("opening", [Asking("More?"), AskingAgain("m1"), GoingOn(TALK.messages[1])])
async def test_a_growing_reply_is_never_lost(world: World, opening: Asking | AskingAgain | GoingOn) -> None:
    gate = asyncio.Event()
    client = ScriptedClient([streaming(token("hm"), think_end(), token("Yes"), gate, token(", do."), end(), DONE)])
    turn = Engine(client, HandClock()).start(world.session, opening, REQUEST)
    while "Yes" not in "".join(map(str, turn.reply.texts.values())):
        await asyncio.sleep(0.001)
    world.edit(with_text("theirs"))
    await world.look()  # what grows is not taken away
    gate.set()
    ended = await turn.finished()
    assert ended.save_error is None
    assert ended.replies[0].id in {message.id for message in world.session.value.messages}
    texts = world.texts()
    assert texts["Lamb"][-1] == "theirs"
    assert texts["Lamb (conflict)"][-1].endswith("Yes, do.")


async def test_a_turn_that_is_about_to_begin_keeps_its_ids(world: World) -> None:
    world.edit(with_text("theirs"))
    client = ScriptedClient([streaming(token("hm"), think_end(), token("Yes."), end(), DONE)])
    turn = Engine(client, HandClock()).start(world.session, Asking("ours"), REQUEST)
    await world.look()
    await turn.finished()
    ids = [message.id for message in world.session.value.messages]
    assert len(ids) == len(set(ids))
    assert sorted(world.texts()) == ["Lamb", "Lamb (conflict)"]
