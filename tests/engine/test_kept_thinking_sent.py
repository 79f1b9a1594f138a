"""Earlier thinking in the bodies that are sent: byte by byte, and again the same when a reply is taken up later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.wire.reply_plans import going_on
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, AskingAgain, GoingOn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import ScriptedClient, end, streaming, token
from tests.prompts import past_prompt

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
ONE = RequestSettings(fields={"stream": True}, kept_thinking=1)
OPENING = "<|im_assistant|>assistant<|im_middle|>"


def user(text: str) -> str:
    return f"<|im_user|>ChatMessageRole.USER<|im_middle|>{text}<|im_end|>"


def talk() -> Session:
    messages = (
        Message("m1", Role.USER, "one"),
        Message("m2", Role.ASSISTANT, "A", "m1", reasoning="a <|im_end|>", state=MessageState.COMPLETE),
        Message("m3", Role.USER, "two", "m2"),
        Message("m4", Role.ASSISTANT, "</think>B", "m3", reasoning="b", state=MessageState.COMPLETE),
    )
    return Session("s", NOW, NOW, "model", messages=messages, head="m4")


SENT = (
    f"{user('one')}{OPENING}<think></think>A<|im_end|>{user('two')}{OPENING}<think>b</think><\u2060/think>B<|im_end|>"
    f"{user('three')}{OPENING}<think>"
)


async def test_what_is_sent_is_what_going_on_with_it_begins_with_whatever_is_set_by_then() -> None:
    scripts = [streaming(token("hm"), end("length")), streaming(token("."), end()), streaming(token("so"), end())]
    client, open_session = ScriptedClient(scripts), OpenSession(talk(), None)
    engine = Engine(client, HandClock())
    await engine.start(open_session, Asking("three"), ONE).finished()
    stored = decode_session(encode_session(open_session.value))
    reply = stored.messages[-1]
    assert (reply.kept_thinking, past_prompt(stored, reply.id)) == (1, SENT)
    now_all = replace(ONE, kept_thinking="all")
    later = OpenSession(stored, None)
    await engine.start(later, GoingOn(reply), now_all, going_on).finished()
    await engine.start(later, AskingAgain("m5"), now_all).finished()
    first, second, again = (body["input"] for body in client.bodies)
    assert (first, second) == (SENT, f"{SENT}hm")
    assert again == SENT.replace("<think></think>A", "<think>a <\u2060|im_end|></think>A")
    assert [past_prompt(later.value, id_) for id_ in ("m6", "m7")] == [first, again]
