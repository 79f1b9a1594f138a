"""Whatever is pressed at whatever moment of a turn, and wherever the network fails: what arrived stays, nothing comes twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import BrokenStreamError, ServerFaultError
from kimi_tui.core.ports import Tap
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Message, MessageState, Session
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.plans import Plan, chosen, single
from kimi_tui.core.wire.reply_plans import going_on, refusal_to_continue
from kimi_tui.core.wire.strict_answers import thinking_first
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.core.wire.turn_events import ReplyDelta, TurnBegan, TurnEnded
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, GoingOn
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import Script, ScriptedClient, frame, token

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
THOUGHT = "One 👍🏽 is so. Two <think> is\nnot. Three"
ANSWER = "Yes:\r\n```py\nx = '</think>'\n```\n| a | b |\n<|im_endx"
REQUEST = RequestSettings(fields={"stream": True, "max_new_tokens": 200}, retries=0)


@dataclass
class Thinker(ScriptedClient):
    """Goes on with its thought or its answer wherever the open turn ends; each request may fail after some tokens."""

    failures: list[tuple[str, int]] = field(default_factory=list)
    stopping: str = ""
    """What it does at a stop text: "swallow", "return" or, where "", nothing."""

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
        open_turn = json.loads(body)["input"].rpartition("assistant<|im_middle|><think>")[2]
        reasoning, mark, answer = open_turn.partition("</think>")
        whole = f"{THOUGHT}</think>"  # of which a cut request may have brought half the mark
        assert whole.startswith(reasoning)
        assert ANSWER.startswith(answer)
        rest = ANSWER[len(answer) :] if mark else whole[len(reasoning) :] + ANSWER
        fields = json.loads(body)
        assert not mark or "</think>" not in fields.get("stop", [])
        if "</think>" in fields.get("stop", []):
            assert "response_format" not in fields
            if self.stopping:
                rest = rest.partition("</think>")[0] + ("</think>" if self.stopping == "return" else "")
        how, after = self.failures.pop(0) if self.failures else ("", 0)
        steps: list[Any] = [token(char) for char in rest]
        match how:
            case "refuse":
                self.scripts.append(Script([], refuse=ServerFaultError("No.")))
            case "break":
                self.scripts.append(Script([*steps[:after], BrokenStreamError("It broke.")]))
            case "length":
                self.scripts.append(Script([*steps[:after], frame(details={"finish_reason": "length"})]))
            case _:
                self.scripts.append(Script([*steps, frame(details={"finish_reason": "stop"})]))
        async with super().send(body, model, tap) as response:
            yield response


failures = st.lists(st.tuples(st.sampled_from(["", "refuse", "break", "length"]), st.integers(0, 30)), max_size=4)
presses = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["cut", "cut", "stop"])), max_size=4)
budgets = st.sampled_from([Budget(), Budget(tokens=0), Budget(tokens=7), Budget(tokens=30)])


async def pressed(turn: Turn, presses: list[tuple[int, str]]) -> TurnEnded:
    """Press when so many events have been told; the last one."""
    waiting = sorted(presses)
    count = 0
    async for event in turn.listen():
        count += event.tokens if isinstance(event, ReplyDelta) else isinstance(event, TurnBegan)
        while waiting and waiting[0][0] <= count:
            if waiting.pop(0)[1] == "stop":
                turn.stop()
            elif turn.reply.is_thinking:
                turn.cut()
        if isinstance(event, TurnEnded):
            return event
    raise AssertionError


STRICT = replace(REQUEST, fields={**REQUEST.fields, "stop": ["[EOS]"], "response_format": {"type": "json_object"}})


def check(reply: Message) -> None:
    """Nothing is lost, doubled or out of place, whoever ended what."""
    reasoning = reply.reasoning or ""
    assert f"{THOUGHT}</think>".startswith(reasoning + reply.cut_tail)  # half a mark may still become one
    assert ANSWER.startswith(reply.content)
    if reply.thinking_end not in {"user", "budget"} and reply.content:
        assert reasoning == THOUGHT
    if reply.state is MessageState.COMPLETE and reply.finish_reason == "stop":
        assert reply.content == ANSWER


@settings(max_examples=250, deadline=None)
@given(
    failing=failures,
    first=presses,
    second=presses,
    budget=budgets,
    auto_continue=st.integers(0, 2),
    stopping=st.sampled_from([None, "", "swallow", "return"]),
)
def test_any_key_at_any_moment(
    *,
    failing: list[tuple[str, int]],
    first: list[tuple[int, str]],
    second: list[tuple[int, str]],
    budget: Budget,
    auto_continue: int,
    stopping: str | None,
) -> None:
    """`stopping` None = an ordinary turn; else one that thinks first and answers in a form then."""
    request = REQUEST if stopping is None else STRICT

    def plan(base: Plan) -> Plan:
        if stopping is None:
            return chosen(base, budget, auto_continue=auto_continue)
        return chosen(
            base, budget, auto_continue=auto_continue, parted=partial(thinking_first, request=STRICT, dialect=DEEPINFRA)
        )

    async def run() -> None:
        client = Thinker([], failures=list(failing), stopping=stopping or "")
        session = OpenSession(Session("s", NOW, NOW, "model"), None)
        engine = Engine(client, HandClock())
        ended = await pressed(engine.start(session, Asking("x"), request, plan(single)), first)
        if not ended.replies:
            return
        check(ended.replies[0])
        if refusal_to_continue(ended.replies[0]):
            return
        ended = await pressed(engine.start(session, GoingOn(ended.replies[0]), request, plan(going_on)), second)
        (reply,) = ended.replies or (session.value.messages[-1],)
        check(reply)
        assert len(session.value.messages) == 2
        assert session.value.messages[-1] == reply

    asyncio.run(run())
