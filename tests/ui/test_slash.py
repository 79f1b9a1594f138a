"""What a line in the composer means."""

from __future__ import annotations

import pytest

from kimi_tui.core.actions import BY_ID
from kimi_tui.ui.slash import Command, Text, UnknownCommand, completions, parse_line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Hello", Text("Hello")),
        ("  /not a command", Text("  /not a command")),
        ("//etc/hosts", Text("/etc/hosts")),
        ("/stop", Command(BY_ID["stop"], "")),
        ("/STOP", Command(BY_ID["stop"], "")),
        ("/exit", Command(BY_ID["quit"], "")),
        ("/clear", Command(BY_ID["new"], "")),
        ("/system Be brief.\nAnd kind. ", Command(BY_ID["system"], "Be brief.\nAnd kind. ")),
        ("/system\nBe brief.", Command(BY_ID["system"], "Be brief.")),
        ("/set stop [\"a b\"]", Command(BY_ID["set"], 'stop ["a b"]')),
        ("/send", UnknownCommand("send", ())),
        ("/etc/hosts", UnknownCommand("etc/hosts", ())),
        ("/", UnknownCommand("", ())),
    ],
)  # fmt: skip
def test_parse_line(line: str, expected: object) -> None:
    assert parse_line(line) == expected


def test_completions_end_where_an_argument_begins() -> None:
    assert [action.id for action in completions("/the")] == ["theme"]
    assert [action.id for action in completions("/exi")] == ["quit"]
    assert completions("/theme ") == ()
    assert completions("//the") == ()
    assert completions("the") == ()
