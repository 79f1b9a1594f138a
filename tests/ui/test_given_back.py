"""Texts that come back into the composer: as they were typed, and never mixed with the draft."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.core.errors import AuthenticationError, KeyMissingError
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Session
from kimi_tui.ui.state.slash import Text, parse_line, typed_before
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

SLASHED = talk(("/new idea", "Roast it."))
REFUSED = Script([], refuse=AuthenticationError("The key is wrong."))


def draft(running: Program) -> str:
    return running.screen.composer.draft


def held() -> tuple[Script, asyncio.Event]:
    gate = asyncio.Event()
    return streaming(token("hm"), think_end(), token("one"), gate, token(" end"), end(), DONE), gate


# -- a slash that is meant literally


def test_a_message_before_a_draft_is_one_message_with_it() -> None:
    assert typed_before("/one", "") == "//one"
    assert parse_line(typed_before("/one", "//two")) == Text("/one\n\n/two")
    assert parse_line(typed_before("one", "/two")) == Text("one\n\n/two")


async def test_a_message_that_failed_is_sent_as_the_same_text_again(tmp_path: Path) -> None:
    async with program(tmp_path, REFUSED, REFUSED) as running:
        for _ in range(2):
            if not draft(running):
                await running.type("//new idea")
            await running.type("<enter>")
            await running.shows("The key is wrong.")
            await running.until(lambda: draft(running) == "//new idea")
        assert [message.content for message in running.screen.chat.session.messages] == ["/new idea"] * 2


async def test_a_message_that_could_not_be_sent_keeps_its_slash(tmp_path: Path) -> None:
    async with program(tmp_path, key_problem=KeyMissingError("There is no key.")) as running:
        await running.type("//new idea<enter>")
        await running.shows("Nothing was sent")
        assert draft(running) == "//new idea"


async def test_the_last_message_and_older_ones_come_back_with_their_slashes(tmp_path: Path) -> None:
    session = talk(("/old", "Roast it."), ("/older", "Braise it."))
    async with program(tmp_path, session=session) as running:
        await running.type("<up>")
        assert draft(running) == "//older"
        await running.type("<up>")
        assert draft(running) == "//old"
        await running.type("<down>")
        assert draft(running) == "//older"


async def test_a_queued_message_comes_back_with_its_slash(tmp_path: Path) -> None:
    script, _ = held()
    async with program(tmp_path, script) as running:
        await running.type("first<enter>")
        await running.shows("one")
        await running.type("//new idea<enter><up>")
        assert draft(running) == "//new idea"
        await running.type("<enter><escape>")
        await running.idle()
        assert draft(running) == "//new idea"


async def test_a_message_that_failed_in_the_background_keeps_its_slash(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with program(tmp_path, streaming(gate, AuthenticationError("The key is wrong."))) as running:
        await running.type("//new idea<enter>")
        await running.until(lambda: running.screen.chat.replies.turn is not None)
        first = running.screen.chat
        await running.type("<ctrl+n>")
        gate.set()
        await running.until(lambda: first.unsent.draft == "//new idea")


async def test_an_edited_question_keeps_its_slash(tmp_path: Path) -> None:
    script, gate = held()
    gate.set()
    async with program(tmp_path, script, session=SLASHED) as running:
        await running.type("<shift+tab><up>e")
        assert draft(running) == "//new idea"
        await running.type("s<enter>")
        await running.idle()
        assert running.screen.chat.branch[0].content == "/new ideas"


async def test_an_edited_question_that_looks_like_a_command_can_still_be_mended(tmp_path: Path) -> None:
    script, gate = held()
    gate.set()
    async with program(tmp_path, script, session=talk(("/etc?", "Roast it."))) as running:
        await running.type("half<shift+tab><up>e<home><delete><enter>")
        await running.shows("There is no command /etc?")
        assert draft(running) == "/etc?"
        await running.type("<home>/<enter>")
        await running.idle()
        messages = running.screen.chat.session.messages
        assert [message.content for message in messages if message.parent is None] == ["/etc?", "/etc?"]
        assert draft(running) == "half"


# -- a command that failed


async def test_a_command_that_failed_stands_alone_and_the_draft_comes_back(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("mine", "utf-8")
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."))) as running:
        await running.type("my precious draft<f8>x.pdf<enter>")
        for _ in range(2):
            await running.until(lambda: draft(running) == "/export x.pdf")
            assert running.screen.drafts.texts == ("my precious draft", "/export x.pdf")
            await running.type("<enter>")
        await running.until(lambda: draft(running) == "/export x.pdf")
        await running.type(f"<end><backspace><backspace><backspace>md<home>{'<right>' * 8}{tmp_path}/<enter>")
        await running.shows("Exported to")
        assert draft(running) == "my precious draft"


async def test_escape_gives_a_command_that_failed_up(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."))) as running:
        await running.type("my precious draft<f8>x.pdf<enter>")
        await running.until(lambda: draft(running) == "/export x.pdf")
        assert "Not done: mend it (Escape cancels)" in running.text
        await running.type("<escape>")
        assert draft(running) == "my precious draft"


async def test_a_command_that_failed_is_typed_over_and_leaves_the_draft(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."))) as running:
        await running.type("my precious draft<f8>x.pdf<enter>")
        await running.until(lambda: draft(running) == "/export x.pdf")
        await running.type("/rename Stew<enter>")
        assert draft(running) == "my precious draft"
        assert running.screen.chat.session.title == "Stew"


async def test_what_was_begun_since_is_left_alone_by_a_command_that_failed(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."))) as running:
        await running.pilot.press(*"/export x.pdf", "enter", *"next")
        await running.shows("x.pdf")
        await running.until(lambda: draft(running) == "next")


async def test_a_text_of_several_lines_that_is_no_command_is_not_typed_over(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        await running.type("/etc/hosts says<ctrl+j>this<enter>")
        await running.shows("There is no command")
        await running.type("!")
        assert draft(running) == "/etc/hosts says\nthis!"


async def test_a_failure_while_a_command_is_typed_goes_to_the_draft_behind_it(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with program(tmp_path, streaming(gate, AuthenticationError("The key is wrong."))) as running:
        await running.type("question<enter>")
        await running.until(lambda: running.screen.chat.replies.turn is not None)
        await running.type("half<f8>notes")
        gate.set()
        await running.idle()
        assert draft(running) == "/export notes"
        await running.type("<escape>")
        assert draft(running) == "question\n\nhalf"


# -- an edit, and what it stands for


async def test_a_queued_message_has_nothing_of_an_edit_that_was_refused(tmp_path: Path) -> None:
    first, gate = held()
    second, last = held()
    last.set()
    async with program(
        tmp_path, first, second, session=talk(("Lamb?", "Roast it."), ("More?", "Braise it."))
    ) as running:
        await running.type("/set temperature 1<enter>")
        running.screen.chat.open_session.update(lambda value: replace(value, settings={"temperature": "hot"}))
        await running.type("<shift+tab><up><up><up>e now<enter>")
        await running.shows("Nothing was sent")
        await running.type("<escape>/reset<enter>/regenerate<enter>")
        await running.shows("one")
        await running.type("queued<enter>")
        gate.set()
        await running.until(lambda: len(running.client.bodies) == 2)
        await running.idle()
        question, reply = running.screen.chat.branch[-2:]
        assert question.content == "queued"
        assert question.parent == running.screen.chat.branch[-3].id
        assert "More?" in running.client.bodies[1]["input"]
        assert reply.content == "one end"


async def test_an_edit_that_a_command_takes_the_place_of_comes_back_as_that_edit(tmp_path: Path) -> None:
    script, gate = held()
    gate.set()
    async with program(tmp_path, script, session=talk(("Lamb?", "Roast it."), ("More?", "Braise it."))) as running:
        await running.type("half<shift+tab><up><up><up>e With garlic?<f6>")
        assert draft(running).startswith("/rename ")
        await running.type("<escape>")
        assert draft(running) == "Lamb? With garlic?"
        assert "Edit: sent, it becomes an alternative" in running.text
        await running.type("<enter>")
        await running.idle()
        assert [message.content for message in running.screen.chat.session.messages if message.parent is None] == [
            "Lamb?", "Lamb? With garlic?",
        ]  # fmt: skip
        assert draft(running) == "half"


async def test_an_edit_that_does_not_fit_comes_back_as_that_edit(tmp_path: Path) -> None:
    config = {"api": {"context_tokens": 2000}}
    async with program(tmp_path, session=talk(("Lamb?", "Roast it.")), config=config) as running:
        await running.type("half<shift+tab><up>e")
        running.screen.composer.draft = "Lamb? " + "very " * 9000
        await running.type("<enter>")
        await running.shows("the context window holds")
        await running.until(lambda: draft(running).startswith("Lamb? very"))
        assert "Edit: sent, it becomes an alternative" in running.text
        await running.type("<escape>")
        assert draft(running) == "half"


async def test_up_in_an_edit_leaves_the_queued_message_alone(tmp_path: Path) -> None:
    script, _ = held()
    async with program(tmp_path, script, session=talk(("Lamb?", "Roast it."))) as running:
        await running.type("first<enter>")
        await running.shows("one")
        await running.type("waits<enter>")
        running.screen.drafts.begin_edit("m1", "")
        await running.type("<up>")
        assert running.screen.chat.unsent.queued == ["waits"]


async def test_a_queued_message_is_not_sent_below_another_branch(tmp_path: Path) -> None:
    script, gate = held()
    async with program(tmp_path, script, session=talk(("Lamb?", "Roast it."))) as running:
        await running.type("/regenerate<enter>")
        await running.shows("one")
        await running.type("waits<enter>")
        running.screen.chat.open_session.update(lambda value: replace(value, head="m2"))
        gate.set()
        await running.idle()
        await running.shows("unsent")
        assert draft(running) == "waits"
        assert len(running.client.bodies) == 1


async def test_an_edit_of_a_deleted_question_can_be_seen_in_the_prompt(tmp_path: Path) -> None:
    session = talk(("Lamb?", "Roast it."), ("More?", "Braise it."))
    async with program(tmp_path, session=session, config={"ui": {"panes": ["prompt"]}}) as running:
        await running.type("<shift+tab><up>e now")
        running.screen.dispatcher.choose("first-message")
        running.screen.dispatcher.choose("delete")
        await running.pilot.pause(0.2)
        assert draft(running) == "More? now"


async def test_a_command_that_fails_later_is_not_mended_in_another_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."))) as running:
        first, gate = running.screen.chat, threading.Event()
        export = running.files.export

        def slow(session: Session, path: Path) -> None:
            gate.wait(10)
            export(session, path)

        monkeypatch.setattr(running.files, "export", slow)
        other = await running.screen.open_chats.create()
        running.screen.late.sending.submit("/export x.pdf")
        await running.screen.current.show(other)
        gate.set()
        await running.shows("x.pdf")
        await running.pilot.pause()
        assert running.screen.chat is not first
        assert not draft(running)


async def test_what_is_typed_while_a_session_is_left_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with program(tmp_path) as running:
        first, library = running.screen.chat, running.services.session_store
        save = library.save
        begun, gate = asyncio.Event(), asyncio.Event()

        async def slow(session: Session) -> None:
            begun.set()
            await gate.wait()
            await save(session)

        monkeypatch.setattr(library, "save", slow)
        await running.pilot.press(*"half", "ctrl+n")
        await running.until(begun.is_set)
        await running.type(" a thought")  # it may be meant for the next session, which does not come for too long
        await running.until(lambda: draft(running) == "half a thought")
        gate.set()
        await running.until(lambda: running.screen.chat is not first)
        assert load_draft(first.path) == "half a thought"
        assert not draft(running)


async def test_an_edit_of_a_reply_is_that_edit_again_when_one_comes_back_to_its_session(tmp_path: Path) -> None:
    talk_ = talk(("Lamb?", "Roast it."))
    async with program(tmp_path, session=talk_) as running:
        await running.type("half a question<shift+tab>e")
        await running.shows("Edit the answer")
        await running.type(" Slowly.<ctrl+n>")
        await running.until(lambda: running.screen.chat.session.id != talk_.id)
        assert running.screen.composer.draft == ""
        await running.type(f"/resume {talk_.id}<enter>")
        await running.shows("Roast it. Slowly.")
        await running.shows("Edit the answer")
        await running.type("<alt+k>")
        await running.shows("Kept.")
        assert running.client.bodies == []
        assert [message.content for message in running.screen.chat.branch] == ["Lamb?", "Roast it. Slowly."]
        assert running.screen.composer.draft == "half a question"


async def test_what_is_given_back_meanwhile_stands_in_the_draft_behind_the_edit(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        drafts = running.screen.drafts
        drafts.begin("draft", "a")
        drafts.begin_edit("m2", "reply", ReplyPart.ANSWER)
        running.screen.composer.draft = "reply, edited"
        own = drafts.own
        drafts.leave("a")
        drafts.begin("other", "b")
        assert (drafts.own, drafts.edited) == ("other", None)
        drafts.begin(typed_before("given back", own), "a")
        assert (drafts.texts, drafts.edited) == (("given back\n\ndraft", "reply, edited"), "m2")
        drafts.leave("a")
        drafts.begin("changed elsewhere", "a")
        assert (drafts.own, drafts.edited) == ("changed elsewhere", None)


async def test_a_command_is_not_joined_with_a_message_that_comes_back(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."))) as running:
        drafts = running.screen.drafts
        await running.type("/regenerate 3x<enter>")
        await running.until(lambda: draft(running) == "/regenerate 3x")
        drafts.give_back("error")
        assert draft(running) == "/regenerate 3x"
        assert drafts.own == "error"
        await running.type("<escape>")
        await running.until(lambda: draft(running) == "error")
