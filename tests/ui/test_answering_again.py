"""Other answers to the thinking of a reply, on the screen: by key, command and palette, seen first, undone."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Session
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it."))
OPEN = "<|im_assistant|>assistant<|im_middle|><think>"


def answer(text: str) -> Script:
    return streaming(token(text), end("stop", 40, 3, 0.0002), DONE)


def texts(session: Session) -> list[tuple[str | None, str]]:
    return [(message.reasoning, message.content) for message in session.messages[1:]]


async def asked(running: Program, way: str) -> None:
    if way == "palette":
        await running.type("<shift+tab>")
        running.screen.action_choose("another-answer")
    else:
        await running.type(way)
    await running.shows("Grill it.")
    await running.idle()


@pytest.mark.parametrize("way", ["<shift+tab>a", "/another-answer<enter>", "palette"])
async def test_it_is_an_alternative_with_the_same_thinking(tmp_path: Path, way: str) -> None:
    async with program(tmp_path, answer("Grill it."), session=TALK) as running:
        await asked(running, way)
        await running.shows("taken from another reply")
        await running.shows("2/2")
        assert texts(running.screen.chat.session) == [("The user asks.", "Roast it."), ("The user asks.", "Grill it.")]
        assert running.client.bodies[0]["input"].endswith(f"{OPEN}The user asks.</think>")
        assert "$0.0008" in running.text  # the thinking is paid once: 0.0006 and 0.0002


async def test_its_input_is_in_the_prompt_pane_while_the_command_is_typed(tmp_path: Path) -> None:
    async with program(tmp_path, answer("Grill it."), session=TALK) as running:
        await running.type("<f5><escape>/another-answer")
        await running.shows("Request of /another-answer")
        running.screen.dispatcher.choose("copy-body")
        await running.until(lambda: bool(running.app.clipboard))
        assert "The user asks." in running.text
        await running.type("<enter>")
        await running.shows("Grill it.")
        assert running.client.bodies[0] == json.loads(running.app.clipboard)


async def test_undone_after_a_restart_the_old_reply_is_shown(tmp_path: Path) -> None:
    async with program(tmp_path, answer("Grill it."), session=TALK) as running:
        await asked(running, "<shift+tab>a")
        session = running.files.read_only(running.screen.chat.path)
    (tmp_path / "later").mkdir()
    async with program(tmp_path / "later", session=replace(session, path="")) as running:
        await running.type("<shift+tab>u")
        await running.shows("The reply is shown as it was")
        assert [message.id for message in running.screen.chat.branch] == ["m1", "m2"]
        assert len(running.screen.chat.session.messages) == 3
        await running.type("u")
        await running.shows("there is no step to undo")


async def test_a_reply_without_thinking_has_none_to_answer(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."), reasoning=None)) as running:
        await running.type("/another-answer<enter>")
        await running.shows("there is no reasoning here")
        assert not running.client.bodies


class Answers:
    """Scripts of answers that wait at their gate; which request gets which is left open."""

    def __init__(self, *texts: str) -> None:
        self.gates = [asyncio.Event() for _ in texts]
        self.scripts = [
            streaming(token(f"{text} begun."), gate, token(f" {text} done."), end("stop", 40, 3, 0.0001 * number), DONE)
            for number, (text, gate) in enumerate(zip(texts, self.gates, strict=True), 1)
        ]


def contents(running: Program) -> list[str]:
    return [message.content for message in running.screen.chat.session.messages[2:]]


async def test_answers_stream_side_by_side_and_each_is_reached_while_it_runs(tmp_path: Path) -> None:
    several = Answers("A", "B", "C")
    async with program(tmp_path, *several.scripts, session=TALK) as running:
        await running.type("/answers 3<enter>")
        await running.shows("answering, 3 side by side")
        await running.until(
            lambda: all(len(it.live.reply.texts[ReplyPart.ANSWER]) for it in running.screen.chat.replies.running)
        )
        await running.type("<shift+tab>")
        await running.shows("2/4")
        first = running.screen.chat.replies.live
        await running.type("<right><right>")
        await running.shows("4/4")
        assert running.screen.chat.replies.live is not first
        assert "begun." in running.text
        await running.type("<left><left><left>")
        await running.shows("Roast it.")
        assert len(running.screen.chat.replies.running) == 3
        await running.type("<right>")
        await running.shows("2/4")
        for gate in several.gates:
            gate.set()
        await running.idle()
        assert sorted(contents(running)) == [f"{text} begun. {text} done." for text in "ABC"]
        assert running.screen.chat.branch[-1].id == "m3"
        assert running.files.read_only(running.screen.chat.path).head == "m3"
        assert len({body["input"] for body in running.client.bodies}) == 1
        assert "session $0.0012" in running.text


async def test_one_that_ended_is_shown_while_the_others_run_and_escape_stops_those(tmp_path: Path) -> None:
    several = Answers("A", "B", "C")
    async with program(tmp_path, *several.scripts, session=TALK) as running:
        await running.type("/answers 3<enter>")
        await running.until(lambda: len(running.screen.chat.replies.beside) == 2)
        await running.type("later<enter>")
        await running.shows("Queued: later")
        several.gates[1].set()
        await running.until(lambda: len(running.screen.chat.replies.running) == 2)
        await running.until(
            lambda: all(len(it.live.reply.texts[ReplyPart.ANSWER]) for it in running.screen.chat.replies.running)
        )
        await running.type("<escape>")
        await running.shows("Stopped 2 replies; what arrived is kept.")
        await running.idle()
        assert sorted(contents(running)) == ["A begun.", "B begun. B done.", "C begun."]
        assert running.screen.composer.draft == "later"
        assert running.screen.chat.branch[-1].parent == "m1"


async def test_the_next_question_is_thought_about_once(tmp_path: Path) -> None:
    gate = asyncio.Event()
    first = streaming(token("hm"), gate, think_end(), token("One."), end("stop", 10, 9, 0.5), DONE)
    async with program(tmp_path, first, answer("Two."), answer("Three.")) as running:
        await running.type("/answers 3 next<enter>")
        await running.shows("The next reply has 3 answers to one thought, side by side  (/answers off takes that back)")
        await running.type("Lamb?<enter>")
        await running.shows("thinking, then 3 answers")
        gate.set()
        await running.until(lambda: len(running.screen.chat.session.messages) == 4)
        await running.idle()
        assert sorted(message.content for message in running.screen.chat.session.messages[1:]) == [
            "One.",
            "Three.",
            "Two.",
        ]
        await running.shows("1/3")
        thinking, *others = (body["input"] for body in running.client.bodies)
        assert others == [f"{thinking}hm</think>"] * 2
        await running.type("More?<enter>")
        await running.until(lambda: len(running.client.bodies) == 4)  # it is asked once


async def test_one_request_brings_several_and_is_seen_before(tmp_path: Path) -> None:
    results = [{"generated_text": text} for text in ("Grill it.", "Stew it.")]
    document = json.dumps({"results": results, "num_tokens": 9, "num_input_tokens": 30, "estimated_cost": 0.1}).encode()
    async with program(tmp_path, Script([document], is_event_stream=False), session=TALK) as running:
        await running.type("<f5><escape>/answers 2 request")
        await running.shows("num_responses = 2")
        running.screen.dispatcher.choose("copy-body")
        await running.until(lambda: bool(running.app.clipboard))
        await running.type("<enter>")
        await running.shows("Grill it.")
        await running.idle()
        assert running.client.bodies == [json.loads(running.app.clipboard)]
        assert (running.client.bodies[0]["num_responses"], running.client.bodies[0]["stream"]) == (2, False)
        assert contents(running) == ["Grill it.", "Stew it."]
        await running.shows("2/3")


@pytest.mark.parametrize("text", ["", "5", "three", "3 times", "2 request next"])
async def test_another_number_of_answers_is_told_and_can_be_mended(tmp_path: Path, text: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type(f"/answers {text}<enter>")
        await running.shows("allowed 2, 3 or 4")
        assert not running.client.bodies
