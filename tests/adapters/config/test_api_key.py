"""Where the key comes from, and that a bad one is refused without being shown."""

from __future__ import annotations

import sys

import pytest

from kimi_tui.adapters.child_environ import VARIABLES
from kimi_tui.adapters.config.api_key import check_key, find_key
from kimi_tui.core.errors import KeyMissingError
from kimi_tui.core.settings.settings import ApiSettings
from kimi_tui.core.wire.dialects import DIALECTS
from tests.fakes.tiny_dialect import TINY

KEY = "sk-secret"


def test_the_first_variable_that_is_set_wins() -> None:
    environ = {name: f"{KEY}-{place}" for place, name in enumerate(VARIABLES)}
    assert find_key(environ, ApiSettings()) == f"{KEY}-0"
    assert find_key({**environ, VARIABLES[0]: ""}, ApiSettings()) == f"{KEY}-1"


def test_the_config_comes_after_the_environment() -> None:
    command = f"{sys.executable} -c 'print(\"from-command\")'"
    assert find_key({VARIABLES[2]: KEY}, ApiSettings(api_key="other")) == KEY
    assert find_key({}, ApiSettings(api_key=KEY, api_key_command=command)) == KEY
    assert find_key({}, ApiSettings(api_key_command=command)) == "from-command"


@pytest.mark.parametrize(
    "command",
    [
        "/nowhere/at-all",
        "'unclosed",
        "   ",
        f"{sys.executable} -c 'import sys; sys.exit(3)'",
        f"{sys.executable} -c ''",
    ],
)
def test_a_command_that_gives_no_key(command: str) -> None:
    with pytest.raises(KeyMissingError):
        find_key({}, ApiSettings(api_key_command=command))


def test_without_a_key_the_way_out_is_named() -> None:
    with pytest.raises(KeyMissingError) as caught:
        find_key({}, ApiSettings())
    assert "DEEPINFRA_TOKEN" in caught.value.hint
    assert "--demo" in caught.value.hint


def test_white_space_around_a_key_is_dropped() -> None:
    assert check_key(f" {KEY}\r\n", "x", "") == KEY


@pytest.mark.parametrize("key", ["", "  ", "\n", f"{KEY} {KEY}", f"{KEY}\n{KEY}", f"{KEY}\0", f"{KEY}é", f"{KEY}\x7f"])
def test_what_no_header_can_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(KeyMissingError) as caught:
        check_key(key, "DEEPINFRA_TOKEN", "")
    assert KEY not in caught.value.summary + caught.value.hint
    assert "DEEPINFRA_TOKEN" in caught.value.summary


def test_another_dialect_has_a_variable_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, "tiny", TINY)
    api = ApiSettings(dialect="tiny")
    assert find_key({"TINY_KEY": KEY, VARIABLES[0]: "other"}, api) == KEY
    with pytest.raises(KeyMissingError) as caught:
        find_key({VARIABLES[0]: KEY}, api)
    assert caught.value.hint.startswith("Set TINY_KEY to your key;")
