"""A session that another window holds: it can be read here, and made a copy of one's own; then taken over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.ports import HeldSession
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.settings.actions import BY_ID
from kimi_tui.ui.app import chat_screen
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

TALK = replace(talk(("Lamb?", "Roast it."), ("More?", "Braise it.")), prompt_cache_key="key")
WORDS = "read-only: The session is open elsewhere: held by a kimi-tui window"
ANSWER = streaming(token("hm"), think_end(), token("Yes."), end(), DONE)


class Holder:
    """Another window that has the session."""

    def __init__(self, folder: Path) -> None:
        self.files = SessionFiles(folder / "sessions", folder / "trash")
        self.files.save_now(TALK)
        self.held: HeldSession = self.files.open(self.files.path_of(TALK))
        self.session = self.held.session

    @property
    def path(self) -> Path:
        return self.held.path

    def write(self, text: str) -> None:
        self.session = self.session.with_message(
            Message(self.session.next_message_ids(1)[0], Role.USER, text, self.session.head)
        )
        assert self.files.save_now(self.session) is None

    def stored(self, path: Path | None = None) -> Session:
        return SessionFiles(self.files.folder, self.files.trash).read_only(path or self.path)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_screen, "WATCH_S", 0.25)


@asynccontextmanager
async def second_window(
    tmp_path: Path, *scripts: Script, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Program, Holder]]:
    holder = Holder(tmp_path)
    async with program(tmp_path, *scripts, session=TALK, size=size) as running:
        yield running, holder
    holder.held.release()


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_it_says_so_and_how_to_go_on(tmp_path: Path, size: tuple[int, int]) -> None:
    async with second_window(tmp_path, size=size) as (running, _):
        await running.shows("Braise it.")
        await running.shows("read-only  ")
        await running.shows("Ctrl+B copy")
        assert "read-only: The session is open elsewhere" in running.text
        assert "Enter send" not in running.text


async def test_what_is_sent_stays_in_the_composer(tmp_path: Path) -> None:
    async with second_window(tmp_path) as (running, holder):
        await running.type("my words<enter>")
        await running.shows("Nothing was sent; your text is in the composer.")
        assert running.screen.composer.draft == "my words"
        await running.type("<enter>")
        await running.pilot.pause()
        assert running.text.count(WORDS) == 1
        assert not running.client.bodies
        assert holder.stored() == TALK


CHANGES = (
    "/rename Stew",
    "/think off",
    "/set temperature 0.3",
    "/reset",
    "/system Be brief.",
    "/preset endpoint",
    "/save-preset mine",
    "/edit",
    "/regenerate",
    "/delete",
    "/leave-out",
    "/delete-session",
)


@pytest.mark.parametrize("line", CHANGES)
async def test_whatever_changes_it_is_refused_with_the_same_words(tmp_path: Path, line: str) -> None:
    async with second_window(tmp_path) as (running, holder):
        await running.shows(WORDS)
        await running.type("<ctrl+l>")
        assert WORDS not in running.text
        before = running.screen.chat.session
        await running.type(f"{line}<enter>")
        await running.shows(WORDS)
        assert running.screen.chat.session is before
        assert running.settings.saved == {}
        assert not running.client.bodies
        assert holder.stored() == TALK
        assert running.screen.composer.draft == line


async def test_panes_change_nothing_either(tmp_path: Path) -> None:
    async with second_window(tmp_path) as (running, holder):
        await running.shows(WORDS)
        await running.type("<ctrl+l><f2>")
        await running.shows("Today" if "Today" in running.text else "Lamb?")
        await running.type("r<ctrl+a>Stew<enter>")
        await running.shows("read-only")
        assert running.screen.chat.session.title == TALK.title
        await running.type("<escape><f4>")
        await running.shows("temperature")
        await running.type("<down><enter>")
        await running.pilot.pause(0.1)
        assert holder.stored() == TALK


async def test_everything_can_be_read_searched_and_written_elsewhere(tmp_path: Path) -> None:
    async with second_window(tmp_path) as (running, _):
        await running.type("/find braise<enter>")
        await running.shows("1/1")
        await running.type(f"<escape>/export {tmp_path / 'lamb.md'}<enter>")
        await running.shows("Exported")
        assert "Braise it." in (tmp_path / "lamb.md").read_text()
        await running.type("/duplicate<enter>")
        await running.shows("Copied")
        assert len(running.files.list().summaries) == 2


async def test_saved_elsewhere_it_is_ones_own_with_what_is_typed(tmp_path: Path) -> None:
    new = tmp_path / "mine.toml"
    async with second_window(tmp_path, ANSWER) as (running, holder):
        await running.shows(WORDS)
        await running.type("half a thought")
        running.screen.drafts.begin_argument(BY_ID["save-as"])
        await running.type(f"{new}<enter>")
        await running.shows("The session lies in")
        await running.until(lambda: load_draft(new) == "half a thought")
        assert not list(holder.path.parent.glob(".*.draft"))
        assert running.screen.composer.draft == "half a thought"
        await running.type("<enter>")
        await running.until(lambda: len(holder.stored(new).messages) == 6)
        assert "read-only" not in running.text
        assert holder.stored().messages == TALK.messages


async def test_what_the_holder_writes_comes_on_screen(tmp_path: Path) -> None:
    async with second_window(tmp_path) as (running, holder):
        await running.type("half a thought")
        holder.write("And stew?")
        await running.shows("And stew?")
        assert running.screen.composer.draft == "half a thought"
        holder.write("And soup?")
        await running.shows("And soup?")
        assert "changed this session's file" not in running.text


async def test_one_key_makes_it_a_copy_with_what_is_typed(tmp_path: Path) -> None:
    async with second_window(tmp_path, ANSWER) as (running, holder):
        await running.type("half a thought<ctrl+b>")
        await running.shows("opened as a copy: Lamb? (copy)")
        assert "read-only" not in running.text
        chat = running.screen.chat
        assert chat.session.id != TALK.id
        assert (chat.session.title, chat.session.messages) == ("Lamb? (copy)", TALK.messages)
        assert load_draft(chat.path) == "half a thought"
        await running.type("<enter>")
        await running.shows("Yes.")
        await running.idle()
        assert [message.content for message in holder.stored(chat.path).messages][-2:] == ["half a thought", "Yes."]
        assert holder.stored() == TALK
        assert not list(holder.files.folder.glob(".*window*.draft"))


async def test_an_edit_that_waits_comes_along(tmp_path: Path) -> None:
    async with second_window(tmp_path, ANSWER) as (running, _):
        await running.type("half a thought")
        running.screen.drafts.begin_edit("m3", "More?")
        await running.type(" Or less?<enter>")
        await running.shows("Nothing was sent")
        assert running.screen.drafts.texts == ("half a thought", "More? Or less?")
        await running.type("<ctrl+b>")
        await running.shows("opened as a copy")
        assert running.screen.drafts.texts == ("half a thought", "More? Or less?")
        assert running.screen.drafts.edited == "m3"
        await running.type("<enter>")
        await running.shows("Yes.")
        assert running.screen.chat.session.messages[-2].parent == "m2"


async def test_what_is_on_screen_is_copied_whatever_became_of_the_file(tmp_path: Path) -> None:
    async with second_window(tmp_path) as (running, holder):
        await running.shows(WORDS)
        holder.path.unlink()
        await running.shows("The file of this session is gone")
        assert not holder.path.exists()  # only who holds it writes it again
        await running.type("<ctrl+l>")
        await running.pilot.pause(0.2)
        assert "is gone" not in running.text  # once is enough
        await running.type("<ctrl+b>")
        await running.shows("opened as a copy")
        assert holder.stored(running.screen.chat.path).messages == TALK.messages


async def test_its_draft_lies_apart_and_comes_back(tmp_path: Path) -> None:
    holder = Holder(tmp_path)
    holder.files.save_draft(holder.path, "the holder's")
    for number in range(2):
        async with program(tmp_path, session=TALK) as running:
            await running.shows(WORDS)
            assert running.screen.composer.draft == "my own" * number
            await running.type("<ctrl+q>" if number else "my own<ctrl+q>")
            await running.until(lambda: running.app._exit)
            assert running.app.return_code == 0
            assert load_draft(holder.path) == "the holder's"
    holder.held.release()
    assert holder.files.open(holder.path).draft == "the holder's\n\nmy own"


async def test_when_its_holder_has_gone_it_is_taken_over(tmp_path: Path) -> None:
    async with second_window(tmp_path, ANSWER) as (running, holder):
        await running.shows(WORDS)
        await running.type("half a thought")
        holder.write("And stew?")
        holder.files.save_draft(holder.path, "left behind")
        holder.held.release()
        await running.shows("The session is free now")
        await running.shows("Ctrl+B take over")
        assert WORDS not in running.text
        await running.type("<ctrl+b>")
        await running.shows("can be changed here now")
        assert "read-only" not in running.text
        assert running.screen.chat.branch[-1].content == "And stew?"
        assert running.screen.composer.draft == "left behind\n\nhalf a thought"
        assert holder.files.open(holder.path).read_only
        await running.type("<enter>")
        await running.shows("Yes.")
        await running.idle()
        assert holder.stored().messages[-1].content == "Yes."


async def test_one_that_somebody_else_took_first_stays_read_only(tmp_path: Path) -> None:
    async with second_window(tmp_path) as (running, holder):
        await running.shows(WORDS)
        await running.type("half a thought")
        holder.held.release()
        await running.shows("The session is free now")
        taken = holder.files.open(holder.path)
        assert not taken.read_only
        await running.type("<ctrl+b>")
        await running.shows(WORDS)
        assert running.screen.composer.draft == "half a thought"
        taken.release()
        await running.shows("The session is free now")


async def test_a_session_of_ones_own_has_no_such_key(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<ctrl+b>")
        await running.shows("there is no session that others hold here.")
        assert running.screen.chat.session.id == TALK.id


async def test_another_session_is_left_and_come_back_to(tmp_path: Path) -> None:
    async with second_window(tmp_path) as (running, holder):
        await running.type("half a thought<ctrl+n>")
        await running.until(lambda: running.screen.chat.session.id != TALK.id)
        await running.until(lambda: "read-only" not in running.text)
        await running.type("/resume Lamb<enter>")
        await running.shows(WORDS)
        assert running.screen.composer.draft == "half a thought"
        await running.type("<ctrl+n>")
        await running.until(lambda: running.screen.chat.session.id != TALK.id)
        holder.held.release()
        await running.type("/resume Lamb<enter>")
        await running.until(lambda: running.screen.chat.session.id == TALK.id)
        assert "read-only" not in running.text
        assert running.screen.composer.draft == "half a thought"
