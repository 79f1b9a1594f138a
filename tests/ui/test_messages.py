"""What can be done with messages: choose, copy, edit, ask again, alternatives, delete, leave out; and the queue."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.core.errors import AuthenticationError, BrokenStreamError, CompletionError, StorageError
from kimi_tui.core.session.session import MessageState, Session
from tests.fakes.scripted_client import DONE, Script, Step, end, streaming, think_end, token
from tests.prompts import past_prompt
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it.\n\n```python\nx = 1\n```\n\n```sh\nls\n```"), ("More?", "Braise it."))

CUT = replace(
    talk(("Lamb?", "")),
    messages=tuple(
        replace(m, content=m.content or "Roast it.", state=m.state and MessageState.CANCELLED)
        for m in talk(("Lamb?", "")).messages
    ),
)


def reply(text: str) -> Script:
    return streaming(token("hm"), think_end(), token(text), end(), DONE)


def held(*steps: Step) -> tuple[Script, asyncio.Event]:
    gate = asyncio.Event()
    return streaming(token("hm"), think_end(), *steps, gate, token(" end"), end(), DONE), gate


def chosen(running: Program) -> str | None:
    return running.screen.transcript.cursor.chosen


def branch(running: Program) -> list[str]:
    return [message.content for message in running.screen.chat.branch]


async def test_the_cursor_moves_over_messages_and_back_to_the_composer(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<shift+tab>")
        assert chosen(running) == "m4"
        await running.type("<up><up>")
        assert chosen(running) == "m2"
        await running.type("<home>")
        assert chosen(running) == "m1"
        await running.type("<end><down>")
        assert chosen(running) is None
        assert running.app.focused is running.screen.composer


async def test_escape_leaves_the_cursor(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<ctrl+up><escape>typed")
        assert running.screen.composer.draft == "typed"


async def test_copying_a_message_its_code_and_its_reasoning(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<shift+tab><up><up>y")
        assert running.app.clipboard == TALK.messages[1].content
        await running.type("Y")
        await running.shows("Which code block?")
        await running.type("2")
        assert running.app.clipboard == "ls\n"
        await running.type("t")
        assert running.app.clipboard == "The user asks."
        await running.type("<escape>/copy text<enter>")
        assert running.app.clipboard == "Braise it."


async def test_an_edited_question_is_sent_as_an_alternative_and_the_draft_comes_back(tmp_path: Path) -> None:
    async with program(tmp_path, reply("Stew it."), session=TALK) as running:
        await running.type("half")
        await running.type("<shift+tab><up>e")
        assert running.screen.composer.draft == "More?"
        await running.type(" please<enter>")
        await running.idle()
        assert branch(running) == ["Lamb?", TALK.messages[1].content, "More? please", "Stew it."]
        assert running.screen.composer.draft == "half"
        await running.shows("2/2")
        assert "More?<" not in running.client.bodies[0]["input"]


async def test_escape_gives_the_edit_up(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("half")
        await running.type("<shift+tab><up>e wrong<escape>")
        assert running.screen.composer.draft == "half"
        assert running.screen.chat.session.messages == TALK.messages


async def test_another_reply_is_an_alternative_that_can_be_left_again(tmp_path: Path) -> None:
    async with program(tmp_path, reply("Stew it."), session=TALK) as running:
        await running.type("<shift+tab>r")
        await running.idle()
        assert branch(running)[-1] == "Stew it."
        await running.until(lambda: chosen(running) == running.screen.chat.branch[-1].id)
        await running.type("<left>")
        assert branch(running)[-1] == "Braise it."
        await running.shows("1/2")
        await running.type("<right>")
        assert branch(running)[-1] == "Stew it."
        saved = running.files.read_only(running.files.path_of(running.screen.chat.session))
        await running.until(lambda: running.files.read_only(running.files.path_of(saved)).head == saved.messages[-1].id)


async def test_only_alternatives_that_are_there_are_offered(tmp_path: Path) -> None:
    async with program(tmp_path, reply("Stew it."), session=TALK, size=(160, 40)) as running:
        await running.type("<shift+tab>r")
        await running.idle()
        await running.shows("Left alternative")
        assert "Right alternative" not in running.text
        await running.type("<right>")
        await running.shows("Next alternative: there is no later alternative here.")
        await running.type("<left>")
        await running.shows("Right alternative")
        assert "Left alternative" not in running.text


async def test_asking_again_in_vain_shows_the_old_reply(tmp_path: Path) -> None:
    refused = Script([], refuse=AuthenticationError("The key is wrong."))
    async with program(tmp_path, refused, session=TALK) as running:
        await running.type("<shift+tab>r")
        await running.shows("The key is wrong.")
        assert branch(running)[-1] == "Braise it."
        assert chosen(running) == "m4"
        await running.type("y")
        assert running.app.clipboard == "Braise it."


async def test_asking_again_with_the_command_leaves_the_keys_in_the_composer(tmp_path: Path) -> None:
    async with program(tmp_path, reply("Stew it."), session=TALK) as running:
        await running.type("/regenerate<enter>")
        await running.idle()
        await running.type("left")
        assert running.screen.composer.draft == "left"


async def test_what_was_deleted_comes_back_with_its_ids(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<shift+tab><up>d")
        assert branch(running) == ["Lamb?", TALK.messages[1].content]
        await running.shows("Deleted 2 messages.")
        await running.type("<escape>/undo<enter>")
        await running.shows("Brought back 2 messages.")
        assert "Deleted" not in running.text
        assert running.screen.chat.session.messages == TALK.messages
        assert running.screen.chat.session.head == "m4"


async def test_nothing_is_left_in_the_file_of_what_was_deleted(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        path = running.files.path_of(TALK)
        await running.type("<shift+tab><home>d")
        await running.until(lambda: not running.files.read_only(path).messages)
        await running.type("/undo<enter>")
        await running.until(lambda: running.files.read_only(path).messages == TALK.messages)


async def test_each_undo_replaces_the_notice_of_what_it_brings_back(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/delete<enter>/delete<enter>")
        await running.shows("Deleted 1 message.")
        await running.type("/undo<enter>")
        await running.shows("Brought back 1 message.")
        assert "Deleted 1 message." in running.text
        await running.type("/undo<enter>")
        await running.until(lambda: "Deleted" not in running.text)
        await running.type("/delete<enter>")
        await running.shows("Deleted 1 message.")


async def test_a_message_that_is_left_out_stays_on_screen_and_out_of_the_prompt(tmp_path: Path) -> None:
    async with program(tmp_path, reply("Yes."), session=TALK) as running:
        await running.type("<shift+tab><home>x")
        await running.shows("not in the prompt")
        await running.type("<escape>And now?<enter>")
        await running.idle()
        assert "Lamb?" not in running.client.bodies[0]["input"]
        session = running.screen.chat.session
        assert session.messages[-1].left_out == ("m1",)
        assert past_prompt(session, session.messages[-1].id) == running.client.bodies[0]["input"]


async def test_a_slash_in_the_conversation_begins_a_command(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<shift+tab>/theme")
        await running.shows("/theme [NAME]")
        assert running.screen.composer.draft == "/theme"
        assert chosen(running) is None
        await running.type("<ctrl+u>my draft<shift+tab>/rename Fish<enter>")
        await running.until(lambda: running.screen.chat.session.title == "Fish")
        assert running.screen.composer.draft == "my draft"
        await running.type("<shift+tab>/<escape><escape>")
        assert running.screen.composer.draft == "my draft"


async def test_a_command_that_cannot_be_done_now_is_told_and_given_back(tmp_path: Path) -> None:
    waiting, gate = held(token("slow"))
    async with program(tmp_path, waiting, session=TALK) as running:
        await running.type("/undo<enter>")
        await running.shows("⚠ Undo: there is no step to undo here.")
        assert running.screen.composer.draft == "/undo"
        await running.type("And now?<enter>")
        await running.shows("slow")
        await running.type("/regenerate<enter>")
        await running.shows("⚠ Regenerate: a reply is running; stop it first.")
        gate.set()
        await running.idle()
        await running.type("/dismiss<enter>")
        await running.until(lambda: "⚠" not in running.text)
        await running.type("/dismiss<enter>")
        await running.shows("Dismiss the notices: there is no notice here.")
        assert "⚠" not in running.text


# -- the queue


async def test_a_queued_message_is_sent_once_when_the_reply_is_complete(tmp_path: Path) -> None:
    script, gate = held(token("one"))
    async with program(tmp_path, script, reply("two")) as running:
        await running.type("first<enter>")
        await running.shows("one")
        await running.type("second<enter>")
        await running.shows("Queued: second")
        gate.set()
        await running.idle()
        assert branch(running) == ["first", "one end", "second", "two"]
        assert len(running.client.bodies) == 2
        assert "Queued" not in running.text


async def test_up_takes_a_queued_message_back(tmp_path: Path) -> None:
    script, gate = held(token("one"))
    async with program(tmp_path, script) as running:
        await running.type("first<enter>")
        await running.shows("one")
        await running.type("second<enter><up>")
        assert running.screen.composer.draft == "second"
        gate.set()
        await running.idle()
        assert branch(running) == ["first", "one end"]


async def test_up_and_down_go_through_earlier_prompts(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        composer = running.screen.composer
        await running.type("<up>")
        assert composer.draft == "More?"
        await running.type("<up><up>")
        assert composer.draft == "Lamb?"
        await running.type("<down>")
        assert composer.draft == "More?"
        await running.type("<down>")
        assert composer.draft == ""
        await running.type("<up>x<up>")
        assert composer.draft == "More?x"


async def test_a_stop_brings_the_queued_message_back_unsent(tmp_path: Path) -> None:
    script, _ = held(token("one"))
    async with program(tmp_path, script) as running:
        await running.type("first<enter>")
        await running.shows("one")
        await running.type("second<enter><escape>")
        await running.idle()
        assert running.screen.composer.draft == "second"
        assert branch(running) == ["first", "one"]


async def test_a_failure_brings_question_and_queued_message_back(tmp_path: Path) -> None:
    gate = asyncio.Event()
    script = streaming(gate, AuthenticationError("The key is wrong."))
    async with program(tmp_path, script) as running:
        await running.type("first<enter>")
        await running.shows("waiting")
        await running.type("second<enter>")
        gate.set()
        await running.idle()
        await running.shows("The key is wrong.")
        assert running.screen.composer.draft.split() == ["first", "second"]


# -- replies in other sessions


async def test_a_reply_goes_on_in_the_background_and_is_marked(tmp_path: Path) -> None:
    script, gate = held(token("one"))
    async with program(tmp_path, script, reply("two")) as running:
        await running.type("first<enter>")
        await running.shows("one")
        first = running.screen.chat
        await running.type("<ctrl+n>")
        await running.shows("● 1 running elsewhere")
        await running.type("other<enter>")
        await running.until(lambda: running.screen.chat.replies.turn is None)
        gate.set()
        await running.idle()
        assert [message.content for message in first.branch] == ["first", "one end"]
        await running.until(lambda: first.is_unread)
        await running.shows("✓ 1 new")
        assert "failed" not in running.text.splitlines()[0]
        await running.type("/resume first<enter>")
        await running.shows("one end")
        assert running.screen.chat is first
        assert not first.is_unread


@pytest.mark.parametrize(
    "last", [[CompletionError("The endpoint is gone.")], [], [AuthenticationError("The key is wrong.")]],
    ids=["failed", "interrupted", "refused"],
)  # fmt: skip
async def test_a_reply_that_failed_in_the_background_has_its_own_mark_until_it_is_seen(
    tmp_path: Path, last: list[Step]
) -> None:
    gate = asyncio.Event()
    script = streaming(token("hm"), think_end(), token("one"), gate, *last)
    async with program(tmp_path, script) as running:
        await running.type("first<enter>")
        await running.shows("one")
        first = running.screen.chat
        await running.type("<ctrl+n><f2>")
        await running.shows("● 08:15")
        gate.set()
        await running.shows("✗ 08:15")
        await running.shows("✗ 1 failed")
        assert "1 new" not in running.text
        await running.screen.current.show(first)
        await running.until(lambda: "✗ 08:15" not in running.text and "✗ 1 failed" not in running.text)
        assert not first.has_failed


async def test_a_reply_that_could_not_be_saved_in_the_background_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, gate = held(token("one"))
    async with program(tmp_path, script) as running:
        await running.type("first<enter>")
        await running.shows("one")
        first = running.screen.chat
        await running.type("<ctrl+n>")

        def refuse(session: Session) -> None:
            raise StorageError(f"The disk is full: {session.id}")

        monkeypatch.setattr(running.files, "save_now", refuse)
        gate.set()
        await running.until(lambda: first.has_failed)
        await running.shows("✗ 1 failed")


async def test_leaving_keeps_the_running_reply_of_every_session(tmp_path: Path) -> None:
    one, _ = held(token("one"))
    two, _ = held(token("two"))
    async with program(tmp_path, one, two) as running:
        await running.type("first<enter>")
        await running.shows("one")
        await running.type("<ctrl+n>second<enter>")
        await running.shows("two")
        await running.type("<ctrl+q>")
        listing = running.files.list()
        states = {running.files.read_only(Path(s.path)).messages[-1].state for s in listing.summaries}
        assert states == {"cancelled"}
        assert len(listing.summaries) == 2


async def test_a_reply_that_is_gone_on_with_grows_in_its_place(tmp_path: Path) -> None:
    gate = asyncio.Event()
    script = streaming(token(" And braise"), gate, token(" it."), end(), DONE)
    async with program(tmp_path, script, session=CUT) as running:
        chat = running.screen.chat
        message = chat.branch[-1]
        await running.type("<shift+tab>m")
        await running.shows("Roast it. And braise")
        assert running.text.count("Roast it.") == 1
        gate.set()
        await running.idle()
        await running.shows("Roast it. And braise it.")
        assert running.text.count("Roast it.") == 1
        assert [(m.id, m.content) for m in chat.branch][-1] == (message.id, "Roast it. And braise it.")


async def test_after_a_cut_it_is_offered_to_go_on_until_that_is_done(tmp_path: Path) -> None:
    cut = streaming(token("hm"), think_end(), token("Roast"), BrokenStreamError("The connection broke."))
    async with program(tmp_path, cut, streaming(token(" it."), end(), DONE)) as running:
        await running.type("Lamb?<enter>")
        await running.shows("m on it or /continue goes on where it broke off")
        await running.type("/continue<enter>")
        await running.shows("Roast it.")
        await running.idle()
        assert "/continue" not in running.text
        assert "~$" in running.text  # nobody told what the request took that was cut
        assert running.client.bodies[1]["input"] == running.client.bodies[0]["input"] + "hm</think>Roast"


async def test_a_whole_reply_is_not_gone_on_with(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<shift+tab>m")
        await running.shows("there is no reply that broke off here")
        assert not running.client.bodies


@pytest.mark.parametrize("meanwhile", ["Another?<enter>", "<shift+tab>r"])
async def test_what_was_deleted_comes_back_whatever_was_sent_since(tmp_path: Path, meanwhile: str) -> None:
    async with program(tmp_path, reply("Yes."), session=TALK) as running:
        await running.type("<shift+tab><up>d")
        await running.shows("Deleted 2 messages")
        await running.type(f"<escape>{meanwhile}")
        await running.shows("Yes.")
        await running.idle()
        await running.type("<escape>/undo<enter>")
        await running.shows("Brought back 2 messages.")
        session = running.screen.chat.session
        before = {message.id: message for message in TALK.messages}
        assert {message.id: message for message in session.messages if message.id in before} == before
        roles = {message.id: message.role for message in session.messages}
        assert all(roles[m.parent] is not m.role for m in session.messages if m.parent is not None)
        assert any(message.content == "Yes." for message in session.messages)
