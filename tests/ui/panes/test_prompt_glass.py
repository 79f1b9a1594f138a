"""What the prompt pane says of the last request, and the diff with a past one, in the whole program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.core.errors import AuthenticationError
from kimi_tui.core.prompt.shared_prefix import SharedPrefix
from kimi_tui.core.session.session import Session, Usage
from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.panes.prompt_pane import PromptPane
from kimi_tui.ui.screens.diff_screen import DiffScreen
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, prompts, talk

ANSWER = streaming(token("hm"), think_end(), token("Steam it."), end(), DONE)


def counted(session: Session) -> Session:
    """Replies that counted 20, 40, … tokens."""
    messages = tuple(
        replace(message, usage=Usage(10 * (place + 1), 9)) if place % 2 else message
        for place, message in enumerate(session.messages)
    )
    return replace(session, messages=messages)


TALK = replace(counted(talk(("Lamb?", "Roast it."), ("Fish?", "Grill it."))), system="Be brief.")


def shared(running: Program) -> SharedPrefix:
    view = running.screen.query_one(PromptPane).view
    assert view is not None
    assert view.shared is not None
    return view.shared


def title_has(running: Program, text: str) -> Callable[[], bool]:
    return lambda: isinstance(running.app.screen, DiffScreen) and text in running.text


async def test_the_pane_says_what_equals_the_last_request_and_marks_where_it_differs(tmp_path: Path) -> None:
    async with program(tmp_path, ANSWER, session=TALK) as running:
        await running.type("And now?<f5>")
        await running.shows("the first 40 tok equal the last request's")
        await running.shows("new: message m4, …")
        await running.shows("▼ new since the last request (m4)")
        await running.type("<escape><ctrl+u>/system Be long.<enter>")
        await running.shows("differs in: system prompt, …")
        assert not shared(running).is_told


async def test_a_request_that_brought_nothing_is_the_last_one_too(tmp_path: Path) -> None:
    """It stands in no message, and was sent last."""
    refused = Script([], refuse=AuthenticationError("No."))
    async with program(tmp_path, refused, session=TALK) as running:
        await running.type("Salt?<enter>")
        await running.shows("failed")
        await running.idle()
        await running.type("<f5>")
        await running.shows("Salt?")
        assert shared(running).last == "m6"


async def test_the_last_request_may_stand_on_another_branch(tmp_path: Path) -> None:
    first = TALK.messages[1].id
    async with program(tmp_path, session=replace(TALK, head=first)) as running:
        await running.type("And now?<f5>")
        await prompts("And now?")(running)
        assert shared(running).last == TALK.messages[3].id
        assert not shared(running).is_all


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_the_diff_is_opened_stepped_and_left_by_keys(tmp_path: Path, size: tuple[int, int]) -> None:
    async with program(tmp_path, session=TALK, size=size) as running:
        await running.type("And now?<f5>")
        await prompts("And now?")(running)
        await running.type("d")
        await running.until(title_has(running, "request of m4 (the last)"))
        await running.shows("tok added")
        assert "+ " in running.text
        assert "Right later" not in running.text
        await running.type("<left>")
        await running.until(title_has(running, "request of m2 (2 back)"))
        await running.type("<left><right>x")
        await running.until(title_has(running, "request of m4 (the last)"))
        await running.type("<down><pagedown><end><home><escape>")
        assert running.app.screen is running.screen
        assert running.scope is Scope.PROMPT
        assert running.screen.composer.draft == "And now?"


async def test_a_click_on_its_keys_does_the_same(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(80, 24)) as running:
        await running.type("/diff<enter>")
        await running.until(title_has(running, "m4 (the last)"))
        await running.pilot.click("#diff-keys", offset=(3, 0))
        await running.until(title_has(running, "m2 (2 back)"))
        await running.pilot.click("#diff-keys", offset=(3, 0))
        await running.until(title_has(running, "m4 (the last)"))
        await running.pilot.click("#diff-keys", offset=(26, 0))
        await running.until(lambda: running.app.screen is running.screen)


async def test_the_command_names_a_request_and_gives_the_keys_back(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(80, 24)) as running:
        for argument, title in (("", "m4 (the last)"), (" 2", "m2 (2 back)"), (" m2", "m2 (2 back)")):
            await running.type(f"/diff{argument}<enter>")
            await running.until(title_has(running, title))
            await running.type("<escape>typed")
            assert running.screen.composer.draft == "typed"
            await running.type("<ctrl+u>")
        for argument in ("0", "3", "m1", "[/]"):
            await running.type(f"/diff {argument}<enter>")
            await running.shows("allowed the number of a past request")
            assert running.app.screen is running.screen


async def test_without_a_past_request_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        await running.type("/diff<enter>")
        await running.shows("There is no past request here")


async def test_two_inputs_that_are_one_say_so(tmp_path: Path) -> None:
    session = replace(TALK, head=TALK.messages[2].id)
    async with program(tmp_path, session=session) as running:
        await running.type("<f5>")
        await running.shows("all of it equals the last request")
        await running.type("d")
        await running.shows("Nothing differs")


async def test_a_hostile_id_and_text_are_shown_and_do_nothing(tmp_path: Path) -> None:
    messages = tuple(
        replace(it, id=f"{it.id}[/]\x1b[31m", parent=it.parent and f"{it.parent}[/]\x1b[31m", content=f"{it.content}\x1b]52;c;x\x07[/b]")
        for it in TALK.messages
    )  # fmt: skip
    async with program(tmp_path, session=replace(TALK, messages=messages, head=messages[-1].id)) as running:
        await running.type("And now?<f5>")
        await prompts("And now?")(running)
        await running.type("d")
        await running.shows("tok added")
        assert "\x1b" not in running.text
