"""What the screen says is left out for want of room is what the engine leaves out, by estimates that are calibrated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.ports import HeldSession
from kimi_tui.core.prompt.context_meter import Context, context_of
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.next_cuts import next_parts
from kimi_tui.core.prompt.open_prompt import ClosedPrompt
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.token_estimate import rough_tokens
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import before, branch
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking
from kimi_tui.ui.state.measured_cuts import Typed, measured_cut
from kimi_tui.ui.state.next_cut import NextCut
from kimi_tui.ui.state.open_chat import Chat
from tests.core.prompt.test_calibration import NOW, tokens_of, told
from tests.prompts import with_question

TURNS = 12
TALK = told(["cjk"], TURNS, "large pieces")
MIXED = told(["prose", "cjk"], TURNS, "small pieces")
BLANK = Message(id="", role=Role.ASSISTANT, content="", template="deepinfra", thinking=True)
DRAFTS = st.lists(st.sampled_from(["羊", "清炖羊肉。", "lamb ", "<|im_end|>", "\n", "é"]), max_size=60).map(
    lambda pieces: "x" + "".join(pieces)  # it is a message, not a blank line
)


class Screen:
    """All that shows where the next request is cut, and what is sent."""

    def __init__(self, session: Session, request: RequestSettings) -> None:
        self.request, self.viewer = request, PromptViewer()
        self.chat = Chat(OpenSession(session, None), HeldSession(session))

    def line(self, draft: str, edited: str | None = None) -> NextCut:
        return measured_cut(lambda session, options: self.request, self.chat, Typed(draft, edited))

    def pane(self, draft: str, edited: str | None = None) -> PromptView:
        session = self.chat.session if edited is None else before(self.chat.session, edited)
        return self.viewer.view(session, self.request, draft)

    def meter(self, draft: str) -> Context:
        kept, gone, calibration = self.request.kept_thinking, self.line(draft).left_out, self.chat.calibration
        found = context_of(self.chat.session, self.request.context_tokens, kept, gone, calibration)
        return found.with_typed(calibration.tokens(draft))

    def sent(self, draft: str, edited: str | None = None) -> tuple[list[str], str]:
        """Ids of what the engine leaves out for want of room, and the input that it sends."""
        open_session, opening = OpenSession(self.chat.session, None), Asking(draft, edited)
        reply = opening.begin(open_session, BLANK)
        closed = ClosedPrompt.of(opening.apply(self.chat.session, reply, NOW), reply, self.request)
        return [message.id for message in closed.left_out], str(closed.followed_by(reply).text)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([TALK, MIXED]),
    st.integers(500, 14_000),
    st.sampled_from(list(OverBudget)),
    st.sampled_from([0, 1, "all"]),
    st.lists(st.tuples(DRAFTS, st.none() | st.integers(0, TURNS - 1)), min_size=1, max_size=4),
    st.sets(st.integers(0, 2 * TURNS - 1), max_size=3),
)
def test_what_is_said_to_be_left_out_is_left_out_at_any_draft(  # noqa: PLR0917 - hypothesis gives them in this order
    talk: Session,
    window_tokens: int,
    over_budget: OverBudget,
    kept: Any,
    asked: list[tuple[str, int | None]],
    pinned: set[int],
) -> None:
    messages = tuple(replace(it, pinned=place in pinned) for place, it in enumerate(talk.messages))
    session = replace(talk, messages=messages)
    request = RequestSettings(context_tokens=window_tokens, over_budget=over_budget, kept_thinking=kept)
    screen = Screen(session, request)
    for draft, number in asked:  # typed one after the other
        edited = None if number is None else f"q{number}"
        gone, text = screen.sent(draft, edited)
        view, line = screen.pane(draft, edited), screen.line(draft, edited)
        assert (view.text, [message.id for message in view.left_out]) == (text, gone)
        assert (line.count, line.left_out or frozenset()) == (len(gone), frozenset(gone))
        if edited is None:
            parts, left_out = next_parts(with_question(session, draft), request)
            assert ("".join(part.text for part in parts), [it.id for it in left_out]) == (text, gone)


@pytest.mark.parametrize("draft", ["x", "清炖羊肉。" * 100], ids=["short", "long"])
def test_nothing_is_left_out_while_the_meter_says_that_there_is_room(draft: str) -> None:
    """By the usual rates the same conversation has no room: one token to a character, where two share one."""
    whole = PromptViewer().view(TALK, RequestSettings(), draft)
    assert whole.tokens == pytest.approx(tokens_of(whole.text, "large pieces"), rel=0.05)
    window_tokens = round(whole.tokens * 1.15)
    assert rough_tokens(whole.text) > 1.3 * window_tokens
    screen = Screen(TALK, RequestSettings(context_tokens=window_tokens, over_budget=OverBudget.LEAVE_OUT))
    meter = screen.meter(draft)
    assert meter.tokens == pytest.approx(whole.tokens, rel=0.05)
    assert not meter.is_near or meter.tokens < window_tokens
    assert (screen.line(draft).count, screen.sent(draft)) == (0, ([], whole.text))


def test_the_meter_counts_what_is_left_when_it_is_cut() -> None:
    screen = Screen(TALK, RequestSettings(context_tokens=4000, over_budget=OverBudget.LEAVE_OUT))
    view = screen.pane("x")
    assert 0 < len(view.left_out) < len(branch(TALK))
    assert screen.meter("x").tokens == pytest.approx(view.tokens, rel=0.05)
    assert screen.meter("x").tokens <= 4000


def test_what_is_pinned_comes_back_when_the_setting_says_so() -> None:
    """Though the cut stands at the same place."""
    messages = tuple(replace(it, pinned=it.id == "q0") for it in TALK.messages)
    screen = Screen(
        replace(TALK, messages=messages), RequestSettings(context_tokens=4000, over_budget=OverBudget.LEAVE_OUT)
    )
    assert "q0" in {message.id for message in screen.pane("x").left_out}
    screen.request = replace(screen.request, over_budget=OverBudget.KEEP_PINNED)
    assert "q0" not in {message.id for message in screen.pane("x").left_out}
