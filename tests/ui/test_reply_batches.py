"""Several whole replies to one question, and sweeps, on the screen: begun, seen side by side, stopped, chosen, kept."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import RateLimitedError, RejectedRequestError
from kimi_tui.core.session.session import MessageState
from kimi_tui.ui.app import bar_display, chat_screen
from kimi_tui.ui.screens import side_by_side
from kimi_tui.ui.screens.side_by_side import ReplyColumn, SideBySideScreen
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it."))
TALK = replace(TALK, messages=(TALK.messages[0], replace(TALK.messages[1], sent=None)))
INPUT = "<|im_user|>ChatMessageRole.USER<|im_middle|>Lamb?<|im_end|><|im_assistant|>assistant<|im_middle|><think>"


class Replies:
    """Scripts of replies that wait at their gates: before the answer, and before their end."""

    def __init__(self, *texts: str) -> None:
        self.gates = [asyncio.Event() for _ in texts]
        self.scripts = [
            streaming(token(f"{text} thought"), think_end(), token(f"{text} begun."), gate, token(f" {text} done."),
                      end("stop", 40, 3, 0.0001 * number), DONE)
            for number, (text, gate) in enumerate(zip(texts, self.gates, strict=True), 1)
        ]  # fmt: skip

    def let_all_end(self) -> None:
        for gate in self.gates:
            gate.set()


def values(running: Program, field: str = "temperature") -> list[Any]:
    return [body.get(field) for body in running.client.bodies]


def contents(running: Program) -> list[str]:
    return [message.content for message in running.screen.chat.session.messages[2:]]


async def all_have_begun(running: Program, count: int) -> None:
    def has_begun() -> bool:
        growing = running.screen.chat.replies.running
        return len(growing) == count and all(len(it.live.text(part)) for it in growing for part in it.live.reply.texts)

    await running.until(has_begun)


async def opens_side_by_side(running: Program) -> None:
    await running.type("<alt+s>")
    await running.shows("Side by side")
    await running.until(lambda: bool(columns(running)))


def columns(running: Program) -> list[ReplyColumn]:
    screen = running.app.screen
    return [it for it in screen.query(ReplyColumn) if it.display] if isinstance(screen, SideBySideScreen) else []


async def test_whole_replies_stream_at_once_and_are_seen_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar_display, "REMARK_S", 3600)
    several = Replies("A", "B", "C")
    async with program(tmp_path, *several.scripts, session=TALK) as running:
        await running.type("/regenerate 3<enter>")
        await running.shows("3 requests: ~")
        await running.shows("about $0.0018 by what the others took")
        await running.shows("answering, 3 side by side")
        await all_have_begun(running, 3)
        assert all(body["input"].endswith(INPUT) and body["stream"] for body in running.client.bodies)
        await opens_side_by_side(running)
        for text in ("A begun.", "B begun.", "C begun.", "A thought", "Roast it."):
            await running.shows(text)
        assert len(columns(running)) == 4
        await running.type("s")  # the second of four: the first of the new ones
        await running.shows("stopped")
        assert len(running.screen.chat.replies.running) == 2
        several.gates[2].set()
        await running.shows("C done.")
        await running.type("<end><left><escape>")
        await running.until(lambda: not columns(running))
        await running.shows("Stopped this one; what arrived is kept, the others go on.")
        several.let_all_end()
        await running.idle()
        replies = running.screen.chat.session.messages[2:]
        assert [reply.content for reply in replies] == ["A begun.", "B begun. B done.", "C begun. C done."]
        assert [reply.state for reply in replies] == [
            MessageState.CANCELLED,
            MessageState.COMPLETE,
            MessageState.COMPLETE,
        ]
        assert [reply.reasoning for reply in replies] == ["A thought", "B thought", "C thought"]
        assert running.files.read_only(running.screen.chat.path).messages == running.screen.chat.session.messages


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_the_row_with_the_cursor_and_the_shown_one_have_marks_of_their_own(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar_display, "REMARK_S", 3600)
    several = Replies("A", "B", "C")
    async with program(tmp_path, *several.scripts, session=TALK, size=size) as running:
        await running.type("/regenerate 3<enter>")
        await all_have_begun(running, 3)
        await opens_side_by_side(running)
        await running.shows("▸● 2")
        await running.type("<right>s")
        await running.shows("stopped")
        await running.shows("▸  3")
        assert " ● 2" in running.text
        assert "▸●" not in running.text
        await running.type("S<escape>")
        await running.shows("Stopped 2")
        await running.idle()


async def test_one_request_brings_several(tmp_path: Path) -> None:
    results = [{"generated_text": f"hm</think>{text}"} for text in ("Grill it.", "Stew it.")]
    document = json.dumps({"results": results, "num_tokens": 9, "num_input_tokens": 30}).encode()
    async with program(tmp_path, Script([document], is_event_stream=False), session=TALK) as running:
        await running.type("/regenerate 2 request<enter>")
        await running.shows("Grill it.")
        await running.idle()
        assert [(body["num_responses"], body["stream"]) for body in running.client.bodies] == [(2, False)]
        assert contents(running) == ["Grill it.", "Stew it."]
        await running.shows("2/3")


@pytest.mark.parametrize("text", ["5", "1", "three", "2 next", "2 request streams"])
async def test_another_number_of_replies_is_told(tmp_path: Path, text: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type(f"/regenerate {text}<enter>")
        await running.shows("allowed 2, 3 or 4")
        assert not running.client.bodies


async def test_a_sweep_runs_four_at_a_time_and_labels_what_came(tmp_path: Path) -> None:
    several = Replies("A", "B", "C", "D", "E", "F")
    async with program(tmp_path, *several.scripts, streaming(asyncio.Event()), session=TALK) as running:
        await running.type("/sweep temperature 0 0.2 0.4 0.6 0.8 null<enter>")
        await running.shows("4 side by side, 2 waiting")
        await all_have_begun(running, 4)
        assert values(running) == [0, 0.2, 0.4, 0.6]
        await running.type("/set top_p 0.5<enter>later<enter>")
        await running.shows("Queued: later")
        several.gates[1].set()
        await running.until(lambda: len(running.client.bodies) == 5)
        several.let_all_end()
        await running.until(lambda: len(running.client.bodies) == 7)  # what waited is sent then, and not before
        assert values(running)[:6] == [0, 0.2, 0.4, 0.6, 0.8, None]
        assert values(running, "top_p")[:6] == [0.95] * 6  # as it was when the sweep began
        assert "later" in running.client.bodies[6]["input"]
        await running.type("<escape>")
        await running.idle()
        sent = [message.sent or {} for message in running.screen.chat.session.messages if message.parent == "m1"]
        assert [fields.get("temperature") for fields in sent] == [None, 0, 0.2, 0.4, 0.6, 0.8, None]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("temperature 0 hot", "temperature"),
        ("temperature 0", "allowed 2 to 8"),
        ("temprature 0 1", "unknown field"),
        ('response_format {"type": "json_schema"} null', "response_format"),
    ],
)
async def test_nothing_is_sent_where_one_value_cannot_be(tmp_path: Path, text: str, told: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type(f"/sweep {text}<enter>")
        await running.shows(told)
        assert not running.client.bodies
        assert running.screen.chat.session.messages == TALK.messages


async def test_a_value_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    refusal = RejectedRequestError("That temperature is too much.")
    fine = [streaming(token("hm"), think_end(), token(text), end(), DONE) for text in ("Cold.", "Warm.")]
    async with program(tmp_path, fine[0], Script([], refuse=refusal), fine[1], session=TALK) as running:
        await running.type("/sweep temperature 0 2 1<enter>")
        await running.shows("has ended, 2 of 3 complete")
        await running.shows("Alt+S or /sweep shows them side by side.")
        told = running.text.partition("has ended, ")[2].splitlines()[1:5]
        assert [line.split()[:3] for line in told] == [
            ["value", "state", "tokens"],
            ["2", "0", "complete"],
            ["3", "2", "failed:"],
            ["4", "1", "complete"],
        ]
        assert contents(running) == ["Cold.", "Warm."]
        await running.shows("temperature 2: That temperature is too much.")
        await running.type("/sweep<enter>")
        await running.shows("failed: That temperature")
        assert "temperature 2" in running.text


async def test_a_busy_endpoint_is_asked_again(tmp_path: Path) -> None:
    busy = Script([], refuse=RateLimitedError("Slow down."))
    fine = streaming(token("hm"), think_end(), token("Warm."), end(), DONE)
    async with program(tmp_path, fine, busy, fine, session=TALK) as running:
        await running.type("/sweep seed 1 2<enter>")
        await running.shows("has ended, 2 of 2 complete")
        assert values(running, "seed") == [1, 2, 2]


async def test_escape_stops_all_and_what_waits_is_never_sent(tmp_path: Path) -> None:
    several = Replies("A", "B", "C", "D")
    async with program(tmp_path, *several.scripts, session=TALK) as running:
        await running.type("/sweep seed 1 2 3 4 5 6<enter>")
        await all_have_begun(running, 4)
        await running.type("<escape>")
        await running.shows("Stopped 4 replies")
        await running.idle()
        assert len(running.client.bodies) == 4
        assert sorted(contents(running)) == ["A begun.", "B begun.", "C begun.", "D begun."]


async def test_where_all_come_to_nothing_the_reply_from_before_is_shown_again(tmp_path: Path) -> None:
    async with program(tmp_path, streaming(asyncio.Event()), streaming(asyncio.Event()), session=TALK) as running:
        await running.type("/regenerate 2<enter>")
        await running.until(lambda: len(running.client.bodies) == 2)
        first = running.screen.chat.replies.turn
        await running.type("<shift+tab><right>")
        await running.until(lambda: running.screen.chat.replies.turn is not first)
        await running.type("<escape>/stop<enter>")
        await running.idle()
        assert running.screen.chat.session.head == TALK.messages[1].id
        assert "Roast it." in running.text


async def test_one_that_waits_is_let_go_and_the_rest_goes_on(tmp_path: Path) -> None:
    several = Replies("A", "B", "C", "D", "E")
    async with program(tmp_path, *several.scripts, session=TALK) as running:
        await running.type("/sweep seed 1 2 3 4 5 6<enter>")
        await all_have_begun(running, 4)
        await opens_side_by_side(running)
        await running.type("<down><down><down><down>")
        await running.shows("It begins when one")
        await running.type("s")
        await running.shows("stopped")
        several.let_all_end()
        await running.idle()
        assert sorted(values(running, "seed")) == [1, 2, 3, 4, 6]


async def test_a_row_is_taken_and_the_table_copied(tmp_path: Path) -> None:
    fine = [streaming(token("hm"), think_end(), token(text), end(), DONE) for text in ("Cold.", "Warm.")]
    async with program(tmp_path, *fine, session=TALK) as running:
        await running.type("/sweep temperature 0 0.5<enter>")
        await running.shows("has ended")
        await running.type("/sweep<enter>")
        await running.shows("Side by side")
        await running.type("y")
        await running.until(lambda: running.app.clipboard.startswith("| # | setting"))
        assert "| 3 | temperature 0.5 | complete | 37 | 5 |" in running.app.clipboard
        await running.type("Y")
        await running.until(lambda: "|" not in running.app.clipboard)
        await running.type("<end><right><enter>")
        await running.until(lambda: running.screen.chat.session.head == "m4")
        await running.shows("temperature 0.5  ◂ 3/3")
        await running.until(lambda: running.files.read_only(running.screen.chat.path).head == "m4")
        assert running.app.focused is running.screen.composer


async def test_the_rows_follow_a_session_that_others_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_screen, "WATCH_S", 0.25)
    question, reply = TALK.messages
    both = replace(TALK, messages=(question, reply, replace(reply, id="m3", content="Boil it.")), prompt_cache_key="k")
    async with program(tmp_path, session=both) as running:
        other = SessionFiles(running.files.folder, running.files.trash)

        def change(**values: Any) -> None:
            other.save_now(replace(other.read_only(running.files.path_of(both)), **values))

        await opens_side_by_side(running)
        await running.shows("Boil it.")
        change(messages=(question, reply, replace(reply, id="m3", content="Fry it.")))
        await running.shows("Fry it.")
        change(messages=(question, reply))
        await running.until(lambda: len(columns(running)) == 1)
        change(messages=(question,), head=question.id)
        await running.until(lambda: not isinstance(running.app.screen, SideBySideScreen))


async def test_a_reply_that_is_gone_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "LOOK_S", 3600)
    session = replace(TALK, messages=(*TALK.messages, replace(TALK.messages[1], id="m3", content="Boil it.")))
    async with program(tmp_path, session=session) as running:
        await opens_side_by_side(running)
        await running.shows("Boil it.")
        running.screen.chat.open_session.update(lambda _: TALK)
        await running.type("<end><down><enter>")
        await running.shows("That reply is not in the session any more.")
        assert running.screen.chat.session.head == TALK.head


async def test_the_shown_one_is_stopped_alone_in_the_conversation(tmp_path: Path) -> None:
    several = Replies("A", "B")
    async with program(tmp_path, *several.scripts, session=TALK) as running:
        await running.type("/regenerate 2<enter>")
        await all_have_begun(running, 2)
        await running.type("more<enter><shift+tab>s")
        await running.shows("Stopped this one")
        await running.until(lambda: len(running.screen.chat.replies.running) == 1)
        await running.type("<right>")
        await running.shows("B begun.")
        running.client.scripts.append(streaming(asyncio.Event()))
        several.let_all_end()
        await running.until(
            lambda: len(running.client.bodies) == 3
        )  # the other one was not stopped: what waits follows
        assert "B done." in running.client.bodies[2]["input"]


async def test_they_go_on_in_another_session_and_leaving_keeps_what_came(tmp_path: Path) -> None:
    several = Replies("A", "B", "C", "D", "E")
    async with program(tmp_path, *several.scripts, session=TALK) as running:
        await running.type("/sweep seed 1 2 3 4 5<enter>")
        await all_have_begun(running, 4)
        path = running.screen.chat.path
        await running.type("<ctrl+n>")
        await running.shows("1 running elsewhere")
        several.gates[0].set()
        await running.until(lambda: len(running.client.bodies) == 5)
        await running.type("<ctrl+q>")
        await running.until(lambda: bool(running.app._exit))
        kept = [message.content for message in running.files.read_only(path).messages[2:]]
        assert kept[:4] == ["A begun. A done.", "B begun.", "C begun.", "D begun."]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20), (46, 14)])
async def test_every_size_has_its_columns(tmp_path: Path, size: tuple[int, int]) -> None:
    several = Replies("A", "B", "C")
    async with program(tmp_path, *several.scripts, session=TALK, size=size) as running:
        await running.type("/sweep seed 1 2 3<enter>")
        await all_have_begun(running, 3)
        await opens_side_by_side(running)
        await running.type("<home><right>")
        await running.shows("seed 1")
        assert len(columns(running)) == {120: 4, 80: 2}.get(size[0], 1)
        assert all(len(line) <= size[0] for line in running.text.splitlines())
        await running.type("<escape>")
        await running.until(lambda: not columns(running))
        assert running.app.focused is running.screen.composer
