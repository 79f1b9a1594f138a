"""Several answers to one thought at once, without a screen: whatever is pressed, and whichever stream breaks.

What arrived is in the session once, the thinking is paid once, and what waits follows when all have ended.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import BrokenStreamError, CompletionError
from kimi_tui.core.ports import HeldSession, SessionSaver, Tap
from kimi_tui.core.session.reply_edits import ReplyStart
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.wire.turn_events import ReplyDelta, TurnEnded
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking
from kimi_tui.engine.turn_engine import Engine
from kimi_tui.ui.state import running_turns
from kimi_tui.ui.state.answers import Answers
from kimi_tui.ui.state.form_checks import FormChecks
from kimi_tui.ui.state.next_reply import NextReply
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.running_turns import Turns
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import Script, ScriptedClient, end, token
from tests.ui.program import MemorySettings

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
THOUGHT, LETTERS = "hm. so", "abcdefgh"
OPEN = "<|im_assistant|>assistant<|im_middle|><think>"


@dataclass
class Answerer(ScriptedClient):
    """Every request gets an answer of its own, behind the thinking where that is open; some break off."""

    breaks: list[tuple[str, int]] = field(default_factory=list)
    on_token: Callable[[], None] = lambda: None
    given: dict[int, str] = field(default_factory=dict)
    """What each request got of its answer."""
    thought: int = 0
    """How many requests were to think."""

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
        number = len(self.bodies)
        asked = json.loads(body)
        open_turn = asked["input"].rpartition(OPEN)[2]
        assert open_turn in {"", f"{THOUGHT}</think>"}
        self.thought += not open_turn
        head = [] if open_turn else [token("hm. "), token("so"), token("</think>", special=True)]
        steps: list[Any] = [*head, *(token(char) for char in f"{number}{LETTERS}"), end("stop", 10, 5, 0.001)]
        how, after = self.breaks.pop(0) if self.breaks else ("", 0)
        if how == "break":
            steps = [*steps[: after + 1], BrokenStreamError("It broke.")]
        refuse = CompletionError("No.") if how == "refuse" else None
        if asked.get("num_responses", 1) > 1:
            results = [{"generated_text": f"{number}.{place}{LETTERS}"} for place in range(asked["num_responses"])]
            document = {"results": results, "num_tokens": 5, "num_input_tokens": 10, "estimated_cost": 0.001}
            steps = [json.dumps(document).encode()]
        self.scripts.append(Script(steps, is_event_stream="num_responses" not in asked, refuse=refuse))
        async with super().send(body, model, tap) as response:
            yield _Counted(response, self.on_token)


@dataclass
class _Counted:
    response: Any
    on_token: Callable[[], None]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.response, name)

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self.response.chunks():
            yield chunk
            self.on_token()


class View:
    """Keeps what came back to the composer."""

    def __init__(self) -> None:
        self.back: list[str] = []
        self.notices: list[str] = []
        self.ended: list[TurnEnded] = []

    def show_question(self, chat: Chat) -> None: ...

    def show_beside(self, chat: Chat) -> None: ...

    def show_delta(self, chat: Chat, delta: ReplyDelta) -> None:
        assert chat.replies.live is not None
        assert delta.reply_id == chat.replies.live.key

    def show_shortened(self, chat: Chat) -> None: ...

    def show_retry(self, chat: Chat) -> None: ...

    def show_end(self, chat: Chat, ended: TurnEnded) -> None:
        self.ended.append(ended)

    def show_request(self, chat: Chat) -> None:
        del chat

    def show_figures(self, chat: Chat) -> None:
        chat.entries(timestamps=False)

    def give_back(self, chat: Chat, text: str, edited: str | None = None) -> None:
        self.back.append(text)

    def notice(self, chat: Chat, text: str, severity: str, about: str = "", after: str | None = None) -> None:
        self.notices.append(text)


@dataclass
class World:
    chat: Chat
    turns: Turns
    view: View
    client: Answerer
    tasks: list[asyncio.Task[None]]
    shown: str = ""
    """Id of the reply that was chosen last, or begun first."""

    async def idle(self) -> None:
        while any(not task.done() for task in self.tasks):
            await asyncio.gather(*self.tasks)

    def press(self, what: str) -> None:
        match what:
            case "stop":
                self.chat.replies.stop()
            case "queue" if self.chat.replies.turn is not None:
                self.chat.unsent.queued.append("more")
            case "left" | "right":
                key = self.chat.shown_key(None)
                other = self.chat.alternative(key, 1 if what == "right" else -1) if key else None
                if other is not None:
                    session, self.shown = self.chat.replies.showing(other), other
                    self.chat.open_session.update(lambda _: session)


def world(
    session: Session,
    breaks: list[tuple[str, int]] | None = None,
    *,
    scripted: ScriptedClient | None = None,
    store: SessionSaver | None = None,
) -> World:
    """With `scripted` its scripts are played instead."""
    client, tasks, view = Answerer([], breaks=list(breaks or [])), list[asyncio.Task[None]](), View()
    clock = HandClock()

    def run(work: Awaitable[None]) -> None:
        tasks.append(asyncio.ensure_future(work))

    chat = Chat(OpenSession(session, store), HeldSession(session))
    turns = Turns(
        MemorySettings({"api": {"retries": 0}}), lambda: Engine(scripted or client, clock), clock, view, run, label=str,
        checks=FormChecks(None, str, view, run),
    )  # fmt: skip
    return World(chat, turns, view, client, tasks)


def talk() -> Session:
    session = Session("s", NOW, NOW, "m").with_message(Message("m1", Role.USER, "Lamb?", created=NOW))
    first = Message(
        "m2",
        Role.ASSISTANT,
        "old",
        "m1",
        NOW,
        THOUGHT,
        MessageState.COMPLETE,
        "stop",
        thinking=True,
        template="deepinfra",
    )
    return session.with_message(first)


def check(place: World, count: int) -> None:
    """All that arrived is there once, nothing runs, and what is shown is there."""
    chat, session = place.chat, place.chat.session
    assert not chat.replies.running
    assert all(message.parent != session.head for message in session.messages)  # no question is shown without replies
    kept = [reply for ended in place.view.ended for reply in ended.replies]
    assert all(reply in session.messages for reply in kept)
    answers = [m.content for m in session.messages if m.role is Role.ASSISTANT and m.content not in {"", "old"}]
    assert len({text[0] for text in answers}) == len(answers)
    assert all(f"{text[0]}{LETTERS}".startswith(text) for text in answers)
    for message in session.messages:
        if message.role is Role.ASSISTANT and message.parent == "m1" and message.content:
            assert message.reasoning == THOUGHT
        if message.state is MessageState.COMPLETE and message.content != "old" and message.role is Role.ASSISTANT:
            assert message.content.endswith(LETTERS)
    ids = [m.id for m in session.messages if m.parent == "m1"]
    assert ids == sorted(ids, key=lambda id_: int(id_[1:]))
    assert len(place.client.bodies) <= count + len(place.view.back) + sum(m.content == "more" for m in session.messages)


breaking = st.lists(st.tuples(st.sampled_from(["", "refuse", "break"]), st.integers(0, 8)), max_size=4)
presses = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["left", "right", "stop", "queue"])), max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 4), st.booleans(), breaking, presses)
def test_any_key_at_any_moment(
    count: int, is_next: bool, breaks: list[tuple[str, int]], keys: list[tuple[int, str]]
) -> None:
    async def run() -> None:
        place = world(Session("s", NOW, NOW, "m") if is_next else talk(), breaks)
        waiting, tokens = sorted(keys), 0

        def on_token() -> None:
            nonlocal tokens
            tokens += 1
            while waiting and waiting[0][0] <= tokens:
                place.press(waiting.pop(0)[1])

        place.client.on_token = on_token
        if is_next:
            place.chat.next_reply = NextReply(answers=Answers(count, is_next=True))
            place.turns.start(place.chat, Asking("Lamb?"))
        else:
            place.turns.answer(place.chat, place.chat.branch[-1], Answers(count))
            assert len(place.chat.replies.running) == count
        assert place.chat.replies.live is not None
        place.shown = place.chat.replies.live.key
        await place.idle()
        check(place, count)
        has_more = any(message.content == "more" for message in place.chat.session.messages)
        queued = sum(what == "queue" for _, what in keys)
        assert place.client.thought <= is_next + (queued if has_more else 0)
        if not has_more and any(message.id == place.shown for message in place.chat.session.messages):
            assert place.chat.session.head == place.shown
        if not has_more and not is_next and place.view.ended and all(not ended.replies for ended in place.view.ended):
            assert place.chat.session.head == "m2"

    with patch.object(running_turns, "FRAME_S", 0.0):
        asyncio.run(run())


async def answered(answers: Answers, breaks: list[tuple[str, int]] | None = None) -> World:
    place = world(Session("s", NOW, NOW, "m") if answers.is_next else talk(), breaks)
    with patch.object(running_turns, "FRAME_S", 0.0):
        if answers.is_next:
            place.chat.next_reply = NextReply(answers=answers)
            place.turns.start(place.chat, Asking("Lamb?"))
        else:
            place.turns.answer(place.chat, place.chat.branch[-1], answers)
        await place.idle()
    return place


async def test_the_next_question_is_thought_about_once_and_answered_so_often() -> None:
    place = await answered(Answers(3, is_next=True))
    replies = place.chat.session.messages[1:]
    assert [(it.reasoning, it.took_thinking) for it in replies] == [(THOUGHT, False), (THOUGHT, True), (THOUGHT, True)]
    assert {it.content for it in replies} == {f"{n}{LETTERS}" for n in range(3)}
    first, *others = (body["input"] for body in place.client.bodies)
    assert others == [f"{first}{THOUGHT}</think>"] * 2
    assert first.endswith(OPEN)
    assert [it.usage and it.usage.cost_usd for it in replies] == [0.001] * 3
    assert place.chat.session.head == replies[0].id


async def test_in_one_request_the_others_come_together_and_carry_their_usage_once() -> None:
    place = await answered(Answers(4, in_one=True, is_next=True))
    assert [(body["stream"], body.get("num_responses")) for body in place.client.bodies] == [(True, None), (False, 3)]
    replies = place.chat.session.messages[1:]
    assert [it.content for it in replies] == [f"0{LETTERS}", *(f"1.{n}{LETTERS}" for n in range(3))]
    assert [it.usage is not None for it in replies] == [True, True, False, False]


async def test_one_that_fails_leaves_the_others_and_another_is_shown() -> None:
    place = await answered(Answers(3), [("refuse", 0), ("break", 3)])
    assert [it.state for it in place.chat.session.messages[2:]].count(MessageState.COMPLETE) == 1
    assert place.chat.session.head != "m2"
    assert any(text.startswith("One of the answers: No.") for text in place.view.notices)
    assert any(text.startswith("Answer ") for text in place.view.notices)


async def test_what_waits_follows_when_all_have_ended() -> None:
    place = world(talk())
    with patch.object(running_turns, "FRAME_S", 0.0):
        place.turns.answer(place.chat, place.chat.branch[-1], Answers(2))
        place.chat.unsent.queued.append("more")
        await place.idle()
    more = next(message for message in place.chat.session.messages if message.content == "more")
    assert more.parent == "m3"
    assert len(place.view.ended) == 3
    assert place.client.bodies[2]["input"].count("more") == 1


class Saves:
    """Keeps what was saved, in its order."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []

    async def save(self, session: Session) -> None:
        self.sessions.append(session)


