"""The raw send on the screen: what opens, what is kept, what is sent and where its reply stands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from textual.widgets import Static

from kimi_tui.adapters.store.session_places import RAW_DRAFT, beside
from kimi_tui.core.errors import ServerFaultError, UsageError
from kimi_tui.core.prompt.neutralise import TextDoor
from kimi_tui.core.prompt.raw_prompt import RawInput
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE
from kimi_tui.core.session.raw_draft import RawDraft
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.settings.actions import Scope
from kimi_tui.engine.openings import Asking, AskingAgain
from kimi_tui.ui.panes.prompt_pane import PromptPane
from kimi_tui.ui.screens.raw_screen import RawScreen
from kimi_tui.ui.state.raw_opening import raw_opening
from kimi_tui.ui.terminal.terminal_input import Paste
from kimi_tui.ui.widgets.raw_area import RawArea
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import NOW, Program, prepare, program, talk

LAMB = talk(("Lamb?", "Roast it."))
USER = "<|im_user|>ChatMessageRole.USER<|im_middle|>"
OPEN = "<|im_assistant|>assistant<|im_middle|>"
ASKED = f"{USER}Lamb?<|im_end|>"
BEFORE = f"{ASKED}{OPEN}<think></think>Roast it.<|im_end|>"
NEXT = f"{BEFORE}{OPEN}<think>"


def says(*pieces: str) -> Script:
    return streaming(*[think_end() if piece == "</think>" else token(piece) for piece in pieces], end(), DONE)


YES = says("hm", "</think>", "Yes.")


def sent(running: Program) -> list[str]:
    return [body["input"] for body in running.client.bodies]


def area(running: Program) -> RawArea:
    return running.app.screen.query_one(RawArea)


async def opened(running: Program, keys: str = "/raw<enter>") -> RawArea:
    await running.type(keys)
    await running.until(lambda: isinstance(running.app.screen, RawScreen))
    return area(running)


async def closed(running: Program) -> None:
    await running.until(lambda: not isinstance(running.app.screen, RawScreen))


async def test_what_a_paste_lost_is_told(tmp_path: Path) -> None:
    async with program(tmp_path, session=LAMB, size=(110, 30)) as running:
        running.screen.composer.post_message(Paste("a\x1b[1m\0b"))
        await running.shows("2 control characters left out of the paste. /raw has an editor that keeps them.")
        assert running.screen.composer.draft == "a[1mb"
        editor = await opened(running, "<ctrl+u>/raw<enter>")
        editor.post_message(Paste("a\rb"))
        await running.until(lambda: "CR and stand here as LF" in shown_above(running))
        editor.post_message(Paste("a\x1b\r\nb"))
        await running.until(lambda: editor.exact_text.endswith("a\nba\x1b\r\nb"))
        await running.until(lambda: "CR and stand" not in shown_above(running))


def shown_above(running: Program) -> str:
    told = running.app.screen.query_one("#raw-told", Static)
    return str(told.render()) if told.display else ""


# -- where its reply stands


def opening_of(
    text: str, session: Session = LAMB, *, reply_to: str | None = None, draft: str = "", edited: str | None = None
) -> tuple[Asking | AskingAgain, bool]:
    raw, door = RawInput.of(text, DEFAULT_TEMPLATE), TextDoor(DEFAULT_TEMPLATE)
    return raw_opening(session, raw, door, reply_to=reply_to, draft=draft, edited=edited)


OPEN_QUESTION = LAMB.with_message(Message("m3", Role.USER, "How long?", "m2", NOW))
MORE = f"{BEFORE}{USER}How long?<|im_end|>{OPEN}<think>"


@pytest.mark.parametrize(
    ("text", "session", "more", "question", "alternative_to", "takes_draft"),
    [
        (MORE, LAMB, {"draft": "How long?"}, "How long?", None, True),
        (MORE, LAMB, {"draft": "How long?", "edited": "m1"}, "How long?", "m1", True),
        (MORE, LAMB, {"draft": "Hi"}, "How long?", None, False),
        (MORE, LAMB, {}, "How long?", None, False),
        (f"[EOS]{MORE}", LAMB, {"draft": "How long?"}, "How long?", None, True),
        (MORE, OPEN_QUESTION, {}, "m3", None, False),
        (f"[EOS]{MORE}", OPEN_QUESTION, {}, "m3", None, False),
        (MORE.replace("How", "So"), OPEN_QUESTION, {}, "So long?", "m3", False),
        (f"{ASKED}{OPEN}<think>", LAMB, {"reply_to": "m1", "draft": "Hi"}, "m1", None, False),
        (f"x{ASKED}{OPEN}<think>", LAMB, {"reply_to": "m1"}, "m1", None, False),
        (MORE, LAMB, {"reply_to": "m1"}, "How long?", "m1", False),
        (MORE, LAMB, {"reply_to": "gone"}, "How long?", None, False),
    ],
)
def test_it_answers_what_it_asks(
    text: str,
    session: Session,
    more: Mapping[str, str],
    question: str,
    alternative_to: str | None,
    *,
    takes_draft: bool,
) -> None:
    (opening, found), start = opening_of(text, session, **more), RawInput.of(text, DEFAULT_TEMPLATE)
    if isinstance(opening, AskingAgain):
        assert opening == AskingAgain(question, start)
    else:
        assert opening == Asking(question, alternative_to, start)
    assert found is takes_draft


@pytest.mark.parametrize(
    ("text", "title"),
    [("Once", "Raw input: Once"), (NEXT, "Raw input: ChatMessageRole.USERLamb?assistantRoast it.assistant")],
)
def test_one_that_asks_nothing_gets_a_stand_in(text: str, title: str) -> None:
    opening = opening_of(text, draft="Hi")[0]
    assert opening == Asking(title, start=RawInput.of(text, DEFAULT_TEMPLATE), is_stand_in=True)


# -- on the screen


async def test_what_is_edited_is_sent_once_and_the_next_turn_is_ordinary(tmp_path: Path) -> None:
    async with program(tmp_path, YES, YES, session=LAMB) as running:
        editor = await opened(running)
        assert editor.exact_text == NEXT
        await running.type("So [EOS]<ctrl+s>")
        await closed(running)
        await running.shows("raw · thinking begins with your words")
        await running.idle()
        reply = running.screen.chat.branch[-1]
        assert sent(running) == [f"{NEXT}So [EOS]"] == [reply.raw_input]
        assert (reply.reasoning, reply.content) == ("So [EOS]hm", "Yes.")
        await running.type("More?<enter>")
        await running.idle()
        assert sent(running)[1] == (f"{BEFORE}{OPEN}<think></think>Yes.<|im_end|>{USER}More?<|im_end|>{OPEN}<think>")
        assert running.client.bodies[1]["temperature"] == 1.0
        assert not beside(running.files.path_of(LAMB), RAW_DRAFT).exists()


async def test_the_draft_is_its_question_and_leaves_the_composer(tmp_path: Path) -> None:
    async with program(tmp_path, YES, session=LAMB) as running:
        await running.type("How long?<f5>")
        await running.until(lambda: running.scope is Scope.PROMPT)
        editor = await opened(running, "e")
        assert editor.exact_text == MORE
        await running.type("<ctrl+s>")
        await closed(running)
        await running.idle()
        assert sent(running) == [MORE]
        assert running.screen.composer.draft == ""
        question, reply = running.screen.chat.branch[-2:]
        assert (question.content, reply.raw_input) == ("How long?", MORE)
        assert running.scope is Scope.PROMPT


async def test_a_past_request_is_edited_from_its_pane_and_answered_beside_its_reply(tmp_path: Path) -> None:
    async with program(tmp_path, YES, YES, session=LAMB) as running:
        await running.type("<shift+tab>i")
        await running.until(lambda: running.scope is Scope.PROMPT)
        editor = await opened(running, "e")
        assert editor.exact_text == f"{ASKED}{OPEN}<think>"
        await running.type(" Hm<ctrl+s>")
        await closed(running)
        await running.idle()
        reply = running.screen.chat.branch[-1]
        assert (reply.parent, reply.raw_input) == ("m1", f"{ASKED}{OPEN}<think> Hm")
        await running.shows("2/2")
        running.screen.type_here()
        await running.type("/regenerate<enter>")
        await running.shows("3/3")
        await running.idle()
        assert sent(running) == [f"{ASKED}{OPEN}<think> Hm"] * 2
        assert running.screen.chat.branch[-1].raw_input == reply.raw_input


async def test_its_request_is_shown_as_it_was_sent(tmp_path: Path) -> None:
    async with program(tmp_path, YES, session=LAMB) as running:
        await opened(running)
        await running.type(" [BOS]<ctrl+s>")
        await closed(running)
        await running.idle()
        running.screen.type_here()
        await running.type("<shift+tab>i")
        pane = running.screen.query_one(PromptPane)
        await running.until(lambda: pane.view is not None and pane.view.text == f"{NEXT} [BOS]")
        await running.shows("raw input")


async def test_escape_keeps_it_and_off_throws_it_away(tmp_path: Path) -> None:
    async with program(tmp_path, session=LAMB) as running:
        await opened(running)
        await running.type("<escape>")
        await closed(running)
        assert not running.screen.chat.unsent.take_typed_raw()  # nothing was changed
        await opened(running)
        await running.type("Mine<escape>")
        await closed(running)
        await running.shows("The raw input is kept")
        file = beside(running.files.path_of(LAMB), RAW_DRAFT)
        kept = {"reply_to": None, "text": f"{NEXT}Mine"}
        await running.until(lambda: file.exists() and json.loads(file.read_bytes()) == kept)
        assert running.scope is Scope.COMPOSER
        editor = await opened(running)
        await running.shows("kept from before")
        assert editor.exact_text == f"{NEXT}Mine"
        await running.type("<ctrl+r>")
        assert editor.exact_text == NEXT
        await running.type("<ctrl+z><escape>")
        await closed(running)
        assert running.screen.chat.unsent.raw_draft == RawDraft(f"{NEXT}Mine")
        await running.type("/raw off<enter>")
        await running.shows("thrown away")
        await running.until(lambda: not file.exists())
        assert (await opened(running)).exact_text == NEXT


async def test_it_is_kept_over_a_restart_and_with_the_quit_key(tmp_path: Path) -> None:
    async with program(tmp_path, session=LAMB) as running:
        await opened(running)
        await running.type("Mine<ctrl+q>")
        await running.until(lambda: running.app.return_code is not None)
    files = running.files
    held = files.open(files.path_of(LAMB))
    held.release()
    assert held.raw_draft == RawDraft(f"{NEXT}Mine")


async def test_a_new_session_is_saved_with_it(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        await opened(running)
        await running.type("a")
        path = running.screen.chat.path
        await running.until(lambda: path.exists() and beside(path, RAW_DRAFT).exists())


async def test_what_brought_no_reply_is_kept_and_sent_again(tmp_path: Path) -> None:
    refused = Script([], refuse=ServerFaultError("No."))
    config = {"api": {"retries": 0}}
    async with program(tmp_path, refused, YES, session=LAMB, config=config) as running:
        await running.type("How long?")
        await running.type("<f5>")
        await running.until(lambda: running.scope is Scope.PROMPT)
        await opened(running, "e")
        await running.type("Hm<ctrl+s>")
        await closed(running)
        await running.shows("Your raw input is kept: /raw opens it.")
        running.screen.type_here()
        assert (await opened(running)).exact_text == f"{MORE}Hm"
        await running.type("<ctrl+s>")
        await closed(running)
        await running.idle()
        assert [it.role for it in running.screen.chat.branch[2:]] == [Role.USER, Role.ASSISTANT]
        assert len(running.screen.chat.session.messages) == 4
        assert running.screen.chat.unsent.raw_draft is None


async def test_an_empty_one_is_not_sent(tmp_path: Path) -> None:
    async with program(tmp_path, session=LAMB) as running:
        editor = await opened(running)
        editor.put("")
        await running.type("<ctrl+s>")
        assert isinstance(running.app.screen, RawScreen)
        assert sent(running) == []


async def test_what_the_next_reply_was_to_begin_with_stands_in_it_and_a_budget_waits(tmp_path: Path) -> None:
    async with program(tmp_path, says(" roast it."), says("One. Two."), says("Yes."), session=LAMB) as running:
        await running.type("/prefill Well,<enter>/stop-at ###<enter>/budget 1 once<enter>/raw<enter>")
        await running.until(lambda: isinstance(running.app.screen, RawScreen))
        assert area(running).exact_text == f"{BEFORE}{OPEN}<think></think>Well,"
        await running.type("<ctrl+s>")
        await closed(running)
        await running.idle()
        assert running.screen.chat.branch[-1].content == "Well, roast it."
        assert "###" in running.client.bodies[0]["stop"]
        await running.type("More?<enter>")
        await running.idle()
        assert sent(running)[1].endswith(f"More?<|im_end|>{OPEN}<think>")
        assert "###" not in running.client.bodies[1]["stop"]
        assert sent(running)[2].endswith("</think>")  # the budget that was for the next reply of messages


class FakeEditor:
    """Puts something in the place of a text."""

    def __init__(self, told: str = "") -> None:
        self.told = told

    def check(self) -> None:
        if self.told == "none":
            raise UsageError("No editor is named.", "Set EDITOR.")

    async def edit(self, text: str) -> tuple[str, str]:
        return f"[BOS]\r\n{text}\u2028", self.told


@pytest.mark.parametrize("told", ["", "A line end was left out.", "none"])
async def test_another_program_edits_it(tmp_path: Path, told: str) -> None:
    prepared = prepare(tmp_path, YES, session=LAMB, text_editor=FakeEditor(told))
    async with prepared.app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        running = prepared.run_by(pilot)
        editor = await opened(running)
        await running.type("<ctrl+g>")
        if told == "none":
            await running.shows("No editor is named. Set EDITOR.")
            assert editor.exact_text == NEXT
            return
        await running.until(lambda: editor.exact_text == f"[BOS]\r\n{NEXT}\u2028")
        if told:
            await running.shows(told)
        await running.type("<ctrl+s>")
        await closed(running)
        await running.idle()
        assert sent(running) == [f"[BOS]\r\n{NEXT}\u2028"]


async def test_it_waits_for_a_reply_that_runs(tmp_path: Path) -> None:
    async with program(tmp_path, streaming(token("hm"), asyncio.Event()), session=LAMB) as running:
        await running.type("x<enter>/raw<enter>")
        await running.shows("a reply is running; stop it first")
        assert not isinstance(running.app.screen, RawScreen)
        running.screen.chat.replies.stop()
        await running.idle()


async def test_a_session_that_can_only_be_read_is_not_written_in(tmp_path: Path) -> None:
    async with program(tmp_path, session=LAMB) as running:
        running.screen.chat.open_session.read_only = "others hold it"
        await running.type("/raw<enter>")
        await running.shows("read-only")
        assert not isinstance(running.app.screen, RawScreen)


async def test_what_is_made_of_its_reply_is_asked_for_by_it(tmp_path: Path) -> None:
    async with program(tmp_path, says("hm", " so", "</think>", "Yes"), YES, YES, session=LAMB) as running:
        (await opened(running)).put("Once upon a time<think>")
        await running.type("<ctrl+s>")
        await running.idle()
        await running.type("<shift+tab>T")
        await running.shows("token 1 of")
        await running.type("<end>c")
        await running.until(lambda: len(running.client.bodies) == 2)
        await running.idle()
        await running.type("/another-answer<enter>")
        await running.until(lambda: len(running.client.bodies) == 3)
        await running.idle()
        assert sent(running)[1:] == ["Once upon a time<think>hm", "Once upon a time<think>hmhm</think>"]
        assert [it.raw_input for it in running.screen.chat.session.messages[4:]] == sent(running)[1:]


async def test_words_that_have_no_place_in_it_make_nothing(tmp_path: Path) -> None:
    async with program(tmp_path, says("there", " was"), session=LAMB) as running:
        (await opened(running)).put("Once upon a time")
        await running.type("<ctrl+s>")
        await running.idle()
        before = running.screen.chat.session
        await running.type("<shift+tab>/seed Let me<enter>")
        await running.shows("has no place for that")
        assert running.screen.chat.session is before
        assert len(running.client.bodies) == 1


async def test_its_question_is_asked_again_by_it_while_its_reply_is_shown(tmp_path: Path) -> None:
    async with program(tmp_path, *[YES] * 4, session=LAMB) as running:
        (await opened(running)).put("Once upon a time<think>")
        await running.type("<ctrl+s>")
        await running.idle()
        question = running.screen.chat.branch[-1].parent
        for keys in ("<shift+tab>w", "r", "<up>r"):  # its reply, what was made of that, the question of both
            count = len(running.client.bodies)
            await running.type(keys)
            await running.until(lambda count=count: len(running.client.bodies) > count)  # type: ignore[misc]
            await running.idle()
        raw = "Once upon a time<think>"
        assert sent(running) == [raw, f"{raw}hm\n\nWait,", raw, raw]
        assert {it.parent for it in running.screen.chat.session.messages[3:]} == {question}


@pytest.mark.parametrize(("counted", "told"), [(4_003, "~4.0k tok in each"), (None, "~6.5k tok in each")])
async def test_what_several_take_is_that_of_the_input(tmp_path: Path, counted: int | None, told: str) -> None:
    first = streaming(token("Yes."), end(inputs=counted), DONE) if counted else streaming(token("Yes."))
    async with program(tmp_path, first, YES, YES, session=LAMB) as running:
        (await opened(running)).put("word " * 4_000)
        await running.type("<ctrl+s>")
        await running.idle()
        if counted is None:
            assert "asks for another reply (~6.5k tok in" in str(running.screen.chat.notices[-1].entry.text)
        await running.type("/regenerate 2<enter>")
        await running.until(lambda: len(running.client.bodies) == 3)
        await running.idle()
        assert any(told in str(notice.entry.text) for notice in running.screen.chat.notices)
