"""Ending the thinking from outside, on the screen: answer now, by key, command and click; budgets."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program


def thinking() -> Script:
    return streaming(token("One is so."), token(" Two"), asyncio.Event())


ANSWER = streaming(token("Yes"), token("."), end(), DONE)


async def answered(running: Program) -> None:
    await running.shows("Yes.")
    await running.idle()
    first, second = (body["input"] for body in running.client.bodies)
    assert second == first + "One is so.</think>"
    reply = running.screen.chat.branch[-1]
    assert (reply.reasoning, reply.content, reply.cut_tail) == ("One is so.", "Yes.", " Two")


@pytest.mark.parametrize("way", ["<alt+a>", "/answer-now<enter>", "draft<alt+a>"])
async def test_the_answer_comes_in_the_same_reply(tmp_path: Path, way: str) -> None:
    async with program(tmp_path, thinking(), ANSWER) as running:
        await running.type("Lamb?<enter>")
        await running.shows("answer now")
        await running.type(way)
        await answered(running)
        await running.shows("answered at once")
        assert running.screen.composer.draft == way.removesuffix("<alt+a>") * way.startswith("draft")
        assert len(running.screen.chat.branch) == 2


async def test_a_click_on_the_words_does_it_and_one_beside_them_opens_the_thinking(tmp_path: Path) -> None:
    async with program(tmp_path, thinking(), ANSWER) as running:
        await running.type("Lamb?<enter>")
        await running.shows("answer now")
        y, line = next((y, line) for y, line in enumerate(running.text.splitlines()) if "answer now" in line)
        await running.pilot.click(offset=(line.index("▸") + 3, y))
        await running.shows("One is so. Two")
        await running.pilot.click(offset=(line.index("answer now") + 4, y))
        await answered(running)


async def test_a_budget_is_shown_before_it_is_used_and_afterwards(tmp_path: Path) -> None:
    async with program(tmp_path, thinking(), ANSWER, thinking(), ANSWER) as running:
        await running.type("/budget 2<enter>")
        await running.shows("thinking ≤ 2 tok")
        await running.type("Lamb?<enter>")
        await answered(running)
        await running.shows("ended by its budget")
        assert running.screen.chat.session.settings["thinking_budget"] == 2
        await running.type("/budget off<enter>")
        await running.shows("No thinking budget.")
        assert "≤" not in running.text.splitlines()[0]


async def test_a_budget_may_be_for_the_next_reply_alone(tmp_path: Path) -> None:
    second = streaming(token("a"), token("b"), token("c"), think_end(), token("Sure."), end(), DONE)
    async with program(tmp_path, thinking(), ANSWER, second) as running:
        await running.type("/budget 2 once<enter>Lamb?<enter>")
        await answered(running)
        await running.type("More?<enter>")
        await running.shows("Sure.")
        await running.idle()
        assert len(running.client.bodies) == 3


@pytest.mark.parametrize("text", ["much", "5 twice"])
async def test_a_wrong_budget_is_told_and_can_be_mended(tmp_path: Path, text: str) -> None:
    async with program(tmp_path) as running:
        await running.type(f"/budget {text}<enter>")
        await running.shows("allowed off, tokens" if text == "much" else "stands once or nothing")
        assert running.screen.composer.draft == f"/budget {text}"


async def test_without_thinking_there_is_nothing_to_end(tmp_path: Path) -> None:
    gate = asyncio.Event()
    script = streaming(token("hm"), think_end(), token("Yes"), gate, token("."), end(), DONE)
    async with program(tmp_path, script) as running:
        await running.type("<alt+a>")
        await running.shows("there is no reply that is thinking")
        await running.type("Lamb?<enter>")
        await running.shows("Yes")
        await running.type("<alt+a>")
        gate.set()
        await running.shows("Yes.")
        await running.idle()
        assert len(running.client.bodies) == 1


async def test_a_reply_that_is_cut_by_its_length_goes_on_by_itself(tmp_path: Path) -> None:
    def cut(text: str) -> Script:
        return streaming(token(text), end("length"), DONE)

    async with program(tmp_path, cut("hm</think>a"), cut("b"), cut("c")) as running:
        await running.type("/auto-continue 2<enter>Lamb?<enter>")
        await running.shows("abc")
        await running.idle()
        reply = running.screen.chat.branch[-1]
        assert (reply.content, [record.kind for record in reply.requests]) == ("abc", ["reply", "continue", "continue"])
        await running.shows("was cut by max_new_tokens")
        await running.type("/auto-continue<enter>")
        await running.shows("up to 2 times")


async def test_ending_the_thinking_is_undone_after_a_restart_too(tmp_path: Path) -> None:
    async with program(tmp_path, thinking(), ANSWER) as running:
        await running.type("Lamb?<enter>")
        await running.shows("answer now")
        await running.type("<alt+a>")
        await answered(running)
        session = running.files.read_only(running.screen.chat.path)
    more = streaming(token(" three"), think_end(), token("No."), end(), DONE)
    (tmp_path / "later").mkdir()
    async with program(tmp_path / "later", more, session=replace(session, path="")) as running:
        await running.type("<shift+tab>u")
        await running.shows("The thinking is as it was")
        assert [(m.reasoning, m.content) for m in running.screen.chat.branch[1:]] == [("One is so. Two", "")]
        await running.type("m")
        await running.shows("No.")
        await running.idle()
        assert running.client.bodies[0]["input"].endswith("<think>One is so. Two")
        first, second = running.screen.chat.session.messages[1:]
        assert (first.content, second.reasoning, second.content) == ("Yes.", "One is so. Two three", "No.")


async def test_the_next_reply_stops_at_words_and_can_be_gone_on_with(tmp_path: Path) -> None:
    first = streaming(token("hm"), think_end(), token("Roast"), end(), DONE)
    more = streaming(token("### it."), end(), DONE)
    async with program(tmp_path, first, more) as running:
        await running.type('/stop-at ### "the end" \\n<enter>')
        await running.shows('The next reply stops at ### "the end" \\n  (/stop-at off takes that back)')
        await running.type("/copy-body<enter>")
        body = json.loads(running.app.clipboard)
        await running.type("<f5>")
        await running.shows('"the end", "\\n"]')
        await running.type("<f5>")
        assert body["stop"] == ["<|im_end|>", "[EOS]", "###", "the end", "\n"]
        await running.type("Lamb?<enter>")
        await running.shows("it may have stopped at “###”, “the end” or “↵”")
        await running.idle()
        assert "The next reply" not in running.text
        assert running.client.bodies[0]["stop"] == body["stop"]
        await running.type("<shift+tab>m")
        await running.shows("Roast### it.")
        await running.idle()
        assert running.client.bodies[1]["stop"] == ["<|im_end|>", "[EOS]"]
        assert running.client.bodies[1]["input"].endswith("<think>hm</think>Roast")
        assert "may have stopped" not in running.text
        assert len(running.screen.chat.branch) == 2


async def test_stop_words_are_taken_back_and_wrong_ones_told(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        await running.type("/stop-at a<enter>/stop-at off<enter>/stop-at<enter>")
        await running.shows("The next reply stops at <|im_end|> [EOS].")
        await running.type("/stop-at \\x<enter>")
        await running.shows("is no escape")
        assert (running.screen.composer.draft, running.screen.chat.next_reply.stops) == ("/stop-at \\x", ())
        running.screen.composer.draft = f"/stop-at {' '.join(map(str, range(15)))}"
        await running.type("<enter>")
        await running.shows("17 strings with those that hold")
