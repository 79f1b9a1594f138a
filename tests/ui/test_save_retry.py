"""What cannot be saved is told in one place until it is solved, tried again, and can be saved elsewhere."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import SessionHeldError
from kimi_tui.core.session.file_formats import ENDINGS
from kimi_tui.ui.widgets.told_lines import SaveLine
from tests.fakes.clock import WaitingClock
from tests.fakes.disk import Disk
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it."))


def answer(text: str = "Braise it.") -> Script:
    return streaming(token("hm"), think_end(), token(text), end(), DONE)


def line(running: Program) -> str:
    """What is told of saving; "" = nothing."""
    widget = running.screen.query_one(SaveLine)
    return str(widget.render()) if widget.display else ""


async def ask(running: Program, text: str = "More?") -> None:
    count = len(running.client.bodies)
    await running.type(f"{text}<enter>")
    await running.until(lambda: len(running.client.bodies) > count)
    await running.idle()


async def pass_time(clock: WaitingClock, running: Program, seconds: int) -> None:
    """Let seconds pass that are waited for, while anything is not saved."""
    for _ in range(seconds):
        await running.until(lambda: clock.is_waited_for or not line(running))
        clock.advance(1)
    await running.until(lambda: clock.is_waited_for or not line(running))


def contents(running: Program, path: Path) -> list[str]:
    return [message.content for message in running.files.read_only(path).messages]


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES])
async def test_one_notice_stays_until_it_is_solved(tmp_path: Path, disk: Disk, reason: int) -> None:
    clock = WaitingClock()
    async with program(tmp_path, answer("one"), answer("two"), session=TALK, clock=clock) as running:
        disk.reason = reason
        await ask(running)
        await running.until(lambda: os.strerror(reason) in line(running))
        await ask(running, "And?")
        await running.type("/rename Stew<enter>/set temperature 0.5<enter><ctrl+l>")
        assert disk.refusals >= 6
        assert running.text.count(os.strerror(reason)) == 1
        assert re.search(r"This session is not saved: .*", line(running))
        assert "Tried again in 1 s" in line(running)
        assert not [notice for notice in running.screen.chat.notices if notice.entry.severity == "error"]
        disk.reason = None
        await pass_time(clock, running, 1)
        await running.until(lambda: not line(running))
        await running.shows("Saved again.")
        saved = running.files.read_only(running.files.path_of(TALK))
        assert [message.content for message in saved.messages] == ["Lamb?", "Roast it.", "More?", "one", "And?", "two"]
        assert (saved.title, saved.settings["temperature"]) == ("Stew", 0.5)


async def test_the_pauses_grow_to_a_minute(tmp_path: Path, disk: Disk) -> None:
    clock = WaitingClock()
    async with program(tmp_path, answer(), session=TALK, clock=clock) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        await running.until(lambda: clock.is_waited_for)
        for pause_s in (1, 2, 4, 8, 16, 32, 60, 60):
            assert f"again in {pause_s} s" in line(running)
            before = disk.refusals
            await pass_time(clock, running, pause_s - 1)
            assert disk.refusals == before
            assert "again in 1 s" in line(running)
            await pass_time(clock, running, 1)
            assert disk.refusals > before
        disk.reason = None
        await ask_again(running)
        await running.until(lambda: not line(running))


async def ask_again(running: Program) -> None:
    """A change is saved at once, whatever the pause."""
    await running.type("/rename Stew<enter>")


async def test_it_begins_anew_after_it_was_solved(tmp_path: Path, disk: Disk) -> None:
    clock = WaitingClock()
    async with program(tmp_path, answer(), answer(), session=TALK, clock=clock) as running:
        for text in ("More?", "And?"):
            disk.reason = errno.ENOSPC
            await ask(running, text)
            await running.until(lambda: "again in 1 s" in line(running))
            await pass_time(clock, running, 1)
            await running.until(lambda: "again in 2 s" in line(running))
            disk.reason = None
            await ask_again(running)
            await running.until(lambda: not line(running))


async def test_a_session_behind_another_is_told_and_saved_too(tmp_path: Path, disk: Disk) -> None:
    clock = WaitingClock()
    async with program(tmp_path, answer(), session=TALK, clock=clock) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        await running.type("<ctrl+n>")
        await running.until(lambda: running.screen.chat.session.id != TALK.id)
        await pass_time(clock, running, 1)
        await running.until(lambda: "“Lamb?”, open behind this session, is not saved" in line(running))
        disk.reason = None
        await pass_time(clock, running, 4)
        await running.until(lambda: not line(running))
        assert contents(running, running.files.path_of(TALK))[-1] == "Braise it."


async def test_a_draft_that_was_asked_about_is_saved_again(tmp_path: Path, disk: Disk) -> None:
    clock = WaitingClock()
    async with program(tmp_path, session=TALK, clock=clock) as running:
        disk.reason = errno.ENOSPC
        await running.type("half a thought<ctrl+q>")
        await running.shows("once more leaves without it")
        await running.until(lambda: bool(line(running)))
        disk.reason = None
        await pass_time(clock, running, 1)
        await running.until(lambda: not line(running))
        await running.until(lambda: "once more leaves" not in running.text)
        assert load_draft(running.files.path_of(TALK)) == "half a thought"


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (45, 16)])
async def test_it_is_seen_in_small_windows_and_beside_panes(tmp_path: Path, disk: Disk, size: tuple[int, int]) -> None:
    async with program(tmp_path, answer(), session=TALK, clock=WaitingClock(), size=size) as running:
        disk.reason = errno.ENOSPC
        await ask(running)
        await running.until(lambda: bool(line(running)))
        for key in ("<f2>", "<escape>", "<f5>"):
            await running.type(key)
            await running.shows("This session is not saved")
            assert running.screen.query_one(SaveLine).region.height >= 2


async def vanish(running: Program) -> None:
    shutil.rmtree(running.files.folder)


async def become_a_file(running: Program) -> None:
    shutil.rmtree(running.files.folder)
    running.files.folder.write_text("no folder")


@pytest.mark.parametrize("damage", [vanish, become_a_file])
async def test_a_folder_that_is_gone(tmp_path: Path, damage: Callable[[Program], Awaitable[None]]) -> None:
    clock = WaitingClock()
    async with program(tmp_path, answer(), session=TALK, clock=clock) as running:
        await damage(running)
        await ask(running)
        # What keeps the reply while it comes may have made the folder again; nothing is unsaved then.
        file = running.files.path_of(TALK)
        await running.until(lambda: "not saved" in line(running) or (damage is vanish and file.exists()))
        if damage is become_a_file:
            running.files.folder.unlink()
        running.files.folder.mkdir(exist_ok=True)
        await pass_time(clock, running, 3)
        await running.until(lambda: not line(running))
        assert contents(running, running.files.path_of(TALK)) == ["Lamb?", "Roast it.", "More?", "Braise it."]


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EIO])
async def test_a_folder_that_may_not_be_looked_into_keeps_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    clock = WaitingClock()
    async with program(tmp_path, answer(), session=TALK, clock=clock) as running:
        running.files.save_draft(running.files.path_of(TALK), "old")
        folder = str(running.files.folder)

        def refused(name: str) -> Callable[..., object]:
            real = getattr(os, name)

            def call(path: object, *arguments: object, **named: object) -> object:
                if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(folder + "/"):
                    raise OSError(reason, os.strerror(reason))
                return real(path, *arguments, **named)

            return call

        with monkeypatch.context() as patch:
            for name in ("stat", "lstat", "open", "unlink"):
                patch.setattr(os, name, refused(name))
            await ask(running)
            await running.until(lambda: "not saved" in line(running))
            await running.type("/rename Stew<enter>half<ctrl+q>")
            await running.shows("once more leaves without it")
            await pass_time(clock, running, 3)
            assert "not saved" in line(running)
            assert not [it for it in running.screen.chat.notices if "inside the program" in str(it.entry.text)]
        await pass_time(clock, running, 8)
        await running.until(lambda: not line(running))
        assert load_draft(running.files.path_of(TALK)) == "half"
        assert running.files.read_only(running.files.path_of(TALK)).title == "Stew"


@pytest.mark.parametrize("ending", ENDINGS)
async def test_save_as_goes_on_elsewhere(tmp_path: Path, ending: str) -> None:
    elsewhere = tmp_path / "usb"
    elsewhere.mkdir()
    new = elsewhere / f"lamb{ending}"
    async with program(tmp_path, answer("one"), answer("two"), session=TALK, clock=WaitingClock()) as running:
        shutil.rmtree(running.files.folder)
        running.files.folder.touch()  # so that nothing makes it again
        await ask(running)
        await running.until(lambda: "not saved" in line(running))
        await running.type(f"/save-as {new}<enter>")
        await running.shows("The session lies in")
        await running.until(lambda: not line(running))
        assert contents(running, new) == ["Lamb?", "Roast it.", "More?", "one"]
        await ask(running, "And?")
        await running.until(lambda: len(contents(running, new)) == 6)
        assert running.files.name_of(TALK.id) == str(new)
        await running.type("half a thought<ctrl+q>")
        await running.until(lambda: running.app._exit)
        assert (running.app.return_value, running.app.return_code) == (TALK.id, 0)
        assert running.files.folder.is_file()
    again = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    held = again.open(new)  # nobody holds it any more
    assert (held.draft, held.session.id, len(held.session.messages)) == ("half a thought", TALK.id, 6)
    if ending == ".json":
        assert json.loads(new.read_text())["title"] == "Lamb?"
    held.release()


async def test_save_as_leaves_the_old_file_and_lets_others_open_it(tmp_path: Path) -> None:
    new = tmp_path / "new.toml"
    async with program(tmp_path, answer(), session=TALK, clock=WaitingClock()) as running:
        old = running.files.path_of(TALK)
        before = old.read_bytes()
        await running.type(f"half<ctrl+u>/save-as {new}<enter>")
        await running.shows("stays as it was saved last")
        told = str(running.screen.chat.notices[-1].entry.text)
        assert f"know that one: kimi-tui -r {new} opens this one" in told
        await ask(running)
        await running.until(lambda: len(contents(running, new)) == 4)
        assert old.read_bytes() == before
        other = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
        await running.until(lambda: not (old.parent / f".{old.stem}.lock").exists())
        other.open(old).release()
        with pytest.raises(SessionHeldError):
            other.open(new, "ask")


@pytest.mark.parametrize(
    ("name", "words"),
    [("taken.toml", "is there already"), ("notes.md", "has to end in .toml or .json"), ("no/where.toml", "no folder")],
)
async def test_save_as_refuses(tmp_path: Path, name: str, words: str) -> None:
    taken = tmp_path / "taken.toml"
    taken.write_text("mine")
    async with program(tmp_path, answer(), session=TALK, clock=WaitingClock()) as running:
        old = running.files.path_of(TALK)
        await running.type(f"/save-as {tmp_path / name}<enter>")
        await running.until(lambda: any(words in str(notice.entry.text) for notice in running.screen.chat.notices))
        await running.type("<escape>")
        running.screen.composer.draft = ""
        await ask(running)
        await running.until(lambda: len(contents(running, old)) == 4)
    assert taken.read_text() == "mine"
    assert not (tmp_path / "notes.md").exists()


async def test_a_reply_that_ends_while_it_is_saved_elsewhere_is_saved_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "new.json"
    async with program(tmp_path, answer(), session=TALK, clock=WaitingClock()) as running:
        save_as = running.files.save_as
        chat = running.screen.chat

        def slow(*arguments: object) -> object:
            chat.open_session.update(lambda value: talk(("Lamb?", "Roast it."), ("Stew?", "Slowly.")))
            return save_as(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(running.files, "save_as", slow)
        await running.type(f"/save-as {new}<enter>")
        await running.shows("The session lies in")
        await running.until(lambda: contents(running, new) == ["Lamb?", "Roast it.", "Stew?", "Slowly."])


async def test_a_newer_programs_session_is_never_written(tmp_path: Path) -> None:
    async with program(tmp_path, answer(), clock=WaitingClock()) as running:
        running.files.save_now(TALK)
        path = running.files.path_of(TALK)
        path.write_text(path.read_text().replace("version = 1", "version = 2", 1))
        before = path.read_bytes()
        await running.screen.current.open(path)
        await running.shows("Roast it.")
        await running.type("/rename Stew<enter>More?<enter>")
        await running.idle()
        await running.type("/delete-session<enter><ctrl+q>")
        await running.pilot.pause(0.2)
    assert path.read_bytes() == before
