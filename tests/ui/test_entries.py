"""What is said of a turn that ended other than usual."""

from __future__ import annotations

import pytest

from kimi_tui.core.errors import BrokenStreamError, CompletionError, ServerFaultError
from kimi_tui.core.session.session import Message, MessageState, Role
from kimi_tui.core.wire.turn_events import Phase, TurnEnded
from kimi_tui.ui.state.end_notices import end_notices


def test_a_part_that_is_kept_says_how_to_ask_for_another_reply() -> None:
    reply = Message("m2", Role.ASSISTANT, "part", state=MessageState.INTERRUPTED)
    ended = TurnEnded("t", Phase.FAILED, MessageState.INTERRUPTED, (reply,), BrokenStreamError("Cut.", "Try again."))
    [notice] = end_notices(ended, has_text_back=True, prompt_tokens=lambda: 1200)
    more = "goes on where it broke off (~1.2k tok in)"
    again = "asks for another reply (~1.2k tok in, all of it written anew)"
    assert notice.words({"continue": "m", "regenerate": "r"}.__getitem__) == (
        f"Cut.\nWhat arrived is kept; m on it or /continue {more}; r on it or /regenerate {again}."
    )
    assert f"kept; /continue {more}; /regenerate {again}." in notice.words(lambda _: "")


@pytest.mark.parametrize("error", [None, ServerFaultError("The endpoint failed.", "Try again.")])
def test_where_nothing_is_in_the_composer_a_way_to_ask_again_is_named(error: CompletionError | None) -> None:
    phase = Phase.STOPPED if error is None else Phase.FAILED
    ended = TurnEnded("t", phase, MessageState.FAILED, (), error)
    [notice] = end_notices(ended, has_text_back=False)
    assert "r on it or /regenerate asks for a reply." in notice.words(lambda _: "r")
    [notice] = end_notices(ended, has_text_back=True)
    assert "Your text is back in the composer." in notice.words(lambda _: "r")
    assert not notice.offers


@pytest.mark.parametrize(
    ("phase", "state", "reason", "said"),
    [
        (Phase.STOPPED, MessageState.CANCELLED, None, "Stopped. What arrived is kept; m on it"),
        (Phase.FINISHED, MessageState.COMPLETE, "length", "inside its thinking. What arrived is kept; m on it"),
        (Phase.FINISHED, MessageState.COMPLETE, "length", "Raise max_new_tokens, or ask with /think off."),
        (Phase.FINISHED, MessageState.COMPLETE, "stop", "Or ask with /think off."),
    ],
)
def test_a_reply_that_ends_inside_its_thinking(
    phase: Phase, state: MessageState, reason: str | None, said: str
) -> None:
    reply = Message("m2", Role.ASSISTANT, "", reasoning="hm", state=state, finish_reason=reason)
    [notice] = end_notices(TurnEnded("t", phase, state, (reply,)), has_text_back=False)
    assert said in notice.words(lambda _: "m")


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        ("part", "length", "was cut by max_new_tokens. What arrived is kept; m on it or /continue"),
        ("", "stop", "has no answer. What arrived is kept; m on it or /continue"),
        ("whole", "stop", ""),
    ],
)
def test_a_reply_that_the_endpoint_ended_before_its_time_can_be_gone_on_with(
    content: str, reason: str, said: str
) -> None:
    reply = Message("m2", Role.ASSISTANT, content, state=MessageState.COMPLETE, finish_reason=reason)
    found = end_notices(TurnEnded("t", Phase.FINISHED, MessageState.COMPLETE, (reply,)), has_text_back=True)
    assert said in "".join(notice.words(lambda _: "m") for notice in found)
    assert bool(found) is bool(said)
