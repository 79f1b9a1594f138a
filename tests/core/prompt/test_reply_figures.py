"""What a reply took, counted or estimated."""

from __future__ import annotations

from dataclasses import replace

from kimi_tui.core.prompt.reply_figures import figures_of
from kimi_tui.core.session.session import NO_TIMING, NO_USAGE, MessageState, Timing, Usage
from kimi_tui.core.session.written import Begun
from tests.core.prompt.test_conversation import reply

STOPPED = replace(reply("m2", "word " * 200, "m1"), state=MessageState.CANCELLED)


def test_what_nobody_counted_is_estimated() -> None:
    assert figures_of(STOPPED) == (Usage(output_tokens=250), NO_TIMING, True)


def test_counts_stand_and_say_whether_they_are_all() -> None:
    usage, timing = Usage(37, 212, 0.001), Timing(0.5, 1.0, 2.0)
    whole = replace(STOPPED, state=MessageState.COMPLETE, usage=usage, timing=timing)
    assert figures_of(whole) == (usage, timing, False)
    assert figures_of(replace(STOPPED, usage=Usage(output_tokens=20))) == (Usage(output_tokens=20), NO_TIMING, True)


def test_text_that_no_request_brought_took_nothing() -> None:
    assert figures_of(replace(STOPPED, begun=Begun(of="m1"))) == (NO_USAGE, NO_TIMING, False)
