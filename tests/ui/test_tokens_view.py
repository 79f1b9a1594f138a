"""A reply token by token, cut and gone on with; its timeline, while it runs and from the file alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kimi_tui.core.errors import ConnectionFailedError
from kimi_tui.core.session.session import MessageState
from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.screens.timeline_screen import TimelineScreen
from kimi_tui.ui.screens.tokens_lines import SLICE, TokenLines
from kimi_tui.ui.screens.tokens_screen import TokensScreen
from tests.fakes.scripted_client import Script, end, frame, streaming, think_end
from tests.ui.program import Program, program, talk


def sure(text: str, logprob: float = -0.01) -> bytes:
    return frame(token={"text": text, "logprob": logprob})


REPLY = streaming(
    sure("The"), sure(" user", -1.5), sure(" asks."), think_end(), sure("Yes"), sure(","), sure(" lamb", -2.5), sure("."), end()
)  # fmt: skip


async def ask(running: Program) -> None:
    await running.type("Lamb?<enter>")
    await running.shows("Lamb?")
    await running.idle()


async def opened(running: Program) -> TokensScreen:
    await running.type("<shift+tab>T")
    await running.until(lambda: isinstance(running.app.screen, TokensScreen))
    await running.shows("token 1 of")
    screen = running.app.screen
    assert isinstance(screen, TokensScreen)
    return screen


async def test_the_cursor_goes_by_token_by_line_and_to_what_was_unsure(tmp_path: Path) -> None:
    async with program(tmp_path, REPLY) as running:
        await ask(running)
        await opened(running)
        assert "The▏ user▏ asks.▏" in running.text
        assert "Yes▏,▏ lamb▏.▏" in running.text
        await running.shows("“The” · token 1 of 7 · 99 % · logprob -0.01 · 0.00 s after the request was sent")
        for keys, words in (
            ("<right>", "“ user” · token 2 of 7 · 22.3 %"),
            ("<down>", "“,” · token 5 of 7"),
            ("<end>", "“.” · token 7 of 7"),
            ("<home>", "“Yes” · token 4 of 7"),
            ("<left>", "“ asks.” · token 3 of 7"),
            ("n", "“ lamb” · token 6 of 7 · 8.21 %"),
            ("n", "There is no token under 50% after this one."),
            ("N", "“ user” · token 2 of 7"),
            ("N", "There is no token under 50% before this one."),
            ("<ctrl+end>", "“.” · token 7 of 7"),
            ("<pageup>", "token 3 of 7"),
            ("<ctrl+home>", "token 1 of 7"),
        ):
            await running.type(keys)
            await running.shows(words)
        await running.type("<escape>")
        assert len(running.app.screen_stack) == 1
        assert running.scope is Scope.TRANSCRIPT
        assert running.screen.transcript.cursor.chosen == "m2"


@pytest.mark.parametrize(
    ("keys", "open_turn", "texts", "begun"),
    [
        ("<right><right>", "<think>The user", ("The user I know.", "Chops."), (8, None)),
        ("n" * 2, "<think>The user asks.</think>Yes,", ("The user asks.", "Yes, chops."), (14, 4)),
        ("<right><right><right>", "<think>The user asks.</think>", ("The user asks.", " chops."), (14, 0)),
        ("", "<think>", (" I know.", "Chops."), (0, None)),
    ],
    ids=["in the thinking", "in the answer", "before the answer", "at the beginning"],
)
async def test_cutting_before_a_token_goes_on_from_there(
    tmp_path: Path, keys: str, open_turn: str, texts: tuple[str, str], begun: tuple[int, int | None]
) -> None:
    thinks_on = begun[1] is None
    other = (
        streaming(sure(" I"), sure(" know."), think_end(), sure("Chops."), end())
        if thinks_on
        else streaming(sure(" chops"), sure("."), end())
    )
    async with program(tmp_path, REPLY, other) as running:
        await ask(running)
        await opened(running)
        await running.type(f"{keys}c")
        await running.until(lambda: len(running.app.screen_stack) == 1 and len(running.client.bodies) == 2)
        await running.idle()
        assert running.client.bodies[1]["input"].endswith(f"<|im_assistant|>assistant<|im_middle|>{open_turn}")
        before, reply = running.screen.chat.session.messages[1:]
        assert (reply.reasoning, reply.content, reply.state) == (*texts, MessageState.COMPLETE)
        assert (before.reasoning, before.content) == ("The user asks.", "Yes, lamb.")
        assert (reply.parent, reply.written, reply.edited) == (before.parent, (), True)
        assert reply.begun is not None
        assert (reply.begun.reasoning, reply.begun.content, reply.begun.of) == (*begun, before.id)
        assert running.screen.transcript.cursor.chosen == reply.id
        await running.type("T")
        await running.shows("token 1 of")  # what it begins with was tokens of the other one
        assert "their tokens are not known" not in running.text
        assert ("request 1 was sent" in running.text) is bool(keys)


async def test_a_reply_that_grows_is_shown_as_it_comes_and_is_not_cut(tmp_path: Path) -> None:
    gate, rest = asyncio.Event(), asyncio.Event()
    script = streaming(sure("hm"), think_end(), gate, sure("Yes"), rest, sure("."), end())
    async with program(tmp_path, script) as running:
        await running.type("Lamb?<enter>")
        await running.shows("1 tok")
        await running.type("/tokens<enter>")
        await running.shows("hm▏")
        await running.shows("Tokens of the running reply")
        gate.set()
        await running.shows("Yes▏")
        await running.type("c")
        await running.shows("A reply is running; stop it first.")
        rest.set()
        await running.shows("Yes▏.▏")
        await running.idle()
        await running.shows("3 tokens of the reply")
        await running.type("<escape>")
        assert running.screen.chat.branch[-1].content == "Yes."


async def test_an_endpoint_that_does_not_say_how_sure_it_was(tmp_path: Path) -> None:
    script = streaming(sure("hm", 0.0), think_end_of_0(), sure("Yes", 0.0), end())
    async with program(tmp_path, script, size=(60, 20)) as running:
        await ask(running)
        await opened(running)
        await running.shows("does not say how likely")
        assert "logprob -" not in running.text
        await running.type("<escape>")
        assert len(running.app.screen_stack) == 1


def think_end_of_0() -> bytes:
    return frame(token={"text": "</think>", "special": True, "logprob": 0})


async def test_a_click_chooses_a_token(tmp_path: Path) -> None:
    async with program(tmp_path, REPLY) as running:
        await ask(running)
        screen = await opened(running)
        row = next(y for y, line in enumerate(running.text.split("\n")) if "lamb▏" in line)
        x = running.text.split("\n")[row].index("lamb")
        lines = screen.query_one(TokenLines)
        await running.pilot.click(lines, offset=(x - lines.region.x, row - lines.region.y))
        await running.shows("“ lamb” · token 6 of 7")


async def test_a_reply_that_came_before_the_start_says_so_and_its_timeline_has_the_marks(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Yes."))) as running:
        await running.type("/tokens<enter>")
        await running.shows("The tokens of this reply were not kept: it came before this start of the program")
        await running.shows("/record next FILE")
        await running.type("/timeline<enter>")
        await running.shows("first token 0.80 s · end of thinking 13.2 s · end 20.0 s · 212 tok · 11 tok/s")
        await running.shows("How fast it came is not kept in the session file")
        assert "tok/s ▁" not in running.text
        await running.type("<escape>")
        assert len(running.app.screen_stack) == 1


async def test_a_reply_in_one_piece_has_neither_tokens_nor_rate(tmp_path: Path) -> None:
    whole = Script([b'{"results": [{"generated_text": "hm</think>Yes."}]}'], is_event_stream=False)
    async with program(tmp_path, whole) as running:
        await ask(running)
        await running.type("/tokens<enter>")
        await running.shows("it came in one piece, not token by token")
        await running.type("/timeline<enter>")
        await running.shows("It came in one piece, not token by token: there is no rate.")
        assert "tok/s" not in running.text


async def test_a_question_is_about_its_reply_and_without_one_nothing_is_shown(tmp_path: Path) -> None:
    async with program(tmp_path, REPLY) as running:
        for command in ("/tokens", "/timeline"):
            await running.type(f"{command}<enter>")
            await running.shows("There is no reply here.")
            await running.type("/dismiss<enter>")
        await ask(running)
        await running.type("<shift+tab><up>")
        assert running.screen.transcript.cursor.chosen == "m1"
        await running.type("T")
        await running.shows("token 1 of 7")


async def test_the_timeline_follows_a_turn_of_two_attempts_and_two_requests(tmp_path: Path) -> None:
    gate, rest = asyncio.Event(), asyncio.Event()
    scripts = [
        Script([], refuse=ConnectionFailedError("No.", retryable=True)),
        streaming(sure("one."), sure(" two."), gate, sure(" three.")),
        streaming(sure("Yes"), rest, sure("."), end()),
    ]
    async with program(tmp_path, *scripts) as running:
        await running.type("Lamb?<enter>")
        await running.shows("2 tok")
        running.clock.time_s += 2
        await running.type("/timeline<enter>")
        await running.until(lambda: isinstance(running.app.screen, TimelineScreen))
        await running.shows("attempt 1 failed after 0.0 s")
        await running.shows("thinking · 2 tok")
        await running.shows("▲2.0 s")
        assert "░ thinking" in running.text
        assert "1 reply    ." in running.text
        running.screen.dispatcher.choose("answer-now")
        await running.shows("2 answer: sent")
        running.clock.time_s += 3
        rest.set()
        await running.idle()
        await running.shows("end of thinking")
        await running.until(lambda: "2 answer" in running.text and "running" not in running.text)
        assert "Stalled: 2 times, 5.0 s together: 2.0 s at" in running.text
        assert "3.0 s at" in running.text
        await running.type("<escape><shift+tab>I")
        await running.shows("Stalled: 2 times")
        assert "not kept in the session file" not in running.text
        await running.type("<escape>")
        assert running.scope is Scope.TRANSCRIPT


async def test_a_long_reply_is_laid_out_in_slices_and_its_end_is_reached(tmp_path: Path) -> None:
    count = 2 * SLICE + 7
    data = b"".join(sure(f" w{number}", -1.0 if number == count - 2 else -0.01) for number in range(count))
    async with program(tmp_path, streaming(think_end(), data, end())) as running:
        await ask(running)
        screen = await opened(running)
        lines = screen.query_one(TokenLines)
        for key in ("<ctrl+end>", "<ctrl+home>n<right>"):
            await running.type(key)
            await running.shows(f"“ w{count - 1}” · token {count} of {count}")
            assert f"w{count - 1}▏" in running.text
        await running.pilot.resize_terminal(60, 20)
        await running.shows(f"token {count} of {count}")
        await running.until(lambda: f"w{count - 1}▏" in running.text)
        assert lines.number == count
