"""A reply that broke off, on the screen: what is offered when it is opened, gone on with, and taken back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from kimi_tui.core.session.growing_reply import GrowingReply, ReplyPart
from kimi_tui.core.session.session import Message, MessageState, Role, Timing, Usage
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.core.wire.turn_events import ReplyDelta
from kimi_tui.ui.state.entries import message_entry
from kimi_tui.ui.state.live_turn import LiveTurn
from tests.fakes.scripted_client import DONE, end, streaming, token
from tests.ui.program import program, talk

CUT = talk(("Lamb?", "Roast it and"))
STOPPED = replace(
    CUT, messages=(CUT.messages[0], replace(CUT.messages[1], state=MessageState.CANCELLED, finish_reason=None))
)


async def test_what_broke_off_is_offered_gone_on_with_and_taken_back(tmp_path: Path) -> None:
    script = streaming(token(" serve"), token(" it"), asyncio.Event())
    async with program(tmp_path, script, session=STOPPED, size=(60, 20)) as running:
        await running.shows("The last reply was stopped; m on it")
        await running.type("<shift+tab>")
        await running.shows("m more")
        await running.type("m")
        await running.shows("Roast it and serve it")
        await running.type("<escape>")
        await running.idle()
        await running.shows("○ stopped")
        await running.shows("37→~214")
        await running.type("u")
        await running.shows("as it was before it was gone on with")
        assert [m.content for m in running.screen.chat.session.messages[1:]] == [
            "Roast it and serve it",
            "Roast it and",
        ]
        assert running.screen.chat.branch[-1].content == "Roast it and"
        assert running.screen.chat.branch[-1].usage == STOPPED.messages[1].usage
        await running.type("<left>u")  # what it was is there already
        await running.until(lambda: running.screen.chat.branch[-1].content == "Roast it and")
        assert len(running.screen.chat.session.messages) == 3


async def test_a_reply_that_goes_on_is_copied_as_far_as_it_has_come(tmp_path: Path) -> None:
    script = streaming(token(" serve"), token(" it"), asyncio.Event())
    async with program(tmp_path, script, session=STOPPED) as running:
        await running.type("/continue<enter>")
        await running.shows("Roast it and serve it")
        for keys in ("/copy<enter>", "/copy text<enter>", "<shift+tab>y"):
            running.app.copy_to_clipboard("")
            await running.type(keys)
            assert running.app.clipboard == "Roast it and serve it", keys
        await running.type("e")  # what changes a message waits for its end
        await running.shows("a reply is running; stop it first")


async def test_a_reply_that_is_written_is_copied_as_far_as_it_has_come(tmp_path: Path) -> None:
    answers = asyncio.Event()
    script = streaming(token("Hm."), answers, token("</think>Roast"), token(" it"), asyncio.Event())
    async with program(tmp_path, script) as running:
        await running.type("Lamb?<enter>")
        await running.shows("Thinking")
        await running.type("/copy<enter>")
        await running.shows("There is no text to copy in this message.")
        assert running.app.clipboard == ""
        answers.set()
        await running.shows("Roast it")
        for keys in ("<ctrl+u>/copy<enter>", "/copy text<enter>", "<shift+tab>y"):
            running.app.copy_to_clipboard("")
            await running.type(keys)
            assert running.app.clipboard == "Roast it", keys
        running.screen.type_here()
        await running.type(f"/export {tmp_path / 'so far.md'}<enter>")
        await running.shows("that is being written is not in it.")


async def test_a_reply_that_is_whole_offers_nothing(tmp_path: Path) -> None:
    async with program(tmp_path, session=CUT) as running:
        await running.shows("Roast it and")
        assert "The last reply" not in running.text


async def test_the_figures_of_the_thinking_stay_when_it_ends(tmp_path: Path) -> None:
    async with program(tmp_path, streaming(*[token("a")] * 7, token("</think>"), token("yes"), end(), DONE)) as running:
        await running.type("Lamb?<enter>")
        await running.idle()
        await running.shows("7 tok")
        assert running.screen.chat.branch[-1].thinking_tokens == 7


def thought(**more: object) -> Message:
    first = Message("m2", Role.ASSISTANT, "", "m1", reasoning="hm", state=MessageState.CANCELLED, thinking=True)
    return replace(first, timing=Timing(0.5, 10.0, 10.5), thinking_tokens=40, **more)  # type: ignore[arg-type]


def thinking_on(beginning: Message, budget: Budget) -> str:
    reply = GrowingReply(beginning, is_thinking=True)
    live = LiveTurn(reply, 100.0, budget)
    for moment in (101.0, 103.0):
        start, stop = reply.grow(ReplyPart.REASONING, " so", 3)
        live.note(ReplyDelta("m2", ReplyPart.REASONING, start, stop, 3), moment)
    return live.thought_label(103.0)


def test_a_thinking_that_is_gone_on_with_goes_on_counting() -> None:
    assert thinking_on(thought(), Budget()) == "Thinking for 12.0 s · 46 tok"
    assert thinking_on(thought(), Budget(tokens=500)) == "Thinking for 12.0 s · 46 tok · 6 of 500 in this turn"
    assert thinking_on(thought(), Budget(seconds=20)) == "Thinking for 12.0 s · 46 tok · 2.0 s of 20 s in this turn"
    uncounted = replace(thought(), thinking_tokens=None, usage=Usage(9, 30))
    assert thinking_on(uncounted, Budget()) == "Thinking for 12.0 s · ~36 tok"


def test_what_was_received_is_what_is_told() -> None:
    assert message_entry(thought()).thought_label == "Thought for 10.0 s · 40 tok"
