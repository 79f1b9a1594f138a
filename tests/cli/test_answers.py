"""What is written of a reply that was stopped."""

from __future__ import annotations

import pytest

from kimi_tui.cli.console import Console
from kimi_tui.cli.reply_output import PlainOutput
from kimi_tui.core.session.growing_reply import ReplyPart
from tests.cli.calls import Piped, Terminal


@pytest.mark.parametrize(
    ("out", "err", "written"),
    [(Terminal(), Terminal(), ("half\n", "hm\n")), (Piped(), Terminal(), ("half", "hm\n")), (Piped(), Piped(), ("half", "hm\n"))],
    ids=["terminal", "piped", "both piped"],
)  # fmt: skip
def test_a_stopped_reply_ends_its_line_on_a_terminal_alone(out: Piped, err: Piped, written: tuple[str, str]) -> None:
    output = PlainOutput(Console(None, out, err), show_reasoning=True, has_alternatives=False)
    output.delta(ReplyPart.REASONING, "hm")
    output.delta(ReplyPart.ANSWER, "half")
    output.stopped({})
    assert (out.text(), err.text()) == written


@pytest.mark.parametrize(("err", "written"), [(Terminal(), "hm\n"), (Piped(), "hm")], ids=["terminal", "piped"])
def test_so_does_stopped_reasoning(err: Piped, written: str) -> None:
    output = PlainOutput(Console(None, Piped(), err), show_reasoning=True, has_alternatives=False)
    output.delta(ReplyPart.REASONING, "hm")
    output.stopped({})
    assert err.text() == written
