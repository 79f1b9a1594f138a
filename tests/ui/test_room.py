"""The context window that is nearly full, on the screen: told before it is sent, the line, pins, the setting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kimi_tui.core.prompt.context_meter import context_of
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.token_estimate import rough_tokens
from kimi_tui.core.session.session import Usage
from kimi_tui.ui.panes.settings_pane.row_table import OVER_BUDGET
from tests.core.prompt.test_conversation import reply, session_of, user
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program

SMALL = {"api": {"context_tokens": 400}, "sampling": {"max_new_tokens": 40}}
WORDS = "lamb rests " * 16
LINE, NEAR = "Not sent from here up, for want of room", "The context window is nearly full"
TALK = session_of(
    user("m1", f"one {WORDS}"), reply("m2", f"A {WORDS}", "m1"),
    user("m3", f"two {WORDS}", "m2"), reply("m4", f"B {WORDS}", "m3"),
)  # fmt: skip
CUT = replace(TALK, settings={"over_budget": "keep-pinned"})


def script() -> Script:
    return streaming(token("hm"), think_end(), token("Sure."), end(), DONE)


def notices(running: Program) -> list[str]:
    return [str(placed.entry.text) for placed in running.screen.chat.notices]


def meter(draft: str) -> str:
    return f"~{context_of(TALK, 400).with_typed(rough_tokens(draft)).tokens}/400"


async def test_it_is_told_once_while_the_message_is_typed_and_again_after_there_was_room(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(120, 40), config=SMALL) as running:
        assert NEAR not in running.text
        draft = running.screen.composer
        draft.draft = "why " * 110
        await running.shows(NEAR)
        await running.shows(f"context ⚠ {meter('why ' * 110)}")
        draft.draft = "why " * 115
        await running.shows(meter("why " * 115))
        assert len(notices(running)) == 1
        draft.draft = ""
        await running.until(lambda: not notices(running))
        await running.until(lambda: NEAR not in running.text and "⚠" not in running.text)
        draft.draft = "why " * 110
        await running.shows(NEAR)
        assert LINE not in running.text  # nothing is left out: that is what was asked for


async def test_the_line_shows_what_the_next_request_leaves_out_and_pins_are_sent(tmp_path: Path) -> None:
    async with program(tmp_path, script(), script(), session=CUT, size=(120, 40), config=SMALL) as running:
        await running.type("<shift+tab><home>p")
        await running.shows("You · pinned")
        assert running.screen.chat.session.messages[0].pinned
        await running.type("p")
        await running.until(lambda: "pinned" not in running.text)
        await running.type("p<escape>")
        running.screen.composer.draft = "why " * 150
        await running.shows("There is no room for all of it: 3 older messages will not be sent any more.")
        await running.type("<ctrl+home>")
        await running.shows(f"{LINE}: 3 messages. Pinned ones are sent.")
        await running.shows("You · pinned, sent")
        await running.type("<f5>")
        await running.shows("3 messages not sent")
        await running.type("<ctrl+home><f5><enter>")
        await running.idle()
        sent = running.client.bodies[0]["input"]
        assert f"one {WORDS}" in sent
        assert f"A {WORDS}" not in sent
        assert running.screen.chat.session.messages[-1].left_out == ("m2", "m3", "m4")
        assert len([text for text in notices(running) if "no room" in text]) == 1
        await running.type("/over-budget refuse<enter>")
        await running.shows("what surely cannot fit is refused, and nothing is left out")
        await running.until(lambda: LINE not in running.text)
        await running.type("/over-budget never<enter>")
        await running.shows("/over-budget: found 'never', allowed refuse or leave-out or keep-pinned.")


async def test_it_is_chosen_in_the_settings_pane(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(120, 40), config=SMALL) as running:
        await running.type("<f4><down><down><down><down><enter>")
        await running.shows("leave-out (the oldest turns)")
        await running.type("<down><enter>")
        await running.shows(OVER_BUDGET["leave-out"][0])
        assert running.screen.chat.session.settings["over_budget"] == "leave-out"
        assert set(OVER_BUDGET) == set(OverBudget)


def test_the_meter_counts_what_is_sent() -> None:
    gone = frozenset({"m1", "m2"})
    assert context_of(TALK, 1000, left_out=gone).tokens < context_of(TALK, 1000).tokens
    counted = replace(TALK.messages[3], usage=Usage(100, 20), left_out=("m1", "m2"))
    session = replace(TALK, messages=(*TALK.messages[:3], counted))
    assert context_of(session, 1000, left_out=gone).tokens == 120
    assert context_of(session, 1000).tokens > 150  # the count is of another input
