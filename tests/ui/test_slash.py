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
    assert [completion.text for completion in completions("/the", {})] == ["/theme "]
    assert [completion.text for completion in completions("/exi", {})] == ["/quit"]
    assert completions("/theme ", {}) == ()
    assert completions("//the", {}) == ()
    assert completions("the", {}) == ()


def test_values_that_are_known_complete_an_argument() -> None:
    choices = {"set": ["temperature", "top_p", "top_k"], "theme": ["dark"]}
    assert [completion.text for completion in completions("/set to", choices)] == ["/set top_p", "/set top_k"]
    assert [completion.text for completion in completions("/theme ", choices)] == ["/theme dark"]
    assert completions("/theme dark", choices) == ()
    assert completions("/rename d", choices) == ()
