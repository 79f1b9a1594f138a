"""A process that dies at any character: what its journal says is what the reply would have become, and it goes on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session import tree
from kimi_tui.core.session.journal import GrowthLog, Record, TurnStart, encode_record, read_journal
from kimi_tui.core.session.recovery import recover
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.session.tree import SentContext
from kimi_tui.core.wire.plans import Plan, single
from kimi_tui.core.wire.reply_plans import going_on
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, GoingOn, Opening
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, ScriptedClient, end, streaming, token

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
REQUEST = RequestSettings(fields={"stream": True})
TEXTS = (
    "Hm ok.</think>\n\nAns",
    "a <b </thi</think></think> <think>é",
    " \n<think>so</think>yes",
    "<thin",
    "👩‍👩‍👧 <\r\n</think>x='</think>'\n<|im_end|> [EOS]",
    "Hm </think",
)


async def killed(session: Session, opening: Opening, plan: Plan, text: str) -> tuple[Session, Session]:
    """The session as its journal gives it back when all of a text had come, and as it is where the reply breaks off."""
    held = asyncio.Event()
    open_session = OpenSession(session, None)
    client = ScriptedClient([streaming(*map(token, text), held)])
    turn = Engine(client, HandClock()).start(open_session, opening, REQUEST, plan)
    log, records = GrowthLog(turn.reply), list[Record]()
    for _ in range(20 * len(text) + 100):
        await asyncio.sleep(0)
        if (growth := log.look(turn.open_request)) is not None and turn.question is not None:
            records.append(growth)
    while len(client.bodies) == 0 or _came(turn) < len(text):
        await asyncio.sleep(0.001)
    if (growth := log.look(turn.open_request)) is not None:
        records.append(growth)
    assert turn.question is not None
    reply = turn.reply
    start = TurnStart(reply.beginning, turn.question, True, SentContext(None), turn.head_before)
    before = open_session.value
    lines = b"".join(encode_record(record) for record in (start, *records))
    found = recover(before, read_journal(lines), NOW).session
    whole = GrowthLog(reply).look(turn.open_request)  # a journal that is written anew, where the session lies elsewhere
    assert whole is not None
    assert recover(before, read_journal(encode_record(start) + encode_record(whole)), NOW).session == found
    turn.stop()
    held.set()
    await turn.finished()
    return found, open_session.value


def _came(turn: Turn) -> int:
    running = turn.open_request
    return 0 if running is None else running.record.usage.output_tokens or 0


def said(message: Message) -> tuple[object, ...]:
    return message.reasoning, message.content, message.thinking_end, message.thinking_tokens, message.thinking


@pytest.mark.parametrize("text", TEXTS)
async def test_killed_at_any_character_and_gone_on_with_it_is_the_uncut_reply(text: str) -> None:
    blank = Session("s", NOW, NOW, "m")
    whole = OpenSession(blank, None)
    engine = Engine(ScriptedClient([streaming(*map(token, text), end(), DONE)]), HandClock())
    await engine.start(whole, Asking("?"), REQUEST).finished()
    expected = whole.value.messages[-1]
    for cut in range(1, len(text)):
        found, stopped = await killed(blank, Asking("?"), single, text[:cut])
        last = found.messages[-1]
        opening: Opening = GoingOn(last)
        if last.parent is None:  # nothing to go on with had come: an opening mark alone
            assert text[:cut].strip() == "<think>"
            continue
        assert said(last) == said(stopped.messages[-1])
        open_session = OpenSession(found, None)
        engine = Engine(ScriptedClient([streaming(*map(token, text[cut:]), end(), DONE)]), HandClock())
        await engine.start(open_session, opening, REQUEST, going_on).finished()
        joined = open_session.value.messages[-1]
        assert (joined.reasoning, joined.content) == (expected.reasoning, expected.content), text[:cut]


@pytest.mark.parametrize(
    ("before", "more"),
    [
        ("Hm</th", "in"),
        ("Hm</th", "is <"),
        ("Hm", "</thi"),
        ("Hm</th", "ink>y"),
        ("Hm", "</think>"),
        ("Hm</th", "ink>"),
    ],
)
async def test_a_reply_that_is_gone_on_with_and_killed_is_as_if_it_broke_off(before: str, more: str) -> None:
    first, _ = await killed(Session("s", NOW, NOW, "m"), Asking("?"), single, before)
    reply = first.messages[-1]
    found, stopped = await killed(first, GoingOn(reply), going_on, more)
    assert said(found.messages[-1]) == said(stopped.messages[-1])
    assert tree.branch(found)[-1].id == reply.id
