"""Two messages side by side: which, by keys and mouse, and going on with one of them."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events

from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.text import word_diff
from kimi_tui.ui.screens import compare_screen
from kimi_tui.ui.screens.compare_choice import CompareChoice
from kimi_tui.ui.screens.compare_rows import Comparison, compared
from kimi_tui.ui.screens.compare_screen import CompareScreen
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import Program, program, talk
from tests.ui.resizing import resize

ONE = talk(("Lamb?", "Roast it slowly."), ("More?", "Braise it."))
LONG = "\n\n".join(f"Step {number}: turn the leg." for number in range(60))


def with_alternatives(*texts: str, **changes: Any) -> Session:
    """Alternatives to the first reply, the last of them shown."""
    session, first = ONE, ONE.messages[1]
    for number, text in enumerate(texts, 5):
        session = session.with_message(replace(first, id=f"m{number}", content=text, **changes))
    return session


TWO = with_alternatives("Roast it gently.", reasoning="The user wants one.")
THREE = with_alternatives("Roast it gently.", "Grill it.")


def head(running: Program) -> str | None:
    return running.screen.chat.session.head


def compares(running: Program) -> bool:
    return isinstance(running.app.screen, CompareScreen)


async def test_two_alternatives_are_compared_at_once_and_one_is_taken(tmp_path: Path) -> None:
    async with program(tmp_path, session=TWO) as running:
        await running.type("<shift+tab>c")
        await running.shows("1 difference · 3 words equal, 1 only left, 1 only right · all settings equal")
        assert "- Roast it slowly." in running.text
        assert "+ Roast it gently." in running.text
        assert "alternative 1/2" in running.text
        await running.type("<escape>")
        assert not compares(running)
        assert running.app.focused is running.screen.transcript
        assert running.screen.transcript.cursor.chosen == "m5"
        await running.type("c")
        await running.shows("1 difference")
        await running.type("r")
        await running.shows("Compare thinking · 1 difference")
        assert "+ The user wants one." in running.text
        await running.type("r<tab><enter>")
        await running.until(lambda: not compares(running))
        assert head(running) == "m4"  # the newest leaf below it
        assert [message.content for message in running.screen.chat.branch][-1] == "Braise it."
        assert running.screen.transcript.cursor.chosen == "m2"


async def test_of_several_one_is_chosen_by_its_words(tmp_path: Path) -> None:
    async with program(tmp_path, session=THREE) as running:
        await running.type("<shift+tab>c")
        await running.shows("Compare with which of 2 alternatives?")
        await running.shows("turn 1 · 1/3 · Roast it slowly.")
        await running.type("gently")
        await running.until(lambda: "slowly" not in running.text)
        await running.type("x")
        await running.shows("Nothing fits.")
        await running.type("<enter>")
        assert isinstance(running.app.screen, CompareChoice)
        await running.type("<backspace><enter>")
        await running.shows("Compare answers")
        assert "- Grill it." in running.text
        assert "+ Roast it gently." in running.text


async def test_the_list_is_left_by_escape_and_its_filter_first(tmp_path: Path) -> None:
    async with program(tmp_path, session=THREE) as running:
        await running.type("<shift+tab>c")
        await running.shows("1/3 · Roast it slowly.")
        await running.type("zzz<escape>")
        await running.shows("1/3 · Roast it slowly.")
        await running.type("<down><up><pagedown><escape>")
        assert len(running.app.screen_stack) == 1
        assert running.screen.transcript.cursor.chosen == "m6"


async def test_the_command_takes_numbers_of_alternatives(tmp_path: Path) -> None:
    async with program(tmp_path, session=THREE) as running:
        for wrong in ("1", "1 4", "2 2", "0 1", "a b", "1 2 3", "99999999 1"):
            running.screen.composer.draft = f"/compare {wrong}"
            await running.type("<enter>")
            await running.shows("the message has 3 alternatives.")
            await running.type("<ctrl+l>")
            running.screen.composer.draft = ""
        running.screen.composer.draft = "/compare 3 1"
        await running.type("<enter>")
        await running.shows("Compare answers")
        assert "- Grill it." in running.text
        assert "+ Roast it slowly." in running.text
        await running.type("<escape>typed")
        assert running.screen.composer.draft == "typed"
        running.screen.composer.draft = "/compare 3 1"
        await running.type("<enter>")
        await running.shows("Compare answers")
        await running.type("<enter>")
        await running.until(lambda: not compares(running))
        assert running.screen.transcript.cursor.chosen is None  # as it was before


async def test_the_command_is_about_the_last_message_that_has_alternatives(tmp_path: Path) -> None:
    session = replace(TWO, head="m4")
    async with program(tmp_path, session=session) as running:
        await running.type("/compare<enter>")
        await running.shows("- Roast it slowly.")
        await running.shows("+ Roast it gently.")


async def test_without_alternatives_any_reply_of_the_session_is_offered(tmp_path: Path) -> None:
    async with program(tmp_path, session=ONE) as running:
        await running.type("<shift+tab>c")
        await running.shows("turn 1 · Roast it slowly.")
        await running.type("<enter>")
        await running.shows("- Braise it.")
        assert "+ Roast it slowly." in running.text
        await running.type("<escape><up>c")  # a question, compared with questions
        await running.shows("turn 1 · Lamb?")
        await running.type("<enter>")
        await running.shows("Compare questions")
    async with program(tmp_path / "other", session=talk(("Lamb?", "Roast it."))) as running:
        await running.type("<shift+tab>c")
        await running.shows("There is nothing to compare it with yet.")


async def test_sides_go_through_alternatives_and_other_turns(tmp_path: Path) -> None:
    async with program(tmp_path, session=THREE) as running:
        await running.type("/compare 1 2<enter>")
        await running.shows("+ Roast it gently.")
        await running.type("<right>")
        await running.shows("+ Grill it.")
        await running.type("<right><left><left>")  # it stays at the ends, and passes the other side over
        await running.shows("+ Roast it gently.")
        await running.type("<tab><right>")
        await running.shows("- Grill it.")
        await running.type("o")
        await running.shows("turn 2 · Braise it.")
        await running.type("Braise<enter>")
        await running.shows("- Braise it.")
        assert "turn 2 · no alternatives" in running.text
        await running.type("<enter>")
        await running.until(lambda: not compares(running))
        assert head(running) == "m4"


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_both_sides_scroll_together_and_differences_are_gone_to(tmp_path: Path, size: tuple[int, int]) -> None:
    other = LONG.replace("Step 50: turn", "Step 50: salt").replace("Step 59:", "Last:")
    session = with_alternatives(LONG, other)
    async with program(tmp_path, session=session, size=size) as running:
        await running.type("/compare 2 3<enter>")
        await running.shows("2 differences")
        await running.type("n")
        await running.shows("▸ Step 50: salt the leg.")
        await running.shows("▸ Step 50: turn the leg.")
        await running.type("n")
        await running.shows("▸ Last: turn the leg.")
        await running.type("nN")
        await running.shows("difference 1 of 2")
        await running.type("<home>")
        await running.until(lambda: running.text.count("Step 0: turn the leg.") == 2)
        await running.type("<tab><end>")
        await running.until(lambda: "- Step 59: turn" in running.text and "+ Last: turn" in running.text)
        await running.type("<pageup><home>jjjjk<space><pageup>")
        for new in ((80, 24), (120, 40), size):
            await resize(running.pilot, *new)
            await running.shows("Compare answers")
            await running.until(lambda: re.findall("Step [0-9]+", running.text)[0] == "Step 2")


async def test_the_mouse_does_what_keys_do(tmp_path: Path) -> None:
    session = with_alternatives(LONG, LONG.replace("salt", "turn"), "Grill it.")
    async with program(tmp_path, session=session) as running:
        await running.type("/compare 2 3<enter>")
        await running.shows("no difference · all settings equal")
        await running.pilot._post_mouse_events([events.MouseScrollDown], "#compare-left-body", offset=(5, 5))
        await running.until(lambda: running.text.count("Step 0:") == 0)
        rows = running.text.splitlines()
        assert rows[1].count("◂ ▸") == 2
        await running.pilot.click(offset=(rows[1].rindex("▸"), 1))
        await running.shows("+ Grill it.")
        await running.pilot.click("#compare-left-body", offset=(5, 5))
        await running.shows("▸ Kimi · turn 1 · alternative 2/4")
        await running.pilot.click(offset=(rows[-1].index("Enter"), 39))
        await running.until(lambda: not compares(running))
        assert head(running) == "m5"


async def test_a_growing_reply_is_compared_as_it_is_and_again_at_its_end(tmp_path: Path) -> None:
    gate = asyncio.Event()
    script = streaming(token("hm"), think_end(), token("Roast"), gate, token(" it slowly."), end(), DONE)
    async with program(tmp_path, script, session=talk(("Lamb?", "Roast it."))) as running:
        await running.type("/regenerate<enter>")
        await running.shows("answering")
        await running.type("/compare<enter>")
        await running.shows("A reply is still growing")
        await running.shows("1 word")
        gate.set()
        await running.idle()
        await running.until(lambda: "+ Roast it slowly." in running.text and "still growing" not in running.text)


async def test_a_reply_that_is_gone_is_not_taken(tmp_path: Path) -> None:
    async with program(tmp_path, session=TWO) as running:
        await running.type("/compare<enter>")
        await running.shows("+ Roast it gently.")
        chat = running.screen.chat
        chat.open_session.update(lambda it: replace(it, messages=it.messages[:4], head="m4"))
        await running.shows("not in the session any more")
        await running.type("<enter><left>o<escape>")
        assert running.app.crash is None
        assert head(running) == "m4"


async def test_an_empty_side_and_hostile_text_are_shown(tmp_path: Path) -> None:
    hostile = "\x1b]0;x\x07[/] [bold] \u202eabc\n\te\u0301👩\u200d💻羊肉" + "W" * 300
    empty = Message("m3", Role.ASSISTANT, "", "m1", None, "hm", MessageState.CANCELLED)
    session = talk(("Lamb?", hostile)).with_message(empty)
    async with program(tmp_path, session=session, size=(60, 20)) as running:
        await running.type("<shift+tab>c")
        await running.shows("- ␛]0;x␇[/] [bold] ‹U+202E›abc")
        assert "stopped" in running.text
        await running.type("<enter>")
        await running.until(lambda: not compares(running))
        assert running.app.crash is None


async def test_what_is_too_large_or_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = with_alternatives("a b a b c", "b a b a d")
    async with program(tmp_path, session=session) as running:
        with monkeypatch.context() as patch:
            patch.setattr(word_diff, "MAX_PAIRS", 3)
            await running.type("/compare 2 3<enter>")
            await running.shows("large parts are marked as a whole")
            await running.type("<escape>")

        def broken(*_: str) -> Comparison:
            raise ValueError("a fault")

        monkeypatch.setattr(compare_screen, "compared", broken)
        await running.type("/compare 2 3<enter>")
        await running.shows("It could not be compared.")
        await running.until(lambda: "comparing" not in running.text)
        await running.type("<escape>")
        await running.shows("Something went wrong inside the program (ValueError")


async def test_a_view_that_is_left_while_it_compares_says_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def slow(left: str, right: str) -> Comparison:
        gate.wait(20)
        return compared(left, right)

    monkeypatch.setattr(compare_screen, "compared", slow)
    async with program(tmp_path, session=TWO) as running:
        await running.type("/compare<enter>")
        await running.shows("comparing …")
        await running.type("r<tab>no<escape>")
        await running.until(lambda: compares(running))
        assert "▸ Kimi · turn 1 · alternative 1/2" in running.text  # keys act meanwhile
        await running.type("<escape>")
        await running.until(lambda: len(running.app.screen_stack) == 1)
        gate.set()
        await running.type("typed")
        await running.pilot.pause(0.1)
        assert "went wrong" not in running.text
        gate.clear()
        await running.type("<ctrl+u>/compare<enter>")
        await running.shows("comparing …")
        await running.type("nn")
        gate.set()
        await running.shows("difference 1 of 1")
