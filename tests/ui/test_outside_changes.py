"""Another program changes the file of a session that is on screen: what becomes of both, and what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.ui.app import chat_screen
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

TALK = replace(talk(("Lamb?", "Roast it.")), prompt_cache_key="key")
QUIET = "Another program changed this session's file; this is what it says now."
BOTH = "both versions are kept."


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at again and again; without it, not while a test lasts."""
    monkeypatch.setattr(chat_screen, "WATCH_S", 0.25)


def elsewhere(running: Program) -> SessionFiles:
    return SessionFiles(running.files.folder, running.files.trash)


def place(running: Program) -> Path:
    return running.files.folder / f"{TALK.id}.toml"


def edit(running: Program, text: str = "theirs") -> None:
    """Change the file as another program does."""
    other = elsewhere(running)
    session = other.read_only(place(running))
    other.save_now(session.with_message(Message("m9", Role.USER, text, session.head)))


def texts(running: Program) -> dict[str, list[str]]:
    other = elsewhere(running)
    found = [other.read_only(Path(summary.path)) for summary in other.list().summaries]
    return {session.title: [message.content for message in session.messages] for session in found}


@pytest.mark.usefixtures("often")
async def test_it_is_shown_where_nothing_was_changed_here(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("half a thought")
        edit(running)
        await running.shows("theirs")
        await running.shows(QUIET)
        assert running.screen.composer.draft == "half a thought"
        assert running.screen.chat.session.path == str(place(running))


@pytest.mark.usefixtures("often")
async def test_what_a_newer_version_wrote_makes_it_read_only(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        place(running).write_text(place(running).read_text("utf-8").replace("version = 1", "version = 2"), "utf-8")
        await running.shows("read-only: ")
        await running.type("half a thought<enter>")
        await running.shows("half a thought")
        assert (running.client.bodies, running.screen.composer.draft) == ([], "half a thought")


@pytest.mark.usefixtures("often")
async def test_our_own_saves_are_no_change(tmp_path: Path) -> None:
    answer = streaming(token("hm"), think_end(), token("Yes."), end(), DONE)
    async with program(tmp_path, answer, session=TALK) as running:
        await running.type("More?<enter>")
        await running.shows("Yes.")
        await running.type("/rename Stew<enter>")
        await running.shows("Stew")
        await running.pilot.pause(0.2)
        assert "nother program" not in running.text
        assert list(texts(running)) == ["Stew"]


async def test_both_are_kept_where_it_was_changed_here_too(tmp_path: Path) -> None:
    answers = [streaming(token("hm"), think_end(), token(text), end(), DONE) for text in ("Yes.", "No.")]
    async with program(tmp_path, *answers, session=TALK) as running:
        edit(running)
        await running.type("ours<enter>")
        await running.shows("Yes.")
        await running.idle()
        await running.type("half")
        title, path = f"{TALK.title} (conflict)", running.screen.chat.path
        await running.until(lambda: title in running.text)
        for words in (BOTH, str(place(running))[-20:], path.name):
            assert words in running.text.replace("\n", " ") or words in str(running.screen.chat.notices[-1].entry.text)
        assert texts(running) == {
            TALK.title: ["Lamb?", "Roast it.", "theirs"],
            title: ["Lamb?", "Roast it.", "ours", "Yes."],
        }
        assert elsewhere(running).open(path).read_only
        assert not elsewhere(running).open(place(running)).read_only
        await running.type(" more<enter>")
        await running.shows("No.")
        await running.idle()
        assert texts(running)[title][-2:] == ["half more", "No."]
        await running.type("<ctrl+q>")
        await running.until(lambda: running.app._exit)
        assert running.app.return_value == running.screen.chat.session.id
        assert BOTH in "".join(running.app.parting_words)


@pytest.mark.usefixtures("often")
async def test_a_reply_that_grows_goes_into_the_copy(tmp_path: Path) -> None:
    gate = asyncio.Event()
    answer = streaming(token("hm"), think_end(), token("one"), gate, token(" two"), end(), DONE)
    async with program(tmp_path, answer, session=TALK) as running:
        await running.type("ours<enter>")
        await running.shows("answering")
        edit(running)
        await running.pilot.pause(0.2)
        assert "theirs" not in running.text
        gate.set()
        await running.shows(BOTH)
        await running.idle()
        assert texts(running)[f"{TALK.title} (conflict)"] == ["Lamb?", "Roast it.", "ours", "one two"]
        assert texts(running)[TALK.title] == ["Lamb?", "Roast it.", "ours", "theirs"]


def gone(path: Path) -> None:
    path.unlink()


def broken(path: Path) -> None:
    path.write_text("= no")


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(("wreck", "words"), [(gone, "it was written again"), (broken, "cannot be read")])
async def test_what_no_file_holds_any_more_is_written(
    tmp_path: Path, wreck: Callable[[Path], None], words: str
) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("half a thought")
        wreck(place(running))
        await running.shows(words)
        assert ["Lamb?", "Roast it."] in texts(running).values()
        if wreck is broken:
            assert place(running).read_text() == "= no"
            assert "(conflict)" in running.text
            copy = running.screen.chat
            await running.until(lambda: load_draft(copy.path) == "half a thought")
        assert running.screen.composer.draft == "half a thought"


async def test_what_vanished_is_written_again_on_leaving(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        gone(place(running))
        await running.type("<ctrl+q>")
        await running.until(lambda: running.app._exit)
        assert texts(running) == {TALK.title: ["Lamb?", "Roast it."]}


async def test_a_session_that_others_changed_is_not_deleted_for_another(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        edit(running)
        running.screen.chat.open_session.update(lambda value: replace(value, title="Stew"))
        await running.type("/delete-session<enter>")
        await running.shows("Nothing was deleted")
        assert texts(running)[TALK.title][-1] == "theirs"
        assert "Stew (conflict)" in texts(running)


@pytest.mark.usefixtures("often")
async def test_a_message_deleted_here_can_be_brought_back_whatever_others_wrote(tmp_path: Path) -> None:
    def ids(session: Session) -> set[str]:
        return {message.id for message in session.messages}

    async with program(tmp_path, session=TALK) as running:
        await running.type("/delete<enter>")
        await running.shows("Deleted 1 message")
        await running.until(lambda: not running.screen.chat.open_session.is_changed)
        edit(running)
        await running.shows(QUIET)
        await running.type("/undo<enter>")
        await running.shows("Brought back")
        assert ids(running.screen.chat.session) == {"m1", "m2", "m9"}
