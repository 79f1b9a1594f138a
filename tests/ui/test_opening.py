"""A session that is read while the first frame is on screen: no key waits for it, and none is lost."""

from __future__ import annotations

import asyncio
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from textual.widgets import Input

from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.cli.first_session import first_session
from kimi_tui.core.errors import SessionHeldError, StorageError
from kimi_tui.core.markdown import chunked_text
from kimi_tui.core.markdown.cutting import Cut, next_cut
from kimi_tui.core.ports import HeldSession
from kimi_tui.core.settings.actions import ACTIONS, Action, Scope
from kimi_tui.ui.keys.focus import scope_of
from kimi_tui.ui.state import entries, status_line
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import FirstSession
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import Program, program, settle, talk

TALK = talk(("Lamb?", "Roast it."))


class SlowFile:
    """A file whose reading ends when it is told to."""

    def __init__(self, error: StorageError | None = None) -> None:
        self.may_end, self._error = threading.Event(), error

    def opening(self, data: Path) -> FirstSession:
        """A session that lies there, or would."""
        return FirstSession("lamb", lambda: self._open(data / "sessions" / f"{TALK.id}.toml"))

    def _open(self, path: Path) -> HeldSession:
        assert self.may_end.wait(20)
        if self._error is not None:
            raise self._error
        return HeldSession(replace(TALK, path=str(path)))


@pytest.fixture
def file() -> Iterator[SlowFile]:
    slow = SlowFile()
    yield slow
    slow.may_end.set()


async def test_what_is_typed_while_a_session_is_read_is_kept(tmp_path: Path, file: SlowFile) -> None:
    async with program(tmp_path, opening=file.opening(tmp_path)) as running:
        await running.shows("Opening lamb …")
        await running.type("half a thought")
        assert running.screen.composer.draft == "half a thought"
        file.may_end.set()
        await running.shows("Roast it.")
        assert running.screen.composer.draft == "half a thought"
        assert running.screen.chat.session == TALK
        assert not running.client.bodies


async def test_what_is_sent_waits_until_it_has_been_read(tmp_path: Path, file: SlowFile) -> None:
    answer = streaming(token("hm"), think_end(), token("Yes."), end(), DONE)
    async with program(tmp_path, answer, opening=file.opening(tmp_path)) as running:
        await running.type("early<enter>next")
        await running.shows("still being opened")
        assert running.screen.composer.draft == "next"
        assert not running.client.bodies
        file.may_end.set()
        await running.shows("Yes.")
        assert [message.content for message in running.screen.chat.branch][-2:] == ["early", "Yes."]
        assert running.screen.composer.draft == "next"


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("<ctrl+f>roast", "#find-bar Input"),
        ("/find<enter>roast", "#find-bar Input"),
        ("<f2>/roast", "#left-side Input"),
        ("<f6> roast", "#composer"),
        ("<shift+tab><up>e roast", "#composer"),
        ("<ctrl+n>roast", "#composer"),
        ("<ctrl+p>roast", "CommandPalette Input"),
    ],
)
async def test_what_is_typed_after_a_key_goes_where_that_key_leads(
    tmp_path: Path, file: SlowFile, typed: str, place: str
) -> None:
    async with program(tmp_path, opening=file.opening(tmp_path)) as running:
        await running.shows("Opening lamb …")
        first = running.screen.chat
        draft = "" if typed.startswith("/") else "half"
        await running.type(f"{draft}{typed}")
        assert running.screen.composer.draft == draft
        file.may_end.set()
        await running.until(lambda: running.screen.chat is not first)

        def arrived() -> bool:
            found = running.app.screen.query(place) or running.screen.query(place)
            return any("roast" in str(getattr(node, "value", getattr(node, "draft", ""))) for node in found)

        await running.until(arrived)
        texts = running.screen.drafts.texts
        assert texts[0] == (draft if typed != "<ctrl+n>roast" else "roast")


def is_done(running: Program) -> bool:
    """Whether nothing that a key began is on its way beside the screen, unless it asks in a screen above."""
    return len(running.app.screen_stack) > 1 or all(
        worker.group == "input" or worker.is_finished for worker in running.app.workers
    )


async def looks(running: Program) -> dict[str, object]:
    """Where everything stands that was typed."""
    await running.until(lambda: is_done(running))
    await settle(running)
    screen = running.screen
    await screen.open_chats.keep_drafts(screen.drafts.own)  # it is saved every now and then: not later than now
    fields = [field.value for field in (*running.app.screen.query(Input), *screen.query(Input))]
    return {
        "screens": [type(shown).__name__ for shown in running.app.screen_stack],
        "focus": scope_of(screen.focused),
        "texts": screen.drafts.texts,
        "title": screen.composer.border_title,
        "fields": fields,
        "chosen": screen.transcript.cursor.chosen,
        "sessions": len(screen.open_chats.all),
        "messages": [message.content for message in screen.chat.session.messages],
        "settings": screen.chat.session.settings,
        "kept": load_draft(running.files.path_of(TALK)),
    }


KEYED = [action for action in ACTIONS if action.keys and action.scope in {Scope.SCREEN, Scope.COMPOSER}]


