"""Which reply is meant, by what has the message cursor."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_tui.core.ports import HeldSession
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import GrowingReply
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.turn import Turn
from kimi_tui.ui.state.live_turn import LiveTurn
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.running_replies import Running
from tests.core.prompt.test_conversation import reply, session_of, user
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import program

TALK = (user("m1", "a"), reply("m2", "b", "m1"), user("m3", "c", "m2"), reply("m4", "d", "m3"), reply("m5", "e", "m3"))


def chat_of(session: Session) -> Chat:
    return Chat(OpenSession(session, None), HeldSession(session))


def meant(chat: Chat, chosen: str | None) -> str | None:
    found = chat.reply_at(chosen)
    return found.live.key if isinstance(found, Running) else None if found is None else found.id


@pytest.mark.parametrize(
    ("chosen", "id_"), [(None, "m4"), ("m4", "m4"), ("m3", "m4"), ("m2", "m2"), ("m1", "m2"), ("gone", "m4")]
)
def test_a_question_means_the_reply_to_it_on_the_branch_shown(chosen: str | None, id_: str) -> None:
    assert meant(chat_of(session_of(*TALK, head="m4")), chosen) == id_


def test_a_question_without_a_reply_on_screen_means_none() -> None:
    assert meant(chat_of(session_of(*TALK, head="m3")), "m3") is None
    assert meant(chat_of(session_of(*TALK, head="m3")), None) == "m2"
    asked_twice = session_of(user("m1", "a"), user("m2", "b", "m1"), reply("m3", "c", "m2"))
    assert (meant(chat_of(asked_twice), "m1"), meant(chat_of(asked_twice), "m2")) == (None, "m3")
    assert meant(chat_of(session_of()), None) is None


@pytest.mark.parametrize(("id_", "head"), [("m6", "m3"), ("m4", "m4")])  # a new one, and one that goes on
async def test_a_reply_that_grows_is_meant_like_others(id_: str, head: str) -> None:
    chat = chat_of(session_of(*TALK, head=head))
    growing = GrowingReply(Message(id_, Role.ASSISTANT, "", "m3"), is_thinking=True)
    turn = Turn(chat.open_session, RequestSettings(), growing)
    turn.question = TALK[2]
    chat.replies.note_begun(Running(turn, LiveTurn(growing, 0.0)))
    assert [meant(chat, chosen) for chosen in (None, id_, "m3", "m2", "m1")] == [id_, id_, id_, "m2", "m2"]
    chat.open_session.update(lambda _: session_of(*TALK, head="m5"))  # another one is shown
    assert [meant(chat, chosen) for chosen in (None, "m3")] == ["m5", "m5"]


async def test_a_chosen_question_shows_the_reasoning_and_the_request_of_its_reply(tmp_path: Path) -> None:
    scripts = [streaming(token(f"thought {n}"), think_end(), token(f"said {n}"), end(), DONE) for n in (1, 2)]
    async with program(tmp_path, *scripts, size=(140, 40)) as running:
        for number in (1, 2):
            await running.type("Lamb?<enter>")
            await running.shows(f"said {number}")
            await running.idle()
        await running.type("<shift+tab>")
        running.screen.transcript.cursor.choose("m1")
        await running.type("i")
        await running.shows("Request of m2")
        running.screen.transcript.cursor.choose("m1")
        await running.type("<f3>")
        await running.shows("thought 1")
