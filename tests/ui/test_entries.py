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
    [notice] = end_notices(ended, has_text_back=True)
    assert [offer.action_id for offer in notice.offers] == ["regenerate"]
    for key, ways in (("r", "r on it or /regenerate asks"), ("", "/regenerate asks")):
        words = notice.words({"regenerate": key}.__getitem__)
        assert words == f"Cut.\nWhat arrived is kept; {ways} for another reply.\nTry again."


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
        (Phase.STOPPED, MessageState.CANCELLED, None, []),  # the reply itself says that it was stopped
        (Phase.FINISHED, MessageState.COMPLETE, "length", ["inside its thinking. Raise max_new_tokens, or"]),
        (Phase.FINISHED, MessageState.COMPLETE, "stop", ["inside its thinking. Ask for another reply, or"]),
    ],
)
def test_a_reply_that_ends_inside_its_thinking(
    phase: Phase, state: MessageState, reason: str | None, said: list[str]
) -> None:
    reply = Message("m2", Role.ASSISTANT, "", reasoning="hm", state=state, finish_reason=reason)
    found = [notice.text for notice in end_notices(TurnEnded("t", phase, state, (reply,)), has_text_back=False)]
    assert len(found) == len(said)
    assert all(part in text for part, text in zip(said, found, strict=True))
