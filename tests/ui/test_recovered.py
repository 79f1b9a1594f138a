"""What is typed is in a file soon, and what a dead process left is told once, where it came back."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_journal import SessionJournals
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking
from kimi_tui.engine.turn_engine import Engine
from kimi_tui.ui.state.services import FirstSession
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, Script, ScriptedClient, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it."))
CAME_BACK = "came back"


def answer(text: str) -> Script:
    return streaming(think_end(), token(text), end(), DONE)


def drafts(running: Program) -> list[str]:
    return [path.read_text() for path in running.files.folder.glob(".*.draft")]


async def test_a_draft_is_in_a_file_while_it_is_typed(tmp_path: Path) -> None:
    async with program(tmp_path, answer("Hello."), session=TALK) as running:
        await running.type("half a")
        await running.until(lambda: drafts(running) == ["half a"])
        await running.type(" thought")
        await running.until(lambda: drafts(running) == ["half a thought"])
        await running.type("<enter>")
        await running.until(lambda: drafts(running) == [])


async def test_a_draft_of_a_session_that_is_in_no_file_is_kept_too(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        await running.type("/new")
        await asyncio.sleep(0.7)
        assert drafts(running) == []
        await running.type("<ctrl+u>half")
        await running.until(lambda: drafts(running) == ["half"])
        assert list(running.files.folder.glob("*.toml")) == []
        await running.type("<ctrl+u>")
        await running.until(lambda: drafts(running) == [])


async def test_what_waits_to_be_sent_is_kept_until_it_is(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with program(tmp_path, streaming(token("hm"), go_on), answer("Yes."), session=TALK) as running:
        await running.type("More?<enter>")
        await running.until(lambda: running.screen.chat.replies.live is not None)
        await running.type("And then?<enter>not yet")
        await running.until(lambda: drafts(running) == ["And then?\n\nnot yet"])
        await running.type("<ctrl+u><escape>")
        await running.until(lambda: drafts(running) == ["And then?"])
        go_on.set()


async def dead(tmp_path: Path) -> Path:
    """A folder as a process leaves it that dies while a reply comes."""
    files = SessionFiles(tmp_path / "living", tmp_path / "trash")
    files.save_now(TALK)
    held = files.open(files.path_of(TALK))
    engine = Engine(
        ScriptedClient([streaming(token("so far"), asyncio.Event())]),
        HandClock(),
        listeners=[SessionJournals(files)],
    )
    turn = engine.start(OpenSession(held.session, files), Asking("More?"), RequestSettings(fields={}))
    journal = files.folder / f".{TALK.id}.journal"
    while not (journal.exists() and "so far" in journal.read_text()):
        await asyncio.sleep(0.01)
    shutil.copytree(files.folder, tmp_path / "sessions")
    turn.stop()
    await turn.finished()
    held.release()
    return tmp_path / "sessions" / f"{TALK.id}.toml"


async def test_what_came_back_is_told_at_the_start_and_where_it_came_back(tmp_path: Path) -> None:
    path = await dead(tmp_path)
    async with program(tmp_path) as running:
        await running.shows(CAME_BACK)
        assert f"/resume {TALK.id} opens it: Lamb?" in running.text
        running.screen.run_later(running.screen.current.open(path))
        await running.shows("More?")
        await running.shows("interrupted")
        assert running.text.count(CAME_BACK) == 1
    async with program(tmp_path / "again") as running:
        await running.pilot.pause(0.2)
        assert CAME_BACK not in running.text


async def test_the_session_to_begin_with_tells_it_alone(tmp_path: Path) -> None:
    path = await dead(tmp_path)
    files = SessionFiles(path.parent, tmp_path / "trash")
    async with program(tmp_path, opening=FirstSession("Lamb?", lambda: files.open(path))) as running:
        await running.shows("interrupted")
        await running.pilot.pause(0.2)
        assert running.text.count(CAME_BACK) == 1
        assert "opens it" not in running.text


async def test_a_session_whose_process_dies_meanwhile_is_recovered_when_it_is_opened(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        await running.pilot.pause(0.2)
        shutil.rmtree(tmp_path / "sessions")
        path = await dead(tmp_path)
        running.screen.run_later(running.screen.current.open(path))
        await running.shows("interrupted")
        assert running.text.count(CAME_BACK) == 1


async def test_what_is_being_typed_stays_where_the_session_on_screen_is_opened(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(120, 30)) as running:
        await running.type("half a thought<f2>")
        await running.until(lambda: "Enter open" in running.text)
        await running.type("<enter>")
        await running.until(lambda: running.screen.composer.has_focus)
        assert running.screen.composer.draft == "half a thought"
