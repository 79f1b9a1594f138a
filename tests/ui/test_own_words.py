"""Words of the user's in the model's turn, on the screen: seen before, as the endpoint receives them, undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.core.errors import ServerFaultError
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.session.written import CONTENT, REASONING, Begun, WrittenRange
from kimi_tui.ui.panes.prompt_pane import PromptPane
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, prompts, talk

LAMB = talk(("Lamb?", "Roast it."))
QUESTION = "<|im_user|>ChatMessageRole.USER<|im_middle|>Lamb?<|im_end|><|im_assistant|>assistant<|im_middle|>"
REFUSED = Script([], refuse=ServerFaultError("No."))
NO_RETRY = {"api": {"retries": 0}}


def says(*pieces: str) -> Script:
    return streaming(*[think_end() if piece == "</think>" else token(piece) for piece in pieces], end(), DONE)


def sent(running: Program) -> list[str]:
    return [body["input"] for body in running.client.bodies]


def last(running: Program) -> Message:
    return running.screen.chat.branch[-1]


async def seen_before(running: Program) -> str:
    """What the prompt pane shows before it is sent."""
    await running.pilot.pause(0.2)
    view = running.screen.query_one(PromptPane).view
    assert view is not None
    return view.text


async def open_prompt(running: Program) -> None:
    await running.type("<f5>")
    await prompts("<think>")(running)
    await running.type("<escape>")
    running.screen.type_here()


# -- what the next reply begins with


@pytest.mark.parametrize("command", ["prefill", "seed"])
async def test_it_is_seen_and_sent_begins_the_reply_and_is_for_one_reply(tmp_path: Path, command: str) -> None:
    is_answer = command == "prefill"
    opening = QUESTION + ("<think></think>Well," if is_answer else "<think>Well,")
    rest = (" roast it.",) if is_answer else (" so", "</think>", "Roast it.")
    async with program(tmp_path, says(*rest), says("hm", "</think>", "Yes.")) as running:
        await open_prompt(running)
        await running.type(f"/{command} Well,")
        assert (await seen_before(running)).endswith(opening.removeprefix(QUESTION))
        await running.type("<enter>Lamb?")
        await running.shows("with “Well,”")
        assert await seen_before(running) == opening
        await running.type("<enter>")
        await running.shows("begins with your words")
        await running.idle()
        assert sent(running) == [opening]
        assert running.client.bodies[0]["temperature"] == (0.6 if is_answer else 1.0)
        reply, field = last(running), CONTENT if is_answer else REASONING
        assert (reply.reasoning, reply.content) == (
            (None, "Well, roast it.") if is_answer else ("Well, so", "Roast it.")
        )
        assert reply.written == (WrittenRange(field, 0, 5),)
        await running.type("More?<enter>")
        await running.shows("Yes.")
        assert sent(running)[1].endswith("More?<|im_end|><|im_assistant|>assistant<|im_middle|><think>")


async def test_it_can_be_taken_back_and_outlives_a_failure(tmp_path: Path) -> None:
    async with program(tmp_path, REFUSED, says(" roast."), config=NO_RETRY) as running:
        await running.type("/prefill<enter>")
        await running.shows("Nothing was set.")
        await running.type("/prefill  <enter>")
        await running.shows("needs a text")
        await running.type("<ctrl+u>/prefill Well,<enter>")
        await running.shows("The next reply begins with “Well,”")
        await running.type("/prefill<enter>")
        assert not running.screen.chat.next_reply.words
        await running.type("/prefill Well,<enter>Lamb?<enter>")
        await running.idle()
        assert running.screen.chat.next_reply.words
        await running.type("<ctrl+u>Lamb?<enter>")
        await running.shows("Well, roast.")
        assert sent(running)[0].endswith("Lamb?<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>Well,")


async def test_regenerated_the_reply_begins_so_and_undo_shows_the_question_alone(tmp_path: Path) -> None:
    async with program(tmp_path, says(" and salt."), session=LAMB) as running:
        await running.type("/prefill Fire<enter>/regenerate<enter>")
        await running.shows("Fire and salt.")
        await running.idle()
        assert (sent(running), last(running).parent) == ([f"{QUESTION}<think></think>Fire"], "m1")
        await running.type("<shift+tab>u")
        await running.shows("The question is as it was before its reply")
        assert [m.id for m in running.screen.chat.branch] == ["m1"]
        assert len(running.screen.chat.session.messages) == 3


# -- alternatives to a reply that is there


async def restarted(tmp_path: Path, session: Session) -> Session:
    (tmp_path / "later").mkdir()
    return replace(session, path="")


@pytest.mark.parametrize(
    ("keys", "reasoning", "own"),
    [
        ("w", "The user asks.\n\nWait,", "Wait,"),
        ("/think-longer [EOS] herbs?<enter>", "The user asks.\n\n[EOS] herbs?", "[EOS] herbs?"),
        ("/seed Herbs:<enter>", "Herbs:", "Herbs:"),
    ],
)
async def test_the_thinking_is_taken_up_in_an_alternative_and_undone_after_a_restart(
    tmp_path: Path, keys: str, reasoning: str, own: str
) -> None:
    async with program(tmp_path, says(" yes", "</think>", "With herbs."), session=LAMB) as running:
        await open_prompt(running)
        await running.type("<shift+tab>")
        opening = f"{QUESTION}<think>" + reasoning.replace("[EOS]", "[\u2060EOS]")
        if keys.startswith("/"):
            await running.type(keys.removesuffix("<enter>"))
            assert await seen_before(running) == opening
            await running.type("<enter>")
        else:
            await running.type(keys)
        await running.shows("With herbs.")
        await running.idle()
        assert sent(running) == [opening]
        made = last(running)
        assert (made.parent, made.reasoning, made.content) == ("m1", f"{reasoning} yes", "With herbs.")
        assert made.begun == Begun(len(reasoning), None, "m2")
        assert [(made.reasoning or "")[it.start : it.end] for it in made.written] == [own]
        assert (made.requests, made.usage is not None, made.sent is not None) == ((), True, True)
        assert running.screen.chat.session.messages[1] == LAMB.messages[1]
        session = running.files.read_only(running.screen.chat.path)
    async with program(tmp_path / "later", session=await restarted(tmp_path, session)) as running:
        await running.type("<shift+tab>u")
        await running.shows("as it was")
        assert last(running) == LAMB.messages[1]
        assert [m.id for m in running.screen.chat.session.messages] == ["m1", "m2", "m3"]


async def test_what_fails_at_once_leaves_the_alternative_to_be_gone_on_with(tmp_path: Path) -> None:
    async with program(tmp_path, REFUSED, says(" yes", "</think>", "Herbs."), session=LAMB, config=NO_RETRY) as running:
        await running.type("<shift+tab>w")
        await running.idle()
        assert (last(running).reasoning, last(running).content) == ("The user asks.\n\nWait,", "")
        await running.shows("m on it or /continue goes on")
        await running.type("m")
        await running.shows("Herbs.")
        await running.idle()
        assert sent(running) == [f"{QUESTION}<think>The user asks.\n\nWait,"] * 2
        assert len(running.screen.chat.session.messages) == 3


async def test_without_thinking_there_is_nothing_to_think_on(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."), reasoning=None)) as running:
        await running.type("/think-longer<enter>")
        await running.shows("there is no reasoning here")


# -- edits


async def test_an_edited_answer_goes_on_from_its_end(tmp_path: Path) -> None:
    async with program(tmp_path, says(" and", " salt."), session=LAMB) as running:
        await open_prompt(running)
        await running.type("dra<shift+tab>e")
        await running.shows("Edit the answer")
        await running.type("<backspace> with fire")
        opening = f"{QUESTION}<think>The user asks.</think>Roast it with fire"
        assert await seen_before(running) == opening
        await running.type("<enter>")
        await running.shows("Roast it with fire and salt.")
        await running.idle()
        assert (sent(running), running.screen.composer.draft) == ([opening], "dra")
        made = last(running)
        assert (made.parent, made.edited, made.content) == ("m1", True, "Roast it with fire and salt.")
        assert [made.content[it.start : it.end] for it in made.written] == [" with fire"]
        await running.shows("edited by you")


async def test_an_edit_is_only_kept_and_may_be_gone_on_with_later(tmp_path: Path) -> None:
    async with program(tmp_path, says(" Salt it."), session=LAMB) as running:
        await running.type("<shift+tab>e<backspace>!<alt+k>")
        await running.shows("Kept.")
        assert (sent(running), running.screen.composer.draft) == ([], "")
        assert (last(running).content, last(running).state, last(running).usage) == ("Roast it!", "complete", None)
        await running.type("<shift+tab>m")
        await running.shows("Roast it! Salt it.")
        await running.idle()
        assert sent(running) == [f"{QUESTION}<think>The user asks.</think>Roast it!"]
        await running.type("u")
        await running.shows("as it was")
        assert last(running) == LAMB.messages[1]


@pytest.mark.parametrize(
    ("key", "mark", "pieces"),
    [("<enter>", "", (" yes", "</think>", "Herbs.")), ("<alt+a>", "</think>", ("Herbs.",))],
)
async def test_an_edited_thinking_goes_on_inside_or_answers(
    tmp_path: Path, key: str, mark: str, pieces: tuple[str, ...]
) -> None:
    async with program(tmp_path, says(*pieces), session=LAMB) as running:
        await running.type("<shift+tab>E")
        await running.shows("Edit the thinking")
        await running.type(f"<backspace> herbs{key}")
        await running.shows("Herbs.")
        await running.idle()
        assert sent(running) == [f"{QUESTION}<think>The user asks herbs{mark}"]
        assert (last(running).content, last(running).thinking_end) == ("Herbs.", "user" if mark else None)
        assert [(it.field, it.start, it.end) for it in last(running).written] == [("reasoning", 13, 19)]


async def test_an_edited_thinking_is_kept_with_its_answer(tmp_path: Path) -> None:
    async with program(tmp_path, session=LAMB) as running:
        await running.type("<shift+tab>E!<alt+k>")
        await running.shows("Kept.")
        assert (last(running).reasoning, last(running).content) == ("The user asks.!", "Roast it.")


async def test_an_edit_that_changes_nothing_or_meets_a_running_reply_stays_where_it_is(tmp_path: Path) -> None:
    async with program(tmp_path, streaming(token("hm")), session=LAMB) as running:
        await running.type("<shift+tab>e<enter>")
        await running.shows("Nothing was changed.")
        assert running.screen.composer.draft == "Roast it."
        await running.type("<escape><shift+tab>e!<alt+k>")
        await running.shows("Kept.")
