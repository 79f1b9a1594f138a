"""Text that could not be saved: it is marked, saved again with whatever is done next, and never left in silence."""

from __future__ import annotations

import asyncio
import errno
import resource
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import Session
from tests.fakes.clock import WaitingClock
from tests.fakes.disk import Disk
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.terminal import kimi_tui
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it."))
MARK = "! not saved"


def still(tmp_path: Path, *scripts: Script, session: Session | None = None) -> AbstractAsyncContextManager[Program]:
    """The program with a clock that stands: nothing is tried again by itself."""
    return program(tmp_path, *scripts, session=session, clock=WaitingClock())


def answer(text: str = "Braise it.") -> Script:
    return streaming(token("hm"), think_end(), token(text), end(), DONE)


def saved(running: Program, session_id: str = TALK.id) -> list[str]:
    path = next(Path(summary.path) for summary in running.files.list().summaries if summary.id == session_id)
    return [message.content for message in running.files.read_only(path).messages]


async def ask(running: Program, text: str = "More?") -> None:
    await running.type(f"{text}<enter>")
    await running.until(lambda: bool(running.client.bodies))
    await running.idle()


async def left(running: Program, key: str = "<ctrl+q>") -> tuple[str | None, int | None]:
    await running.type(key)
    await running.until(lambda: running.app._exit)
    return running.app.return_value, running.app.return_code


async def send(running: Program) -> None:
    await running.type("And more?<enter>")
    await running.until(lambda: len(running.client.bodies) == 2)
    await running.idle()


async def switch(running: Program) -> None:
    before = running.screen.chat
    await running.type("<ctrl+n>")
    await running.until(lambda: running.screen.chat is not before)


async def rename(running: Program) -> None:
    await running.type("/rename Stew<enter>")


async def duplicate(running: Program) -> None:
    await running.type("/duplicate<enter>")
    await running.shows("Copied")


async def leave(running: Program) -> None:
    assert await left(running) == (TALK.id, 0)


async def go(running: Program) -> None:
    """Be asked to end by a signal."""
    await running.screen.leave(asks=False)


@pytest.mark.parametrize("way", [send, switch, rename, duplicate, leave, go])
async def test_a_reply_that_could_not_be_saved_is_saved_with_whatever_comes_next(
    tmp_path: Path, disk: Disk, way: Callable[[Program], Awaitable[None]]
) -> None:
    async with still(tmp_path, answer(), answer(), session=TALK) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        await running.shows(MARK)
        assert saved(running) == ["Lamb?", "Roast it."]
        disk.reason = None
        await way(running)
        await running.until(lambda: not running.screen.open_chats.unsaved)
        assert saved(running)[:4] == ["Lamb?", "Roast it.", "More?", "Braise it."]
        if not running.app._exit:
            await running.until(lambda: MARK not in running.text)


async def test_leaving_asks_once_and_says_so_with_its_exit_status(tmp_path: Path, disk: Disk) -> None:
    async with still(tmp_path, answer(), session=TALK) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        await running.type("<ctrl+q>")
        await running.shows("Ctrl+Q once more leaves without it")
        assert not running.app._exit
        assert await left(running) == (TALK.id, 1)


@pytest.mark.parametrize("key", ["<ctrl+q>", "<ctrl+d>", "<ctrl+c><ctrl+c>", "/quit<enter>"])
async def test_every_way_out_asks(tmp_path: Path, disk: Disk, key: str) -> None:
    async with still(tmp_path, answer(), session=TALK) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        await running.type(key)
        await running.shows("once more leaves without it")
        assert not running.app._exit


async def test_a_draft_that_cannot_be_kept_does_not_hold_anybody(tmp_path: Path, disk: Disk) -> None:
    async with still(tmp_path) as running:
        disk.reason = errno.ENOSPC
        await running.type("half a thought<ctrl+q>")
        await running.shows("once more leaves without it")
        assert running.screen.composer.draft == "half a thought"
        assert await left(running) == (None, 1)


async def test_it_asks_again_about_other_text(tmp_path: Path, disk: Disk) -> None:
    async with still(tmp_path, session=TALK) as running:
        disk.reason = errno.ENOSPC
        await running.type("half<ctrl+q>")
        await running.shows("once more leaves without it")
        await running.type(" a thought<ctrl+q>")
        await running.pilot.pause(0.1)
        assert not running.app._exit
        assert await left(running) == (TALK.id, 1)


async def test_two_presses_at_once_are_one_question(tmp_path: Path, disk: Disk) -> None:
    async with still(tmp_path, answer(), session=TALK) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        await asyncio.gather(running.screen.leave(), running.screen.leave())
        await running.shows("once more leaves without it")
        assert not running.app._exit