@pytest.mark.parametrize("is_chosen", [True, False])
async def test_what_is_shown_is_saved_as_shown_from_its_end_on(is_chosen: bool) -> None:
    first, second, saves = asyncio.Event(), asyncio.Event(), Saves()
    scripts = [
        Script([first, *([token("late"), end()] if is_chosen else [BrokenStreamError("It broke.")])]),
        Script([token("sho"), second, token("wn"), end()]),
    ]
    place = world(talk(), scripted=(client := ScriptedClient(scripts)), store=saves)
    thought = place.chat.branch[-1]
    with patch.object(running_turns, "FRAME_S", 0.0):
        for number in (1, 2):
            place.turns.answer(place.chat, thought, Answers(1))
            while len(client.bodies) < number:
                await asyncio.sleep(0)
        if is_chosen:
            place.press("right")
        else:
            first.set()
            while not place.view.ended:
                await asyncio.sleep(0)
        second.set()
        while not any(message.content == "shown" for message in place.chat.session.messages):
            await asyncio.sleep(0)
        first.set()
        await place.idle()
    shown = [session for session in saves.sessions if session.messages[-1].content == "shown"]
    assert shown
    assert {session.head for session in shown} == {"m4"}


async def test_what_the_next_reply_begins_with_waits_while_a_thinking_is_answered() -> None:
    place = world(talk())
    place.chat.next_reply = NextReply(start=ReplyStart.seed(THOUGHT))
    with patch.object(running_turns, "FRAME_S", 0.0):
        place.turns.answer(place.chat, place.chat.branch[-1], Answers(1))
        await place.idle()
    assert place.chat.next_reply.start == ReplyStart.seed(THOUGHT)
