"""What a line in the composer means."""

from __future__ import annotations

import pytest

from kimi_tui.core.settings.actions import BY_ID
from kimi_tui.ui.state.slash import Command, Text, UnknownCommand, completions, is_half_typed, is_message, parse_line


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
        ("/send", UnknownCommand("send", ("seed",))),
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


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Hello", True),
        ("//stop", True),
        ("/etc/hosts says no", True),
        ("", False),
        (" \n ", False),
        ("/", False),
        ("/exp", False),
        ("/export notes", False),
    ],
)
def test_what_is_a_message(line: str, expected: bool) -> None:
    assert is_message(line) is expected


def test_a_half_typed_command_is_none_by_itself() -> None:
    assert is_half_typed("/sess")
    assert not any(is_half_typed(line) for line in ("/", "/set", "/settings", "/nonsense", "/sess x", "sess", "//sess"))


def test_a_completion_is_whole_where_nothing_has_to_follow() -> None:
    choices = {"set": ["top_p"], "theme": ["dark"]}
    lines = ("/sessi", "/them", "/expo", "/set to", "/theme d")
    assert [completions(line, choices)[0].is_whole for line in lines] == [True, True, False, False, True]