async def test_text_that_is_gone_again_is_not_asked_about(tmp_path: Path, disk: Disk) -> None:
    async with still(tmp_path) as running:
        disk.reason = errno.ENOSPC
        await running.type("half<ctrl+q>")
        await running.shows("once more leaves without it")
        running.screen.composer.draft = ""
        assert await left(running) == (None, 0)


async def test_a_session_that_cannot_be_saved_stays_open_behind_another(tmp_path: Path, disk: Disk) -> None:
    async with still(tmp_path, answer(), session=TALK) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        await switch(running)
        await running.shows("! 1 not saved")
        await running.screen.current.open(running.files.path_of(TALK))
        assert [message.content for message in running.screen.chat.branch][-1] == "Braise it."
        await switch(running)
        disk.reason = None
        assert (await left(running))[1] == 0
        assert saved(running)[-1] == "Braise it."


async def test_a_session_without_a_file_stays_on_screen_until_it_has_one(tmp_path: Path, disk: Disk) -> None:
    async with still(tmp_path, answer()) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        first = running.screen.chat
        await running.type("<ctrl+n>")
        await running.pilot.pause(0.1)
        assert running.screen.chat is first
        disk.reason = None
        await switch(running)
        assert saved(running, first.session.id) == ["More?", "Braise it."]


async def test_a_deleted_session_is_whole_in_the_trash_or_not_deleted(tmp_path: Path, disk: Disk) -> None:
    async with still(tmp_path, answer(), session=TALK) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        await running.type("/delete-session<enter>")
        await running.pilot.pause(0.1)
        assert saved(running) == ["Lamb?", "Roast it."]
        disk.reason = None
        await running.type("<escape>/delete-session<enter>")
        await running.shows("Moved to the trash")
        assert not running.files.list().summaries
        (lost,) = running.files.trashed().summaries
        assert lost.messages == 4


async def test_a_change_on_its_way_to_the_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with still(tmp_path, session=TALK) as running:
        save = running.services.session_store.save
        states = list[str]()

        async def slow(session: Session) -> None:
            await running.pilot.pause(0.05)
            await save(session)
            states.append(session.title)

        monkeypatch.setattr(running.services.session_store, "save", slow)
        await running.pilot.press(*"/rename Stew", "enter", *"/rename Soup", "enter", "ctrl+q")
        await running.until(lambda: running.app._exit)
        assert states[-1] == "Soup"


class Refusing:
    """A store whose k-th save fails."""

    def __init__(self, save: Callable[[Session], Awaitable[object]], kth: int) -> None:
        self._save, self._left = save, kth

    async def __call__(self, session: Session) -> None:
        self._left -= 1
        if not self._left:
            raise StorageError("The disk is full.")
        await self._save(session)


@pytest.mark.parametrize("kth", range(1, 7))
async def test_whichever_save_fails_everything_is_in_the_file_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kth: int
) -> None:
    async with still(tmp_path, answer("one"), answer("two"), session=TALK) as running:
        library = running.services.session_store
        monkeypatch.setattr(library, "save", Refusing(library.save, kth))
        await ask(running)
        await rename(running)
        await send(running)
        await running.type("half")
        assert (await left(running))[1] == 0
        assert saved(running) == ["Lamb?", "Roast it.", "More?", "one", "And more?", "two"]
        assert load_draft(running.files.path_of(TALK)) == "half"


def test_the_program_itself_on_a_disk_that_takes_nothing_for_a_while(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: it holds for this process and nothing else."""
    env = {"KIMI_TUI_DATA_DIR": str(tmp_path), "KIMI_TUI_CONFIG": str(tmp_path / "config.toml")}

    def limit(pid: int, size: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("first words\r")
        terminal.until("Thought for")
        terminal.until("○ ready")
        limit(terminal.pid, 0)
        terminal.send("second words\r")
        terminal.until(MARK)
        terminal.until("This session is not saved")
        terminal.until("○ ready")
        terminal.send("\x11")
        terminal.until("once more leaves without it")
        limit(terminal.pid, resource.RLIM_INFINITY)
        terminal.send("\x11")
        assert terminal.end() == 0
    (file,) = (tmp_path / "sessions").glob("*.toml")
    assert file.read_text("utf-8").count("[[messages]]") == 4

    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        limit(terminal.pid, 0)
        terminal.send("half a thought\x11")
        terminal.until("once more leaves without it")
        terminal.send("\x11")
        assert terminal.end() == 1
        assert "could not be saved" in terminal.text