@pytest.mark.parametrize("action", [action for action in KEYED if action.id != "quit"], ids=lambda action: action.id)
async def test_a_key_pressed_too_early_does_what_it_does_later(tmp_path: Path, file: SlowFile, action: Action) -> None:
    answer = streaming(token("hm"), think_end(), token("Yes."), end(), DONE)
    found = []
    for is_early in (True, False):
        file.may_end.clear()
        data = tmp_path / str(is_early)
        async with program(data, answer, opening=file.opening(data)) as running:
            running.files.save_now(TALK)
            first = running.screen.chat
            await running.shows("Opening lamb …")
            for is_now in (True, False):
                if is_now is is_early:
                    await running.type(f"half<{action.keys[0]}>joke")
                    assert running.app.crash is None
                if is_now:
                    file.may_end.set()
                    await running.until(lambda: running.screen.chat is not first)  # noqa: B023
                    await running.until(lambda: is_done(running))
                    await running.pilot.pause()
            found.append(await looks(running))
    assert found[0] == found[1]


async def test_what_shows_a_session_is_made_beside_the_screen(
    tmp_path: Path, file: SlowFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set[tuple[str, bool]]()

    def noted(owner: ModuleType, name: str) -> None:
        real = getattr(owner, name)

        def call(*args: object, **kwargs: object) -> object:
            threads.add((name, threading.current_thread() is threading.main_thread()))
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    async with program(tmp_path, opening=file.opening(tmp_path)) as running:
        await running.shows("Opening lamb …")
        noted(status_line, "context_of")
        file.may_end.set()
        await running.shows("Roast it.")
        await running.shows("context")
    assert threads == {("context_of", False)}


async def test_one_that_cannot_be_read_ends_the_program_with_the_reason(tmp_path: Path) -> None:
    slow = SlowFile(StorageError("it is no TOML."))
    async with program(tmp_path, opening=slow.opening(tmp_path)) as running:
        await running.shows("Opening lamb …")
        slow.may_end.set()
        await running.until(lambda: running.app.problem is not None)
        assert running.app.problem is slow._error


@pytest.mark.parametrize(
    ("typed", "is_kept"), [("  <ctrl+j> ", False), ("/them", False), ("/rename Stew", False), ("half", True)]
)
@pytest.mark.parametrize("way", ["<ctrl+n>", "<ctrl+q>"])
async def test_only_a_draft_worth_sending_makes_a_session(
    tmp_path: Path,
    typed: str,
    way: str,
    is_kept: bool,
) -> None:
    async with program(tmp_path) as running:
        before = running.screen.chat
        await running.type(f"{typed}{way}")
        await running.until(lambda: running.app._exit or running.screen.chat is not before)
        assert len(running.files.list().summaries) == is_kept
        assert [path.name for path in tmp_path.rglob("*.draft")] == [f".{before.session.id}.draft"] * is_kept
        if way == "<ctrl+q>":
            assert running.app.return_value == (before.session.id if is_kept else None)


async def test_a_command_that_was_being_typed_stays_with_a_session_that_is_there(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/rename Stew<ctrl+n>")
        await running.until(lambda: running.screen.chat.session.id != TALK.id)
        assert load_draft(running.files.path_of(TALK)) == "/rename Stew"


async def test_a_giant_message_is_cut_before_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    giant = talk(("Lamb?", "Roast it, **slowly**.\n\n" * 60_000))
    cuts, cut = list[threading.Thread](), next_cut

    def noted(*args: Any, **kwargs: Any) -> Cut | None:
        cuts.append(threading.current_thread())
        return cut(*args, **kwargs)

    async with program(tmp_path) as running:
        monkeypatch.setattr(chunked_text, "next_cut", noted)
        entry = entries.message_entry(giant.messages[-1])
        await asyncio.to_thread(running.screen.transcript.prepare, [entry])
        running.screen.transcript.set_entries([entry])
        await running.shows("Roast it, slowly.")
        assert len(cuts) > 3
        assert threading.main_thread() not in cuts


def is_held(path: Path) -> bool:
    try:
        with SessionLock(path, "test"):
            return False
    except SessionHeldError:
        return True


@pytest.mark.parametrize("is_quick", [True, False])
def test_a_session_that_takes_long_to_find_is_found_when_the_screen_is_there(
    tmp_path: Path, is_quick: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    store.save_now(TALK)
    path = store.find()
    store.save_draft(path, "half a thought")
    monkeypatch.setattr(store, "is_found_at_once", lambda _: is_quick)
    with ExitStack() as held:
        new = replace(TALK, id="20261124-081500-new0", messages=(), head=None)
        first, opening = first_session(Namespace(resume="lam"), store, new, held)
        assert is_held(path) is is_quick
        assert first.session.title == f"opening {TALK.id if is_quick else 'lam'} …"
        assert opening is not None
        opened = opening.read()
        assert (opened.session.messages, opened.path, opened.draft) == (TALK.messages, path, "half a thought")
        assert is_held(path)
    assert not is_held(path)
    assert [summary.id for summary in store.list().summaries] == [TALK.id]


async def test_what_was_typed_before_a_session_is_there_makes_none(tmp_path: Path) -> None:
    """It lies with a stand-in until it is kept with the session; who recovers meanwhile must not take it."""
    store = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    store.save_now(TALK)
    new = replace(TALK, id="20261124-081500-new0", messages=(), head=None)
    with ExitStack() as held:
        first, opening = first_session(Namespace(resume="lam"), store, new, held)
        store.save_draft(first.path, "typed ahead")
        assert opening is not None
        chats = OpenChats(store, lambda: new, first, "")
        chat = chats.chat_of(opening.read())
        chats.begin_with(chat)
        assert not SessionFiles(tmp_path / "sessions", tmp_path / "trash").recover()
        await chats.keep_drafts("typed ahead")
        assert load_draft(chat.path) == "typed ahead"
        await chats.release()
        assert not is_held(first.path)
    assert [summary.id for summary in store.list().summaries] == [TALK.id]
    assert not load_draft(first.path)
